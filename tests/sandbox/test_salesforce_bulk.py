"""Bulk API 2.0 of the sandbox: files of records, and queries as CSV, by HTTP and by a client."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.salesforce import Sandbox, sandbox

CSV = {"Content-Type": "text/csv"}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    path: Path = tmp_path_factory.mktemp("bulk") / "org.db"
    with sandbox(path) as found:
        yield found


def rows(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def uploaded(box: Sandbox, operation: str, text: str, **more: Any) -> dict[str, Any]:
    """A job whose file is there, once it has ended; all states that it was seen in."""
    made = box.post("/jobs/ingest", {"operation": operation, "object": "Lead", **more})
    at = f"/jobs/ingest/{made['id']}"
    answer = box.ask("PUT", f"{at}/batches", data=text.encode(), headers=CSV)
    assert (made["state"], answer.status_code) == ("Open", 201)
    states = [box.ask("PATCH", at, json={"state": "UploadComplete"}).json()["state"]]
    while states[-1] in ("UploadComplete", "InProgress"):
        job: dict[str, Any] = box.get(at)
        states.append(job["state"])
    return {**job, "states": states}


def results(box: Sandbox, job: dict[str, Any], which: str) -> requests.Response:
    return box.ask("GET", f"/jobs/ingest/{job['id']}/{which}")


def test_a_file_of_records_goes_through_its_states_and_each_row_has_a_result(box: Sandbox) -> None:
    text = (
        "LastName,Company,AnnualRevenue,IsUnreadByOwner\nBulk,C,5.5,true\n,C,1,false\nB2,C,x,true\n"
    )
    job = uploaded(box, "insert", text)
    assert job["states"] == ["UploadComplete", "InProgress", "JobComplete"]
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (3, 2)
    [done] = rows(results(box, job, "successfulResults").text)
    assert (done["sf__Created"], done["LastName"]) == ("true", "Bulk")
    record = box.get(f"/sobjects/Lead/{done['sf__Id']}")
    assert (record["AnnualRevenue"], record["IsUnreadByOwner"]) == (5.5, True)
    failed = rows(results(box, job, "failedResults/").text)
    assert failed[0]["sf__Error"].startswith("REQUIRED_FIELD_MISSING:Required fields are missing")
    assert failed[0]["sf__Error"].endswith(":LastName --")
    assert [each["LastName"] for each in failed] == ["", "B2"]
    assert results(box, job, "unprocessedrecords").text.strip() == (
        '"LastName","Company","AnnualRevenue","IsUnreadByOwner"'
    )


def test_an_empty_value_says_nothing_and_a_marked_one_empties(box: Sandbox) -> None:
    made = box.post("/sobjects/Lead", {"LastName": "L", "Company": "C", "Title": "T", "City": "X"})
    text = f"Id;Title;City\r\n{made['id']};#N/A;\r\n"
    job = uploaded(box, "update", text, columnDelimiter="SEMICOLON", lineEnding="CRLF")
    assert job["numberRecordsFailed"] == 0
    record = box.get(f"/sobjects/Lead/{made['id']}")
    assert (record["Title"], record["City"]) == (None, "X")
    text = results(box, job, "successfulResults").text
    assert rows(text, ";")[0]["sf__Created"] == "false"


def test_a_reference_may_be_named_by_the_other_records_id(box: Sandbox) -> None:
    user = box.get("/query", q="SELECT Id FROM User LIMIT 1")["records"][0]["Id"]
    job = uploaded(box, "insert", f"LastName,Company,User:Owner.Id\nOwned,C,{user}\n")
    [done] = rows(results(box, job, "successfulResults").text)
    assert box.get(f"/sobjects/Lead/{done['sf__Id']}")["OwnerId"] == user


def test_deleted_records_wait_in_the_bin_unless_they_are_deleted_hard(box: Sandbox) -> None:
    ids = [box.post("/sobjects/Lead", {"LastName": n, "Company": "Bin"})["id"] for n in "ab"]
    uploaded(box, "delete", f"Id\n{ids[0]}\n")
    uploaded(box, "hardDelete", f"Id\n{ids[1]}\n")
    left = box.get("/queryAll", q="SELECT Id FROM Lead WHERE Company = 'Bin'")["records"]
    assert [record["Id"] for record in left] == [ids[0]]


def test_an_upsert_makes_or_updates(box: Sandbox) -> None:
    made = box.post("/sobjects/Lead", {"LastName": "U", "Company": "C"})["id"]
    text = f"Id,LastName,Company\n{made},U2,\n,New,C\n"
    job = uploaded(box, "upsert", text, externalIdFieldName="Id")
    found = rows(results(box, job, "successfulResults").text)
    assert [each["sf__Created"] for each in found] == ["false", "true"]
    assert box.get(f"/sobjects/Lead/{made}")["LastName"] == "U2"


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("Foo\nx\n", {}, "InvalidBatch : Field name not found : Foo"),
        ("LastName\r\nx\r\n", {}, "ClientInputError : LineEnding is invalid on user data. Current"),
        ('LastName\n"x\n', {}, "InvalidBatch : Failed to parse CSV"),
        ("LastName\nx,y\n", {}, "InvalidBatch : Failed to parse CSV: a row has more columns"),
        ("Id,Title\n,\n", {"operation": "delete"}, "InvalidBatch : Field name provided, Title"),
    ],
)
def test_a_file_that_cannot_be_read_fails_its_job(
    box: Sandbox, text: str, more: dict[str, str], message: str
) -> None:
    job = uploaded(box, more.get("operation", "insert"), text)
    assert job["state"] == "Failed"
    assert job["errorMessage"].startswith(message)


def test_a_job_that_fails_midway_has_done_what_it_did_and_gives_back_the_rest(box: Sandbox) -> None:
    box.suffers(job=1)
    try:
        job = uploaded(box, "insert", "LastName,Company\nM1,C\n,C\nM3,C\nM4,C\n")
    finally:
        box.suffers()
    assert (job["state"], job["errorMessage"][:19]) == ("Failed", "InternalServerError")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    done = rows(results(box, job, "successfulResults").text)
    assert [each["LastName"] for each in done] == ["M1"]
    assert len(rows(results(box, job, "failedResults").text)) == 1
    left = rows(results(box, job, "unprocessedrecords").text)
    assert [each["LastName"] for each in left] == ["M3", "M4"]
    found = box.get("/query", q="SELECT LastName FROM Lead WHERE LastName IN ('M1','M3','M4')")
    assert [each["LastName"] for each in found["records"]] == ["M1"]


def test_a_job_may_be_made_with_its_data(box: Sandbox) -> None:
    job = {"operation": "insert", "object": "Lead", "contentType": "CSV"}
    parts = {
        "job": (None, json.dumps(job), "application/json"),
        "content": ("content", "LastName,Company\nParts,C\n", "text/csv"),
    }
    made = box.ask("POST", "/jobs/ingest", files=parts).json()
    assert made["state"] == "UploadComplete"
    states = [box.get(f"/jobs/ingest/{made['id']}")["state"] for _ in range(2)]
    assert states == ["InProgress", "JobComplete"]
    assert (
        box.get("/query", q="SELECT COUNT() FROM Lead WHERE LastName = 'Parts'")["totalSize"] == 1
    )


def test_a_job_can_be_aborted_and_forgotten(box: Sandbox) -> None:
    made = box.post("/jobs/ingest", {"operation": "insert", "object": "Lead"})
    at = f"/jobs/ingest/{made['id']}"
    assert box.ask("DELETE", at).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert made["id"] in [job["id"] for job in box.get("/jobs/ingest")["records"]]
    assert box.ask("PATCH", at, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert box.ask("PATCH", at, json={"state": "UploadComplete"}).status_code == 400
    assert box.ask("DELETE", at).status_code == 204
    assert box.ask("GET", at).status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "insert", "object": "Foo"}, "INVALIDENTITY"),
        ({"operation": "lose", "object": "Lead"}, "INVALIDOPERATION"),
        ({"operation": "upsert", "object": "Lead"}, "INVALIDJOB"),
        ({"operation": "insert", "object": "Lead", "columnDelimiter": "DOT"}, "INVALIDJOB"),
    ],
)
def test_a_job_that_cannot_be_is_refused(box: Sandbox, body: dict[str, str], code: str) -> None:
    answer = box.ask("POST", "/jobs/ingest", json=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


# -- queries ----------------------------------------------------------------------------------


def test_a_query_gives_pages_of_csv(box: Sandbox) -> None:
    text = "SELECT Id, Name, Account.Name, CreatedDate FROM Contact ORDER BY Id"
    made = box.post("/jobs/query", {"operation": "query", "query": text})
    at = f"/jobs/query/{made['id']}"
    assert (made["state"], made["object"]) == ("UploadComplete", "Contact")
    assert box.get(at)["state"] == "InProgress"
    assert box.ask("GET", f"{at}/results").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert box.get(at)["state"] == "JobComplete"
    records = box.get("/query", q=text)["records"]
    assert box.get(at)["numberRecordsProcessed"] == len(records)
    found: list[dict[str, str]] = []
    params = {"maxRecords": "7"}
    while params.get("locator") != "null":
        page = box.ask("GET", f"{at}/results", params=params)
        assert page.headers["Content-Type"].startswith("text/csv")
        assert page.text.startswith('"Id","Name","Account.Name","CreatedDate"\n')
        part = rows(page.text)
        assert int(page.headers["Sforce-NumberOfRecords"]) == len(part)
        found += part
        params["locator"] = page.headers["Sforce-Locator"]
    assert found == [
        {
            "Id": record["Id"],
            "Name": record["Name"],
            "Account.Name": (record["Account"] or {"Name": ""})["Name"],
            "CreatedDate": record["CreatedDate"].replace("+0000", "Z"),
        }
        for record in records
    ]


def test_a_query_without_records_still_has_its_header(box: Sandbox) -> None:
    text = "SELECT Id, Owner.Name FROM Lead WHERE Name = 'nobody'"
    made = box.post("/jobs/query", {"operation": "queryAll", "query": text})
    at = f"/jobs/query/{made['id']}"
    while box.get(at)["state"] != "JobComplete":
        pass
    page = box.ask("GET", f"{at}/results")
    assert (page.text, page.headers["Sforce-Locator"]) == ('"Id","Owner.Name"\n', "null")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT COUNT(Id) FROM Lead", "API_ERROR"),
        ("SELECT Status FROM Lead GROUP BY Status", "API_ERROR"),
        ("SELECT Id, Address FROM Lead", "API_ERROR"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "API_ERROR"),
        ("SELECT Id FROM Lead OFFSET 5", "API_ERROR"),
        ("SELECT Foo FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FORM Lead", "MALFORMED_QUERY"),
    ],
)
def test_a_query_that_cannot_be_is_refused(box: Sandbox, text: str, code: str) -> None:
    answer = box.ask("POST", "/jobs/query", json={"operation": "query", "query": text})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_simple_salesforce_writes_and_reads_by_bulk(box: Sandbox) -> None:
    client: Any = box.client()
    leads = client.bulk2.Lead
    [job] = leads.insert(
        records=[{"LastName": f"S{n}", "Company": "Simple"} for n in range(3)], wait=0.01
    )
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (3, 0)
    done = rows(leads.get_successful_records(job["job_id"]))
    assert [each["LastName"] for each in done] == ["S0", "S1", "S2"]
    pages = leads.query(
        "SELECT LastName FROM Lead WHERE Company = 'Simple'", max_records=2, wait=0.01
    )
    assert sorted(each["LastName"] for page in pages for each in rows(page)) == ["S0", "S1", "S2"]
