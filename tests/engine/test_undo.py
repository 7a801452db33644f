"""Undo: what a run wrote is put back where nobody has changed it since, and stays put."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest

from engine.cycle import Summary
from engine.ledger.schema import run as runs
from engine.undo import NoSuchRun, undo
from tests.engine.test_cycle import CONTACTS, LEADS, ROSE, prospect_of
from tests.engine.world import O, S, World, world

PAIR = "Lead<->prospect"


@pytest.fixture
def leads() -> Iterator[World]:
    with world(LEADS) as found:
        yield found


def take_back(at: World, run: str) -> Summary:
    at.clock.pass_(minutes=1)
    return undo(at.program, at.stores, at.ledger, UTC, run, clock=at.clock)


def left(summary: Summary) -> list[tuple[Any, str]]:
    return [(each.details["field"], each.message) for each in summary.left]


def calm(at: World) -> bool:
    return not any(n for key, n in at.run().counts.items() if key != "skipped")


def test_an_update_gets_its_old_values_back_and_the_next_run_leaves_it(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE, Title="Clerk")
    leads.run()
    prospect = prospect_of(leads, lead)
    leads.edit(S, "Lead", lead, Title="CFO", Status="Working - Contacted")
    done = leads.run()
    assert leads.one(O, "prospect", prospect, "title", "stage.name") == ("CFO", "Working")
    summary = take_back(leads, done.run)
    assert (summary.status, summary.counts["updated"], left(summary)) == ("done", 1, [])
    assert leads.one(O, "prospect", prospect, "title", "stage.name") == ("Clerk", "Open")
    assert calm(leads)
    assert leads.one(S, "Lead", lead, "Title", "Status") == ("CFO", "Working - Contacted")
    leads.edit(S, "Lead", lead, Title="COO")
    leads.run()
    assert leads.one(O, "prospect", prospect, "title", "stage.name") == ("COO", "Open")


def test_what_somebody_changed_since_stays_and_is_listed(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE, Title="Clerk")
    leads.run()
    prospect = prospect_of(leads, lead)
    leads.edit(S, "Lead", lead, Title="CFO", Company="Edge Inc")
    done = leads.run()
    leads.edit(O, "prospect", prospect, title="CEO")
    summary = take_back(leads, done.run)
    assert left(summary) == [("title", f"Outreach prospect {prospect}: title was changed since")]
    assert leads.one(O, "prospect", prospect, "title", "company") == ("CEO", "Edge")


def test_a_created_record_goes_if_it_is_untouched_and_is_not_made_again(leads: World) -> None:
    first = leads.create(S, "Lead", **ROSE)
    second = leads.create(S, "Lead", LastName="B", Company="X", Email="b@x.co")
    done = leads.run()
    touched = prospect_of(leads, second)
    leads.edit(O, "prospect", touched, gender="female")
    summary = take_back(leads, done.run)
    assert summary.counts["deleted"] == 1
    assert list(leads.all(O, "prospect")) == [touched]
    assert leads.links(PAIR) == {second: touched}
    words = [message for _, message in left(summary)]
    assert f"Outreach prospect {touched} was changed since it was created" in words
    assert sum("stays: records may be in it" in each for each in words) == 2
    leads.edit(S, "Lead", first, Title="CFO")
    leads.run()
    assert list(leads.all(O, "prospect")) == [touched]


def test_a_later_run_has_to_be_undone_first(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE)
    made = leads.run()
    leads.edit(S, "Lead", lead, Title="CFO")
    later = leads.run()
    summary = take_back(leads, made.run)
    assert "was written by a later run" in left(summary)[0][1]
    assert len(leads.all(O, "prospect")) == 1
    assert take_back(leads, later.run).counts["updated"] == 1
    assert leads.one(O, "prospect", prospect_of(leads, lead), "title") is None


def test_an_undo_is_a_run_of_its_own_and_twice_does_no_harm(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE, Title="Clerk")
    leads.run()
    leads.edit(S, "Lead", lead, Title="CFO")
    done = leads.run()
    first = take_back(leads, done.run)
    assert first.run in [row["id"] for row in leads.ledger.rows(runs.select())]
    again = take_back(leads, done.run)
    assert (again.counts["updated"], left(again)) == (0, [])
    assert take_back(leads, first.run).counts["updated"] == 1
    assert leads.one(O, "prospect", prospect_of(leads, lead), "title") == "CFO"
    with pytest.raises(NoSuchRun, match="no run `r-none`"):
        take_back(leads, "r-none")


def test_a_prospect_made_by_one_sync_and_linked_by_another_goes_too() -> None:
    with world(CONTACTS) as at:
        account = at.create(S, "Account", Name="Acme", Rating="Hot")
        at.create(S, "Contact", LastName="A", Email="a@x.co", AccountId=account, Title="CFO")
        at.create(S, "Lead", LastName="A", Company="X", Email="A@x.co")
        done = at.run()
        summary = take_back(at, done.run)
        assert left(summary) == []
        assert at.all(O, "prospect") == {}
        assert at.all(O, "account") == {}
        at.run()
        assert at.all(O, "prospect") == {}


def test_lists_and_blanks_come_back_whole(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE)
    prospect = leads.create(O, "prospect", emails=["rose@edge.com", "home@x.co"], lastName="Old")
    leads.run()
    leads.edit(S, "Lead", lead, Email="work@edge.com", Title="CFO")
    done = leads.run()
    assert leads.one(O, "prospect", prospect, "emails")[0] == "work@edge.com"
    take_back(leads, done.run)
    assert leads.one(O, "prospect", prospect, "emails") == ["rose@edge.com", "home@x.co"]
    assert leads.one(O, "prospect", prospect, "title") is None
    assert calm(leads)
