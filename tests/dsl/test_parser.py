"""The grammar: what rule files say, and that names are never reserved."""

from __future__ import annotations

import stat
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import syntax as s
from dsl.cache import cache_folder
from dsl.grammar import GRAMMAR_FILE
from dsl.parser import parse
from dsl.source import Source
from dsl.tokens import tokens

TOUR = (Path(__file__).parents[1] / "data" / "tour.sync").read_text(encoding="utf-8")


def items(text: str) -> tuple[s.Item, ...]:
    module, found = parse(Source("x.sync", text))
    assert found == []
    return module.items


def condition(text: str) -> s.Condition:
    (sync,) = items(f"sync A <-> b {{ inbound update when {text} }}")
    assert isinstance(sync, s.Sync)
    (toggle,) = sync.clauses
    assert isinstance(toggle, s.Toggle)
    (when,) = toggle.options
    assert isinstance(when, s.When)
    return when.condition


def line(text: str) -> s.FieldLine:
    (group,) = items(f"fields x {{ {text} }}")
    assert isinstance(group, s.Fields)
    (only,) = group.lines
    return only


def test_the_tour_is_read_without_a_finding() -> None:
    kinds = [type(item).__name__ for item in items(TOUR)]
    assert kinds == [
        *("Version", "Limits", "Guard", "ValueMap", "ValueMap", "Fields", "Activities"),
        *("Sync", "Test"),
    ]


def test_every_span_of_the_tour_is_its_own_text() -> None:
    module, _ = parse(Source("tour.sync", TOUR))
    sync = next(item for item in module.items if isinstance(item, s.Sync))
    assert sync.span.text.startswith("sync Lead")
    assert sync.span.text.endswith("}")
    assert [c.span.text.split()[0] for c in sync.clauses][:3] == ["match", "polling", "inbound"]


def test_comments_are_kept_in_order() -> None:
    module, _ = parse(Source("x.sync", '# one\nstages x { "#" <-> "b" } # two'))
    assert [c.text for c in module.comments] == ["# one", "# two"]


def keywords() -> list[str]:
    found = []
    for row in GRAMMAR_FILE.read_text(encoding="utf-8").splitlines():
        name, _, text = row.partition(': "')
        if name.isupper() and text.rstrip('"').isidentifier():
            found.append(text.rstrip('"'))
    return found


RESERVED = {"not", "and", "or", "true", "false", "now", "today"}


@pytest.mark.parametrize("word", sorted(set(keywords()) - RESERVED - {"use"}))
def test_no_keyword_is_reserved_where_a_field_is_expected(word: str) -> None:
    only = line(f"{word} <-> {word}")
    assert (only.left.span.text, only.right.span.text) == (word, word)
    assert isinstance(condition(f'{word} = "x"'), s.Compare)
    assert isinstance(condition(f"Owner.{word} is empty"), s.Emptiness)


@pytest.mark.parametrize("word", sorted(keywords()))
def test_no_keyword_is_reserved_as_a_group_a_map_or_a_part_of_a_path(word: str) -> None:
    assert line(f"A <-> b via {word}").modifiers[0].span.text == f"via {word}"
    (group,) = items(f"fields {word} {{ }}")
    assert isinstance(group, s.Fields)
    assert group.name.text == word
    assert line(f"A.{word} -> b").left.span.text == f"A.{word}"


