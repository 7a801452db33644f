"""Records of the Salesforce sandbox by simple-salesforce, and all that the vendor refuses."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceError, SalesforceMoreThanOneRecord

from dsl.schema import salesforce_type
from engine.sandbox.salesforce.setup import Broken
from tests.sandbox.salesforce import DATA, Sandbox, sandbox

LEAD = {"LastName": "Ng", "Company": "Acme"}
DUPLICATES = {"Contact": ("Email",)}


def _cheap(record: Any) -> Broken | None:
    if record.get("AnnualRevenue") == 13:
        return Broken("Thirteen is not enough", ("AnnualRevenue",))
    return None


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    setup: dict[str, Any] = {
        "hidden": frozenset({("Lead", "Rating")}),
        "read_only": frozenset({"Event"}),
        "duplicates": DUPLICATES,
        "validations": {"Account": (_cheap,)},
    }
    with sandbox(tmp_path_factory.mktemp("records") / "org.db", **setup) as made:
        yield made


@pytest.fixture(scope="module")
def client(box: Sandbox) -> Salesforce:
    return box.client()


def refused(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


# -- by simple-salesforce -----------------------------------------------------------------------


def test_a_record_is_made_read_changed_and_deleted(client: Salesforce) -> None:
    made = client.Lead.create({**LEAD, "Email": "ng@acme.example"})
    assert (made["success"], made["errors"]) == (True, [])
    assert client.Lead.update(made["id"], {"Title": "Buyer"}) == 204
    found = client.Lead.get(made["id"])
    assert (found["Title"], found["Name"]) == ("Buyer", "Ng")
    assert found["Status"] == "Open - Not Contacted"
    assert found["attributes"]["url"] == f"{DATA}/sobjects/Lead/{made['id']}"
    assert client.Lead.get(made["id"][:15])["Id"] == made["id"]
    assert client.Lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceError) as caught:
        client.Lead.get(made["id"])
    assert caught.value.status == 404
    found = client.query_all(
        f"SELECT IsDeleted FROM Lead WHERE Id = '{made['id']}'", include_deleted=True
    )
    assert found["records"][0]["IsDeleted"] is True


def test_an_upsert_makes_changes_and_tells_of_several(client: Salesforce) -> None:
    assert client.Lead.upsert("Email/one@up.example", LEAD) == 201
    assert client.Lead.upsert("Email/one@up.example", {"Title": "Boss"}) == 200
    assert client.Lead.get_by_custom_id("Email", "one@up.example")["Title"] == "Boss"
    for _ in range(2):
        client.Lead.create({**LEAD, "Email": "two@up.example"})
    with pytest.raises(SalesforceMoreThanOneRecord) as caught:
        client.Lead.upsert("Email/two@up.example", {"Title": "Boss"})
    assert len(caught.value.content) == 2
    assert caught.value.content[0].startswith(f"{DATA}/sobjects/Lead/00Q")


def test_an_external_id_that_an_administrator_adds_names_records(box: Sandbox) -> None:
    with box.org() as org:
        org.add_field("Account", "Code__c", "text", external_id=True)
    fields = {each["name"]: each for each in box.get("/sobjects/Account/describe")["fields"]}
    assert (fields["Code__c"]["externalId"], fields["Code__c"]["unique"]) == (True, True)
    where = "/sobjects/Account/Code__c/A%2F1"
    assert box.ask("PATCH", where, json={"Name": "One"}).status_code == 201
    assert box.ask("PATCH", where, json={"Name": "Uno"}).json()["created"] is False
    assert box.get("/sobjects/Account/Code__c/a%2F1")["Name"] == "Uno"
    twice = box.ask("POST", "/sobjects/Account", json={"Name": "Two", "Code__c": "a/1"})
    assert refused(twice) == (400, "DUPLICATE_VALUE")
    person = {"LastName": "Ng", "Account": {"Code__c": "A/1"}}
    made = box.post("/sobjects/Contact", person)["id"]
    assert box.get(f"/sobjects/Contact/{made}/Account", fields="Name")["Name"] == "Uno"
    assert box.ask("DELETE", where).status_code == 204
    assert refused(box.ask("GET", where)) == (404, "NOT_FOUND")


def test_every_row_of_a_query_comes_page_by_page(box: Sandbox, client: Salesforce) -> None:
    records = [{"attributes": {"type": "Task"}, "Subject": f"Call {n}"} for n in range(200)]
    for _ in range(2):
        box.post("/composite/sobjects", {"records": records})
    text = "SELECT Id FROM Task"
    first = box.ask(
        "GET", "/query", params={"q": text}, headers={"Sforce-Query-Options": "batchSize=200"}
    ).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (400, False, 200)
    assert len({r["Id"] for r in client.query_all(text)["records"]}) == 400
    locator = first["nextRecordsUrl"].rpartition("/")[2].partition("-")[0]
    more = box.ask("GET", f"/query/{locator}-9999")
    assert refused(more) == (400, "INVALID_QUERY_LOCATOR")


def test_what_changed_and_what_was_deleted_is_told_for_a_span(client: Salesforce) -> None:
    kept, gone = (client.Lead.create(LEAD)["id"] for _ in range(2))
    client.Lead.delete(gone)
    start, end = (datetime.now(UTC) + timedelta(minutes=m) for m in (-5, 2))
    updated = client.Lead.updated(start, end)
    assert kept in updated["ids"]
    assert gone not in updated["ids"]
    assert updated["latestDateCovered"] < end.isoformat()
    deleted = client.Lead.deleted(start, end)
    assert gone in [each["id"] for each in deleted["deletedRecords"]]
    with pytest.raises(SalesforceError) as caught:
        client.Lead.updated(start - timedelta(days=31), end)
    assert caught.value.content[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_a_describe_is_the_type_that_the_org_has(box: Sandbox, client: Salesforce) -> None:
    with box.org() as org:
        for name in ("Account", "Contact", "Opportunity", "Task", "User"):
            described, own = salesforce_type(getattr(client, name).describe()), org.describe(name)
            assert own is not None
            assert list(described.fields) == list(own.fields)
            for field, mine in own.fields.items():
                # What ships of the types does not tell what can be sorted by.
                assert replace(described.fields[field], sortable=mine.sortable) == mine
    names = {each["name"] for each in client.describe()["sobjects"]}
    assert {"Lead", "Contact", "Account"} <= names


def test_a_describe_that_is_known_is_not_told_again(box: Sandbox) -> None:
    first = box.ask("GET", "/sobjects/Lead/describe")
    seen = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert box.ask("GET", "/sobjects/Lead/describe", headers=seen).status_code == 304
    old = {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}
    assert box.ask("GET", "/sobjects/Lead/describe", headers=old).status_code == 200


def test_the_columns_of_a_query_are_told_without_its_rows(box: Sandbox) -> None:
    text = "SELECT Name, Owner.Alias, Owner.Name, (SELECT Id FROM Tasks) FROM Lead"
    found = box.get("/query", q=text, columns="true")
    columns = {
        column["columnName"]: [joined["columnName"] for joined in column["joinColumns"]]
        for column in found["columnMetadata"]
    }
    assert columns == {"Name": [], "Owner": ["Alias", "Name"], "Tasks": ["Id"]}
    text = "SELECT COUNT(Id), MAX(Name) last FROM Lead"
    found = box.get("/query", q=text, columns="true")
    names = [(c["columnName"], c["displayName"]) for c in found["columnMetadata"]]
    assert names == [("expr0", "count"), ("last", "max")]


def test_what_was_written_last_is_recent(box: Sandbox) -> None:
    lead = box.post("/sobjects/Lead", {**LEAD, "LastName": "Last"})["id"]
    assert lead in [each["Id"] for each in box.get("/recent", limit="50")]
    assert len(box.get("/recent", limit="3")) == 3
    assert refused(box.ask("GET", "/recent", params={"limit": "0"})) == (400, "INVALID_INPUT")
    items = box.get("/sobjects/Lead")["recentItems"]
    assert (items[0]["Id"], items[0]["Name"]) == (lead, "Last")


def test_a_relationship_leads_from_one_record_to_another(box: Sandbox) -> None:
    contact = box.get("/query", q="SELECT Id, Account.Name FROM Contact LIMIT 1")["records"][0]
    found = box.get(f"/sobjects/Contact/{contact['Id']}/Account", fields="Name")
    assert found["Name"] == contact["Account"]["Name"]


# -- what is refused ----------------------------------------------------------------------------

LONG = {**LEAD, "Title": "x" * 129}
NOBODY = "005000000000000AAA"
CREATES = [
    ("Lead", {"LastName": "Ng"}, "REQUIRED_FIELD_MISSING"),
    ("Lead", {**LEAD, "Nope": 1}, "INVALID_FIELD"),
    ("Lead", {**LEAD, "Rating": "Hot"}, "INVALID_FIELD"),
    ("Lead", {**LEAD, "Name": "Ng"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ("Lead", {**LEAD, "Id": "00Q000000000000AAA"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ("Lead", LONG, "STRING_TOO_LONG"),
    ("Lead", {**LEAD, "Email": "nobody"}, "INVALID_EMAIL_ADDRESS"),
    ("Lead", {**LEAD, "OwnerId": "005"}, "MALFORMED_ID"),
    ("Lead", {**LEAD, "OwnerId": "001000000000000AAA"}, "FIELD_INTEGRITY_EXCEPTION"),
    ("Lead", {**LEAD, "OwnerId": NOBODY}, "INVALID_CROSS_REFERENCE_KEY"),
    ("Lead", {**LEAD, "Company": 5}, "JSON_PARSER_ERROR"),
    ("Lead", {**LEAD, "NumberOfEmployees": "many"}, "JSON_PARSER_ERROR"),
    ("Account", {"Name": "A", "AnnualRevenue": 13}, "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
    ("Event", {"Subject": "Call"}, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
    ("Nope", {}, "NOT_FOUND"),
]


@pytest.mark.parametrize(("name", "values", "code"), CREATES)
def test_a_create_is_refused_in_salesforces_words(
    box: Sandbox, name: str, values: dict[str, Any], code: str
) -> None:
    answer = box.ask("POST", f"/sobjects/{name}", json=values)
    assert (answer.status_code >= 400, answer.json()[0]["errorCode"]) == (True, code)
    if name != "Lead" or code == "JSON_PARSER_ERROR":
        return
    record = {"attributes": {"type": name}, **values}
    [result] = box.post("/composite/sobjects", {"records": [record]})
    assert (result["success"], result["errors"][0]["statusCode"]) == (False, code)


def test_a_record_that_is_not_there_or_no_more_is_told_apart(box: Sandbox) -> None:
    known = box.post("/sobjects/Lead", LEAD)["id"]
    missing, gone = f"{known[:12]}zzz", known
    box.ask("DELETE", f"/sobjects/Lead/{gone}")
    for method, body in (("PATCH", {}), ("DELETE", None)):
        path = "/sobjects/Lead/"
        assert refused(box.ask(method, path + gone, json=body)) == (404, "ENTITY_IS_DELETED")
        assert refused(box.ask(method, path + missing, json=body)) == (404, "NOT_FOUND")
        assert refused(box.ask(method, f"{path}abc", json=body)) == (400, "MALFORMED_ID")
    records = [{"attributes": {"type": "Lead"}, "Id": each} for each in (gone, missing, "abc")]
    results = box.ask("PATCH", "/composite/sobjects", json={"records": records}).json()
    assert [each["errors"][0]["statusCode"] for each in results] == [
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
    ]


def test_a_converted_lead_can_no_longer_be_written(box: Sandbox) -> None:
    lead = box.post("/sobjects/Lead", LEAD)["id"]
    with box.org() as org:
        org.convert(lead)
    answer = box.ask("PATCH", f"/sobjects/Lead/{lead}", json={"Title": "Boss"})
    assert refused(answer) == (400, "CANNOT_UPDATE_CONVERTED_LEAD")


def test_a_duplicate_names_the_record_and_is_saved_only_if_that_is_wished(box: Sandbox) -> None:
    person = {"LastName": "Twin", "Email": "twin@dup.example"}
    first = box.post("/sobjects/Contact", person)["id"]
    answer = box.ask("POST", "/sobjects/Contact", json=person)
    assert refused(answer) == (400, "DUPLICATES_DETECTED")
    result = answer.json()[0]["duplicateResut"]
    matched = result["matchResults"][0]["matchRecords"][0]["record"]
    assert (result["allowSave"], matched["Id"]) == (True, first)
    listed = {"records": [{"attributes": {"type": "Contact"}, **person}]}
    [refusal] = box.post("/composite/sobjects", listed)
    assert refusal["errors"][0]["statusCode"] == "DUPLICATES_DETECTED"
    saved = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    [result] = box.post("/composite/sobjects", listed, **saved)
    assert result["success"] is True


def test_a_hidden_field_is_in_no_describe_no_row_and_no_query(box: Sandbox) -> None:
    names = [each["name"] for each in box.get("/sobjects/Lead/describe")["fields"]]
    assert "Rating" not in names
    assert "Status" in names
    lead = box.post("/sobjects/Lead", LEAD)["id"]
    assert "Rating" not in box.get(f"/sobjects/Lead/{lead}")
    answer = box.ask("GET", "/query", params={"q": "SELECT Rating FROM Lead"})
    assert refused(answer) == (400, "INVALID_FIELD")
    answer = box.ask("GET", f"/sobjects/Lead/{lead}", params={"fields": "Rating"})
    assert refused(answer) == (400, "INVALID_FIELD")


def test_a_type_that_may_only_be_read_says_so_in_its_describe(box: Sandbox) -> None:
    found = box.get("/sobjects/Event/describe")
    assert (found["createable"], found["updateable"], found["deletable"]) == (False,) * 3
    assert not any(each["createable"] or each["updateable"] for each in found["fields"])


# -- HTTP ---------------------------------------------------------------------------------------


def test_requests_that_are_no_requests_are_refused(box: Sandbox) -> None:
    where = "/sobjects/Lead"
    assert refused(box.ask("POST", where, data="{", headers=JSON)) == (400, "JSON_PARSER_ERROR")
    assert refused(box.ask("POST", where, json=[])) == (400, "JSON_PARSER_ERROR")
    text = {"Content-Type": "text/csv"}
    answer = box.ask("POST", where, data="a,b", headers=text)
    assert refused(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert refused(box.ask("DELETE", where)) == (405, "METHOD_NOT_ALLOWED")
    assert refused(box.ask("GET", "/nowhere")) == (404, "NOT_FOUND")
    long = box.ask("GET", "/query", params={"q": "SELECT Id FROM Lead" + " " * 17_000})
    assert refused(long) == (414, "URI_TOO_LONG")
    stranger = requests.get(f"{box.url}{DATA}/limits", timeout=30)
    assert refused(stranger) == (401, "INVALID_SESSION_ID")
    early = box.http.get(f"{box.url}/services/data/v19.0/limits", timeout=30)
    assert refused(early) == (404, "NOT_FOUND")


JSON = {"Content-Type": "application/json"}


def test_bodies_may_come_in_chunks_and_compressed(box: Sandbox) -> None:
    raw = msgspec.json.encode(LEAD)
    chunked = box.ask("POST", "/sobjects/Lead", data=iter([raw[:5], raw[5:]]), headers=JSON)
    assert chunked.status_code == 201
    packed = {**JSON, "Content-Encoding": "gzip"}
    assert box.ask("POST", "/sobjects/Lead", data=gzip.compress(raw), headers=packed).ok
    broken = box.ask("POST", "/sobjects/Lead", data=b"nothing", headers=packed)
    assert broken.status_code == 400
    large = box.ask("GET", "/sobjects/Lead/describe", headers={"Accept-Encoding": "gzip"})
    assert large.headers["Content-Encoding"] == "gzip"


def test_an_address_may_have_a_slash_too_many_or_none_at_its_end(box: Sandbox) -> None:
    for path in ("//services/data/v60.0/limits/", "/services/data/v60.0", "/services/data/v60.0/"):
        assert box.http.get(box.url + path, timeout=30).status_code == 200


def test_a_client_that_cannot_patch_may_say_so_in_the_address(box: Sandbox) -> None:
    lead = box.post("/sobjects/Lead", LEAD)["id"]
    answer = box.ask("POST", f"/sobjects/Lead/{lead}?_HttpMethod=PATCH", json={"Title": "Boss"})
    assert answer.status_code == 204
    assert box.get(f"/sobjects/Lead/{lead}.json", fields="Title")["Title"] == "Boss"


def test_anybody_may_ask_for_the_versions_and_no_call_is_counted(box: Sandbox) -> None:
    before = box.get("/limits")["DailyApiRequests"]["Remaining"]
    answer = requests.get(f"{box.url}/services/data", timeout=30)
    assert {"label", "url", "version"} == answer.json()[-1].keys()
    assert "Sforce-Limit-Info" not in answer.headers
    counted = box.ask("GET", "/limits")
    assert counted.json()["DailyApiRequests"]["Remaining"] == before - 1
    used = 100_000 - (before - 1)
    assert counted.headers["Sforce-Limit-Info"] == f"api-usage={used}/100000"


def test_a_spent_day_refuses_every_call(tmp_path_factory: pytest.TempPathFactory) -> None:
    with sandbox(tmp_path_factory.mktemp("spent") / "org.db", daily_limit=2) as box:
        answers = [box.ask("GET", "/limits") for _ in range(3)]
        with box.org() as org:
            assert org.usage().used == 2
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert refused(answers[-1]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert answers[-1].headers["Sforce-Limit-Info"] == "api-usage=2/2"
