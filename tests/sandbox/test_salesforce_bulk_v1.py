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


def ask(box: Sandbox, method: str, path: str, body: str = "", kind: str = "") -> requests.Response:
    headers = {"X-SFDC-Session": box.token(), **({"Content-Type": kind} if kind else {})}
    url = f"{box.url}/services/async/{VERSION}{path}"
    return requests.request(method, url, data=body.encode(), headers=headers, timeout=30)


def job(box: Sandbox, operation: str) -> str:
    body = (
        f"<jobInfo {SPACE}><operation>{operation}</operation><object>Lead</object>"
        "<contentType>CSV</contentType></jobInfo>"
    )
    answer = ask(box, "POST", "/job", body, "application/xml")
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
