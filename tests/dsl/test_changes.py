"""What changed between two revisions of the rules: by meaning, whatever their form and order."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.changes import Fact, RuleChange, changes, facts_as_json, facts_from_json
from dsl.facts import facts
from dsl.source import Source

TOUR = Path(__file__).parents[1] / "data" / "tour.sync"


def told(before: str, after: str) -> list[str]:
    return [change.message for change in between(before, after)]


def between(before: str, after: str) -> tuple[RuleChange, ...]:
    return changes(*(facts([Source("rules/a.sync", text)]) for text in (before, after)))


def lead(inside: str) -> str:
    return f"sync Lead <-> prospect {{ match Email = emails {inside} }}"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            lead("fields { }"),
            lead("fields { Rating -> custom1 }"),
            "`Rating -> custom1` added to Lead <-> prospect",
        ),
        (
            lead("polling every 10 minutes when IsConverted = false"),
            lead("polling every 15 minutes when IsConverted = false"),
            "Lead <-> prospect: `polling every 10 minutes` -> `polling every 15 minutes`",
        ),
        (
            lead("inbound create when Email is present"),
            lead("inbound create when Email is empty"),
            (
                "`inbound create` of Lead <-> prospect: condition changed from"
                " `Email is present` to `Email is empty`"
            ),
        ),
        (
            lead("fields { Title -> title }"),
            lead("fields { Title -> title when Title is present }"),
            "`Title -> title` of Lead <-> prospect: condition `Title is present` added",
        ),
        (
            lead("pushing when title is present"),
            lead("pushing"),
            "`pushing` of Lead <-> prospect: condition `title is present` removed",
        ),
        (
            lead("fields { Title -> title }"),
            lead("fields { Title <-> title prevent empty }"),
            "Lead <-> prospect: `Title -> title` -> `Title <-> title prevent empty`",
        ),
        (lead("pushing"), lead("pushing off"), "`pushing` removed from Lead <-> prospect"),
        (
            lead(""),
            lead("conflict prefer outreach"),
            "Lead <-> prospect: `conflict prefer newest` -> `conflict prefer outreach`",
        ),
        (
            lead(""),
            lead("match LastName = lastName"),
            (
                "Lead <-> prospect: `match Email = emails` ->"
                " `match Email = emails  match LastName = lastName`"
            ),
        ),
        (
            lead("activities { email sent title from email_sent }"),
            lead('activities { email sent title "[Mail] {{ subject }}" }'),
            (
                "Lead <-> prospect: `email sent title from email_sent` ->"
                ' `email sent title "[Mail] {{ subject }}"`'
            ),
        ),
        (
            lead("fields { use engagement }"),
            lead("fields { }"),
            "`use engagement` removed from Lead <-> prospect",
        ),
        (
            'stages lead_status { "Open" <-> "Open" "New" <-> "New" }',
            'stages lead_status { "New" <-> "New" }',
            '`"Open" <-> "Open"` removed from stages lead_status',
        ),
        (
            "values countries { }",
            'values countries { otherwise "Elsewhere" }',
            'values countries: `otherwise hold` -> `otherwise "Elsewhere"`',
        ),
        (
            "limits { salesforce own 8000 per day }",
            "limits { salesforce own 9000 per day }",
            "limits: `salesforce own 8000 per day` -> `salesforce own 9000 per day`",
        ),
        ("", "guard { blanking 1% }", "`blanking 1%` added to guard"),
        ("", lead("pushing"), "`sync Lead <-> prospect` added"),
    ],
)
def test_a_change_is_told_in_the_words_of_the_rules(before: str, after: str, message: str) -> None:
    assert told(before, after) == [message]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (lead("polling every 60 minutes"), lead("polling on every 1 hour  # hourly\n")),
        (
            lead("fields { Title -> title once prevent empty }"),
            lead("fields { Title -> title prevent empty once }"),
        ),
        (lead("pushing off conflict prefer newest"), lead("")),
        ('values a { "x" -> "\\u{79}" }', 'values a { "x" -> "y" otherwise hold }'),
        (lead(""), lead("") + ' test "t" { expect no prospect }'),
    ],
)
def test_what_says_the_same_is_no_change(before: str, after: str) -> None:
    assert told(before, after) == []


def test_an_item_that_comes_is_told_once_with_all_that_is_in_it() -> None:
    (change,) = between("", lead("pushing fields { Title -> title }"))
    assert change.before is None
    assert str(change.after).splitlines() == [
        "sync Lead <-> prospect",
        "match Email = emails",
        "pushing",
        "Title -> title",
        "conflict prefer newest",
    ]


def test_a_place_is_where_it_stands_now_or_stood_last() -> None:
    (gone,) = between("\n\nguard { deletes 0 per run }", "")
    (come,) = between("", "\nguard { deletes 0 per run }")
    assert (gone.place, come.place) == ("rules/a.sync:3", "rules/a.sync:2")


def test_facts_are_kept_as_they_are() -> None:
    found = facts([Source("rules/tour.sync", TOUR.read_text(encoding="utf-8"))])
    assert facts_from_json(facts_as_json(found)) == found


# -- laws ---------------------------------------------------------------------------------------

#: What can stand in each place, several wordings each, no two of which say the same.
_LINES = {
    f"{left} ~ {right}": [
        f"{left} -> {right}",
        f"{left} <-> {right} prevent empty",
        f"{left} -> {right} once",
        f'{left} -> {right} when {left} != "a  b"',
    ]
    for left, right in (("Title", "title"), ("City", "addressCity"), ("Rating", "custom1"))
}
_CLAUSES = {
    "polling": ["polling", "polling every 5 minutes", "polling when IsDeleted = false"],
    "inbound create": ["inbound create", "inbound create when Email is present"],
    "pushing": ["pushing", "pushing every 1 hour"],
}
_BOUNDS = {"creates": ["creates 5 per run", "creates 6 per run"], "blanking": ["blanking 1%"]}
_SCOPES = {"Lead <-> prospect": {**_CLAUSES, **_LINES}, "fields extra": _LINES, "guard": _BOUNDS}

Said = dict[tuple[str, str], str]
_Thing = TypeVar("_Thing")


@st.composite
def revisions(draw: st.DrawFn) -> Said:
    """What rules say, by scope and place."""
    said = {}
    for scope, places in _SCOPES.items():
        for place, wordings in places.items():
            if draw(st.booleans()):
                said[scope, place] = draw(st.sampled_from(wordings))
    return said


@dataclass(frozen=True)
class _Form:
    """One of the ways to write the same rules down."""

    chance: random.Random

    def sources(self, said: Said) -> list[Source]:
        items = [self.item(scope, said) for scope in self.mixed(_SCOPES)]
        cut = self.chance.randint(0, len(items))
        files = [("rules/b.sync", items[:cut]), ("rules/a.sync", items[cut:])]
        return [Source(path, "\n".join(each)) for path, each in self.mixed(files)]

    def item(self, scope: str, said: Said) -> str:
        rows = self.mixed([(p, text) for (s, p), text in said.items() if s == scope])
        if not scope.startswith("Lead"):
            return self.spread([scope, "{", *(text for _, text in rows), "}"])
        clauses = [text for place, text in rows if place in _CLAUSES]
        lines = ["fields", "{", *(text for place, text in rows if place in _LINES), "}"]
        return self.spread(["sync", scope, "{", "match Email = emails", *clauses, *lines, "}"])

    def spread(self, pieces: list[str]) -> str:
        return "".join(
            piece + self.chance.choice([" ", "\n", "   ", " # why\n"]) for piece in pieces
        )

    def mixed(self, things: Iterable[_Thing]) -> list[_Thing]:
        return self.chance.sample(found := list(things), len(found))


FORMS = st.randoms(use_true_random=False).map(_Form)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('Email is present and City = "x"', '(Email is present) and ((City = "x"))'),
        ('Email is present and City = "x"', 'all { Email is not empty  City = "x" }'),
        (
            "not Email changed or (City changed or Title changed)",
            "any {not (Email changed) City changed Title changed}",
        ),
        ("(City changed and Title changed)", "City changed and Title changed"),
    ],
)
def test_conditions_that_say_the_same_have_not_changed(one: str, other: str) -> None:
    assert told(lead(f"polling when {one}"), lead(f"polling when {other}")) == []


def test_parentheses_that_matter_are_a_change() -> None:
    one, other = (
        "City changed and (Title changed or Email changed)",
        "City changed and Title changed or Email changed",
    )
    (change,) = between(lead(f"polling when {one}"), lead(f"polling when {other}"))
    assert (change.before, change.after) == (f"polling when {one}", f"polling when {other}")
    assert told(
        lead("polling when not (A__c = 1 and B__c = 1)"),
        lead("polling when not A__c = 1 and B__c = 1"),
    )


def test_a_title_template_that_changes_is_told_with_both_texts() -> None:
    def titles(**texts: str) -> tuple[Fact, ...]:
        folder = "templates/activity_titles"
        return facts([], {n: Source(f"{folder}/{n}.j2", text) for n, text in texts.items()})

    one, other = (
        titles(call_logged="[Call] {{ purpose }}\n", text_sent="A"),
        titles(call_logged="Call", task_created="B"),
    )
    found = changes(one, facts_from_json(facts_as_json(other)))
    assert [(c.scope, c.before, c.after, c.place) for c in found] == [
        (
            "title call_logged",
            "[Call] {{ purpose }}",
            "Call",
            "templates/activity_titles/call_logged.j2:1",
        ),
        ("title task_created", None, "B", "templates/activity_titles/task_created.j2:1"),
        ("title text_sent", "A", None, "templates/activity_titles/text_sent.j2:1"),
    ]
    assert found[0].message == "title call_logged: `[Call] {{ purpose }}` -> `Call`"
    assert found[1].message == "`B` added to title task_created"


@given(revisions(), FORMS, FORMS)
def test_rules_in_another_form_and_order_have_not_changed(
    said: Said, one: _Form, two: _Form
) -> None:
    assert changes(facts(one.sources(said)), facts(two.sources(said))) == ()


@given(revisions(), FORMS, FORMS, st.data())
def test_one_edit_is_exactly_one_change(
    said: Said, one: _Form, two: _Form, data: st.DataObject
) -> None:
    scope = data.draw(st.sampled_from(sorted(_SCOPES)))
    place = data.draw(st.sampled_from(sorted(_SCOPES[scope])))
    was = said.get((scope, place))
    others = [text for text in (None, *_SCOPES[scope][place]) if text != was]
    now = data.draw(st.sampled_from(others))
    edited = {key: text for key, text in said.items() if key != (scope, place)}
    if now is not None:
        edited[scope, place] = now
    found = changes(facts(one.sources(said)), facts(two.sources(edited)))
    assert [(c.scope, c.before, c.after) for c in found] == [(scope, was, now)]
