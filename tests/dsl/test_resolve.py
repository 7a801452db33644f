"""The program that the engine gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl import program as p
from dsl.program import Policy
from dsl.schema import Kind, Side
from tests.dsl.support import checked, lead, pair

TOUR = (Path(__file__).parents[1] / "data" / "tour.sync").read_text(encoding="utf-8")


def test_the_tour_lints_without_an_error() -> None:
    found = checked(TOUR)
    assert [(d.code, d.span.text) for d in found.diagnostics] == [
        ("CW406", "OwnerId    <-> owner"),  # it shows no sync of users
    ]
    assert found.ok


def test_the_tour_becomes_the_program_that_it_reads_like() -> None:
    program = checked(TOUR).program
    (only,) = program.pairs
    assert only.name == "Lead<->prospect"
    assert [line.key for line in only.lines] == [
        "FirstName <-> firstName",
        "LastName <-> lastName",
        "Email <-> emails",
        "Status <-> stage via lead_status",
        "OwnerId <-> owner",
        "lower(trim(Title)) -> title",
        "true -> locked",
        "Current_Sequence_Name__c <- sequence.name",
        "Current_Sequence_Status__c <- sequence.status",
    ]
    assert [(lim.side, lim.scope, lim.calls, lim.period) for lim in program.limits] == [
        (Side.SALESFORCE, "total", 10000, "day"),
        (Side.SALESFORCE, "own", 8000, "day"),
        (Side.OUTREACH, "own", 9000, "hour"),
    ]
    assert [(g.what, g.amount) for g in program.guards] == [
        ("creates", 500),
        ("deletes", 0),
        ("blanking", 1),
    ]
    assert list(program.maps) == ["lead_status", "countries"]
    assert [t.title.value for t in program.tests] == ["opted-out cold leads stay out"]


def test_a_toggle_is_on_if_written_and_off_if_not() -> None:
    (only,) = checked(TOUR).program.pairs
    assert only.toggle("inbound update").on
    assert not only.toggle("outbound create").on
    assert not only.toggle("inbound delete").on
    assert only.toggle("polling").every == 600
    assert only.toggle("pushing").every is None
    assert only.toggle("sync down").on


def test_modifiers_reach_the_line() -> None:
    (only,) = checked(TOUR).program.pairs
    by_end = {line.outreach.span.text: line for line in only.lines}
    assert by_end["lastName"].prevent_empty == {"inbound", "outbound"}
    assert by_end["emails"].prevent_empty == {"inbound"}
    assert by_end["emails"].prefer is Policy.SALESFORCE
    assert by_end["stage"].via is not None
    assert by_end["stage"].via.name == "lead_status"
    assert by_end["locked"].once


def test_a_path_knows_its_side_its_kind_and_what_it_points_to() -> None:
    (only,) = checked(TOUR).program.pairs
    by_end = {line.outreach.span.text: line for line in only.lines}
    owner, emails = by_end["owner"].outreach, by_end["emails"].outreach
    assert isinstance(owner, p.FieldRef)
    assert isinstance(emails, p.FieldRef)
    assert (owner.side, owner.kind, owner.references) == (Side.OUTREACH, Kind.REFERENCE, ("user",))
    assert (emails.kind, emails.is_email) == (Kind.LIST, True)


def test_a_side_named_outright_is_no_part_of_the_path() -> None:
    only = pair(lead(clauses='polling when outreach.stage.name = "x"'))
    condition = only.toggle("polling").when
    assert isinstance(condition, p.Comparison)
    assert isinstance(condition.left, p.FieldRef)
    assert (condition.left.side, condition.left.path) == (Side.OUTREACH, "stage.name")


@pytest.mark.parametrize(
    ("line", "side"),
    [
        ('Title -> title when Title = "x"', Side.SALESFORCE),
        ('Title <- title when title = "x"', Side.OUTREACH),
        ('Title <-> title when Title = "x"', Side.SALESFORCE),
        ('Title <-> title when nickname = "x"', Side.OUTREACH),
    ],
)
def test_a_line_condition_reads_the_source_or_the_side_that_has_the_name(
    line: str, side: Side
) -> None:
    condition = pair(lead(fields=line)).lines[0].when
    assert isinstance(condition, p.Comparison)
    assert isinstance(condition.left, p.FieldRef)
    assert condition.left.side is side


@pytest.mark.parametrize(
    ("word", "kind"),
    [("id", Kind.NUMBER), ("active", Kind.BOOLEAN), ("task_due", Kind.DATETIME)],
)
def test_the_current_sequence_has_parts_of_known_kinds(word: str, kind: Kind) -> None:
    (line,) = pair(lead(fields=f"Foo__c <- sequence.{word}")).lines
    assert isinstance(line.outreach, p.FieldRef)
    assert (line.outreach.path, line.outreach.kind) == (f"sequence.{word}", kind)


def test_activities_have_their_defaults() -> None:
    rules = pair(lead(activities="email sent\nmeeting booked\ntext sent off")).activities
    assert [(r.kind, r.on, r.origin, r.target, r.template, r.title) for r in rules] == [
        ("email sent", True, "outreach", "Task", "email_sent", None),
        ("meeting booked", True, "outreach", "Event", "meeting_booked", None),
        ("text sent", False, "outreach", "Task", "text_sent", None),
    ]


def test_a_line_of_the_sync_wins_over_a_groups() -> None:
    text = "activities g { email sent  email opened }\n"
    rules = pair(text + lead(activities="use g\nemail opened off")).activities
    assert sorted((r.kind, r.on) for r in rules) == [("email opened", False), ("email sent", True)]


def test_maps_keep_their_arrows_colours_and_fallback() -> None:
    maps = checked(TOUR).program.maps
    status, countries = maps["lead_status"], maps["countries"]
    assert status.is_stages
    assert status.entries[0].color == "#3b82f6"
    assert set(status.inbound) - {e.left for e in status.outbound.values()} == {
        "Closed - Converted"
    }
    assert (status.otherwise, countries.otherwise) == ("hold", "same")
    text = 'values v { "a" <-> "b" otherwise "other" }'
    found = checked(text).program.maps["v"]
    assert (found.otherwise, found.otherwise_text) == ("text", "other")


def test_the_order_of_files_and_items_does_not_matter() -> None:
    group = "fields g { Title <-> title }\n"
    sync = lead(fields="use g")
    one, two = checked(group, sync).program, checked(sync, group).program
    assert [line.key for line in one.pairs[0].lines] == [line.key for line in two.pairs[0].lines]
