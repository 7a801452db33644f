"""The Salesforce store over HTTP: what it costs, what it refuses, and what breaks on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.clock import SystemClock
from engine.model import NO_CALLS, Cursor, Outcome, RecordId, Side, Write
from engine.ports import BudgetSpent, Checkable, Lists, Metered, Need, StoreError, Unreachable
from engine.sandbox.salesforce.box import Ahead
from engine.sandbox.salesforce.setup import Setup
from engine.stores.local import LocalOrg, open_org
from engine.stores.salesforce import SalesforceStore
from engine.stores.salesforce.connection import Connection
from tests.stores.salesforce import connected, served

LEAD = ["LastName", "Company", "Email", "NumberOfEmployees", "IsConverted", "CreatedDate"]


def _make(org: LocalOrg, count: int) -> list[RecordId]:
    values = [
        {"LastName": f"L{n}", "Company": "C", "Email": f"l{n}@x.com", "NumberOfEmployees": n}
        for n in range(count)
    ]
    return [r.id for r in org.write("Lead", [Write(None, each) for each in values]) if r.id]


@pytest.fixture
def org(tmp_path: Path) -> Iterator[LocalOrg]:
    org = open_org(Side.SALESFORCE, tmp_path / "salesforce.db")
    yield org
    org.close()


@pytest.fixture
def path(org: LocalOrg) -> Path:
    return org.file.path


def _rows(store: SalesforceStore, since: Cursor | None = None) -> list[Any]:
    return [row for page in store.scan("Lead", LEAD, since) for row in page.rows]


# -- what it costs ------------------------------------------------------------------------------


def test_calls_are_as_few_as_salesforce_lets_them_be(org: LocalOrg, path: Path) -> None:
    spent: dict[str, int] = {}
    with served(path) as url, connected(url) as store:
        store.now()

        def costs(what: str, done: Any) -> Any:
            before = store.calls
            found = list(done()) if callable(done) else done
            spent[what] = store.calls - before
            return found

        before = Cursor(store.now()[:19] + ".000Z", "")
        writes = [Write(None, {"LastName": f"L{n}", "Company": "C"}) for n in range(2_000)]
        results = costs("2,000 made", lambda: store.write("Lead", writes))
        ids = [r.id for r in results]
        assert None not in ids
        costs("2,000 changed", lambda: store.scan("Lead", LEAD, before))
        costs("nothing changed", lambda: store.scan("Lead", LEAD, Cursor("2999-01-01", "")))
        costs("2,000 fetched", lambda: store.fetch("Lead", LEAD, ids))
        costs("5,000 fates", lambda: store.fates("Lead", [*ids, *ids[:1]]))
        keys = [(f"l{n}",) for n in range(1_000)]
        assert len(costs("1,000 looked for", lambda: store.find("Lead", [], ["LastName"], keys)))
        mixed = [Write(i, {"Company": "D"}) for i in ids[:400]] + [
            Write(i, delete=True) for i in ids[400:800]
        ]
        costs("400 changed and 400 deleted", lambda: store.write("Lead", mixed))
        counted = store.usage().used
        assert counted == store.calls
    assert spent == {
        "2,000 made": 2,
        "2,000 changed": 1,
        "nothing changed": 1,
        "2,000 fetched": 1,
        "5,000 fates": 1,
        "1,000 looked for": 1,
        "400 changed and 400 deleted": 1,
    }


def test_a_query_too_long_for_an_address_is_sent_as_a_body(org: LocalOrg, path: Path) -> None:
    (lead,) = _make(org, 1)
    paths = list(org.file.table("Lead").type.fields)
    key = [(f"l{n}@{'a-rather-long-domain-' * 4}example.com",) for n in range(300)]
    with served(path) as url, connected(url) as store:
        before = store.calls
        assert store.find("Lead", paths, ["Email"], [("l0@x.com",), *key])[0][0] == lead
        assert store.calls - before == 1


def test_records_written_between_two_pages_are_read_as_they_are_then(
    org: LocalOrg, path: Path
) -> None:
    ids = _make(org, 2_500)
    seen: dict[RecordId, Any] = {}
    later = open_org(Side.SALESFORCE, path, Ahead(SystemClock(), timedelta(minutes=1)))
    with closing(later), served(path) as url, connected(url) as store:
        for page in store.scan("Lead", LEAD, None):
            seen |= {row[0]: row[3] for row in page.rows}
            if not page.done:
                later.edit("Lead", ids[0], {"Company": "Early"})
                later.edit("Lead", ids[-1], {"Company": "Late"})
    assert (seen[ids[0]], seen[ids[-1]], len(seen)) == ("Early", "Late", 2_500)


# -- budgets ------------------------------------------------------------------------------------


def test_a_spent_day_is_waited_for_and_nothing_is_half_written(org: LocalOrg, path: Path) -> None:
    (lead,) = _make(org, 1)
    used = org.usage().used
    with served(path, daily_limit=used + 2) as url, connected(url) as store:
        assert store.usage()[:2] == (used + 1, used + 2)
        writes = [Write(lead, {"Company": "D"})] + [
            Write(None, {"LastName": f"L{n}", "Company": "C"}) for n in range(1_200)
        ]
        results = store.write("Lead", writes)
        assert store.usage()[:2] == (used + 2, used + 2)
        with pytest.raises(BudgetSpent, match="no API calls left") as caught:
            store.fetch("Lead", LEAD, [lead])
        assert timedelta(0) < caught.value.until - datetime.now(UTC) < timedelta(hours=2)
    left = [r for r in results if r.outcome is Outcome.TRANSIENT]
    done = [r for r in results if r.outcome is Outcome.DONE]
    assert {r.code for r in left} == {NO_CALLS}
    assert len(done) + len(left) == len(writes)
    made = org.find("Lead", [], ["Company"], [("c",), ("d",)])
    assert len(made) == len(done) > 800


def test_the_store_offers_what_it_can(path: Path) -> None:
    with served(path) as url, connected(url) as store:
        assert isinstance(store, Lists)
        assert isinstance(store, Metered)
        assert isinstance(store, Checkable)


# -- what the user may not ----------------------------------------------------------------------


def test_fields_that_the_user_does_not_see_are_named(path: Path) -> None:
    setup = Setup(hidden=frozenset({("Lead", "Company"), ("Lead", "Email")}))
    with served(path, setup=setup) as url, connected(url) as store:
        wanted = "does not see the fields `Company`, `Email` of Salesforce Lead"
        with pytest.raises(StoreError, match=wanted):
            _rows(store)
        with pytest.raises(StoreError, match="does not see the field `Email`"):
            store.find("Lead", ["LastName"], ["Email"], [("a@x.com",)])
        with pytest.raises(StoreError, match="no object `Nope__c` that the connected user sees"):
            list(store.scan("Nope__c", ["Name"], None))


@pytest.mark.parametrize("name", ["Last Name", "LastName FROM User--", "a.b.", "(SELECT Id)"])
def test_no_name_is_taken_for_a_query(path: Path, name: str) -> None:
    with served(path) as url, connected(url) as store:
        with pytest.raises(StoreError, match="is no name of a Salesforce"):
            list(store.scan("Lead", [name], None))
        with pytest.raises(StoreError, match="is no name of a Salesforce"):
            store.find("Lead", [], [name], [("x",)])
        assert store.calls == 0


def test_a_duplicate_that_the_org_blocks_names_the_record_that_is_there(
    org: LocalOrg, path: Path
) -> None:
    (lead,) = _make(org, 1)
    setup = Setup(duplicates={"Lead": ("Email",)})
    with served(path, setup=setup) as url, connected(url) as store:
        twin = Write(None, {"LastName": "Twin", "Company": "C", "Email": "L0@x.com"})
        other = Write(None, {"LastName": "Other", "Company": "C", "Email": "other@x.com"})
        refused, made = store.write("Lead", [twin, other])
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "DUPLICATES_DETECTED")
    assert str(lead) in refused.message
    assert made.outcome is Outcome.DONE


def test_a_value_of_the_wrong_kind_stops_none_of_its_collection(org: LocalOrg, path: Path) -> None:
    writes = [Write(None, {"LastName": f"L{n}", "Company": "C"}) for n in range(30)]
    writes[11] = Write(None, {"LastName": "x", "Company": "C", "NumberOfEmployees": "many"})
    with served(path) as url, connected(url) as store:
        results = store.write("Lead", writes)
    assert [at for at, r in enumerate(results) if r.outcome is not Outcome.DONE] == [11]


def test_what_the_rules_need_and_the_user_may_not_is_told_with_its_setting(path: Path) -> None:
    setup = Setup(
        hidden=frozenset({("Task", "Type")}),
        read_only=frozenset({"Contact"}),
        skew=timedelta(minutes=9),
    )
    needs = [
        Need("Lead", frozenset({"LastName", "Owner"}), frozenset({"Company"}), True, True, False),
        Need("Contact", frozenset({"LastName"}), frozenset({"LastName"}), True, True, False),
        Need("Task", frozenset({"Type"}), frozenset(), False, False, False),
        Need("Lead", frozenset(), frozenset({"Name"}), False, True, False),
        Need("Nope__c", frozenset(), frozenset(), False, False, False),
    ]
    with served(path, setup=setup) as url, connected(url) as store:
        found = list(store.checkups(needs))
    wrong = [(each.what, each.advice) for each in found if not each.right]
    assert [each.what for each in found if each.right][:1] == ["login and API access"]
    advice = dict(wrong)
    assert "`Create`, `Edit` on Contact" in advice["object Contact"]
    assert "`Type` is hidden in new orgs" in advice["fields of Task that the rules read"]
    assert "edit `Name`" in advice["fields of Lead that the rules write"]
    assert "no object `Nope__c`" in advice["object Nope__c"]
    assert any(what.startswith("clocks: ") for what, _ in wrong)


# -- what goes wrong on the way -----------------------------------------------------------------

MISHAPS = "before=.03,after=.03,reset=.03,truncated=.03,401=.01,429=.03,500=.03,503=.03"


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses as between tries, but short."""
    monkeypatch.setattr("engine.stores.salesforce.connection._FIRST_PAUSE", 0.001)
    monkeypatch.setattr("engine.stores.salesforce.bulk._FIRST_WAIT", 0.001)


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("seed", range(3))
def test_reading_gets_through_whatever_breaks(org: LocalOrg, path: Path, seed: int) -> None:
    ids = _make(org, 2_100)
    since = Cursor("2000-01-01T00:00:00.000Z", "")
    with served(path, MISHAPS, seed) as url, connected(url) as store:
        for _ in range(4):
            assert [row[0] for row in _rows(store, since)] == ids
            assert len(store.fetch("Lead", LEAD, ids)) == len(ids)


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("seed", range(3))
def test_a_create_that_may_have_happened_is_not_sent_again(
    org: LocalOrg, path: Path, seed: int
) -> None:
    unknown = made = 0
    with served(path, f"{MISHAPS},lock=0.1,half=0.2", seed) as url, connected(url) as store:
        for turn in range(20):
            name = f"Turn {turn}"
            writes = [Write(None, {"LastName": f"L{n}", "Company": name}) for n in range(10)]
            try:
                results = store.write("Lead", writes)
            except Unreachable:
                unknown += 1
                continue
            made += sum(r.outcome is Outcome.DONE for r in results)
            assert all(r.outcome in (Outcome.DONE, Outcome.TRANSIENT) for r in results)
            there = {
                row[2] for row in org.find("Lead", ["LastName"], ["Company"], [(name.lower(),)])
            }
            wanted = {
                w.values["LastName"]
                for w, r in zip(writes, results, strict=True)
                if r.outcome is Outcome.DONE
            }
            assert there == wanted
    rows = org.find("Lead", ["LastName", "Company"], ["LastName"], [(f"l{n}",) for n in range(10)])
    assert len({row[2:] for row in rows}) == len(rows)  # nobody twice
    assert unknown
    assert made


