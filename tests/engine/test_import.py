"""Imports by hand: what a person picked is let in, and all else holds as in a run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest

from engine.cycle import Summary, rehearse
from engine.imports.bring import List, bring, objections_to
from engine.imports.outcome import Rows
from engine.imports.rows import Chunk, Entry
from engine.ledger.logbook import log_rows
from engine.ledger.looking import Filters
from engine.undo import undo
from tests.engine.test_crash import CutOff, Killed
from tests.engine.world import O, S, World, world

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling when Rating = "Hot"
    inbound create when Rating = "Hot"
    inbound update
    pushing
    outbound update
    fields {
        LastName <-> lastName
        Company   -> company
        Email    <-> emails    prevent empty
        Title    <-> title
        HasOptedOutOfEmail -> emailOptedOut when HasOptedOutOfEmail = true
    }
}
"""
PAIR = "Lead<->prospect"
ADA = {"LastName": "Byron", "Email": "ada@edge.com", "Company": "Edge"}
ROSE = {"LastName": "Gonzalez", "Email": "rose@edge.com", "Company": "Edge"}


@pytest.fixture
def leads() -> Iterator[World]:
    with world(RULES) as found:
        yield found


def a_list(*rows: Any) -> List:
    """A list of ids, and of people as values by field; its lines count from 2."""
    entries = [
        Entry(line, None, row) if isinstance(row, dict) else Entry(line, str(row), {})
        for line, row in enumerate(rows, 2)
    ]
    return List("fair.csv", lambda: iter([Chunk([entry]) for entry in entries]))


def take(at: World, given: List, **options: Any) -> tuple[Summary, Rows]:
    at.clock.pass_(minutes=1)
    at.changes = []
    options = {"clock": at.clock, "report": at.changes.append} | options
    stores, ledger = options.pop("world", (at.stores, at.ledger))
    return bring(at.program, stores, ledger, UTC, PAIR, given, **options)


def told(rows: Rows) -> tuple[int, int, int, list[tuple[int, str]]]:
    return rows.read, rows.imported, rows.skipped, [tuple(bad) for bad in rows.bad]


def prospects(at: World) -> list[Any]:
    return sorted(row[0] for row in at.all(O, "prospect", "lastName").values())


def log_of(at: World, run: str) -> list[tuple[str, str]]:
    rows = at.ledger.rows(log_rows(Filters(run=run, limit=20)))
    return [(row["status"], row["message"]) for row in rows]


def test_a_lead_that_the_rules_keep_out_is_made_and_linked_and_the_log_says_why(
    leads: World,
) -> None:
    picked, other = leads.create(S, "Lead", **ROSE), leads.create(S, "Lead", **ADA)
    leads.run()
    assert prospects(leads) == []
    summary, rows = take(leads, a_list(picked, picked))
    assert (summary.status, told(rows)) == ("done", (2, 1, 1, []))
    assert prospects(leads) == ["Gonzalez"]
    assert list(leads.links(PAIR)) == [picked]
    assert ("created", "imported by hand from fair.csv") in log_of(leads, summary.run)
    assert ("imported", "1 of 2 rows of fair.csv imported by hand") in log_of(leads, summary.run)
    again, rows = take(leads, a_list(picked))
    assert (any(again.counts.values()), told(rows)) == (False, (1, 1, 0, []))
    leads.edit(S, "Lead", other, Rating="Hot")
    leads.run()
    assert prospects(leads) == ["Byron", "Gonzalez"]


def test_nothing_is_written_to_salesforce_and_nothing_of_outreach_is_lost(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE, Rating="Hot")
    leads.run()
    (prospect,) = leads.links(PAIR).values()
    leads.edit(O, "prospect", prospect, title="Head")
    leads.edit(S, "Lead", lead, LastName="Byron")
    summary, rows = take(leads, a_list(lead))
    assert (summary.counts["updated"], told(rows)) == (1, (1, 1, 0, []))
    assert leads.one(O, "prospect", prospect, "lastName") == "Byron"
    assert leads.one(S, "Lead", lead, "Title") is None
    leads.run()
    assert leads.one(S, "Lead", lead, "Title") == "Head"


def test_a_linked_prospect_that_was_deleted_is_left_to_the_next_run(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE, Rating="Hot")
    leads.run()
    leads.delete(O, "prospect", leads.links(PAIR)[lead])
    leads.edit(S, "Lead", lead, LastName="Byron")
    take(leads, a_list(lead))
    assert list(leads.links(PAIR)) == [lead]
    assert leads.run().counts["unlinked"] == 1


