"""A checker that remembers finds what one that starts afresh finds, and reads only what is new."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import parser
from dsl.diagnostics import as_json
from dsl.lint import Checked, Checker, check
from dsl.schema import shipped_schema
from dsl.source import Source
from tests.dsl.support import TEMPLATES, lead
from tests.dsl.texts import joined, words

PIECES = [
    "",
    "# a comment\n\n",
    'stages m { "Open" <-> "Open" }\n',
    'stages m { "Open" -> "Opne" }\n',
    "fields g { FirstName <-> firstName }\n",
    "fields g { FristName <-> firstName }\n",
    "fields h { Status <-> stage via m }\n",
    lead(fields="use g"),
    lead(fields="use g\nStatus <-> stage via m", clauses="match Email = emails\npolling"),
    "sync Contact <-> prospect { fields { use g  use h } }\n",
    "sync Contact <-> prospect { fields { use nope } }\n",
    "sync OpportunityStage <-> opportunityStage { match MasterLabel = name }\n",
    "sync Opportunity <-> opportunity { fields { StageName -> opportunityStage via m } }\n",
    "sync Lead <-> prospect {\n    # lint: allow CW305 on purpose\n    inbound update\n}\n",
    'test "t" { given Lead { Email: "a@b.co" } expect no prospekt }\n',
    "sync Lead <-> prospect { match Email = \n",
    "}\n",
    "limits { salesforce own 100 per day }\n",
]
FILES = ("rules/a.sync", "rules/b.sync", "rules/c.sync")


def sources(texts: tuple[str, ...]) -> list[Source]:
    return [Source(path, text) for path, text in zip(FILES, texts, strict=False)]


def told(checked: Checked) -> tuple[object, ...]:
    pairs = [
        (pair.span.place, pair.name, [line.key for line in pair.lines], sorted(pair.toggles))
        for pair in checked.program.pairs
    ]
    return as_json(checked.diagnostics), pairs, sorted(checked.program.maps)


text = st.lists(st.sampled_from(PIECES), max_size=4).map("".join) | st.builds(
    joined, words, st.just([" ", "\n"])
)
projects = st.tuples(text, text, text)


@given(st.lists(projects, min_size=2, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_checker_that_remembers_finds_what_a_new_one_finds(edits: list[tuple[str, ...]]) -> None:
    checker = Checker(shipped_schema(), TEMPLATES)
    for texts in edits:
        again = checker.check(sources(texts))
        afresh = check(sources(texts), shipped_schema(), TEMPLATES)
        assert told(again) == told(afresh)


def test_only_the_item_that_changed_is_parsed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    real = parser._read_part

    def recorded(source: Source) -> parser.Part:
        parsed.append(source.text)
        return real(source)

    monkeypatch.setattr(parser, "_read_part", recorded)
    checker = Checker(shipped_schema(), TEMPLATES)
    texts = ("fields g { FirstName <-> firstName }\n" + lead(fields="use g"), lead(), "")
    checker.check(sources(texts))
    parsed.clear()
    edited = "# a line more\n" + texts[0].replace("use g", "use g  Title <-> title")
    checker.check(sources((edited, *texts[1:])))
    assert parsed == ["# a line more\n", lead(fields="use g  Title <-> title")]


def test_what_did_not_change_moves_with_the_lines_above_it() -> None:
    checker = Checker(shipped_schema(), TEMPLATES)
    wrong = lead(fields="FristName <-> firstName")
    (before,) = checker.check(sources((wrong,))).diagnostics
    line = before.span.first.line
    (after,) = checker.check(sources(("# more\n\n\n" + wrong,))).diagnostics
    assert after.span.first.line == line + 3
    assert after.span.source.line_text(line + 3) == "FristName <-> firstName"


def test_a_group_that_changes_is_checked_again_where_it_is_used() -> None:
    checker = Checker(shipped_schema(), TEMPLATES)
    use = lead(fields="use g")
    assert checker.check(sources((use, "fields g { Title <-> title }"))).ok
    found = checker.check(sources((use, "fields g { Titel <-> title }"))).diagnostics
    assert [(d.code, d.span.text) for d in found] == [("CW202", "Titel")]
