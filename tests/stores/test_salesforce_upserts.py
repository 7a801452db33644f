"""Upserts over HTTP: what they cost, what they answer, and that none is sent again by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from engine.model import Outcome, Side, Write
from engine.ports import StoreError, Unreachable
from engine.sandbox.faults import faults
from engine.sandbox.salesforce.app import app
from engine.sandbox.serving import Serving
from engine.stores.local import LocalOrg, open_org
from tests.engine.rules import program_of
from tests.engine.test_upserts import PAIR, RULES
from tests.engine.world import O, S, World
from tests.stores.salesforce import connected, served


@pytest.fixture
def org(tmp_path: Path) -> Iterator[LocalOrg]:
    org = open_org(Side.SALESFORCE, tmp_path / "salesforce.db")
    org.add_field("Contact", "Code__c", "text", external_id=True)
    yield org
    org.close()


def named(n: int, code: str | None = None, **values: Any) -> Write:
    more = {} if code is None else {"Code__c": code}
    return Write(None, {"LastName": f"L{n}"} | more | values, upsert=code and "Code__c")


def test_a_call_takes_a_thousand_upserts_and_tells_which_met_a_record(org: LocalOrg) -> None:
    there = org.create("Contact", {"LastName": "Ros", "Title": "CFO", "Code__c": "A7"})
    with served(org.file.path) as url, connected(url) as store:
        store.now()
        before = store.calls
        writes = [named(n, f"a{n}") for n in range(1_000)]
        results = store.write("Contact", writes)
        assert store.calls - before == store.packed(writes) == 1
        assert [n for n, r in enumerate(results) if r.met] == [7]
        assert results[7].id == there
        assert {r.outcome for r in results} == {Outcome.DONE}
        ((_, _, *row),) = store.fetch("Contact", ["LastName", "Title", "Code__c"], [there])
        assert row == ["L7", "CFO", "A7"]  # no field but those that were sent


def test_what_shares_no_collection_costs_what_is_foretold(org: LocalOrg) -> None:
    with served(org.file.path) as url, connected(url) as store:
        (first,) = store.write("Contact", [named(0)])
        assert first.id is not None
        writes = [named(n, f"b{n}") for n in range(401)]
        writes += [named(n) for n in range(401)]
        writes += [Write(first.id, {"Title": f"T{n}"}) for n in range(2)]
        before = store.calls
        results = store.write("Contact", writes)
        assert store.calls - before == store.packed(writes) == 2
        assert {r.outcome for r in results} == {Outcome.DONE}


def test_two_upserts_with_one_external_id_go_one_after_the_other(org: LocalOrg) -> None:
    with served(org.file.path) as url, connected(url) as store:
        first, second = store.write("Contact", [named(1, "C1"), named(2, "c1 ")])
        assert (first.id, first.met, second.met) == (second.id, False, True)


def test_several_that_bear_an_external_id_are_left_for_the_next_run_to_see(org: LocalOrg) -> None:
    for n in range(2):
        org.create("Contact", {"LastName": f"L{n}", "Email": "a@x.co"})
    with served(org.file.path) as url, connected(url) as store:
        write = Write(None, {"LastName": "New", "Email": "a@x.co"}, upsert="Email")
        (result,) = store.write("Contact", [write])
        assert (result.outcome, result.code) == (Outcome.TRANSIENT, "DUPLICATE_EXTERNAL_ID")


def test_a_field_that_is_no_external_id_any_more_is_for_the_next_run_to_ask(org: LocalOrg) -> None:
    with served(org.file.path) as url, connected(url) as store:
        write = Write(None, {"LastName": "New", "Title": "CFO"}, upsert="Title")
        (result,) = store.write("Contact", [write])
        assert (result.outcome, result.code) == (Outcome.TRANSIENT, "NOT_FOUND")


def test_an_upsert_without_an_answer_is_not_sent_again(org: LocalOrg) -> None:
    """Somebody may have edited by then what it made."""
    mishaps = faults("", 0)
    server = Serving(lambda: app(org.file.path, faults=mishaps))
    with server, connected(server.url) as store:
        store.now()
        mishaps.odds = faults("after=1", 0).odds
        before = org.usage().used
        with pytest.raises(Unreachable):
            store.write("Contact", [named(1, "D1")])
        assert org.usage().used - before == 1
    assert len(org.find("Contact", [], ["Code__c"], [("d1",)])) == 1


BROKEN = "before=.05,after=.08,reset=.05,truncated=.05,500=.05,503=.04,lock=.05,half=.05,late=.1"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_breaks_one_code_is_one_record_and_no_edit_is_lost(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.stores.salesforce.connection._FIRST_PAUSE", 0.001)
    with ExitStack() as stack:
        at = World(program_of(RULES.replace("{match}", "Code__c = externalId")))
        stack.callback(at.close)
        at.orgs[S].close()
        path = tmp_path / "salesforce.db"
        at.orgs[S] = open_org(Side.SALESFORCE, path, at.clock)
        at.orgs[S].add_field("Contact", "Code__c", "text", external_id=True)
        url = stack.enter_context(served(path, BROKEN, seed, clock=at.clock))
        at.stores[S] = stack.enter_context(connected(url))
        wanted: dict[str, str] = {}
        broken = 0
        for n in range(8):
            at.create(O, "prospect", lastName=f"L{n}", title="new", externalId=f"E{n}")
            broken += _cut_off(at)
            # Somebody edits at once what was made, whether a run knows of it or not.
            for contact, (code, title) in at.all(S, "Contact", "Code__c", "Title").items():
                if title == "new":
                    at.edit(S, "Contact", contact, Title=f"edited {code}")
                    wanted[code] = f"edited {code}"
            at.clock.pass_(minutes=15)
        for _ in range(8):
            broken += _cut_off(at)
            at.clock.pass_(minutes=15)
        assert broken
        contacts = at.all(S, "Contact", "Code__c", "Title")
        assert set(Counter(code for code, _ in contacts.values()).values()) == {1}
        assert len(contacts) == len(at.links(PAIR)) == 8
        assert wanted.items() <= dict(contacts.values()).items()


def _cut_off(at: World) -> bool:
    """Whether a run broke off."""
    try:
        at.run()
    except StoreError:
        return True
    return False