@pytest.mark.usefixtures("_quick")
def test_a_large_first_load_loses_nothing_to_an_answer_that_breaks_off(
    org: LocalOrg, path: Path
) -> None:
    ids = _make(org, 4_500)
    with served(path, "truncated=.3,reset=.05", 5) as url, connected(url) as store:
        store._reading.bulk_from = 1
        for _ in range(4):
            assert [row[0] for row in _rows(store)] == ids


@pytest.mark.usefixtures("_quick")
def test_changes_that_may_have_happened_are_sent_again(org: LocalOrg, path: Path) -> None:
    ids = _make(org, 20)
    with served(path, MISHAPS, 1) as url, connected(url) as store:
        for turn in range(15):
            results = store.write("Lead", [Write(i, {"Company": f"T{turn}"}) for i in ids])
            assert {r.outcome for r in results} == {Outcome.DONE}
            assert {row[2] for row in org.fetch("Lead", ["Company"], ids)} == {f"T{turn}"}


@pytest.mark.usefixtures("_quick")
def test_a_server_that_stays_away_is_unreachable_and_its_words_tell_no_secret(path: Path) -> None:
    with served(path, "503=1") as url, connected(url) as store:
        with pytest.raises(Unreachable) as caught:
            _rows(store)
        with pytest.raises(Unreachable):
            store.write("Lead", [Write(None, {"LastName": "x", "Company": "y"})])
    assert "sandbox-app-secret" not in repr(caught.value)
    assert isinstance(store._connection, Connection)


