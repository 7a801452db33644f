"""The extension for Visual Studio Code: its colours agree with the grammar, its files are there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dsl.cursor import cursor_at
from dsl.grammar import GRAMMAR_FILE
from dsl.source import Source
from dsl.tokens import tokens
from dsl.types import FUNCTIONS

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"
COLOURS = EXTENSION / "syntaxes" / "sync.tmLanguage.json"
TOUR = ROOT / "tests" / "data" / "tour.sync"
FILES = [TOUR, ROOT / "rules" / "leads.sync"]

KEYWORDS = ("keyword.", "support.type.", "constant.language.")

# A line's text, and each of its tokens with the scope that gives it its colour.
Row = list[tuple[str, str]]


def _grammar() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(COLOURS.read_text(encoding="utf-8"))
    return found


def _patterns(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "match" in node:
            yield node
        for child in node.values():
            yield from _patterns(child)
    elif isinstance(node, list):
        for child in node:
            yield from _patterns(child)


def test_the_keywords_are_those_of_the_grammar() -> None:
    known = re.findall(
        r'^[A-Z_]+: "([a-z]+)"$', GRAMMAR_FILE.read_text(encoding="utf-8"), re.MULTILINE
    )
    lists = [each["match"] for each in _grammar()["repository"]["keywords"]["patterns"]]
    coloured = [word for each in lists for word in re.findall(r"[a-z]{2,}", each)]
    assert sorted(coloured) == sorted(known)


def test_every_pattern_is_a_regular_expression_and_has_a_scope() -> None:
    for each in _patterns(_grammar()):
        re.compile(each["match"])
        scopes = [each.get("name"), *(c["name"] for c in each.get("captures", {}).values())]
        assert all(scope is None or scope.endswith(".sync") for scope in scopes)
        assert any(scopes)


def test_every_rule_that_is_included_is_there() -> None:
    grammar = _grammar()
    included = {each["include"][1:] for each in grammar["patterns"] if "include" in each}
    assert included == set(grammar["repository"])


def test_the_extension_names_files_that_are_there() -> None:
    package = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    contributed = package["contributes"]
    (language,), (grammar,) = contributed["languages"], contributed["grammars"]
    for name in (package["main"], language["configuration"], grammar["path"], "README.md"):
        assert (EXTENSION / name).is_file()
    assert grammar["language"] == language["id"] == "sync"
    assert grammar["scopeName"] == _grammar()["scopeName"]
    assert language["extensions"] == [".sync"]
    settings = contributed["configuration"]["properties"]
    script = (EXTENSION / package["main"]).read_text(encoding="utf-8")
    assert settings["crosswalk.path"]["default"] == "crosswalk"
    for command in contributed["commands"]:
        assert f'"{command["command"]}"' in script
    assert 'args: ["lsp"]' in script


@pytest.mark.parametrize(
    ("line", "indents"),
    [
        ("sync Lead <-> prospect {", True),
        ('    call logged -> Task  title "{{ a }}" {', True),
        ("fields a {  # a comment", True),
        ('    title "{{ a', False),
        ("# sync Lead {", False),
        ("given Lead { }", False),
        ("}", False),
    ],
)
def test_a_line_that_opens_a_block_indents_the_next(line: str, indents: bool) -> None:
    text = (EXTENSION / "language-configuration.json").read_text(encoding="utf-8")
    rules = json.loads(text)["indentationRules"]
    assert bool(re.search(rules["increaseIndentPattern"], line)) is indents
    assert bool(re.search(rules["decreaseIndentPattern"], line)) is line.startswith("}")


# -- in the editor's own engine -----------------------------------------------------------------


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], list[Row]]:
    """Reads a file with the engine that the editor colours with."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no Node to run the editor's own engine with")
    folder = tmp_path_factory.mktemp("engine")
    script = folder / "tokenize.js"
    shutil.copy(Path(__file__).with_name("tokenize.js"), script)
    words = ["install", "--no-audit", "--no-fund", "--no-save", "--prefer-offline"]
    engine = ["vscode-textmate@9", "vscode-oniguruma@2"]
    try:
        got = subprocess.run(
            [npm, *words, *engine], cwd=folder, capture_output=True, timeout=90, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the editor's own engine cannot be fetched in time")
    if got.returncode:
        pytest.skip("the editor's own engine cannot be fetched")

    def read(file: Path) -> list[Row]:
        out = subprocess.run(
            [node, script, COLOURS, file], capture_output=True, text=True, timeout=60, check=True
        ).stdout
        lines = file.read_text(encoding="utf-8").split("\n")
        return [
            [(line[start:end], str(scope)) for start, end, scope in row]
            for line, row in zip(lines, json.loads(out), strict=True)
        ]

    return read


Read = Callable[[Path], list[Row]]


def _scopes(row: Row) -> str:
    """A line's words, each with the start of its scope, as far as it says anything."""
    return " ".join(
        f"{text.strip()}:{scope.removesuffix('.sync')}" for text, scope in row if text.strip()
    )


EXPECTED = [
    (
        "stages lead_status {",
        "stages:keyword.control.item lead_status:entity.name.section {:punctuation.section.block",
    ),
    (
        "        Status     <-> stage      via lead_status",
        (
            "Status:variable.other.field.salesforce <->:keyword.operator.arrow"
            " stage:variable.other.field.outreach via:keyword.other.modifier"
            " lead_status:entity.name.section"
        ),
    ),
    (
        "        true        -> locked     once",
        (
            "true:constant.language ->:keyword.operator.arrow"
            " locked:variable.other.field.outreach once:keyword.other.modifier"
        ),
    ),
    (
        "    email received  from anywhere -> Task",
        (
            "email:support.type.activity received:support.type.activity from:keyword.other.modifier"
            " anywhere:keyword.other.modifier ->:keyword.operator.arrow"
            " Task:entity.name.type.salesforce"
        ),
    ),
    (
        "    polling every 10 minutes when IsConverted = false",
        (
            "polling:keyword.control.clause every:keyword.other.modifier 10:constant.numeric"
            " minutes:keyword.other.unit when:keyword.other.modifier"
            " IsConverted:variable.other.field =:keyword.operator.comparison"
            " false:constant.language"
        ),
    ),
    (
        "    expect no prospect",
        "expect:keyword.control.test no:keyword.control.test prospect:entity.name.type",
    ),
    (
        "crosswalk 1  # language version, optional",
        (
            "crosswalk:keyword.control.item 1:constant.numeric #:punctuation.definition.comment"
            " language version, optional:comment.line.number-sign"
        ),
    ),
]


def test_the_tour_is_coloured_as_it_is_meant(coloured: Read) -> None:
    rows = coloured(TOUR)
    lines = TOUR.read_text(encoding="utf-8").split("\n")
    for start, scopes in EXPECTED:
        number = next(i for i, line in enumerate(lines) if line.startswith(start))
        assert _scopes(rows[number]).startswith(scopes)
    title = next(row for row in rows if any("{{ purpose }}" in text for text, _ in row))
    assert ("{{ purpose }}", "variable.other.template.sync") in title


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_a_word_is_coloured_as_a_keyword_where_the_parser_takes_it_for_one(
    coloured: Read, file: Path
) -> None:
    rows = coloured(file)
    text = file.read_text(encoding="utf-8")
    source = Source("a.sync", text)
    words = [token for token in tokens(source) if token.text.isidentifier()]
    for token in words[:: 1 if file is TOUR else 4]:
        place = source.position(token.start)
        scope = _scope_at(rows[place.line - 1], place.column - 1)
        found = cursor_at(text, token.start)
        assert found is not None
        is_keyword = token.text in {each.partition(" ")[0] for each in found.keywords}
        is_function = token.kind == "FUNCTION" and token.text in FUNCTIONS
        assert scope.startswith(KEYWORDS) is (is_keyword and not is_function), (token, scope)


def _scope_at(row: Row, column: int) -> str:
    at = 0
    for text, scope in row:
        if at <= column < at + len(text):
            return scope
        at += len(text)
    raise AssertionError(f"there is nothing at column {column}")


def test_the_script_can_be_read() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node to read the script with")
    words = [node, "--check", str(EXTENSION / "extension.js")]
    subprocess.run(words, check=True, timeout=60)