def test_people_whom_salesforce_has_are_found_by_match_and_others_made_once(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE)
    known = leads.create(O, "prospect", lastName="Known", emails=["k@x.co", "Known@x.co"])
    people = a_list(
        {"Email": "ROSE@edge.com"},
        ADA | {"HasOptedOutOfEmail": True},
        ADA | {"LastName": "Twin"},
        {"Email": "known@x.co", "LastName": "Other"},
        {"LastName": "Nobody"},
    )
    with rehearse(leads.stores, leads.ledger) as foretold:
        plan, planned = take(leads, people, world=foretold)
    assert prospects(leads) == ["Known"]
    summary, rows = take(leads, people)
    assert (plan.counts, told(planned)) == (summary.counts, told(rows))
    assert told(rows) == (5, 2, 2, [(6, "has neither an id nor Email")])
    assert leads.links(PAIR).keys() == {lead}
    assert leads.one(O, "prospect", known, "lastName") == "Known"
    made = leads.all(O, "prospect", "lastName", "emails", "company", "emailOptedOut")
    assert ("Byron", ["ada@edge.com"], "Edge", True) in made.values()
    assert len(made) == 3
    assert ("created", "imported by hand from fair.csv, line 3") in log_of(leads, summary.run)
    again, rows = take(leads, people)
    assert (any(again.counts.values()), told(rows)[:3]) == (False, (5, 1, 3))


def test_a_row_that_fits_two_leads_or_one_that_is_gone_is_bad_and_blocks_no_other(
    leads: World,
) -> None:
    twins = [leads.create(S, "Lead", **ROSE) for _ in range(2)]
    gone = leads.create(S, "Lead", **ADA)
    leads.delete(S, "Lead", gone)
    _, rows = take(leads, a_list({"Email": "rose@edge.com"}, gone, ADA))
    assert told(rows)[:3] == (3, 1, 0)
    (_, two), (_, none) = told(rows)[3]
    assert two.startswith(f"fits 2 Lead records by Email = emails: {twins[0]}, {twins[1]}")
    assert none == f"Salesforce has no Lead {gone}, or hides it"


def test_what_is_held_or_refused_is_a_bad_row_with_the_reason(leads: World) -> None:
    owner, rival = (leads.create(S, "Lead", **ROSE) for _ in range(2))
    take(leads, a_list(owner))
    summary, rows = take(leads, a_list(rival, {"Email": "no address"}))
    assert summary.counts["held"] == 1
    (_, held), (line, refused) = told(rows)[3]
    assert "already linked to Lead" in held
    assert (line, "Outreach refused it" in refused) == (3, True)


def test_a_guard_holds_for_an_import(leads: World) -> None:
    leads.rules(RULES + "guard { creates 1 per run }")
    given = a_list(ADA, ROSE)

    def before(_run: str) -> Any:
        return objections_to(leads.program, leads.stores, leads.ledger, UTC, PAIR, given)

    summary, rows = take(leads, given, before=before)
    assert ("it would create 2 records" in summary.objections[0].message, rows.read) == (True, 0)
    assert prospects(leads) == []


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_makes_no_person_twice(leads: World, after: bool) -> None:
    leads.stores[O] = CutOff(leads.orgs[O], 2, after, Killed())
    given = a_list(ADA, ROSE)
    with pytest.raises(Killed):
        take(leads, given)
    leads.stores[O] = leads.orgs[O]
    leads.run()
    _, rows = take(leads, given)
    assert (rows.skipped, rows.imported) == ((2, 0) if after else (1, 1))
    assert prospects(leads) == ["Byron", "Gonzalez"]
    assert not list(leads.ledger.unanswered())


def test_undo_takes_back_the_people_that_nobody_has_touched(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE)
    given = a_list(lead, ADA, {"LastName": "Kept", "Email": "kept@x.co"})
    summary, _ = take(leads, given)
    kept = next(i for i, row in leads.all(O, "prospect", "lastName").items() if row[0] == "Kept")
    leads.edit(O, "prospect", kept, title="Head")
    leads.clock.pass_(minutes=1)
    undone = undo(leads.program, leads.stores, leads.ledger, UTC, summary.run, clock=leads.clock)
    assert (undone.counts["deleted"], [each.message for each in undone.left]) == (
        2,
        [f"Outreach prospect {kept} was changed since it was created"],
    )
    assert prospects(leads) == ["Kept"]


def test_an_import_keeps_what_bases_rest_on(leads: World) -> None:
    """A condition on `changed`, or on a delete, reads its own memory; an import adds to it."""
    leads.rules(
        RULES.replace(
            "polling when", 'inbound delete when City = "Rome"\n    polling when'
        ).replace('inbound create when Rating = "Hot"', "inbound create when Rating changed")
    )
    lead = leads.create(S, "Lead", **ROSE, City="Rome")
    take(leads, a_list(lead))
    before = list(leads.ledger.all_links(PAIR))
    leads.edit(S, "Lead", lead, Rating="Hot")
    leads.run()
    assert [link.layout for link in leads.ledger.all_links(PAIR)] == [before[0].layout]
    leads.delete(S, "Lead", lead)
    assert leads.run().counts["deleted"] == 1
