"""The three-way decision, on rows alone: no store, no ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dsl.program import Policy
from engine.case import Case, Verdict
from engine.decide import decide_create, decide_linked, settle
from engine.mapping import Mapping, compile_pair
from engine.model import Action, Direction, Side
from engine.references import References
from tests.engine.rules import pair_of

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
S, O = Side.SALESFORCE, Side.OUTREACH  # noqa: E741 - the two sides, as everywhere in these tests

HEAD = "match Email = emails polling inbound create inbound update pushing outbound update"


def mapping_of(fields: str, clauses: str = HEAD) -> Mapping:
    return compile_pair(
        pair_of(
            'stages s { "Open" <-> "New"  "Won" -> "Done"  otherwise hold }\n'
            f"sync Lead <-> prospect {{ {clauses} fields {{ {fields} }} }}"
        )
    )


def row(mapping: Mapping, side: Side, values: dict[str, Any], stamp: str = "2026-01-01") -> Any:
    known = "00Q3z00001AmqLYEAZ" if side is S else 7
    return (known, stamp, *(values.get(c) for c in mapping.columns[side]))


def case_of(
    mapping: Mapping,
    s: dict[str, Any],
    o: dict[str, Any],
    base: tuple[dict[str, Any], dict[str, Any]] | None,
    stamps: tuple[str, str] = ("2026-01-01", "2026-01-02"),
) -> Case:
    rows = {S: row(mapping, S, s, stamps[0]), O: row(mapping, O, o, stamps[1])}
    views = {side: mapping.view[side](rows[side]) for side in Side}
    bases = None
    if base is not None:
        bases = {
            side: mapping.view[side](row(mapping, side, values))
            for side, values in zip(Side, base, strict=True)
        }
    references = References({}, names={(O, "stage"): {"New": 1, "Done": 2}})  # type: ignore[arg-type]
    return Case(mapping, references, NOW, rows, views, bases)


def written(verdict: Verdict) -> dict[tuple[str, str], Any]:
    """What is written, by direction and target."""
    return {
        (c.direction.value, f.target): f.after
        for c in verdict.changes
        if c.action in (Action.UPDATE, Action.CREATE)
        for f in c.fields
    }


TITLE = "Title <-> title"


@pytest.mark.parametrize(
    ("s", "o", "expected"),
    [
        ("base", "base", {}),
        ("new", "base", {("inbound", "title"): "new"}),
        ("base", "new", {("outbound", "Title"): "new"}),
        ("same", "same", {}),
        (None, "base", {("inbound", "title"): None}),
        ("  base ", "base", {}),
    ],
)
def test_a_two_way_line_flows_from_the_side_that_changed(
    s: str | None, o: str | None, expected: dict[Any, Any]
) -> None:
    mapping = mapping_of(TITLE)
    case = case_of(mapping, {"Title": s}, {"title": o}, ({"Title": "base"}, {"title": "base"}))
    assert written(decide_linked(case)) == expected


def test_two_equal_changes_become_the_base_without_a_write() -> None:
    mapping = mapping_of(TITLE)
    case = case_of(mapping, {"Title": "x"}, {"title": "x"}, ({"Title": "b"}, {"title": "b"}))
    verdict = decide_linked(case)
    assert verdict.changes == []
    assert verdict.agreed == [0]
    assert settle(case, verdict, [], case.views) == {S: ("x",), O: ("x",)}


@pytest.mark.parametrize(
    ("clause", "stamps", "winner"),
    [
        ("", ("2026-01-02", "2026-01-01"), S),
        ("", ("2026-01-01", "2026-01-02"), O),
        ("", ("2026-01-01", "2026-01-01"), S),
        ("conflict prefer salesforce", ("2026-01-01", "2026-01-02"), S),
        ("conflict prefer outreach", ("2026-01-02", "2026-01-01"), O),
    ],
)
def test_a_conflict_goes_by_the_policy_and_keeps_both_values(
    clause: str, stamps: tuple[str, str], winner: Side
) -> None:
    mapping = mapping_of(TITLE, f"{HEAD} {clause}")
    base = ({"Title": "b"}, {"title": "b"})
    case = case_of(mapping, {"Title": "s"}, {"title": "o"}, base, stamps)
    (change,) = decide_linked(case).changes
    (field,) = change.fields
    assert field.conflict == ("s", "o", winner)
    assert field.after == ("s" if winner is S else "o")


def test_a_lines_own_policy_comes_before_the_syncs() -> None:
    mapping = mapping_of(f"{TITLE} prefer salesforce", f"{HEAD} conflict prefer outreach")
    case = case_of(mapping, {"Title": "s"}, {"title": "o"}, ({"Title": "b"}, {"title": "b"}))
    assert written(decide_linked(case)) == {("inbound", "title"): "s"}


def test_edits_of_different_fields_both_survive() -> None:
    mapping = mapping_of(f"{TITLE} Company <-> company")
    case = case_of(
        mapping,
        {"Title": "new", "Company": "b"},
        {"title": "b", "company": "new"},
        ({"Title": "b", "Company": "b"}, {"title": "b", "company": "b"}),
    )
    assert written(decide_linked(case)) == {
        ("inbound", "title"): "new",
        ("outbound", "Company"): "new",
    }


def test_over_a_one_way_line_only_the_source_counts() -> None:
    mapping = mapping_of("Title -> title")
    base = ({"Title": "b"}, {"title": "b"})
    assert written(decide_linked(case_of(mapping, {"Title": "b"}, {"title": "x"}, base))) == {}
    (change,) = decide_linked(case_of(mapping, {"Title": "s"}, {"title": "x"}, base)).changes
    assert change.fields[0].after == "s"
    assert change.fields[0].conflict is None


@pytest.mark.parametrize(
    ("modifier", "blanked"),
    [("", True), ("prevent empty", False), ("prevent empty outbound", True)],
)
def test_prevent_empty_keeps_a_blank_from_overwriting(modifier: str, blanked: bool) -> None:
    mapping = mapping_of(f"{TITLE} {modifier}")
    case = case_of(mapping, {"Title": None}, {"title": "b"}, ({"Title": "b"}, {"title": "b"}))
    assert written(decide_linked(case)) == ({("inbound", "title"): None} if blanked else {})


def test_a_blank_that_is_kept_out_gives_way_to_the_other_sides_edit() -> None:
    mapping = mapping_of(f"{TITLE} prevent empty")
    case = case_of(mapping, {"Title": None}, {"title": "new"}, ({"Title": "b"}, {"title": "b"}))
    (change,) = decide_linked(case).changes
    assert (change.direction, change.fields[0].after) == (Direction.OUTBOUND, "new")
    assert change.fields[0].conflict is None


@pytest.mark.parametrize(
    ("s", "o", "expected"),
    [
        ("x", "x", {}),
        ("x", None, {("inbound", "title"): "x"}),
        (None, "x", {("outbound", "Title"): "x"}),
        ("s", "o", {("outbound", "Title"): "o"}),
    ],
)
def test_without_a_base_an_empty_side_is_filled_and_the_newer_of_two_values_wins(
    s: str | None, o: str | None, expected: dict[Any, Any]
) -> None:
    mapping = mapping_of(TITLE)
    verdict = decide_linked(case_of(mapping, {"Title": s}, {"title": o}, None))
    assert written(verdict) == expected
    conflicts = [f.conflict for c in verdict.changes for f in c.fields if f.conflict]
    assert len(conflicts) == (1 if s == "s" else 0)


def test_sync_down_makes_salesforce_win_a_first_meeting() -> None:
    mapping = mapping_of(TITLE)
    case = case_of(mapping, {"Title": "s"}, {"title": "o"}, None)
    case.override = Policy.SALESFORCE
    assert written(decide_linked(case)) == {("inbound", "title"): "s"}


def test_what_a_condition_holds_back_stays_different_from_the_base() -> None:
    clauses = HEAD.replace("inbound update", 'inbound update when Rating = "Hot"')
    mapping = mapping_of(TITLE, clauses)
    base = ({"Title": "b"}, {"title": "b"})
    cold = case_of(mapping, {"Title": "s", "Rating": "Cold"}, {"title": "b"}, base)
    verdict = decide_linked(cold)
    assert [c.action for c in verdict.changes] == [Action.SKIP]
    assert settle(cold, verdict, [], cold.views) == {S: ("b",), O: ("b",)}
    hot = case_of(mapping, {"Title": "s", "Rating": "hot"}, {"title": "b"}, base)
    assert written(decide_linked(hot)) == {("inbound", "title"): "s"}


def test_a_change_that_a_toggle_keeps_in_is_still_a_change() -> None:
    mapping = mapping_of(TITLE, "match Email = emails polling inbound update pushing")
    base = ({"Title": "b"}, {"title": "b"})
    newer_outreach = ("2026-01-01", "2026-01-02")
    case = case_of(mapping, {"Title": "s"}, {"title": "o"}, base, newer_outreach)
    (kept,) = decide_linked(case).changes
    assert (kept.action, kept.reason) == (Action.SKIP, "outbound update is off")
    assert kept.fields[0].conflict == ("s", "o", O)
    case = case_of(mapping, {"Title": "s"}, {"title": "o"}, base, newer_outreach[::-1])
    (change,) = decide_linked(case).changes
    assert change.fields[0].conflict == ("s", "o", S)


def test_a_stage_goes_through_its_map_by_name_and_is_sent_as_an_id() -> None:
    mapping = mapping_of("Status <-> stage via s")
    base = ({"Status": "Open"}, {"stage.name": "New"})
    case = case_of(mapping, {"Status": "Won"}, {"stage.name": "New"}, base)
    (change,) = decide_linked(case).changes
    assert (change.fields[0].after, change.fields[0].value) == ("Done", 2)


def test_an_unmapped_value_leaves_the_other_side_and_lets_its_edits_through() -> None:
    mapping = mapping_of("Status <-> stage via s")
    base = ({"Status": "Open"}, {"stage.name": "New"})
    case = case_of(mapping, {"Status": "Odd"}, {"stage.name": "New"}, base)
    assert decide_linked(case).changes == []
    # "Done" has no way back, so Outreach's edit has nothing to tell either.
    case = case_of(mapping, {"Status": "Open"}, {"stage.name": "Done"}, base)
    assert decide_linked(case).changes == []


def test_a_list_is_written_first_element_first_and_keeps_the_others() -> None:
    mapping = mapping_of("Email <-> emails")
    base = ({"Email": "a@x.co"}, {"emails": ["a@x.co"]})
    case = case_of(mapping, {"Email": "n@x.co"}, {"emails": ["A@x.co", "b@x.co"]}, base)
    assert written(decide_linked(case)) == {("inbound", "emails"): ["n@x.co", "A@x.co", "b@x.co"]}
    case = case_of(mapping, {"Email": "b@x.co"}, {"emails": ["a@x.co", "B@x.co"]}, base)
    assert written(decide_linked(case)) == {("inbound", "emails"): ["b@x.co", "a@x.co"]}


def test_an_email_that_differs_in_case_only_has_not_changed() -> None:
    mapping = mapping_of("Email <-> emails")
    base = ({"Email": "a@x.co"}, {"emails": ["a@x.co"]})
    assert decide_linked(case_of(mapping, {"Email": "A@X.co"}, {"emails": ["a@x.co"]}, base)) == (
        Verdict()
    )


def test_a_create_writes_what_has_a_value_with_once_lines_and_without_held_back_ones() -> None:
    mapping = mapping_of(
        "Email <-> emails Title -> title lower(Company) -> company true -> optedOut once\n"
        'City -> addressCity when Rating = "Hot"  State <- addressState'
    )
    source = row(mapping, S, {"Email": "a@x.co", "Company": "ACME", "City": "Paris", "State": "F"})
    case = Case(mapping, References({}), NOW, {S: source}, {S: mapping.view[S](source)})
    verdict = decide_create(case, Direction.INBOUND)
    assert written(verdict) == {
        ("inbound", "emails"): ["a@x.co"],
        ("inbound", "company"): "acme",
        ("inbound", "optedOut"): True,
    }
    held_back = 4
    assert held_back not in verdict.agreed


def test_once_lines_do_not_update() -> None:
    mapping = mapping_of("Title -> title once")
    case = case_of(mapping, {"Title": "s"}, {"title": "o"}, ({"Title": "b"}, {"title": "b"}))
    assert decide_linked(case).changes == []


def test_a_line_goes_through_once_its_condition_holds() -> None:
    mapping = mapping_of("DoNotCall -> callOptedOut when DoNotCall = true")
    off = case_of(mapping, {"DoNotCall": False}, {"callOptedOut": False}, None)
    verdict = decide_linked(off)
    assert verdict.changes == []
    bases = settle(off, verdict, [], off.views)
    on = case_of(mapping, {"DoNotCall": True}, {"callOptedOut": False}, None)
    on.bases = dict(bases)
    assert written(decide_linked(on)) == {("inbound", "callOptedOut"): True}
    again = case_of(mapping, {"DoNotCall": False}, {"callOptedOut": True}, None)
    again.bases = dict(settle(on, decide_linked(on), decide_linked(on).changes, on.views))
    assert decide_linked(again).changes == []
