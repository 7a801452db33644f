"""Short stories of creates that name an external id, each of one mishap."""

from __future__ import annotations

from engine.ledger.looking import last_run, waiting
from engine.ports import Unreachable
from tests.engine.test_undo import take_back
from tests.engine.test_upserts import PAIR, ROSE, Blind, coded, contacts, cut_off, met
from tests.engine.world import O, S

__all__ = ["edited_unheard", "met_and_undone", "of_another", "twins_by_code"]


def met_and_undone() -> list[str]:
    """An upsert meets a record that somebody has just made; it is merged, or the run undone."""
    with coded() as at:
        prospect, contact = met(at)
        at.run()
        told = at.one(O, "prospect", prospect, "occupation")
        found = [] if told == "Finance" else [f"the prospect has {told}"]
        found += [] if at.links(PAIR) == {contact: prospect} else ["they are not linked"]
    with coded() as at:
        _, contact = met(at)
        (run,) = at.ledger.rows(last_run())
        take_back(at, run["id"])
        return found if contact in contacts(at) else [*found, "the record was deleted"]


def edited_unheard() -> list[str]:
    """Somebody edits what a create made whose answer never came."""
    with coded() as at:
        prospect = at.create(O, "prospect", **ROSE)
        cut_off(at, Unreachable("no answer"), after=True)
        (contact,) = contacts(at)
        at.edit(S, "Contact", contact, Title="Chief")
        at.clock.pass_(minutes=20)
        at.run()
        told = at.one(S, "Contact", contact, "Title"), at.one(O, "prospect", prospect, "title")
        return [] if told == ("Chief", "Chief") else [f"the titles are {told}"]


def of_another() -> list[str]:
    """An upsert meets a record that belongs to another prospect, and that nobody was shown."""
    with coded() as at:
        first = at.create(O, "prospect", **ROSE)
        at.run()
        other = at.create(O, "prospect", **ROSE | {"lastName": "Other", "title": "CTO"})
        whole, at.stores[S] = at.stores[S], Blind(at.stores[S], lambda: None)
        at.run()
        at.stores[S] = whole
        for _ in range(3):
            at.clock.pass_(minutes=20)
            at.run()
        told = at.one(O, "prospect", first, "lastName", "title"), list(at.links(PAIR).values())
        found = [] if told == (("Gonzalez", "CFO"), [first]) else [f"the first one has {told}"]
        held = [row["record_id"] for row in at.ledger.rows(waiting(None))]
        return found if held == [str(other)] else [*found, f"held are {held}"]


def twins_by_code() -> list[str]:
    """Two prospects of one page have one code."""
    with coded() as at:
        at.create(O, "prospect", **ROSE)
        at.create(O, "prospect", **ROSE)
        counts = at.run().counts
        told = counts["created"], counts["held"], counts["failed"]
        return [] if told == (1, 1, 0) else [f"created, held, failed: {told}"]
