"""What lies around an org's records: layouts, actions, what was looked at, what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.salesforce import DATA, Sandbox, sandbox

MASTER = "012000000000000AAA"
PAST, FUTURE = "Tue, 10 Aug 2010 00:00:00 GMT", "Tue, 10 Aug 2100 00:00:00 GMT"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox(tmp_path_factory.mktemp("around") / "org.db") as made:
        yield made


@pytest.fixture(scope="module")
def account(box: Sandbox) -> str:
    return str(box.post("/sobjects/Account", {"Name": "Around"})["id"])


def coded(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/sobjects/Account/describe/layouts", ("layouts", "recordTypeMappings")),
        (f"/sobjects/account/describe/layouts/{MASTER}", ("detailLayoutSections", "relatedLists")),
        ("/sobjects/User/describe/namedLayouts/UserAlt", ("layouts",)),
        ("/sobjects/Lead/describe/compactLayouts", ("compactLayouts", "urls")),
        ("/sobjects/Lead/describe/compactLayouts/primary", ("fieldItems", "objectType")),
        ("/compactLayouts?q=Account,Contact", ("Account", "Contact")),
        ("/sobjects/Lead/describe/approvalLayouts", ("approvalLayouts",)),
        ("/theme", ("themeItems",)),
        ("/quickActions/LogACall/describe", ("layout", "targetSobjectType", "urls")),
        ("/process/rules", ("rules",)),
        ("/actions", ("standard", "custom")),
    ],
)
def test_an_org_describes_its_pages_and_actions(
    box: Sandbox, path: str, keys: tuple[str, ...]
) -> None:
    answer = box.ask("GET", path)
    assert answer.status_code == 200, answer.text
    assert set(keys) <= answer.json().keys()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/sobjects/Account/describe/namedLayouts/Nope", 404, "NOT_FOUND"),
        ("GET", "/sobjects/Account/describe/layouts/012000000000001AAA", 404, "NOT_FOUND"),
        ("GET", "/compactLayouts", 400, "MISSING_ARGUMENT"),
        ("POST", "/quickActions/Nope", 404, "NOT_FOUND"),
        ("POST", "/process/approvals", 400, "NO_APPLICABLE_PROCESS"),
        ("GET", "/chatter/users/me", 403, "FUNCTIONALITY_NOT_ENABLED"),
        ("GET", "/tooling/sobjects", 404, "NOT_FOUND"),
        ("PUT", "/sobjects/Account/001000000000000AAA", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_what_an_org_does_not_have_is_refused_in_the_vendors_shape(
    box: Sandbox, method: str, path: str, status: int, code: str
) -> None:
    assert coded(box.ask(method, path, json={} if method != "GET" else None)) == (status, code)


def test_a_method_is_refused_with_those_of_the_whole_address(box: Sandbox, account: str) -> None:
    answer = box.ask("PUT", f"/sobjects/Account/{account}", json={})
    assert answer.headers["Allow"] == "HEAD,GET,PATCH,DELETE"
    wanted = "HTTP Method 'PUT' not allowed. Allowed are HEAD,GET,PATCH,DELETE"
    assert answer.json()[0]["message"] == wanted


def test_a_client_finds_the_endpoints_by_discovery(box: Sandbox) -> None:
    address = f"{box.url}/.well-known/openid-configuration"
    found = requests.get(address, timeout=30).json()
    assert found["token_endpoint"] == f"{box.url}/services/oauth2/token"
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint"):
        assert requests.get(found[name], timeout=30).status_code in (400, 403), name


def test_apex_rest_has_nothing_to_match(box: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {box.token()}"}
    address = f"{box.url}/services/apexrest/Mine/"
    assert coded(requests.get(address, headers=headers, timeout=30)) == (404, "NOT_FOUND")
    assert coded(requests.get(address, timeout=30)) == (401, "INVALID_SESSION_ID")


def test_an_action_makes_a_record_about_another(box: Sandbox, account: str) -> None:
    begun = box.get(f"/quickActions/LogACall/defaultValues/{account}")
    assert (begun["WhatId"], begun["WhoId"]) == (account, None)
    done = box.post("/quickActions/LogACall", {"contextId": account, "record": {"Subject": "Hi"}})
    assert (done["success"], done["contextId"]) == (True, account)
    task = box.get(f"/sobjects/Task/{done['id']}")
    assert (task["Subject"], task["WhatId"], task["Status"]) == ("Hi", account, "Completed")


def test_records_that_were_looked_at_are_recent(box: Sandbox) -> None:
    box.post("/sobjects/Lead", {"LastName": "Newest", "Company": "C"})
    text = "SELECT Id FROM Contact ORDER BY LastName LIMIT 2 FOR VIEW"
    seen = {record["Id"] for record in box.get("/query", q=text)["records"]}
    assert {record["Id"] for record in box.get("/recent", limit="2")} == seen
    assert box.get("/sobjects/Contact")["recentItems"][0]["Id"] in seen


def test_every_org_has_a_list_view_of_all_records(box: Sandbox) -> None:
    [view] = box.get("/sobjects/Opportunity/listviews")["listviews"]
    found = box.ask("GET", f"{view['resultsUrl'].removeprefix(DATA)}?limit=2000").json()
    count = box.get("/query", q="SELECT COUNT() FROM Opportunity")["totalSize"]
    assert (view["label"], found["size"]) == ("All Opportunities", count)


def test_the_organization_is_described_and_read_like_a_record(box: Sandbox) -> None:
    described = box.get("/sobjects/Organization/describe")
    names = {field["name"] for field in described["fields"]}
    [known] = box.get("/query", q=f"SELECT {', '.join(sorted(names))} FROM Organization")["records"]
    assert box.get(f"/sobjects/Organization/{known['Id']}") == known
    assert (described["keyPrefix"], described["createable"]) == ("00D", False)
    assert box.ask("GET", "/sobjects/Organization/00D000000000000AAA").status_code == 404


def test_children_of_a_record_are_listed_below_it(box: Sandbox, account: str) -> None:
    made = box.post("/sobjects/Contact", {"LastName": "Child", "AccountId": account})["id"]
    page = box.get(f"/sobjects/Account/{account}/Contacts", fields="LastName")
    assert (page["totalSize"], page["records"][0]["LastName"]) == (1, "Child")
    path = f"/sobjects/Contact/{made}/Account"
    assert box.ask("PATCH", path, json={"Phone": "1"}).status_code == 204
    assert box.get(path, fields="Phone")["Phone"] == "1"


def test_a_record_is_read_and_changed_on_conditions(box: Sandbox, account: str) -> None:
    path = f"/sobjects/Account/{account}"
    tag = box.ask("GET", path).headers["ETag"]

    def asked(method: str, **headers: str) -> int:
        body = {"Phone": "2"} if method == "PATCH" else None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return box.ask(method, path, json=body, headers=named).status_code

    assert asked("GET", If_None_Match=tag) == asked("GET", If_Modified_Since=FUTURE) == 304
    assert asked("GET", If_Match=tag) == asked("GET", If_Modified_Since=PAST) == 200
    assert asked("GET", If_Match='"other"') == asked("GET", If_Unmodified_Since=PAST) == 412
    assert asked("PATCH", If_Unmodified_Since=PAST) == 412
    assert asked("PATCH", If_Unmodified_Since="soon") == 400
    assert asked("PATCH", If_Unmodified_Since=FUTURE) == 204
    assert box.ask("GET", "/sobjects", headers={"If-Modified-Since": FUTURE}).status_code == 304


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"AnnualRevenue": 1e40}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"AnnualRevenue": "1e18"}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"NumberOfEmployees": 1 << 31}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_number_that_is_too_large_is_refused(
    box: Sandbox, account: str, values: dict[str, Any], code: str
) -> None:
    assert coded(box.ask("PATCH", f"/sobjects/Account/{account}", json=values)) == (400, code)


def test_many_children_come_in_pages_of_their_own(box: Sandbox, account: str) -> None:
    for start in (0, 125):
        records = [
            {"attributes": {"type": "Task"}, "Subject": f"T{n:03}", "WhatId": account}
            for n in range(start, start + 125)
        ]
        box.post("/composite/sobjects", {"records": records})
    condition = f"WHERE Id = '{account}'"
    inner = "SELECT Subject FROM Tasks WHERE Subject LIKE 'T%' ORDER BY Subject"
    text = f"SELECT Id, ({inner}) FROM Account {condition}"
    [record] = box.get("/query", q=text)["records"]
    first = record["Tasks"]
    assert (first["totalSize"], first["done"], len(first["records"])) == (250, False, 200)
    rest = box.get(first["nextRecordsUrl"].removeprefix(DATA))
    assert (rest["done"], len(rest["records"])) == (True, 50)
    names = [each["Subject"] for each in first["records"] + rest["records"]]
    assert names == [f"T{n:03}" for n in range(250)]


def test_types_are_read_by_the_metadata_api_and_not_changed(box: Sandbox) -> None:
    space = "http://soap.sforce.com/2006/04/metadata"

    def call(version: str, body: str) -> requests.Response:
        envelope = (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
            f'<e:Header xmlns="{space}"><SessionHeader><sessionId>{box.token()}</sessionId>'
            f'</SessionHeader></e:Header><e:Body xmlns="{space}">{body}</e:Body></e:Envelope>'
        )
        address = f"{box.url}/services/Soap/m/{version}"
        return requests.post(address, envelope.encode(), timeout=30)

    read = "<readMetadata><type>CustomField</type><fullNames>Lead.Status</fullNames></readMetadata>"
    old, new = call("37.0", read).text, call("60.0", read).text
    assert "<fullName>Closed - Converted</fullName>" in old
    assert "<converted>true</converted>" in old
    assert "<type>Picklist</type>" in new
    assert "picklistValues" not in new
    refused = call("60.0", "<createMetadata/>")
    assert refused.status_code == 500
    assert "sf:INSUFFICIENT_ACCESS" in refused.text
