"""What is held, and letting it go on: refusals tried again, reviews resumed and remapped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

import pytest

from engine.activity import entries
from engine.again import held_records, no_partner
from engine.chosen import Chosen, Partner
from engine.cycle import Summary
from engine.ledger.logbook import log_rows
from engine.ledger.looking import Filters
from engine.model import Outcome, Result, Write
from engine.undo import undo
from tests.engine.test_cycle import ACCOUNTS, LEADS, ROSE
from tests.engine.world import O, S, World, world

PAIR = "Lead<->prospect"


@pytest.fixture
def leads() -> Iterator[World]:
    with world(LEADS) as found:
        yield found


def again(at: World, *whys: str, partner: Partner | None = None) -> Summary:
    return at.run(chosen=Chosen(held_records(at.ledger, whys)), partner=partner)


def test_a_refused_write_is_held_until_somebody_retries_it(leads: World) -> None:
    prospect = leads.create(O, "prospect", emails=["a@x.co"], company="X", title="Buyer")
    leads.run()
    assert held_records(leads.ledger, {"refused"}) == {(PAIR, O): [prospect]}
    assert leads.run().counts["failed"] == 0
    assert again(leads, "refused").counts["failed"] == 1
    leads.orgs[O].write("prospect", [Write(prospect, {"lastName": "A"})])
    assert again(leads, "refused").counts["created"] == 1
    assert held_records(leads.ledger, {"refused"}) == {}


def test_a_retry_looks_at_nothing_else_and_loses_nothing(leads: World) -> None:
    leads.create(O, "prospect", emails=["a@x.co"], company="X", title="Buyer")
    leads.run()
    late = leads.create(S, "Lead", **ROSE)
    assert again(leads, "refused").counts["created"] == 0
    leads.run()
    assert late in leads.links(PAIR)


def test_results_of_a_batch_stand_by_themselves_and_transient_ones_pass(leads: World) -> None:
    for n in range(3):
        leads.create(S, "Lead", LastName=f"L{n}", Company="C", Email=f"l{n}@x.co")
    leads.run(only=frozenset())
    org = leads.orgs[O]

    class Busy:
        """An org of which the second record of a batch of prospects is locked."""

        def __getattr__(self, name: str) -> object:
            return getattr(org, name)

        def write(self, type_name: str, writes: list[Write]) -> list[Result]:
            if type_name != "prospect":
                return org.write(type_name, writes)
            locked = Result(Outcome.TRANSIENT, None, "UNABLE_TO_LOCK_ROW", "another user is at it")
            first, last = org.write(type_name, [writes[0], writes[2]])
            return [first, locked, last]

    leads.stores[O] = Busy()
    summary = leads.run()
    assert (summary.counts["failed"], len(leads.links(PAIR))) == (1, 2)
    assert list(held_records(leads.ledger, {"transient"})) == [(PAIR, S)]
    leads.stores[O] = org
    assert leads.run().counts["created"] == 1
    assert held_records(leads.ledger, {"transient", "refused"}) == {}


def test_a_review_goes_on_once_a_person_names_the_partner() -> None:
    pair = "Account<->account"
    with world(ACCOUNTS) as at:
        one, two = (at.create(O, "account", name="Acme") for _ in range(2))
        account = at.create(S, "Account", Name="acme ")
        at.run()
        assert held_records(at.ledger, {"review"}) == {(pair, S): [account]}
        assert again(at, "review").counts["held"] == 1
        partner = Partner(pair, S, account, two)
        assert no_partner(at.program, at.stores, at.ledger, partner) == []
        assert again(at, "review", partner=partner).counts["linked"] == 1
        assert at.links(pair) == {account: two}
        assert held_records(at.ledger, {"review"}) == {}
        (taken,) = no_partner(at.program, at.stores, at.ledger, Partner(pair, S, account, one))
        assert f"Account {account} is already linked to account {two}" in taken.message
        other = Partner(pair, O, one, account)
        assert f"if {two} and {one} are the same, merge them in Outreach" in (
            no_partner(at.program, at.stores, at.ledger, other)[0].message
        )


def test_a_review_goes_on_once_it_is_mended() -> None:
    with world(ACCOUNTS) as at:
        one, two = (at.create(O, "account", name="Acme") for _ in range(2))
        account = at.create(S, "Account", Name="acme ")
        at.run()
        at.delete(O, "account", one)
        assert again(at, "review").counts["linked"] == 1
        assert at.links("Account<->account") == {account: two}


def run_as_planned(at: World) -> Summary:
    """A cycle, and the plan before it comes to the same changes and calls."""
    planned, changes = at.plan()
    summary = at.run()
    told = [[(c.action, c.direction, c.reason) for c in cs] for cs in (changes, at.changes)]
    assert (planned.counts, planned.calls, told[0]) == (summary.counts, summary.calls, told[1])
    return summary


def test_neither_of_two_gets_a_record_that_is_held_because_both_match_it() -> None:
    both = ACCOUNTS.replace("fields {", "pushing outbound update fields {")
    pair = "Account<->account"
    with world(both) as at:
        one, two = (at.create(O, "account", name="Acme") for _ in range(2))
        account = at.create(S, "Account", Name="acme ")
        assert run_as_planned(at).counts["held"] == 3
        at.edit(O, "account", one, websiteUrl="acme.com")
        assert run_as_planned(at).counts["held"] == 3
        assert at.links(pair) == {}
        assert f"Account {account} matches 2 account records" in at.changes[0].reason
        assert not any(at.run().counts.values())
        at.edit(O, "account", one, name="Edge")
        run_as_planned(at)
        assert at.links(pair) == {account: two}
        assert held_records(at.ledger, {"review"}) == {}


def test_the_first_of_two_to_be_read_does_not_get_the_record_that_both_match(leads: World) -> None:
    prospect = leads.create(O, "prospect", emails=["rose@edge.com"])
    one, two = (leads.create(S, "Lead", **ROSE) for _ in range(2))
    assert run_as_planned(leads).counts["held"] == 3
    assert leads.links(PAIR) == {}
    reason = f"prospect {prospect} matches 2 Lead records by Email = emails: {one}, {two}"
    assert leads.changes[-3].reason == reason
    leads.delete(S, "Lead", one)
    assert run_as_planned(leads).counts["linked"] == 1
    assert leads.links(PAIR) == {two: prospect}
    assert held_records(leads.ledger, {"review"}) == {}


def test_who_matches_by_an_earlier_line_is_in_nobodys_way() -> None:
    lines = "match Name = name and Website = websiteUrl match Name = name"
    with world(ACCOUNTS.replace("match Name = name", lines)) as at:
        at.create(O, "account", name="Acme", websiteUrl="acme.com")
        first = at.create(S, "Account", Name="Acme")
        exact = at.create(S, "Account", Name="Acme", Website="acme.com")
        counts = run_as_planned(at).counts
        assert (counts["linked"], counts["created"], counts["held"]) == (1, 1, 0)
        assert set(at.links("Account<->account")) == {first, exact}


def test_what_a_person_links_is_no_longer_in_the_way() -> None:
    with world(ACCOUNTS) as at:
        held = at.create(O, "account", name="Acme")
        one, two = (at.create(S, "Account", Name="Acme") for _ in range(2))
        at.run()
        pair = "Account<->account"
        at.run(chosen=Chosen({(pair, S): [two]}), partner=Partner(pair, S, two, held))
        assert at.links(pair) == {two: held}
        assert run_as_planned(at).counts["created"] == 1
        assert set(at.links(pair)) == {one, two}


def test_a_record_goes_on_once_the_owner_of_its_key_gives_it_up(leads: World) -> None:
    leads.create(S, "Lead", **ROSE)
    leads.run()
    two = leads.create(S, "Lead", **ROSE)
    assert leads.run().counts["held"] == 1
    one = next(iter(leads.links(PAIR)))
    leads.edit(S, "Lead", one, Email="other@edge.com")
    leads.run()
    leads.edit(O, "prospect", leads.links(PAIR)[one], emails=["other@edge.com"])
    run_as_planned(leads)
    assert set(leads.links(PAIR)) == {one, two}


def test_a_prospect_moves_to_another_lead_by_hand_and_an_undo_moves_it_back(leads: World) -> None:
    old = leads.create(S, "Lead", **ROSE)
    leads.run()
    new = leads.create(S, "Lead", **ROSE | {"LastName": "Frank"})
    assert leads.run().counts["held"] == 1
    (prospect,) = leads.links(PAIR).values()
    named = Partner(PAIR, S, new, prospect)
    (objection,) = no_partner(leads.program, leads.stores, leads.ledger, named)
    assert "with --relink" in objection.message
    named = Partner(PAIR, S, new, prospect, moves=True)
    assert no_partner(leads.program, leads.stores, leads.ledger, named) == []

    moved = again(leads, "review", partner=named)
    assert (moved.counts["unlinked"], moved.counts["linked"]) == (1, 1)
    assert leads.links(PAIR) == {new: prospect}
    assert leads.one(O, "prospect", prospect, "lastName") == "Frank"
    (log,) = leads.ledger.rows(log_rows(Filters(id=str(old), status="unlinked")))
    assert log["message"] == f"its prospect {prospect} is linked by hand to Lead {new}"
    synced = next(e for e in entries(leads.ledger) if e.run == moved.run)
    assert (synced.counts["linked"], synced.counts["unlinked"]) == (1, 1)

    anew = leads.run()  # the old lead bears the e-mail of a prospect that is taken
    assert (anew.counts["held"], anew.counts["created"]) == (1, 0)
    assert held_records(leads.ledger, {"review"}) == {(PAIR, S): [old]}
    leads.edit(S, "Lead", old, Title="CEO")
    leads.run()
    assert leads.links(PAIR) == {new: prospect}

    back = undo(leads.program, leads.stores, leads.ledger, UTC, moved.run, clock=leads.clock)
    assert (back.left, leads.links(PAIR)) == ((), {old: prospect})
    assert leads.one(O, "prospect", prospect, "lastName", "title") == ("Gonzalez", None)
    leads.run()
    assert leads.one(O, "prospect", prospect, "lastName", "title") == ("Gonzalez", "CEO")
    assert held_records(leads.ledger, {"review"}) == {(PAIR, S): [new]}
    forth = undo(leads.program, leads.stores, leads.ledger, UTC, back.run, clock=leads.clock)
    assert (forth.left, leads.links(PAIR)) == ((), {new: prospect})


def test_a_link_that_was_ended_by_hand_does_not_come_back_by_itself(leads: World) -> None:
    old = leads.create(S, "Lead", **ROSE)
    leads.run()
    new = leads.create(S, "Lead", **ROSE)
    leads.run()
    (prospect,) = leads.links(PAIR).values()
    again(leads, "review", partner=Partner(PAIR, S, new, prospect, moves=True))
    leads.edit(S, "Lead", old, Email="old@edge.com")
    leads.delete(S, "Lead", new)
    leads.run()
    leads.run()
    assert leads.links(PAIR) == {old: prospect + 1}
