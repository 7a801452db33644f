"""Whole cycles with a real Salesforce store over HTTP: the same stories, and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from engine.model import Side, Write
from engine.ports import StoreError
from engine.stores.local import open_org
from tests.engine.rules import program_of
from tests.engine.world import O, S, World
from tests.stores.salesforce import connected, served

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling when IsConverted = false
    inbound create when Email is present
    inbound update
    inbound delete
    pushing
    outbound create when title = "Buyer"
    outbound update
    fields {
        LastName <-> lastName  prevent empty
        Company  <-> company
        Email    <-> emails
        Title    <-> title
    }
}
"""
ROSE = {"LastName": "Gonzalez", "Company": "Edge", "Email": "rose@edge.com"}
PAIR = "Lead<->prospect"


@contextmanager
def world(path: Path, faults: str = "", seed: int = 0) -> Iterator[World]:
    """A world whose Salesforce is behind a server; its users act on the org itself."""
    with ExitStack() as stack:
        found = World(program_of(RULES))
        stack.callback(found.close)
        found.orgs[S].close()
        found.orgs[S] = open_org(Side.SALESFORCE, path, found.clock)
        url = stack.enter_context(served(path, faults, seed, clock=found.clock))
        found.stores[S] = stack.enter_context(connected(url))
        yield found


@pytest.fixture
def leads(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "salesforce.db") as found:
        yield found


def test_edits_of_either_side_reach_the_other_and_then_nothing_is_written(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE)
    assert leads.run().counts["created"] == 1
    prospect = leads.links(PAIR)[lead]
    leads.edit(S, "Lead", lead, Title="CFO")
    leads.edit(O, "prospect", prospect, company="Edge Ltd")
    assert leads.run().counts["updated"] == 2
    assert leads.one(O, "prospect", prospect, "title") == "CFO"
    assert leads.one(S, "Lead", lead, "Company") == "Edge Ltd"
    for _ in range(2):
        before = leads.stores[S].calls
        assert not any(leads.run().counts.values())
        assert leads.stores[S].calls - before == 1


def test_a_buyer_becomes_a_lead_and_a_deleted_lead_takes_its_prospect_along(leads: World) -> None:
    values = {"lastName": "Ros", "company": "C", "emails": ["r@x.com"], "title": "Buyer"}
    prospect = leads.create(O, "prospect", **values)
    assert leads.run().counts["created"] == 1
    ((lead, row),) = leads.all(S, "Lead", "LastName", "Email").items()
    assert row == ("Ros", "r@x.com")
    leads.delete(S, "Lead", lead)
    assert leads.run().counts["deleted"] == 1
    assert prospect not in leads.all(O, "prospect")


def test_a_merge_moves_the_link_to_the_master(leads: World) -> None:
    kept, lost = (leads.create(S, "Lead", **ROSE | {"Email": f"{n}@x.com"}) for n in "ab")
    leads.run()
    partner = leads.links(PAIR)[lost]
    leads.delete(O, "prospect", leads.links(PAIR)[kept])
    leads.run()
    leads.clock.pass_(minutes=1)
    leads.orgs[S].merge("Lead", kept, lost)
    leads.run()
    assert leads.links(PAIR) == {kept: partner}


def test_a_plan_foretells_the_calls_of_the_run(leads: World) -> None:
    for n in range(30):
        leads.create(S, "Lead", **ROSE | {"Email": f"in{n}@x.com"})
        buyer = {"lastName": f"B{n}", "company": "C", "emails": [f"out{n}@x.com"]}
        leads.create(O, "prospect", **buyer, title="Buyer")
    planned, _ = leads.plan()
    done = leads.run()
    assert done.counts == planned.counts
    assert done.calls == planned.calls


BROKEN = (
    "before=.04,after=.04,reset=.04,truncated=.04,401=.01,500=.04,503=.04,lock=.05,half=.05,late=.1"
)


@pytest.mark.parametrize("seed", range(4))
def test_nobody_is_made_twice_whatever_breaks(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.stores.salesforce.connection._FIRST_PAUSE", 0.001)
    with world(tmp_path / "salesforce.db", BROKEN, seed) as found:
        broken = 0
        for n in range(8):
            found.create(S, "Lead", **ROSE | {"Email": f"in{n}@x.com"})
            buyer = {"lastName": f"B{n}", "company": "C", "emails": [f"out{n}@x.com"]}
            found.create(O, "prospect", **buyer, title="Buyer")
            broken += _cut_off(found)
            found.clock.pass_(minutes=15)
        for _ in range(6):
            broken += _cut_off(found)
            found.clock.pass_(minutes=15)
        leads, prospects = found.all(S, "Lead", "Email"), found.all(O, "prospect", "emails")
        emails = Counter(email for (email,) in leads.values())
        assert broken
        assert set(emails.values()) == {1}
        assert len(leads) == len(prospects) == len(found.links(PAIR)) == 16


def _cut_off(found: World) -> bool:
    """Whether a run broke off."""
    try:
        found.run()
    except StoreError:
        return True
    return False


def test_two_thousand_leads_come_in_by_one_call_and_go_out_by_two(leads: World) -> None:
    org = leads.orgs[S]
    values = [{"LastName": "L", "Company": "C", "Email": f"l{n}@x.com"} for n in range(2_000)]
    org.write("Lead", [Write(None, each) for each in values])
    store = leads.stores[S]
    store.now()
    before = store.calls
    assert leads.run().counts["created"] == 2_000
    assert store.calls - before == 1
    prospects = list(leads.all(O, "prospect"))
    leads.orgs[O].write("prospect", [Write(i, {"title": "CTO"}) for i in prospects])
    leads.clock.pass_(minutes=20)
    before = store.calls
    assert leads.run().counts["updated"] == 2_000
    # One to look for what changed, one to read those, two to write them, one to read them back.
    assert store.calls - before == 5