# -- large first loads --------------------------------------------------------------------------


def test_a_large_first_load_is_a_job_and_gives_the_very_same_rows(
    org: LocalOrg, path: Path
) -> None:
    _make(org, 4_200)
    odd = {"LastName": 'quo"ted,\nline', "Company": "Ünï, Ltd", "DoNotCall": True}
    org.create("Lead", odd | {"AnnualRevenue": 12.5, "Email": None})
    fields = [*LEAD, "DoNotCall", "AnnualRevenue", "Owner.Name"]
    with served(path) as url, connected(url) as store:
        paged = list(store.scan("Lead", fields, None))
        before = store.calls
        store._reading.bulk_from = 2_000
        by_job = list(store.scan("Lead", fields, None))
        assert store.calls - before == 5  # a page, the job, two looks at it, its records
        before = store.calls
        whole = list(store.scan("Lead", [*fields, "Address"], None))
        assert store.calls - before == 3  # compound fields are only read page by page
    assert [row for page in by_job for row in page.rows] == [r for p in paged for r in p.rows]
    assert [r[:-1] for page in whole for r in page.rows] == [r for p in paged for r in p.rows]
    assert [page.done for page in by_job] == [False] * 2 + [True]
    assert all(page.last == Cursor(page.rows[-1][1], page.rows[-1][0]) for page in by_job)


@pytest.mark.usefixtures("_quick")
def test_a_job_that_fails_or_goes_away_is_read_on_page_by_page(
    org: LocalOrg, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _make(org, 6_500)
    with served(path, "job=1") as url, connected(url) as store:
        store._reading.bulk_from = 1
        assert [row[0] for row in _rows(store)] == ids
    monkeypatch.setattr("engine.stores.salesforce.bulk._MOST", 2_200)
    with served(path) as url, connected(url) as store:
        store._reading.bulk_from = 1
        pages = store.scan("Lead", LEAD, None)
        read = [*next(pages).rows, *next(pages).rows]
        jobs = store._connection.read("jobs/query", msgspec.json.decode)
        job = jobs["records"][0]["id"]
        store._connection.ask("DELETE", f"jobs/query/{job}", bytes, again=False)
        read += [row for page in pages for row in page.rows]
    assert [row[0] for row in read] == ids
