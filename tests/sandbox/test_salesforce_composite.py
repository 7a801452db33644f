"""Many records, and many requests, in one call to the Salesforce sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.salesforce import DATA, Sandbox, sandbox

Json = Any


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox(tmp_path_factory.mktemp("composite") / "org.db") as made:
        yield made


def lead(**values: Any) -> Json:
    return {"attributes": {"type": "Lead"}, "LastName": "Ng", "Company": "Acme", **values}


def count(box: Sandbox, company: str) -> int:
    text = f"SELECT Id FROM Lead WHERE Company = '{company}'"
    return int(box.get("/query", q=text)["totalSize"])


def used(box: Sandbox) -> int:
    answer = box.ask("GET", "/limits")
    return int(answer.headers["Sforce-Limit-Info"].partition("=")[2].partition("/")[0])


# -- collections --------------------------------------------------------------------------------


def test_of_a_collection_each_record_stands_by_itself(box: Sandbox) -> None:
    records = [lead(Company="Half"), {"attributes": {"type": "Lead"}}, lead(Company="Half")]
    results = box.post("/composite/sobjects", {"records": records})
    assert [each["success"] for each in results] == [True, False, True]
    assert results[1]["errors"][0]["fields"] == ["LastName", "Company"]
    assert count(box, "Half") == 2


def test_all_or_none_takes_back_what_was_right(box: Sandbox) -> None:
    records = [lead(Company="None"), lead(Company=None)]
    results = box.post("/composite/sobjects", {"allOrNone": True, "records": records})
    codes = [each["errors"][0]["statusCode"] for each in results]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert count(box, "None") == 0


def test_a_collection_has_two_hundred_records_in_ten_chunks_at_most(box: Sandbox) -> None:
    answer = box.post("/composite/sobjects", {"records": [lead()] * 201})
    assert answer[0]["errorCode"] == "EXCEEDED_ID_LIMIT"
    task = {"attributes": {"type": "Task"}, "Subject": "Call"}
    answer = box.post("/composite/sobjects", {"records": [lead(Company="Mixed"), task] * 6})
    assert answer[0]["errorCode"] == "LIMIT_EXCEEDED"
    answer = box.post("/composite/sobjects", {"records": [lead(Company="Mixed"), task] * 5})
    assert all(each["success"] for each in answer)
    assert count(box, "Mixed") == 5


def test_records_are_changed_read_and_deleted_by_their_ids(box: Sandbox) -> None:
    made = box.post("/composite/sobjects", {"records": [lead(), lead()]})
    ids = [each["id"] for each in made]
    records = [{"attributes": {"type": "Lead"}, "id": each, "Title": "Boss"} for each in ids]
    answer = box.ask("PATCH", "/composite/sobjects", json={"records": records})
    assert answer.json() == [{"id": each, "success": True, "errors": []} for each in ids]
    wanted = [ids[1], f"{ids[0][:12]}zzz", ids[0]]
    listed = box.post("/composite/sobjects/Lead", {"ids": wanted, "fields": ["Title"]})
    assert [row and row["Title"] for row in listed] == ["Boss", None, "Boss"]
    assert box.get("/composite/sobjects/Lead", ids=",".join(wanted), fields="Title") == listed
    answer = box.ask("DELETE", "/composite/sobjects", params={"ids": ",".join([*ids, ids[0]])})
    assert [each["success"] for each in answer.json()] == [True, True, False]


def test_an_upsert_by_an_external_id_makes_or_changes(box: Sandbox) -> None:
    box.post("/sobjects/Lead", lead(Email="there@up.example"))
    for _ in range(2):
        box.post("/sobjects/Lead", lead(Email="two@up.example"))
    given = ["there@up.example", "new@up.example", "two@up.example", "x@up.example"]
    records = [lead(Email=each) for each in (*given, "X@up.example", None)]
    answer = box.ask("PATCH", "/composite/sobjects/Lead/Email", json={"records": records})
    found = [
        each["created"] if each["success"] else each["errors"][0]["statusCode"]
        for each in answer.json()
    ]
    twice = "DUPLICATE_VALUE"
    assert found == [False, True, "DUPLICATE_EXTERNAL_ID", twice, twice, "MISSING_ARGUMENT"]


# -- composite ----------------------------------------------------------------------------------


def part(name: str, method: str, path: str, body: Json = None) -> Json:
    return {"referenceId": name, "method": method, "url": DATA + path, "body": body}


def composite(box: Sandbox, parts: list[Json], **more: Any) -> Json:
    return box.post("/composite", {"compositeRequest": parts, **more})


def test_later_parts_refer_to_earlier_ones_and_all_are_one_call(box: Sandbox) -> None:
    before = used(box)
    people = [{"attributes": {"type": "Contact"}, "LastName": "Ng", "AccountId": "@{firm.id}"}]
    text = "SELECT+Account.Name+FROM+Contact+WHERE+Id='@{people[0].id}'"
    answer = composite(
        box,
        [
            part("firm", "POST", "/sobjects/Account", {"Name": "Acme"}),
            part("people", "POST", "/composite/sobjects", {"records": people}),
            part("found", "GET", f"/query?q={text}"),
            part("lost", "GET", "/sobjects/Account/@{nobody.id}"),
        ],
    )
    assert used(box) == before + 2
    firm, made, found, lost = answer["compositeResponse"]
    assert firm["httpHeaders"]["Location"] == f"{DATA}/sobjects/Account/{firm['body']['id']}"
    assert (firm["httpStatusCode"], made["body"][0]["success"]) == (201, True)
    assert found["body"]["records"][0]["Account"]["Name"] == "Acme"
    assert lost["body"][0]["errorCode"] == "PROCESSING_HALTED"


@pytest.mark.parametrize(
    ("company", "wrong"),
    [
        ("Whole", part("bad", "POST", "/sobjects/Lead", {"LastName": "Ng"})),
        # A collection's own wish is overridden by that of the whole.
        ("Every", part("bad", "POST", "/composite/sobjects", {"records": [lead(Company=None)]})),
    ],
)
def test_all_or_none_takes_back_every_part(box: Sandbox, company: str, wrong: Json) -> None:
    one = lead(Company=company)
    parts = [
        part("good", "POST", "/sobjects/Lead", one),
        part("many", "POST", "/composite/sobjects", {"records": [one]}),
        wrong,
        part("late", "POST", "/sobjects/Lead", one),
    ]
    answer = composite(box, parts, allOrNone=True)["compositeResponse"]
    assert [each["referenceId"] for each in answer] == ["good", "many", "bad", "late"]
    codes = [each["body"][0].get("errorCode") for each in answer]
    assert [code == "PROCESSING_HALTED" for code in codes] == [True, True, False, True]
    assert count(box, company) == 0
    composite(box, parts)
    assert count(box, company) == 3


def test_a_composite_has_twenty_five_parts_of_which_five_are_large(box: Sandbox) -> None:
    small = [part(f"n{at}", "GET", "/limits/recordCount") for at in range(26)]
    assert composite(box, small)[0]["errorCode"] == "LIMIT_EXCEEDED"
    assert len(composite(box, small[:25])["compositeResponse"]) == 25
    large = [part(f"n{at}", "GET", "/query?q=SELECT+Id+FROM+Lead") for at in range(6)]
    assert composite(box, large)[0]["errorCode"] == "INVALID_INPUT"
    assert len(composite(box, large[:5])["compositeResponse"]) == 5
    twice = composite(box, [small[0], small[0]])
    assert "twice" in twice[0]["message"]


def test_each_part_of_a_batch_is_a_call_of_its_own(box: Sandbox) -> None:
    before = used(box)
    requests = [
        {"method": "GET", "url": "v60.0/limits/recordCount?sObjects=Lead"},
        {"method": "POST", "url": "v60.0/sobjects/Lead", "richInput": {}},
        {"method": "GET", "url": "v60.0/sobjects"},
    ]
    answer = box.post("/composite/batch", {"batchRequests": requests})
    assert (answer["hasErrors"], used(box)) == (True, before + 4)
    assert [each["statusCode"] for each in answer["results"]] == [200, 400, 200]
    answer = box.post("/composite/batch", {"haltOnError": True, "batchRequests": requests})
    assert [each["statusCode"] for each in answer["results"]] == [200, 400, 412]


def test_each_graph_is_kept_or_not_by_itself(box: Sandbox) -> None:
    good = [part("a", "POST", "/sobjects/Lead", lead(Company="Graph"))]
    bad = [*good, part("b", "POST", "/sobjects/Lead", {})]
    graphs = [{"graphId": name, "compositeRequest": g} for name, g in (("1", good), ("2", bad))]
    answer = box.post("/composite/graph", {"graphs": graphs})["graphs"]
    assert {each["graphId"]: each["isSuccessful"] for each in answer} == {"1": True, "2": False}
    assert count(box, "Graph") == 1


def test_a_tree_is_planted_whole_or_not_at_all(box: Sandbox) -> None:
    def tree(last: str | None) -> Json:
        person = {"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": last}
        firm = {"attributes": {"type": "Account", "referenceId": "a"}, "Name": "Tree"}
        return {"records": [{**firm, "Contacts": {"records": [person]}}]}

    answer = box.post("/composite/tree/Account", tree(None))
    assert answer["hasErrors"] is True
    assert [each["referenceId"] for each in answer["results"]] == ["c"]
    text = "SELECT Id FROM Account WHERE Name = 'Tree'"
    assert box.get("/query", q=text)["totalSize"] == 0
    answer = box.post("/composite/tree/Account", tree("Ng"))
    ids = {each["referenceId"]: each["id"] for each in answer["results"]}
    assert box.get(f"/sobjects/Contact/{ids['c']}")["AccountId"] == ids["a"]