def test_a_keyword_is_not_found_inside_a_longer_word() -> None:
    assert line("A <-> online").right.span.text == "online"
    _, found = parse(Source("x.sync", "sync A <-> b { sync down online }"))
    assert [d.span.text for d in found] == ["online"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a\\"b\\\\c\\n\\t\\u{1F600}"', 'a"b\\c\n\t\U0001f600'),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("true", True),
        ("2026-11-23", date(2026, 11, 23)),
        ("2026-11-23T09:30:00Z", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("2026-11-23T09:30:00", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("2026-11-23T09:30:00+00:00", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
    ],
)
def test_literals_have_the_value_that_they_show(text: str, value: object) -> None:
    found = condition(f"A = {text}")
    assert isinstance(found, s.Compare)
    assert isinstance(found.right, s.Literal)
    assert found.right.value == value
    assert type(found.right.value) is type(value)


@pytest.mark.parametrize(
    ("text", "operator", "negated"),
    [
        ("A = 1", "=", False),
        ("A != 1", "!=", False),
        ("A<=1", "<=", False),
        ('A contains "x"', "contains", False),
        ('A not starts with "x"', "starts with", True),
        ('A not   matches "x"', "matches", True),
        ('A in ("x", "y")', "in", False),
        ('A in("x")', "in", False),
        ('A not in ("x")', "in", True),
    ],
)
def test_operators_are_told_apart(text: str, operator: str, negated: bool) -> None:
    found = condition(text)
    assert isinstance(found, s.Compare)
    assert (found.operator, found.negated) == (operator, negated)


@pytest.mark.parametrize(
    ("text", "negated"), [("is empty", False), ("is not empty", True), ("is present", True)]
)
def test_emptiness_has_three_wordings(text: str, negated: bool) -> None:
    found = condition(f"lower(A) {text}")
    assert isinstance(found, s.Emptiness)
    assert found.negated is negated


def test_and_binds_tighter_than_or_and_not_tightest() -> None:
    found = condition("not a = 1 and b = 2 or c = 3")
    assert isinstance(found, s.AnyOf)
    assert isinstance(found.terms[0], s.AllOf)
    assert isinstance(found.terms[0].terms[0], s.Not)


@pytest.mark.parametrize(
    "text",
    ["not (a = 1 or b in (2))", "a = 1 and (b = 2 or (c is empty))", "(a = 1 or b = 2) and c = 3"],
)
def test_what_holds_a_condition_in_parentheses_has_both_of_them(text: str) -> None:
    assert condition(text).span.text == text
    (sync,) = items(f"sync A <-> b {{ pushing when ({text}) }}")
    assert isinstance(sync, s.Sync)
    assert sync.clauses[0].span.text == f"pushing when ({text})"


def test_blocks_hold_one_condition_after_another() -> None:
    found = condition("all { a is present  any { b = c  not d changed }  (e = 1) }")
    assert isinstance(found, s.AllOf)
    assert [type(t).__name__ for t in found.terms] == ["Emptiness", "AnyOf", "Compare"]


def test_moving_times_are_seconds() -> None:
    found = condition("A > 30 days ago")
    assert isinstance(found, s.Compare)
    assert found.right == s.Ago(found.right.span, 30 * 86400)  # type: ignore[union-attr]


def test_modifiers_stand_in_any_order() -> None:
    one = line("A <-> b once via m prevent empty inbound when c = 1 prefer newest")
    two = line("A <-> b prefer newest when c = 1 prevent empty inbound via m once")
    assert [type(m).__name__ for m in one.modifiers] == [
        type(m).__name__ for m in reversed(two.modifiers)
    ]


def test_a_test_can_link_several_records_and_hold_lists() -> None:
    (test,) = items('test "x" { given A { } linked B { emails: ["a", "b"] } linked C { d: now } }')
    assert isinstance(test, s.Test)
    (given_,) = test.statements
    assert isinstance(given_, s.Given)
    assert [r.type.text for r in given_.records] == ["A", "B", "C"]
    assert isinstance(given_.records[1].fields[0].value, s.Literal)
    assert given_.records[1].fields[0].value.value == ("a", "b")


# -- laws ---------------------------------------------------------------------------------------

_WORDS = [
    *keywords(),
    *("Lead", "prospect", "A", '"x"', "12", "1.5", "2026-11-23", "<->", "->", "<-", "=", "!="),
    *("<", "{", "}", "{", "}", "(", ")", ",", ".", "lower(", "# c\n", "\n", "\n", "@", "'", '"'),
]
soup = st.lists(st.sampled_from(_WORDS), max_size=40).map(" ".join)
edited = st.tuples(st.integers(0, len(TOUR)), st.integers(0, 30), st.text(max_size=3)).map(
    lambda edit: TOUR[: edit[0]] + edit[2] + TOUR[edit[0] + edit[1] :]
)


@settings(max_examples=150, deadline=None)
@given(st.text() | soup | edited)
def test_no_text_makes_the_parser_fail(text: str) -> None:
    module, found = parse(Source("x.sync", text))
    assert all(0 <= d.span.start <= d.span.end <= len(text) for d in found)
    assert found or not module.broken


@settings(max_examples=150, deadline=None)
@given(st.text() | soup | edited)
def test_tokens_joined_are_the_file(text: str) -> None:
    found = tokens(Source("x.sync", text))
    assert "".join(t.text for t in found) == text
    assert all(a.end == b.start for a, b in pairwise(found))


_MISTAKES = {
    "fields {n} {{\n    A = a\n    B <-> b\n}}\n": 1,
    "fields {n} {{\n    A <-> a oce\n    B <-> b\n}}\n": 1,
    "stages {n} {{\n    'a' <-> \"b\"\n}}\n": 1,
    "sync T{n}__c <-> prospect {{\n    macth A = b\n    pushing\n}}\n": 1,
    "sync T{n}__c <-> prospect {{\n    inbound create when {{\n    pushing\n}}\n": 1,
    'test "{n}" {{\n    expct no prospect\n}}\n': 1,
    'test "{n} {{\n    expect no prospect\n}}\n': 1,
    "fields {n} {{\n    A <-> a\n}}\n}}\n": 1,
    "fields {n} {{\n    A <-> a\n": 1,
    'values {n} {{\n    1 <-> "one"\n}}\n': 0,
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(_MISTAKES)), max_size=8))
def test_mistakes_in_different_items_never_meet(texts: list[str]) -> None:
    text = "".join(t.format(n=f"g{n}") for n, t in enumerate(texts))
    _, found = parse(Source("x.sync", text))
    assert len(found) == sum(_MISTAKES[t] for t in texts)


@pytest.mark.parametrize(
    "text",
    [
        "not " * 5000 + "a = 1",
        "(" * 5000 + "a = 1" + ")" * 5000,
        "all { " * 3000 + "a = 1" + " }" * 3000,
        "lower(" * 3000 + "a" + ")" * 3000 + " = 1",
        "not ( " * 300 + "a = 1" + ")" * 300,
    ],
)
def test_what_is_nested_beyond_reason_is_one_finding(text: str) -> None:
    rules = f"sync A <-> b {{ inbound update when {text} }}\nfields x {{ A <-> a }}\n"
    module, found = parse(Source("x.sync", rules))
    assert [d.code for d in found] == ["CW101"]
    assert [type(item).__name__ for item in module.items] == ["Fields"]


# -- the grammar's cache ------------------------------------------------------------------------


def test_the_grammar_is_cached_where_only_its_user_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache_folder()
    assert folder == str(tmp_path / "crosswalk")
    assert stat.S_IMODE((tmp_path / "crosswalk").stat().st_mode) == 0o700


def test_a_folder_that_others_can_write_to_is_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "crosswalk").mkdir()
    (tmp_path / "crosswalk").chmod(0o777)
    assert cache_folder() is None


def test_without_a_home_there_is_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_folder() is None
