"""Runs the guide: every block of rules is checked and tested, every transcript is typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsl.format import format_source
from dsl.lint import Checked, check
from dsl.schema import shipped_schema
from dsl.source import Source
from engine.activities import carried_out
from engine.rule_tests import Rules, run_test
from engine.shipped import title_names, title_texts
from tests.docs.contexts import CONTEXTS, in_context
from tests.docs.pages import GUIDE, Block, blocks, chapters
from tests.docs.transcripts import Terminal, commands, is_as_shown

ALL = [block for page in chapters() for block in blocks(page)]
RULES = [block for block in ALL if block.is_rules]
ALONE = [block for block in RULES if block.caption is None or block.bad]
WHOLE = [block for block in RULES if not block.fragment_of and "bad" not in block.marks]
FRAGMENTS = [block for block in RULES if block.fragment_of and "bad" not in block.marks]
PROJECTS = [page for page in chapters() if any(b.caption for b in blocks(page))]


def checked(*files: tuple[str, str]) -> Checked:
    sources = [Source(path, text) for path, text in files]
    return check(sources, shipped_schema(), title_names())


def told(result: Checked) -> list[str]:
    return [f"{d.span.place}: {d.code} {d.message}" for d in result.diagnostics]


def assert_tests_pass(result: Checked) -> None:
    rules = Rules(carried_out(result.program, title_texts()))
    results = [run_test(rules, test) for test in result.program.tests]
    assert [f"{r.name}: {f.message}" for r in results for f in r.failures] == []


def terminal_of(page: Path, folder: Path) -> Terminal:
    """A terminal in the first chapter's project, unless the page makes one of its own."""
    terminal = Terminal(folder)
    if "$ crosswalk init" not in page.read_text(encoding="utf-8"):
        for command in ("crosswalk init --sample lesson", "cd lesson", "rm rules/*.sync"):
            terminal.type(command)
    return terminal


@pytest.mark.parametrize("block", ALONE, ids=str)
def test_every_block_of_rules_is_what_the_guide_says_it_is(block: Block) -> None:
    text = in_context(block.fragment_of, block.text) if block.fragment_of else block.text
    result = checked(("rules/guide.sync", text))
    found = {d.code for d in result.diagnostics}
    if block.bad:
        assert found == block.bad, told(result)
        return
    # A fragment need not use each toggle of the rules that it is shown in.
    assert not found - ({"CW305"} if block.fragment_of else set()), told(result)
    assert_tests_pass(result)


@pytest.mark.parametrize("block", WHOLE, ids=str)
def test_whole_rules_are_in_canonical_form(block: Block) -> None:
    source = Source("rules/guide.sync", block.text)
    assert format_source(source).text == block.text


@pytest.mark.parametrize("block", FRAGMENTS, ids=str)
def test_fragments_are_in_canonical_form(block: Block) -> None:
    source = Source("rules/guide.sync", in_context(str(block.fragment_of), block.text))
    assert stripped(block.text) in stripped(format_source(source).text)


def stripped(text: str) -> str:
    """Without the indentation, which depends on what a fragment stands in."""
    return "\n".join(line.strip() for line in text.strip().splitlines())


@pytest.mark.parametrize("page", PROJECTS, ids=lambda page: page.name)
def test_the_files_of_a_page_are_rules_without_findings(page: Path) -> None:
    rules = [b for b in blocks(page) if b.caption and b.is_rules and "bad" not in b.marks]
    files = {str(b.caption): b.text for b in rules}
    result = checked(*files.items())
    assert told(result) == []
    assert_tests_pass(result)


@pytest.mark.parametrize("page", PROJECTS, ids=lambda page: page.name)
def test_what_a_page_shows_of_the_terminal_is_what_happens(page: Path, tmp_path: Path) -> None:
    terminal = terminal_of(page, tmp_path)
    for block in blocks(page):
        if block.caption:
            terminal.save(block)
        if block.language != "console":
            continue
        for command, shown in commands(block.text):
            printed = terminal.type(command)
            assert is_as_shown(shown, printed), f"{block}: $ {command}\n{printed}"


def test_every_chapter_is_in_the_table_of_contents_and_teaches_with_rules() -> None:
    contents = (GUIDE / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^[\w-]+$", contents.split("```{toctree}")[1], re.MULTILINE)
    assert sorted(listed) == sorted(page.stem for page in chapters() if page.stem != "index")
    with_rules = {block.page for block in RULES}
    assert [page.name for page in chapters() if page.name not in with_rules | {"index.md"}] == []


def test_every_context_has_a_fragment() -> None:
    assert {block.fragment_of for block in RULES} - {None} == set(CONTEXTS)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n\n", True),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("run r-…: done\n", "run r-17: done\n", True),
        ("a\n", "a\nb\n", False),
        ("run r-…: done\n", "run r-17: held\n", False),
        ("", "something\n", False),
        ("", "", True),
    ],
)
def test_a_transcript_holds_where_it_is_not_left_open(shown: str, printed: str, same: bool) -> None:
    assert is_as_shown(shown, printed) is same
