"""The same questions to a local org and to the real store over HTTP: the same answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dsl.ids import full_id
from engine.model import Cursor, Listing, Outcome, RecordId, Row, Side, Write
from engine.ports import Lists, Store, StoreError
from engine.stores.local import LocalOrg, load, open_org
from engine.stores.local.lists import LIST_VIEW, REPORT, make_list
from tests.stores.salesforce import connected, served

LEAD = ["LastName", "Company", "Email", "Owner.Name", "IsConverted", "AnnualRevenue"]
NEVER = full_id("00QCw000000zzzz")


class Place(NamedTuple):
    """An org, as its users act on it, and as a store that is asked about it."""

    org: LocalOrg
    store: Store


@pytest.fixture(scope="module", params=["local", "served"])
def place(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Place]:
    path = tmp_path_factory.mktemp(request.param) / "salesforce.db"
    org = open_org(Side.SALESFORCE, path)
    load(org, _users(path.parent))
    if request.param == "local":
        yield Place(org, org)
    else:
        with served(path) as url, connected(url) as store:
            yield Place(org, store)
    org.close()


def _users(folder: Path) -> Path:
    """A folder with one user."""
    user = {"LastName": "Admin", "Name": "Admin", "Email": "a@x.com", "IsActive": True}
    users = folder / "users"
    users.mkdir()
    (users / "User.json").write_text(json.dumps([{"Id": full_id("005Cw0000000001"), **user}]))
    return users


def _leads(place: Place, count: int, name: str) -> list[RecordId]:
    values = [
        {"LastName": f"{name} {n}", "Company": name, "Email": f"{name}{n}@x.com"}
        for n in range(count)
    ]
    results = place.org.write("Lead", [Write(None, each) for each in values])
    assert all(r.id for r in results)
    return [r.id for r in results if r.id]


def _before(place: Place) -> Cursor:
    return Cursor(place.org.now()[:19] + ".000Z", "")


def _all(place: Place, since: Cursor | None, fields: list[str] = LEAD) -> list[Row]:
    return [row for page in place.store.scan("Lead", fields, since) for row in page.rows]


def test_a_scan_gives_each_record_once_in_order_and_goes_on_behind_any_of_them(
    place: Place,
) -> None:
    before = _before(place)
    made = _leads(place, 4_100, "Scan")
    pages = list(place.store.scan("Lead", LEAD, before))
    rows = [row for page in pages for row in page.rows]
    assert [page.done for page in pages] == [False] * (len(pages) - 1) + [True]
    assert set(made) <= {row[0] for row in rows}
    assert [row[:2] for row in rows] == sorted((row[:2] for row in rows), key=lambda r: r[::-1])
    assert pages[0].last == Cursor(rows[1_999][1], rows[1_999][0])
    assert _all(place, pages[0].last) == rows[2_000:]
    assert _all(place, None)[-1] == rows[-1]


def test_nothing_changed_is_one_empty_page(place: Place) -> None:
    (page,) = place.store.scan("Lead", LEAD, Cursor("2999-01-01T00:00:00.000Z", ""))
    assert (page.rows, page.gone, page.done) == ([], [], True)


def test_deleted_and_merged_records_are_told_as_gone(place: Place) -> None:
    kept, deleted, merged = _leads(place, 3, "Gone")
    before = _before(place)
    place.org.delete("Lead", deleted)
    place.org.merge("Lead", kept, merged)
    pages = list(place.store.scan("Lead", LEAD, before))
    gone = {record for page in pages for record in page.gone}
    assert {deleted, merged} <= gone
    assert kept not in gone
    assert deleted not in {row[0] for page in pages for row in page.rows}
    ids = [kept, deleted, merged, NEVER]
    assert place.store.fates("Lead", ids) == {deleted: None, merged: kept}
    place.org.undelete("Lead", deleted)
    assert place.store.fates("Lead", ids) == {merged: kept}
    assert deleted in {row[0] for row in _all(place, before)}


def test_a_type_of_which_nothing_is_deleted_has_no_fates(place: Place) -> None:
    (user,) = (row[0] for page in place.store.scan("User", [], None) for row in page.rows)
    since = Cursor("2000-01-01T00:00:00.000Z", "")
    (page,) = place.store.scan("User", ["Email"], since)
    assert [row[2] for row in page.rows] == ["a@x.com"]
    assert place.store.fates("User", [user]) == {}


def test_records_are_fetched_with_what_they_refer_to_and_in_the_same_forms(place: Place) -> None:
    account = place.org.create("Account", {"Name": "Acme"})
    values = {
        "LastName": "Ünlü",
        "AccountId": account,
        "Birthdate": "1990-02-28",
        "MailingCity": "Köln",
    }
    contact = place.org.create("Contact", values)
    alone = place.org.create("Contact", {"LastName": "Alone"})
    fields = ["LastName", "Account.Name", "AccountId", "Birthdate", "MailingCity", "IsDeleted"]
    wrong = "003Cw0000000001AAA"  # its checksum is another
    rows = place.store.fetch("Contact", fields, [contact, NEVER, alone, contact, wrong])
    found = {row[0]: row[2:] for row in rows}
    assert found[contact] == ("Ünlü", "Acme", account, "1990-02-28", "Köln", False)
    assert found[alone] == ("Alone", None, None, None, None, False)
    assert place.store.fetch("Contact", ["Email"], []) == []


KEYS: list[tuple[list[str], tuple[Any, ...], str]] = [
    (["Email"], ("odd@x.com",), "without regard to case"),
    (["LastName"], ('o\'neil \\ "co" 100%_',), "quotes, a backslash and wildcards"),
    (["LastName", "Company"], ('o\'neil \\ "co" 100%_', "odd & sons"), "two fields"),
    (["NumberOfEmployees"], (12,), "a number"),
    (["Owner.Email"], ("a@x.com",), "what a reference leads to"),
]


@pytest.mark.parametrize(("key", "value", "_why"), KEYS, ids=[why for _, _, why in KEYS])
def test_a_record_is_found_by(
    place: Place, key: list[str], value: tuple[Any, ...], _why: str
) -> None:
    values = {"LastName": 'O\'Neil \\ "Co" 100%_', "Company": "Odd & Sons"}
    values |= {"Email": "Odd@X.com"}
    odd = place.org.create("Lead", {**values, "NumberOfEmployees": 12})
    try:
        found = place.store.find("Lead", ["Email"], key, [value, *[("nobody",) * len(key)] * 2])
        assert odd in {row[0] for row in found}
        assert {len(row) for row in found} == {3}
    finally:
        place.org.delete("Lead", odd)


def test_a_lead_is_found_by_the_contact_that_it_became(place: Place) -> None:
    (lead,) = _leads(place, 1, "Convert")
    made = place.org.convert(str(lead))
    (row,) = place.store.find("Lead", ["IsConverted"], ["ConvertedContactId"], [(made["Contact"],)])
    assert row[0] == lead
    assert row[2] is True


@pytest.mark.parametrize("text", ["' OR Id != null OR LastName = '", "\\' OR Name LIKE '%", "x\0"])
def test_no_value_is_taken_for_a_query(place: Place, text: str) -> None:
    _leads(place, 1, "Safe")
    assert place.store.find("Lead", [], ["LastName"], [(text,)]) == []


def test_writes_stand_by_themselves_and_answer_in_order(place: Place) -> None:
    changed, deleted, gone, converted = _leads(place, 4, "Write")
    place.org.delete("Lead", gone)
    place.org.convert(str(converted))
    writes = [
        Write(None, {"LastName": "New", "Company": "Made", "DoNotCall": True}),
        Write(None, {"LastName": "No company"}),
        Write(changed, {"Company": "Changed", "Email": None}),
        Write(None, {"LastName": "x" * 81, "Company": "Long"}),
        Write(deleted, delete=True),
        Write(None, {"LastName": "Bad", "Company": "Mail", "Email": "nobody"}),
        Write(gone, {"Company": "Gone"}),
        Write(gone, delete=True),
        Write(None, {"LastName": "x", "Company": "x", "Nope": 1}),
        Write(converted, {"Company": "Late"}),
        Write(None, {"LastName": "Last", "Company": "Made"}),
        Write(changed, {"OwnerId": "005Cw000000zzzz"}),
    ]
    results = place.store.write("Lead", writes)
    assert [r.outcome for r in results] == [
        Outcome.DONE,
        Outcome.REFUSED,
        Outcome.DONE,
        Outcome.REFUSED,
        Outcome.DONE,
        Outcome.REFUSED,
        Outcome.GONE,
        Outcome.GONE,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.DONE,
        Outcome.REFUSED,
    ]
    codes = [r.code for r in results if r.outcome is Outcome.REFUSED]
    assert codes[:3] == ["REQUIRED_FIELD_MISSING", "STRING_TOO_LONG", "INVALID_EMAIL_ADDRESS"]
    assert results[2].id == changed
    made = place.org.get("Lead", results[0].id or "")
    assert made is not None
    assert (made["LastName"], made["DoNotCall"]) == ("New", True)
    (row,) = place.store.fetch("Lead", ["Company", "Email"], [changed])
    assert row[2:] == ("Changed", None)
    assert place.store.fetch("Lead", [], [deleted]) == []


def test_types_are_described_as_they_are(place: Place) -> None:
    own, theirs = place.org.describe("Lead"), place.store.describe("Lead")
    assert own is not None
    assert theirs is not None
    assert theirs.fields.keys() == own.fields.keys()
    for name, field in own.fields.items():
        # What ships of Salesforce does not tell what can be sorted by.
        assert replace(theirs.fields[name], sortable=field.sortable) == field
    assert place.store.describe("Nope__c") is None


def test_the_clock_is_that_of_the_org(place: Place) -> None:
    before = place.store.now()
    (lead,) = _leads(place, 1, "Clock")
    (row,) = place.store.fetch("Lead", [], [lead])
    assert before[:19] <= row[1][:19] <= place.org.now()[:19]


def test_reports_and_list_views_are_listed_with_the_records_in_them(place: Place) -> None:
    mine = _leads(place, 3, "Listed")
    report = make_list(place.org.file, REPORT, "Three", "Lead", ids=[str(i) for i in mine])
    where = 'Company = "Listed" and Email is present'
    view = make_list(place.org.file, LIST_VIEW, "Of Listed", "Lead", condition=where)
    assert isinstance(place.store, Lists)
    assert report in place.store.reports()
    assert view in place.store.list_views()
    for listing in (report, view):
        found = [record for ids in place.store.listed(listing) for record in ids]
        assert sorted(found) == sorted(mine)
    for kind in (REPORT, LIST_VIEW):
        with pytest.raises(StoreError, match=f"there is no {kind} {NEVER} any more"):
            list(place.store.listed(Listing(kind, NEVER, "Gone", "Lead")))
