"""What the local Salesforce org takes, fills in, stamps and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.model import Outcome, Write
from engine.stores.local import SAMPLE, LocalOrg, Refused, load
from tests.stores.orgs import Clock, S, org_of, write

BERTHA = "00Q3z00001AmqLYEAZ"
OWNER = "0055i000007S72zAAC"


@pytest.fixture
def at() -> Iterator[tuple[LocalOrg, Clock]]:
    org, clock = org_of(S)
    load(org, SAMPLE / "salesforce")
    yield org, clock
    org.close()


@pytest.fixture
def org(at: tuple[LocalOrg, Clock]) -> LocalOrg:
    return at[0]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Nmae": "x"}, "INVALID_FIELD"),
        ({"Name": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"SystemModstamp": "2020-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Id": BERTHA}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"LastName": "  "}, "REQUIRED_FIELD_MISSING"),
        ({"Status": None}, "REQUIRED_FIELD_MISSING"),
        ({"OwnerId": None}, "REQUIRED_FIELD_MISSING"),
        ({"CleanStatus": "Filthy"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"FirstName": "x" * 41}, "STRING_TOO_LONG"),
        ({"Email": "bertha at fcof"}, "INVALID_EMAIL_ADDRESS"),
        ({"Email": "bertha@fcof"}, "INVALID_EMAIL_ADDRESS"),
        ({"DoNotCall": "true"}, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ({"DoNotCall": None}, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ({"AnnualRevenue": "12"}, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ({"NumberOfEmployees": 1.5}, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ({"NumberOfEmployees": 2**31}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"EmailBouncedDate": "2024-01-01T00:00:00"}, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ({"Title": 5}, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ({"Title": "half \ud800"}, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ({"OwnerId": "005000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"OwnerId": BERTHA}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"OwnerId": "nobody"}, "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_an_edit_is_refused(org: LocalOrg, values: dict[str, Any], code: str) -> None:
    before = org.get("Lead", BERTHA)
    with pytest.raises(Refused) as refused:
        org.edit("Lead", BERTHA, values)
    assert refused.value.code == code
    assert org.get("Lead", BERTHA) == before


def test_a_create_without_required_fields_names_them_all(org: LocalOrg) -> None:
    result = write(org, "Lead", FirstName="A")
    assert (result.code, result.fields) == ("REQUIRED_FIELD_MISSING", ("LastName", "Company"))
    assert result.outcome is Outcome.REFUSED
    date = write(org, "Opportunity", Name="O", StageName="Prospecting", CloseDate="01/02/2024")
    assert date.code == "INVALID_TYPE_ON_FIELD_IN_RECORD"


def test_an_unknown_record_is_gone_and_a_deleted_one_is_deleted(org: LocalOrg) -> None:
    for record in ("00Q000000000000AAA", "what", 17):
        result = write(org, "Lead", record, Title="x")
        assert (result.outcome, result.code) == (Outcome.GONE, "INVALID_CROSS_REFERENCE_KEY")
    org.delete("Lead", BERTHA)
    assert org.get("Lead", BERTHA) is None
    result = write(org, "Lead", BERTHA[:15], Title="x")
    assert (result.outcome, result.code) == (Outcome.GONE, "ENTITY_IS_DELETED")
    with pytest.raises(Refused, match="ENTITY_IS_DELETED"):
        org.delete("Lead", BERTHA)


def test_a_converted_lead_is_read_only(org: LocalOrg) -> None:
    lead = write(org, "Lead", LastName="A", Company="B", IsConverted=True).id
    assert write(org, "Lead", lead, Title="x").code == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_a_create_is_filled_in_and_stamped(at: tuple[LocalOrg, Clock]) -> None:
    org, clock = at
    clock.moment = clock.moment.replace(year=2027)
    record = org.create("Lead", {"LastName": " Boxer ", "FirstName": "Ann", "Company": "C"})
    lead = org.get("Lead", record)
    assert lead is not None
    assert (lead["Name"], lead["LastName"], lead["Title"]) == ("Ann Boxer", "Boxer", None)
    assert (lead["Status"], lead["OwnerId"]) == ("Open - Not Contacted", OWNER)
    assert lead["IsDeleted"] is lead["HasOptedOutOfEmail"] is False
    stamps = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
    assert {lead[s] for s in stamps} == {"2027-03-01T12:00:00.000+0000"}
    assert lead["CreatedById"] == OWNER
    clock.move(60)
    org.edit("Lead", str(record)[:15], {"FirstName": None, "City": "Rome"})
    edited = org.get("Lead", record)
    assert edited is not None
    assert (edited["Name"], edited["Address"]["city"]) == ("Boxer", "Rome")
    assert edited["CreatedDate"] == lead["CreatedDate"]
    assert edited["SystemModstamp"] == "2027-03-01T12:01:00.000+0000"
    task = org.get("Task", org.create("Task", {"Subject": "Call"}))
    assert task is not None
    assert (task["Status"], task["Priority"], task["IsClosed"]) == ("Not Started", "Normal", False)


def test_an_edit_that_changes_nothing_still_moves_the_stamp(at: tuple[LocalOrg, Clock]) -> None:
    org, clock = at
    clock.moment = clock.moment.replace(year=2027)
    org.edit("Lead", BERTHA, {})
    [row] = org.fetch("Lead", ["SystemModstamp"], [BERTHA])
    assert row[1:] == ("2027-03-01T12:00:00.000Z", "2027-03-01T12:00:00.000+0000")


def test_stamps_never_run_backwards(at: tuple[LocalOrg, Clock]) -> None:
    org, clock = at
    before = org.now()
    clock.move(-86_400 * 5_000)
    org.edit("Lead", BERTHA, {"Title": "x"})
    [row] = org.fetch("Lead", [], [BERTHA])
    assert row[1] >= before[:19]
    assert org.now() >= before


def test_the_sample_e_mails_with_an_ampersand_are_taken(org: LocalOrg) -> None:
    [row] = org.find("Contact", [], ["Email"], [("b.levy@expressl&t.net",)])
    assert write(org, "Contact", row[0], Title="x", Email="b.levy@expressl&t.net").code == ""


def test_a_stage_sets_what_follows_from_it(org: LocalOrg) -> None:
    values = {"Name": "Big", "StageName": "Closed Won", "CloseDate": "2024-05-17", "Amount": 200.0}
    won = org.get("Opportunity", org.create("Opportunity", values))
    assert won is not None
    assert (won["IsClosed"], won["IsWon"], won["Probability"]) == (True, True, 100.0)
    assert (won["ForecastCategory"], won["ExpectedRevenue"]) == ("Closed", 200.0)
    assert (won["Fiscal"], won["FiscalQuarter"]) == ("2024 2", 2)
    org.edit("Opportunity", won["Id"], {"Probability": 50})
    [row] = org.fetch("Opportunity", ["ExpectedRevenue"], [won["Id"]])
    assert row[2] == 100.0


def test_each_write_of_a_batch_stands_by_itself(org: LocalOrg) -> None:
    calls = org.calls
    good = {"LastName": "A", "Company": "C"}
    writes = [
        Write(None, good),
        Write(None, {**good, "Email": "no"}),
        Write(BERTHA, {"Title": "first", "City": "X"}),
        Write(BERTHA, {"Title": "second"}),
        Write(BERTHA, {"City": "Y", "Title": "third"}),
        Write(BERTHA, delete=True),
        Write(BERTHA, {"Title": "late"}),
        Write(None, good),
    ] + [Write(None, good)] * 993
    results = org.write("Lead", writes)
    told = [r.outcome for r in results[:8]]
    done, refused, gone = Outcome.DONE, Outcome.REFUSED, Outcome.GONE
    assert told == [done, refused, done, done, done, done, gone, done]
    assert org.calls - calls == 2
    assert len({r.id for r in results}) == 997


def test_the_last_of_several_writes_to_a_record_wins(org: LocalOrg) -> None:
    first, second = {"Title": "a", "City": "X"}, {"Title": "b"}
    org.write("Lead", [Write(BERTHA, first), Write(BERTHA, second), Write(BERTHA, first)])
    [row] = org.fetch("Lead", ["Title", "City"], [BERTHA])
    assert row[2:] == ("a", "X")


def test_a_reference_to_a_type_that_the_org_lacks_is_taken_at_its_word(org: LocalOrg) -> None:
    assert write(org, "Account", Name="A", RecordTypeId="012000000000000").code == ""
    contact = "0033z00002fsAup"
    task = write(org, "Task", WhoId=contact, WhatId="a0B000000000000").id
    [row] = org.fetch("Task", ["WhoId", "Who.Name"], [str(task)])
    assert row[2:] == ("0033z00002fsAupAAE", "Rose Gonzalez")
