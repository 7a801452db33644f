"""Builds the site as `make docs` does, and reads what came out."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from crosswalk_docs.codes import code_pages
from crosswalk_docs.commands import command_parsers, commands_page
from crosswalk_docs.grammar import grammar_page, keywords, read_grammar
from crosswalk_docs.lexer import SyncLexer
from pygments.token import Error, Keyword, Name, Token

from dsl.codes import CODES
from dsl.grammar import GRAMMAR_FILE
from engine.cli.main import COMMANDS
from tests.cli.program import crosswalk

ROOT = Path(__file__).parents[2]
PROSE = (ROOT / "docs" / "reference" / "grammar.toml").read_text(encoding="utf-8")
GRAMMAR = GRAMMAR_FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning is a failure."""
    out = tmp_path_factory.mktemp("site")
    options = ["-W", "-n", "-q", "-d", str(out / "trees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, "docs", str(out / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out / "html"


# -- the site -----------------------------------------------------------------------------------


class _Loaded(HTMLParser):
    """What a browser loads by itself for a page: not where a link leads."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source"):
            self.places.append(given.get("src") or "")
        elif tag == "link":
            self.places.append(given.get("href") or "")


def loaded(site: Path) -> Iterator[tuple[Path, str]]:
    for page in site.rglob("*.html"):
        reader = _Loaded()
        reader.feed(page.read_text(encoding="utf-8"))
        yield from ((page, place) for place in reader.places)
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        for found in re.finditer(r"url\(\s*['\"]?([^)'\"]+)|@import\s+['\"]([^'\"]+)", text):
            yield sheet, found[1] or found[2]


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    places = list(loaded(site))
    assert any(place.endswith(".css") or ".css?" in place for _, place in places)
    outside = [(p.name, place) for p, place in places if re.match(r"(?:https?:)?//", place)]
    assert outside == []


def test_every_part_of_the_site_is_there(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8")
    for page in ("guide/index", "reference/grammar", "reference/codes/index", "architecture"):
        assert (site / f"{page}.html").is_file()
        assert f'href="{page}.html"' in index


def test_a_rule_in_a_production_is_a_link_to_its_own(site: Path) -> None:
    page = (site / "reference" / "grammar.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="#(grammar-token-[\w-]+)"', page))
    targets = set(re.findall(r'id="(grammar-token-[\w-]+)"', page))
    assert len(links) > 50
    assert links <= targets


# -- the grammar --------------------------------------------------------------------------------


def test_a_rule_without_prose_fails_the_build() -> None:
    with pytest.raises(LookupError, match="no prose: novelty"):
        grammar_page(PROSE, GRAMMAR.replace("once: ONCE", "once: ONCE\nnovelty: ONCE"))


def test_prose_of_a_rule_that_is_gone_fails_the_build() -> None:
    with pytest.raises(LookupError, match="that are gone: novelty"):
        grammar_page(f'{PROSE}\nnovelty = "Something."', GRAMMAR)


def test_productions_are_what_the_grammar_says() -> None:
    lines = {each.name: each.lines for each in read_grammar(GRAMMAR)}
    assert lines["match"] == ('"match" `match_pair` ("and" `match_pair`)*',)
    assert lines["prevent"] == ('"prevent" "empty" | "prevent" "empty" ("inbound" | "outbound")',)
    assert lines["toggle"] == (
        "`timed_name` (`switch` | `every` | `when`)*",
        "| `conditional_name` (`switch` | `when`)*",
        "| `plain_name` `switch`*",
    )
    assert "POLLING" not in grammar_page(PROSE, GRAMMAR)


def test_sections_are_in_the_order_of_the_file() -> None:
    sections = list(dict.fromkeys(each.section for each in read_grammar(GRAMMAR)))
    written = re.findall(r"^// -- (.+?) -+$", GRAMMAR, re.MULTILINE)
    assert sections[1:] == written


# -- the codes ----------------------------------------------------------------------------------


def test_a_page_of_a_code_has_all_its_parts() -> None:
    page = code_pages()["CW202"]
    assert page.startswith(
        "# CW202 unknown-field\n\n**Error**: a field or path that does not exist."
    )
    parts = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert parts == ["What it finds", "Why it matters", "Wrong", "Right", "How to silence it"]
    assert "It cannot be silenced." in page
    assert "FristName -> firstName" in page


def test_the_index_lists_every_code(site: Path) -> None:
    index = (site / "reference" / "codes" / "index.html").read_text(encoding="utf-8")
    assert [code for code in CODES if code not in index] == []
    assert set(code_pages()) == set(CODES)


# -- the commands -------------------------------------------------------------------------------


def test_every_command_is_there_with_an_example() -> None:
    sections = re.split(r"^## crosswalk ", commands_page(), flags=re.MULTILINE)[1:]
    assert [section.split("\n", 1)[0] for section in sections] == list(COMMANDS)
    assert [s.split("\n", 1)[0] for s in sections if "```console\n$ crosswalk" not in s] == []


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_page_has_each_option_that_help_has(name: str, tmp_path: Path) -> None:
    told = crosswalk(tmp_path, name, "--help").out
    assert set(command_parsers()) == set(COMMANDS)
    section = commands_page().split(f"\n## crosswalk {name}\n")[1].split("\n## ")[0]
    options = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", told)) - {"--help"}
    assert [option for option in sorted(options) if option not in section] == []


# -- the highlighter ----------------------------------------------------------------------------


def kinds(text: str) -> list[tuple[str, str]]:
    pieces = [(kind, value) for kind, value in SyncLexer().get_tokens(text) if value.strip()]
    return [(str(kind).removeprefix("Token."), value) for kind, value in pieces]


def test_every_keyword_of_the_grammar_is_one() -> None:
    for word in keywords(GRAMMAR):
        assert kinds(word)[0][0].startswith("Keyword"), word


def test_a_keyword_where_a_name_stands_is_a_name() -> None:
    words = {value: kind for kind, value in kinds("Title -> title  once\nstage: 1")}
    assert words["title"] == "Name"
    assert words["once"] == "Keyword"
    assert words["stage"] == "Name.Attribute"
    assert ("Keyword", "sent") in kinds("email sent  -> Task")
    assert ("Name", "email") in kinds("match Email = email")
    assert ("Keyword.Constant", "true") in kinds("when IsConverted = true")


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.sync")), ids=lambda p: p.name)
def test_no_piece_of_a_rule_file_is_strange_to_it(path: Path) -> None:
    pieces = list(SyncLexer().get_tokens(path.read_text(encoding="utf-8")))
    assert {kind for kind, _ in pieces} & {Error, Token} == set()
    assert any(kind is Keyword for kind, _ in pieces)
    assert any(kind is Name for kind, _ in pieces)
