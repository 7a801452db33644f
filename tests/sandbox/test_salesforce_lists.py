"""Reports, list views and searches of the sandbox, as clients ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.model import Listing
from engine.stores.local.lists import LIST_VIEW, REPORT, ids_in, make_list
from tests.sandbox.salesforce import Sandbox, sandbox

LISTS = {
    "Open": 'Status = "Open - Not Contacted"',
    "Odd": 'lower(Company) contains "inc"',
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    path: Path = tmp_path_factory.mktemp("lists") / "org.db"
    with sandbox(path) as found:
        yield found


@pytest.fixture(scope="module")
def made(box: Sandbox) -> dict[tuple[str, str], tuple[Listing, list[str]]]:
    """Lists of both kinds, each with the ids in it."""
    with box.org() as org:
        found = {}
        leads = [record["Id"] for record in box.get("/query", q="SELECT Id FROM Lead")["records"]]
        for kind in (REPORT, LIST_VIEW):
            lists = [make_list(org.file, kind, n, "Lead", text) for n, text in LISTS.items()]
            lists.append(make_list(org.file, kind, "Chosen", "Lead", ids=leads[3:6]))
            lists.append(make_list(org.file, kind, "All of them", "Lead"))
            for each in lists:
                ids = [str(i) for page in ids_in(org.file, each, 500) for i in page]
                found[kind, each.name] = each, ids
    assert all(ids for _, ids in found.values())
    return found


Made = dict[tuple[str, str], tuple[Listing, list[str]]]


@pytest.mark.parametrize("name", [*LISTS, "Chosen", "All of them"])
def test_the_query_of_a_list_view_finds_its_records(box: Sandbox, made: Made, name: str) -> None:
    view, ids = made[LIST_VIEW, name]
    [summary] = [v for v in box.get("/sobjects/Lead/listviews")["listviews"] if v["label"] == name]
    described = box.get(f"/sobjects/Lead/listviews/{summary['id']}/describe")
    assert (described["id"], described["sobjectType"]) == (view.id, "Lead")
    found = box.get("/query", q=described["query"])["records"]
    assert sorted(record["Id"] for record in found) == sorted(ids)
    assert described["columns"][0]["fieldNameOrPath"] == "Name"


def test_a_list_view_gives_its_records_page_by_page(box: Sandbox, made: Made) -> None:
    view, ids = made[LIST_VIEW, "All of them"]
    seen: list[str] = []
    done = False
    while not done:
        at = f"/sobjects/Lead/listviews/{view.id}/results"
        page = box.get(at, limit="9", offset=str(len(seen)))
        rows = [{c["fieldNameOrPath"]: c["value"] for c in r["columns"]} for r in page["records"]]
        seen += [row["Id"] for row in rows]
        done = page["done"]
    assert seen == ids


@pytest.mark.parametrize("name", [*LISTS, "Chosen"])
def test_a_report_has_a_row_for_each_of_its_records(box: Sandbox, made: Made, name: str) -> None:
    report, ids = made[REPORT, name]
    [summary] = [each for each in box.get("/analytics/reports") if each["name"] == name]
    described = box.get(f"/analytics/reports/{summary['id']}/describe")["reportMetadata"]
    assert (described["reportType"]["type"], described["reportFormat"]) == ("LeadList", "TABULAR")
    whole = box.get(f"/analytics/reports/{report.id}", includeDetails="true")
    at = described["detailColumns"].index("LEAD_ID")
    rows = whole["factMap"]["T!T"]["rows"]
    assert [row["dataCells"][at]["value"] for row in rows] == ids
    assert (whole["allData"], whole["attributes"]["reportName"]) == (True, name)
    plain = box.get(f"/analytics/reports/{report.id}")["factMap"]["T!T"]
    assert plain == {"aggregates": [{"label": str(len(ids)), "value": len(ids)}]}


def test_a_report_is_filtered_on_demand_and_run_in_the_background(box: Sandbox, made: Made) -> None:
    report, ids = made[REPORT, "All of them"]
    column = {"column": "COMPANY", "operator": "contains", "value": "INC, corp"}
    body = {"reportMetadata": {"reportFilters": [column]}}
    at = f"/analytics/reports/{report.id}"
    kept = box.post(f"{at}?includeDetails=true", body)["factMap"]["T!T"]
    condition = "Company LIKE '%inc%' OR Company LIKE '%corp%'"
    wanted = box.get("/query", q=f"SELECT Id FROM Lead WHERE {condition}")["records"]
    assert 0 < len(wanted) < len(ids)
    assert sorted(row["dataCells"][-1]["value"] for row in kept["rows"]) == sorted(
        record["Id"] for record in wanted
    )
    column["operator"] = "notContain"
    others = box.post(at, body)["factMap"]["T!T"]["aggregates"][0]["value"]
    assert others == len(ids) - len(wanted)
    begun = box.ask("POST", f"{at}/instances").json()
    assert begun["id"] in [each["id"] for each in box.get(f"{at}/instances")]
    result = box.get(f"{at}/instances/{begun['id']}")
    assert result["attributes"]["status"] == "Success"
    assert result["factMap"]["T!T"]["aggregates"][0]["value"] == len(ids)


def test_a_report_is_made_after_another_one_and_deleted(box: Sandbox, made: Made) -> None:
    report, ids = made[REPORT, "Odd"]
    body = {"reportMetadata": {"name": "Odder"}}
    copy = box.post(f"/analytics/reports?cloneId={report.id}", body)["reportMetadata"]
    at = f"/analytics/reports/{copy['id']}"
    assert copy["id"] != report.id
    assert box.get(at)["factMap"]["T!T"]["aggregates"][0]["value"] == len(ids)
    again = box.ask("POST", f"/analytics/reports?cloneId={report.id}", json=body)
    assert again.json()[0]["errorCode"] == "BAD_REQUEST"
    assert box.ask("DELETE", at).status_code == 204
    assert box.ask("GET", f"{at}/describe").status_code == 404


@pytest.mark.parametrize("kind", [REPORT, LIST_VIEW])
def test_a_list_is_explained_by_its_query(box: Sandbox, made: Made, kind: str) -> None:
    listing, ids = made[kind, "Open"]
    [plan] = box.get("/query", explain=listing.id)["plans"]
    assert (plan["sobjectType"], plan["cardinality"]) == ("Lead", len(ids))


@pytest.mark.parametrize(
    "path",
    [
        "/analytics/reports/00OCw0000000099",
        "/sobjects/Lead/listviews/00BCw0000000099/results",
        "/sobjects/Foo/listviews",
    ],
)
def test_a_list_that_is_not_there_is_not_found(box: Sandbox, path: str) -> None:
    answer = box.ask("GET", path)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


# -- searches ---------------------------------------------------------------------------------


def found(box: Sandbox, text: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = box.get("/search", q=text)["searchRecords"]
    return records


def test_a_search_finds_whole_words_in_any_case(box: Sandbox) -> None:
    text = "FIND {BERTHA boxer} IN ALL FIELDS RETURNING Lead(Id, Name), Contact"
    [lead] = found(box, text)
    assert (lead["attributes"]["type"], lead["Name"]) == ("Lead", "Bertha Boxer")
    assert found(box, "FIND {berth} RETURNING Lead") == []
    assert [each["Id"] for each in found(box, "FIND {berth*} RETURNING Lead")] == [lead["Id"]]
    everywhere = [r["Id"] for r in found(box, "FIND {bertha AND boxer}")]
    assert everywhere == [lead["Id"]]


def test_a_search_is_narrowed_by_fields_conditions_and_limits(box: Sandbox) -> None:
    contacts = "FIND {edge} IN EMAIL FIELDS RETURNING Contact(LastName WHERE LastName LIKE 'F%')"
    assert [each["LastName"] for each in found(box, contacts)] == ["Forbes"]
    assert found(box, contacts.replace("EMAIL", "PHONE")) == []
    both = "FIND {gonzalez OR forbes} RETURNING Contact(LastName ORDER BY LastName LIMIT 5) LIMIT 1"
    assert [each["LastName"] for each in found(box, both)] == ["Forbes"]


def test_a_search_by_parameters_finds_the_same(box: Sandbox) -> None:
    [lead] = found(box, "FIND {bertha} RETURNING Lead(Id, Name)")
    asked = {"q": "bertha", "sobject": "Lead", "Lead.fields": "id,name"}
    assert box.get("/parameterizedSearch", **asked)["searchRecords"] == [lead]
    body = {"q": "Bertha", "sobjects": [{"name": "Lead", "fields": ["Id", "Name"], "limit": 3}]}
    assert box.post("/parameterizedSearch", body)["searchRecords"] == [lead]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FIND bertha", "MALFORMED_SEARCH"),
        ("FIND {b} RETURNING Lead", "MALFORMED_SEARCH"),
        ("FIND {bertha} RETURNING", "MALFORMED_SEARCH"),
        ("FIND {bertha} RETURNING Lead(Id", "MALFORMED_SEARCH"),
        ("FIND {bertha} IN SOME FIELDS", "MALFORMED_SEARCH"),
        ("FIND {bertha} RETURNING Foo", "INVALID_TYPE"),
        ("FIND {nobody} RETURNING Lead(Foo)", "INVALID_FIELD"),
    ],
)
def test_a_search_that_cannot_be_read_is_refused(box: Sandbox, text: str, code: str) -> None:
    answer = box.ask("GET", "/search", params={"q": text})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
