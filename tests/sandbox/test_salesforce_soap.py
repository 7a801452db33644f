"""The SOAP calls of the Salesforce sandbox, as older clients make them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from tests.sandbox.salesforce import ME, Sandbox, sandbox

LEAD = "<type>Lead</type><LastName>Ng</LastName><Company>Acme</Company>"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox(tmp_path_factory.mktemp("soap") / "org.db") as made:
        yield made


@pytest.fixture(scope="module")
def token(box: Sandbox) -> str:
    return box.token()


def call(box: Sandbox, body: str, token: str = "", before: str = "") -> requests.Response:
    header = f"<SessionHeader><sessionId>{token}</sessionId></SessionHeader>"
    text = (
        f"{before}<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'"
        " xmlns='urn:partner.soap.sforce.com'"
        " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"
        f"<e:Header>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )
    where = f"{box.url}/services/Soap/u/60.0"
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    return requests.post(where, text.encode(), headers=headers, timeout=30)


def told(answer: requests.Response, name: str) -> list[str]:
    return re.findall(rf"<(?:sf:)?{name}>([^<]*)</", answer.text)


def test_a_login_names_the_server_and_a_logout_ends_it(box: Sandbox) -> None:
    words = (
        f"<username>{ME.username}</username><password>{ME.password}{ME.security_token}</password>"
    )
    answer = call(box, f"<login>{words}</login>")
    assert told(answer, "serverUrl")[0].startswith(f"{box.url}/services/Soap/u/60.0/00D")
    [token] = told(answer, "sessionId")
    assert told(call(box, "<getUserInfo/>", token), "userName") == [ME.username]
    call(box, "<logout/>", token)
    gone = call(box, "<getUserInfo/>", token)
    assert (gone.status_code, told(gone, "faultcode")) == (500, ["sf:INVALID_SESSION_ID"])


def test_records_are_written_and_queried(box: Sandbox, token: str) -> None:
    two = f"<sObjects>{LEAD}</sObjects><sObjects><type>Lead</type></sObjects>"
    answer = call(box, f"<create>{two}</create>", token)
    assert told(answer, "success") == ["true", "false"]
    assert told(answer, "statusCode") == ["REQUIRED_FIELD_MISSING"]
    [lead] = told(answer, "id")
    change = f"<type>Lead</type><Id>{lead}</Id><fieldsToNull>Title</fieldsToNull>"
    change += "<NumberOfEmployees>5</NumberOfEmployees><DoNotCall>true</DoNotCall>"
    assert told(call(box, f"<update><sObjects>{change}</sObjects></update>", token), "success")
    text = f"SELECT NumberOfEmployees, Owner.Name FROM Lead WHERE Id = '{lead}'"
    found = call(box, f"<query><queryString>{text}</queryString></query>", token)
    assert (told(found, "NumberOfEmployees"), told(found, "size")) == (["5"], ["1"])
    answer = call(box, f"<delete><ids>{lead}</ids></delete>", token)
    assert told(answer, "success") == ["true"]
    assert told(call(box, f"<undelete><ids>{lead}</ids></undelete>", token), "id") == [lead]
    both = f"<upsert><externalIDFieldName>Email</externalIDFieldName><sObjects>{LEAD}"
    both += "<Email>s@up.example</Email></sObjects></upsert>"
    assert [told(call(box, both, token), "created")[0] for _ in range(2)] == ["true", "false"]


def test_a_lead_is_converted_and_contacts_are_merged(box: Sandbox, token: str) -> None:
    lead = box.post("/sobjects/Lead", {"LastName": "Ng", "Company": "Acme"})["id"]
    given = f"<leadId>{lead}</leadId><convertedStatus>Closed - Converted</convertedStatus>"
    body = f"<convertLead><leadConverts>{given}</leadConverts></convertLead>"
    answer = call(box, body, token)
    [contact] = told(answer, "contactId")
    assert told(answer, "opportunityId")[0].startswith("006")
    assert told(call(box, body, token), "statusCode") == ["CANNOT_UPDATE_CONVERTED_LEAD"]
    other = box.post("/sobjects/Contact", {"LastName": "Ng"})["id"]
    master = (
        f"<masterRecord><type>Contact</type><Id>{contact}</Id><Title>Boss</Title></masterRecord>"
    )
    given = f"{master}<recordToMergeIds>{other}</recordToMergeIds>"
    answer = call(box, f"<merge><request>{given}</request></merge>", token)
    assert (told(answer, "mergedRecordIds"), told(answer, "success")) == ([other], ["true"])
    assert box.get(f"/sobjects/Contact/{contact}")["Title"] == "Boss"
    assert box.ask("GET", f"/sobjects/Contact/{other}").status_code == 404


def test_an_emptied_bin_gives_nothing_back(box: Sandbox, token: str) -> None:
    [record] = told(call(box, f"<create><sObjects>{LEAD}</sObjects></create>", token), "id")
    ids = f"<ids>{record}</ids>"
    call(box, f"<delete>{ids}</delete>", token)
    done = [
        told(call(box, f"<{name}>{ids}</{name}>", token), "success")
        for name in ("undelete", "delete", "emptyRecycleBin", "emptyRecycleBin", "undelete")
    ]
    assert done == [["true"], ["true"], ["true"], ["false"], ["false"]]


def test_records_are_searched(box: Sandbox, token: str) -> None:
    text = "FIND {United} IN NAME FIELDS RETURNING Account(Id, Name LIMIT 1)"
    found = call(box, f"<search><searchString>{text}</searchString></search>", token)
    assert told(found, "type")[-1] == "Account"
    assert told(found, "Name")[0].startswith("United Oil")
    assert told(call(box, "<search><searchString>x</searchString></search>", token), "faultcode")


def test_types_are_described(box: Sandbox, token: str) -> None:
    body = "<describeSObjects><sObjectType>Lead</sObjectType></describeSObjects>"
    names = told(call(box, body, token), "name")
    assert {"Lead", "LastName", "Company"} <= set(names)


def test_a_request_with_a_document_type_is_refused_unread(box: Sandbox, token: str) -> None:
    bomb = "<!DOCTYPE e:Envelope [<!ENTITY a 'getUserInfo'>]>"
    answer = call(box, "<getServerTimestamp/>", token, before=bomb)
    assert (answer.status_code, told(answer, "faultcode")) == (500, ["soapenv:Client"])
    assert call(box, "<getServerTimestamp/>", token).status_code == 200
    assert call(box, "<nothing/>", token).status_code == 500
    for name, part in (("merge", "request"), ("convertLead", "leadConverts")):
        empty = call(box, f"<{name}><{part}><!-- none --></{part}></{name}>", token)
        assert told(empty, "statusCode") == ["MISSING_ARGUMENT"]
    assert call(box, "<query><queryString>SELECT</queryString></query>", token).status_code == 500
