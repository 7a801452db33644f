"""The first Bulk API of the sandbox: in JSON by a client, in XML and CSV by HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.salesforce import VERSION, Sandbox, sandbox

SPACE = 'xmlns="http://www.force.com/2009/06/asyncapi/dataload"'


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    path: Path = tmp_path_factory.mktemp("bulk1") / "org.db"
    with sandbox(path) as found:
        yield found


def ask(
    box: Sandbox, method: str, path: str, body: str = "", kind: str = "", **more: str
) -> requests.Response:
    headers = {"X-SFDC-Session": box.token(), **({"Content-Type": kind} if kind else {}), **more}
    url = f"{box.url}/services/async/{VERSION}{path}"
    return requests.request(method, url, data=body.encode(), headers=headers, timeout=30)


def job(box: Sandbox, operation: str, form: str = "CSV", chunks: str = "") -> str:
    body = (
        f"<jobInfo {SPACE}><operation>{operation}</operation><object>Lead</object>"
        f"<contentType>{form}</contentType></jobInfo>"
    )
    more = {"Sforce-Enable-PKChunking": chunks} if chunks else {}
    answer = ask(box, "POST", "/job", body, "application/xml", **more)
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/xml")
    return f"/job/{inside(answer, 'id')}"


def inside(answer: requests.Response, name: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", answer.text, re.DOTALL)
    assert found is not None, answer.text
    return found[1]


def test_simple_salesforce_writes_and_reads_by_the_first_bulk_api(box: Sandbox) -> None:
    client: Any = box.client()
    records = [{"LastName": "V1", "Company": "First"}, {"Company": "First"}]
    done, refused = client.bulk.Lead.insert(records)
    assert (done["success"], done["created"], done["errors"]) == (True, True, [])
    assert refused["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    [found] = client.bulk.Lead.query("SELECT Id, LastName FROM Lead WHERE Company = 'First'")
    assert (found["Id"], found["LastName"]) == (done["id"], "V1")


def test_records_may_come_and_go_in_xml(box: Sandbox) -> None:
    at = job(box, "insert", "XML")
    nil = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"'
    good = f"<sObject><LastName>X&amp;Y</LastName><Company>Xml</Company><Title {nil}/></sObject>"
    body = f"<sObjects {SPACE}>{good}<sObject><Company>Xml</Company></sObject></sObjects>"
    batch = f"{at}/batch/{inside(ask(box, 'POST', f'{at}/batch', body, 'application/xml'), 'id')}"
    assert inside(ask(box, "GET", batch), "numberRecordsFailed") == "1"
    result = ask(box, "GET", f"{batch}/result")
    assert inside(result, "success") == "true"
    assert inside(result, "statusCode") == "REQUIRED_FIELD_MISSING"
    at = job(box, "query", "XML")
    text = "SELECT LastName, Title FROM Lead WHERE Company = 'Xml'"
    batch = f"{at}/batch/{inside(ask(box, 'POST', f'{at}/batch', text, 'application/xml'), 'id')}"
    assert inside(ask(box, "GET", batch), "state") == "Completed"
    name = inside(ask(box, "GET", f"{batch}/result"), "result")
    found = ask(box, "GET", f"{batch}/result/{name}")
    assert inside(found, "LastName") == "X&amp;Y"
    assert '<Title xsi:nil="true"/>' in found.text


def test_a_query_is_handed_out_in_chunks_of_ids(box: Sandbox) -> None:
    at = job(box, "query", chunks="chunkSize=10")
    text = "SELECT Id FROM Lead"
    first = inside(ask(box, "POST", f"{at}/batch", text, "text/csv"), "id")
    assert inside(ask(box, "GET", f"{at}/batch/{first}"), "state") == "NotProcessed"
    batches = re.findall("<id>(.*?)</id>", ask(box, "GET", f"{at}/batch").text)
    found: list[str] = []
    for batch in batches[1:]:
        name = inside(ask(box, "GET", f"{at}/batch/{batch}/result"), "result")
        rows = ask(box, "GET", f"{at}/batch/{batch}/result/{name}").text.split()[1:]
        assert len(rows) <= 10
        found += rows
    whole = box.get("/query", q=text)["records"]
    assert sorted(found) == sorted(f'"{record["Id"]}"' for record in whole)


def test_no_two_batches_have_one_id(box: Sandbox) -> None:
    made = [
        inside(ask(box, "POST", f"{job(box, 'insert')}/batch", "LastName\n", "text/csv"), "id")
        for _ in range(2)
    ]
    assert made[0] != made[1]


def test_a_batch_in_csv_is_told_of_in_xml(box: Sandbox) -> None:
    at = job(box, "insert")
    text = "LastName,Company,Title\nA,C,#N/A\n,C,\n"
    batch = f"{at}/batch/{inside(ask(box, 'POST', f'{at}/batch', text, 'text/csv'), 'id')}"
    assert inside(
        ask(box, "POST", at, f"<jobInfo {SPACE}><state>Closed</state></jobInfo>"), "state"
    )
    assert inside(ask(box, "GET", batch), "state") == "Completed"
    rows = ask(box, "GET", f"{batch}/result").text.splitlines()
    assert rows[0] == '"Id","Success","Created","Error"'
    assert re.fullmatch(r'"00Q\w{15}","true","true",""', rows[1])
    assert rows[2].startswith('"","false","false","REQUIRED_FIELD_MISSING:Required fields')
    told = ask(box, "GET", at)
    assert (inside(told, "state"), inside(told, "numberBatchesCompleted")) == ("Closed", "1")


def test_a_query_gives_csv(box: Sandbox) -> None:
    at = job(box, "query")
    text = "SELECT Name, Owner.Name FROM Lead WHERE LastName = 'Boxer'"
    batch = f"{at}/batch/{inside(ask(box, 'POST', f'{at}/batch', text, 'text/csv'), 'id')}"
    assert inside(ask(box, "GET", batch), "state") == "Completed"
    result = inside(ask(box, "GET", f"{batch}/result"), "result")
    rows = ask(box, "GET", f"{batch}/result/{result}").text.splitlines()
    assert rows[0] == '"Name","Owner.Name"'
    assert rows[1].startswith('"Bertha Boxer",')


def test_what_cannot_be_is_refused_in_words_of_its_own(box: Sandbox) -> None:
    url = f"{box.url}/services/async/{VERSION}/job/750Cw0B00000099"
    answer = requests.get(url, headers={"X-SFDC-Session": "no"}, timeout=30)
    assert (answer.status_code, inside(answer, "exceptionCode")) == (400, "InvalidSessionId")
    assert inside(ask(box, "GET", "/job/750Cw0B00000099"), "exceptionCode") == "InvalidJob"
    at = job(box, "query")
    batch = f"{at}/batch/{inside(ask(box, 'POST', f'{at}/batch', 'SELECT', 'text/csv'), 'id')}"
    failed = ask(box, "GET", batch)
    assert inside(failed, "state") == "Failed"
    assert "MALFORMED_QUERY" in inside(failed, "stateMessage")
