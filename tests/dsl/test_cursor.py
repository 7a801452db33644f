"""What a place takes, held against what does stand there in rules that are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.cursor import Cursor, cursor_at
from dsl.meanings import MEANINGS
from dsl.places import Place, Role
from dsl.schema import Side
from dsl.source import Source
from dsl.tokens import Token, tokens

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "tests" / "data" / "tour.sync", *sorted((ROOT / "rules").glob("*.sync"))]


def _words(text: str) -> list[Token]:
    return [
        t for t in tokens(Source("a.sync", text)) if t.text.isidentifier() and t.kind != "COMMENT"
    ]


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_every_word_of_good_rules_is_one_that_could_stand_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for token in _words(text)[::3]:
        found = cursor_at(text, token.start)
        assert found is not None, token
        keywords = {words.partition(" ")[0] for words in found.keywords}
        if token.kind == "FUNCTION":
            assert found.function, token
        elif token.text not in keywords:
            assert found.name is not None, token


@pytest.mark.parametrize("file", FILES[:1], ids=["tour"])
def test_it_does_not_matter_what_comes_after(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for token in _words(text)[::7]:
        assert cursor_at(text, token.start) == cursor_at(text[: token.start], token.start)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_place_of_no_text_is_too_much(data: st.DataObject) -> None:
    text = FILES[0].read_text(encoding="utf-8")
    begin = data.draw(st.integers(0, len(text)))
    cut = text[:begin] + text[begin + data.draw(st.integers(0, 40)) :]
    at = data.draw(st.integers(0, len(cut)))
    found = cursor_at(cut, at)
    assert found is None or found.start <= at


def _place(text: str) -> Cursor:
    found = cursor_at(text, len(text))
    assert found is not None
    return found


def test_a_field_knows_what_it_stands_in() -> None:
    place = _place("sync Lead <-> prospect { fields { Email <-> ").name
    assert place is not None
    assert (place.role, place.side, place.written) == (Role.FIELD, Side.OUTREACH, True)
    assert (place.owner.names, place.source) == (("Lead", "prospect"), "Email")


def test_an_activity_line_knows_its_kind_and_what_it_becomes() -> None:
    place = _place(
        "activities a { meeting booked from anywhere -> Event when x is empty { A <- "
    ).name
    assert place is not None
    assert (place.owner.activity, place.owner.target) == ("meeting booked", "Event")


def test_a_value_knows_its_field() -> None:
    found = _place('sync Lead <-> prospect { inbound create when Owner.Name in ("Ann", "B')
    assert found.quoted
    assert isinstance(found.text, Place)
    assert (found.text.operand, found.typed) == ("Owner.Name", "B")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sync Lead <-> prospect { ",
        "sync Lead <-> prospect { fields { A -> b ",
        "sync Lead <-> prospect { inbound create when A ",
        "sync Lead <-> prospect { inbound create when ",
        "sync Lead <-> prospect { polling ",
        "activities a { ",
        "stages s { ",
        "guard { ",
        'test "t" { ',
    ],
)
def test_each_keyword_that_is_offered_has_a_meaning(text: str) -> None:
    for words in _place(text).keywords:
        parts = words.split()
        known = words in MEANINGS or " ".join(parts[:2]) in MEANINGS
        assert known or parts[-1] in MEANINGS or parts[0] in MEANINGS or words in ("true", "false")
