"""A run that may wait goes on when the vendors themselves have calls again."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from typing import Any

import pytest

from engine.budgeted import budgeted
from engine.model import Side, Write
from engine.ports import BudgetSpent
from tests.engine import world as worlds
from tests.engine.world import O, S, World, world
from tests.wire.wired import wired

LEADS = """
sync Lead <-> prospect {
    match Email = emails
    polling  inbound create  inbound update
    pushing  outbound update
    fields { LastName <-> lastName  Email <-> emails }
}
"""
COUNT = 40


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Leads in an org with few calls a day, and an Outreach with few an hour."""
    few = partial(wired, daily_limit=20, hourly_limit=50)
    monkeypatch.setattr(worlds, "settle", few)
    with world(LEADS) as made:
        values = [{"LastName": f"L{n}", "Company": "C", "Email": f"{n}@x.co"} for n in range(COUNT)]
        made.orgs[S].write("Lead", [Write(None, each) for each in values])
        made.stores[O].transport.pace.clock = lambda: made.clock.now().timestamp()
        yield made


def limited(at: World, wait: Any) -> None:
    at.stores = budgeted(at.stores, (), at.ledger, UTC, at.clock, wait)


def test_what_the_vendors_refuse_for_now_is_waited_for_and_made_once(at: World) -> None:
    waited: list[Side] = []

    def wait(spent: BudgetSpent) -> bool:
        assert spent.until > at.clock.now()
        waited.append(spent.side)
        at.clock.moment = spent.until
        return True

    limited(at, wait)
    summary = at.run()
    assert (summary.status, summary.counts["created"]) == ("done", COUNT)
    assert len(at.all(O, "prospect")) == COUNT
    assert O in waited
    # The rest of Salesforce's day is spent by somebody else, in the middle of what is next.
    for number, prospect in enumerate(at.all(O, "prospect")):
        at.edit(O, "prospect", prospect, lastName=f"M{number}")
    while at.stores[S].calls < 40 and S not in waited:
        at.stores[S].fetch("Lead", ["LastName"], ["00Q000000000001AAA"])
    assert waited.count(S) >= 1
    assert at.run().counts["updated"] == COUNT
    assert all(name.startswith("M") for (name,) in at.all(S, "Lead", "LastName").values())


def test_who_is_asked_to_stop_while_waiting_stops_and_the_next_run_goes_on(at: World) -> None:
    asked = []

    def wait(spent: BudgetSpent) -> bool:
        asked.append(spent)
        return False

    limited(at, wait)
    summary = at.run(stop=lambda: bool(asked))
    assert summary.status == "stopped"
    made = len(at.all(O, "prospect"))
    assert 0 < made < COUNT
    at.clock.pass_(seconds=1)
    at.stores[O].fetch("prospect", [], [1])  # the server writes down what it has counted
    at.clock.pass_(days=1)
    summary = at.run()
    assert (summary.status, len(at.all(O, "prospect"))) == ("done", COUNT)
