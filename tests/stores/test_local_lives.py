"""What befalls records of a local org besides edits: conversion, merge, undelete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.stores.local import SAMPLE, LocalOrg, Refused, load
from tests.stores.orgs import Clock, O, S, org_of, rows, write

BERTHA = "00Q3z00001AmqLYEAZ"


@pytest.fixture
def at() -> Iterator[tuple[LocalOrg, Clock]]:
    org, clock = org_of(S)
    load(org, SAMPLE / "salesforce")
    clock.moment = clock.moment.replace(year=2027)
    yield org, clock
    org.close()


@pytest.fixture
def org(at: tuple[LocalOrg, Clock]) -> LocalOrg:
    return at[0]


def record(org: LocalOrg, type_name: str, given: Any) -> dict[str, Any]:
    found = org.get(type_name, given)
    assert found is not None
    return found


def test_a_conversion_makes_an_account_a_contact_and_an_opportunity(org: LocalOrg) -> None:
    task = org.create("Task", {"Subject": "Call", "WhoId": BERTHA})
    made = org.convert(BERTHA[:15], opportunity="Big deal")
    lead, contact = record(org, "Lead", BERTHA), record(org, "Contact", made["Contact"])
    account, deal = (record(org, t, made[t]) for t in ("Account", "Opportunity"))
    assert (lead["IsConverted"], lead["Status"]) == (True, "Closed - Converted")
    assert lead["ConvertedDate"] == "2027-03-01"
    converted = (lead[f"Converted{t}Id"] for t in ("Contact", "Account", "Opportunity"))
    assert list(converted) == [made[t] for t in ("Contact", "Account", "Opportunity")]
    assert lead["SystemModstamp"] == "2027-03-01T12:00:00.000+0000"
    assert (contact["Email"], contact["AccountId"]) == (lead["Email"], account["Id"])
    assert (account["Name"], account["OwnerId"]) == (lead["Company"], lead["OwnerId"])
    assert (deal["Name"], deal["CloseDate"]) == ("Big deal", "2027-03-31")
    assert record(org, "Task", task)["WhoId"] == contact["Id"]
    with pytest.raises(Refused, match="CANNOT_UPDATE_CONVERTED_LEAD"):
        org.edit("Lead", BERTHA, {"Title": "x"})


def test_a_conversion_into_a_contact_fills_in_what_it_lacks(org: LocalOrg) -> None:
    contact = org.create("Contact", {"LastName": "Kept"})
    made = org.convert(BERTHA, contact=str(contact))
    found = record(org, "Contact", contact)
    assert (found["LastName"], found["Email"]) == ("Kept", "bertha@fcof.net")
    assert (made["Contact"], found["AccountId"]) == (contact, made["Account"])


def test_what_cannot_be_converted_is_refused_and_nothing_is_made(org: LocalOrg) -> None:
    before = {t: len(rows(org, t)) for t in ("Account", "Contact")}
    queue = org.create("Group", {"Name": "Q", "Type": "Queue"})
    owned = org.create("Lead", {"LastName": "A", "Company": "C", "OwnerId": queue})
    for given, options, code in [
        (BERTHA, {"status": "Working - Contacted"}, "INVALID_STATUS"),
        (BERTHA, {"account": "001000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        ("00Q000000000000AAA", {}, "INVALID_CROSS_REFERENCE_KEY"),
        (owned, {}, "UNKNOWN_EXCEPTION"),
    ]:
        with pytest.raises(Refused) as refused:
            org.convert(given, **options)
        assert refused.value.code == code
    assert before == {t: len(rows(org, t)) for t in before}
    org.convert(BERTHA)
    with pytest.raises(Refused, match="cannot reference converted lead"):
        org.convert(BERTHA)


def test_a_merge_takes_over_what_refers_to_the_loser(at: tuple[LocalOrg, Clock]) -> None:
    org, clock = at
    master, loser = (org.create("Account", {"Name": name}) for name in "ab")
    contact = org.create("Contact", {"LastName": "A", "AccountId": loser})
    clock.move(60)
    assert org.merge("Account", master, str(loser)[:15]) == master
    assert record(org, "Contact", contact)["AccountId"] == master
    assert org.fates("Account", [master, loser]) == {loser: master}
    for touched in (("Account", master), ("Contact", contact)):
        assert record(org, *touched)["SystemModstamp"] == "2027-03-01T12:01:00.000+0000"
    assert write(org, "Account", loser, Name="x").code == "ENTITY_IS_DELETED"


def test_what_cannot_be_merged_is_refused(org: LocalOrg) -> None:
    other = org.create("Lead", {"LastName": "A", "Company": "C"})
    org.convert(other)
    for args, code in [
        (("Opportunity", "006000000000000AAA", "006000000000001AAA"), "INVALID_TYPE"),
        (("Lead", BERTHA, BERTHA[:15]), "INVALID_ID_FIELD"),
        (("Lead", BERTHA, other), "CANNOT_UPDATE_CONVERTED_LEAD"),
        (("Lead", BERTHA, "00Q000000000000AAA"), "INVALID_CROSS_REFERENCE_KEY"),
    ]:
        with pytest.raises(Refused) as refused:
            org.merge(*args)
        assert refused.value.code == code
    assert record(org, "Lead", BERTHA)["SystemModstamp"] < "2027"


def test_an_undeleted_record_is_as_it_was_under_a_new_stamp(at: tuple[LocalOrg, Clock]) -> None:
    org, clock = at
    before = record(org, "Lead", BERTHA)
    org.delete("Lead", BERTHA)
    assert org.fates("Lead", [BERTHA]) == {BERTHA: None}
    clock.move(60)
    assert org.undelete("Lead", BERTHA[:15]) == BERTHA
    after = record(org, "Lead", BERTHA)
    stamps = dict.fromkeys(("LastModifiedDate", "SystemModstamp"))
    assert after | stamps == before | stamps
    assert after["SystemModstamp"] == "2027-03-01T12:01:00.000+0000"
    assert org.fates("Lead", [BERTHA]) == {}
    with pytest.raises(Refused, match="UNDELETE_FAILED"):
        org.undelete("Lead", BERTHA)


def test_an_undeleted_merge_loser_stands_for_itself_again(org: LocalOrg) -> None:
    one, two = (org.create("Contact", {"LastName": name}) for name in "ab")
    org.merge("Contact", one, two)
    org.undelete("Contact", two)
    assert record(org, "Contact", two)["MasterRecordId"] is None
    assert org.fates("Contact", [two]) == {}


def test_an_undeleted_prospect_is_found_by_its_address_again() -> None:
    org, _ = org_of(O)
    prospect = org.create("prospect", {"emails": ["a@x.co", "b@x.co"], "firstName": "A"})
    org.delete("prospect", prospect)
    org.undelete("prospect", prospect)
    assert [row[0] for row in org.find("prospect", [], ["emails"], [("B@x.co",)])] == [prospect]
    assert write(org, "prospect", emails=["b@x.co"]).code == "validationError"
    org.delete("prospect", prospect)
    org.create("prospect", {"emails": ["b@x.co"]})
    with pytest.raises(Refused, match="has been taken"):
        org.undelete("prospect", prospect)


def test_an_inactive_user_can_own_nothing_new(org: LocalOrg) -> None:
    [(user, *_)] = org.find("User", [], ["Id"], [(record(org, "Lead", BERTHA)["OwnerId"],)])
    org.edit("User", user, {"IsActive": False})
    assert write(org, "Lead", BERTHA, OwnerId=user).code == "INACTIVE_OWNER_OR_USER"
    assert write(org, "Lead", BERTHA, Title="x").code == ""
