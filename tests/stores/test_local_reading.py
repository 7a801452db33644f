"""Rows out of local orgs: scans under writes, fetch, find and dotted paths."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.schema import Side
from engine.model import Cursor, Write
from engine.ports import StoreError
from engine.stores.local import SAMPLE, LocalOrg, load, open_org
from tests.stores.orgs import MEMORY, O, S, org_of, rows, write


@pytest.fixture
def sample() -> Iterator[LocalOrg]:
    org, _ = org_of(S)
    load(org, SAMPLE / "salesforce")
    yield org
    org.close()


def make(org: LocalOrg, text: str) -> Any:
    if org.side is S:
        return write(org, "Lead", LastName=text or "x", Company="C").id
    return write(org, "prospect", lastName=text).id


@settings(max_examples=40, deadline=None)
@given(
    side=st.sampled_from([S, O]),
    first=st.integers(0, 12),
    steps=st.lists(
        st.tuples(st.sampled_from(["make", "edit", "delete", "wait"]), st.integers(0, 50)),
        max_size=25,
    ),
    size=st.integers(1, 4),
)
def test_a_scan_under_writes_sees_everything_in_order(
    side: Side, first: int, steps: list[tuple[str, int]], size: int
) -> None:
    org, clock = org_of(side)
    org.page_size = size
    type_name, name = ("Lead", "LastName") if side is S else ("prospect", "lastName")
    alive = [make(org, f"n{i}") for i in range(first)]
    clock.move(1)
    seen: dict[Any, tuple[Any, ...]] = {}
    places = []
    waiting = iter(steps)
    for page in org.scan(type_name, [name], None):
        assert len(page.rows) <= size
        places += [(row[1], row[0]) for row in page.rows]
        seen |= {row[0]: row for row in page.rows}
        for act, number in [next(waiting, ("wait", 0)) for _ in range(2)]:
            clock.move(1 if act == "wait" else 0)
            if act == "make" and len(alive) < 30:
                alive.append(make(org, f"m{number}"))
            elif act == "edit" and alive:
                write(org, type_name, alive[number % len(alive)], **{name: f"e{number}"})
            elif act == "delete" and alive:
                org.delete(type_name, alive.pop(number % len(alive)))
        last = page
    assert last.done
    assert places == sorted(set(places))
    # What was written into the time that had been read already, a scan from the horizon sees.
    horizon = Cursor(last.last.stamp, "" if side is S else 0)
    seen |= {row[0]: row for page in org.scan(type_name, [name], horizon) for row in page.rows}
    assert {i: seen[i][2] for i in alive} == dict(rows(org, type_name, name))
    org.close()


def test_pages_are_calls_and_one_is_always_there(sample: LocalOrg) -> None:
    assert [page.done for page in sample.scan("Task", ["Subject"], None)] == [True]
    assert sample.calls == 1
    sample.page_size = 10
    pages = list(sample.scan("Lead", ["Name"], None))
    assert [len(p.rows) for p in pages] == [10, 10, 2]
    assert sample.calls == 4
    sample.fetch("Lead", ["Name"], [row[0] for p in pages for row in p.rows])
    assert sample.calls == 7
    sample.find("Lead", ["Name"], ["Email"], [(f"{i}@x.co",) for i in range(201)])
    assert sample.calls == 9


def test_the_cursor_is_exclusive_and_empty_before_the_first_record(sample: LocalOrg) -> None:
    [page] = sample.scan("Contact", ["Name"], None)
    assert page.last == Cursor(page.rows[-1][1], page.rows[-1][0])
    [rest] = sample.scan("Contact", ["Name"], Cursor(*reversed(page.rows[4][:2])))
    assert rest.rows == page.rows[5:]
    [none] = sample.scan("Task", [], None)
    assert none.last == Cursor("", "")


@pytest.mark.parametrize("side", [S, O])
def test_deleted_ids_are_gone_from_their_stamp_on(side: Side) -> None:
    org, clock = org_of(side)
    type_name = "Lead" if side is S else "prospect"
    record = make(org, "a")
    before = org.now()
    clock.move(5)
    org.delete(type_name, record)
    first = "" if side is S else 0
    [page] = org.scan(type_name, [], Cursor(before, first))
    assert (page.rows, page.gone) == ([], [record])
    clock.move(5)
    [later] = org.scan(type_name, [], Cursor(org.now(), first))
    assert later.gone == []
    [whole] = org.scan(type_name, [], None)
    assert whole.gone == []


def test_values_have_their_types(sample: LocalOrg) -> None:
    fields = ["IsConverted", "AnnualRevenue", "Address", "Email", "MobilePhone"]
    [row] = sample.fetch("Lead", fields, ["00Q3z00001AmqLY"])
    assert row[:2] == ("00Q3z00001AmqLYEAZ", "2023-05-03T10:37:48.000Z")
    assert row[2] is False
    assert row[3:4] + row[5:] == (900750000, "bertha@fcof.net", None)
    assert row[4]["city"] == "Tallahassee"


def test_dotted_paths_read_through_references(sample: LocalOrg) -> None:
    queue = write(sample, "Group", Name="Inbound", Type="Queue").id
    record = write(sample, "Lead", LastName="Q", Company="C", OwnerId=queue).id
    [row] = sample.fetch("Lead", ["Owner.Name", "Owner.Id"], [str(record)])
    assert row[2:] == ("Inbound", queue)
    found = sample.find(
        "Contact", ["Account.Name", "Account.Owner.Id"], ["Email"], [("rose@edge.com",)]
    )
    assert found[0][2:] == ("Edge Communications", "0055i000007S72zAAC")
    by_path = sample.find("Contact", ["LastName"], ["Account.Name"], [("EDGE communications ",)])
    assert {row[2] for row in by_path} == {"Gonzalez", "Forbes"}


def test_outreach_paths_and_sequences() -> None:
    org, _ = org_of(O)
    stage = write(org, "stage", name="Working").id
    user = write(org, "user", firstName="Ann", lastName="Lee", email="ann@x.co").id
    prospect = write(org, "prospect", stage=stage, owner=user, emails=["a@b.co"]).id
    fields = ["stage.name", "owner.email", "owner.name", "account.name", "sequence.name", "stage"]
    [row] = org.fetch("prospect", fields, [prospect or 0])
    assert row[2:] == ("Working", "ann@x.co", "Ann Lee", None, None, stage)
    org.close()


def test_an_unknown_field_or_type_is_told(sample: LocalOrg) -> None:
    with pytest.raises(StoreError, match="did you mean `FirstName`"):
        list(sample.scan("Lead", ["FristName"], None))
    with pytest.raises(StoreError, match="no relationship `Ownr`"):
        sample.fetch("Lead", ["Ownr.Name"], [""])
    with pytest.raises(StoreError, match="did you mean `Lead`"):
        sample.fetch("Leads", ["Name"], [""])


WORDS = st.sampled_from(["ann", "Ann ", " ANN", "straße", "STRASSE", "", "bob", "b", None])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(WORDS, WORDS), max_size=12), st.lists(st.tuples(WORDS, WORDS), max_size=4)
)
def test_find_is_what_a_look_at_every_record_finds(
    people: list[tuple[Any, Any]], wanted: list[tuple[Any, Any]]
) -> None:
    org = open_org(O, MEMORY)
    fields = ("firstName", "title")
    org.write("prospect", [Write(None, dict(zip(fields, p, strict=True))) for p in people])

    def fold(value: Any) -> Any:
        return value.strip().casefold() if value else None

    everyone = rows(org, "prospect", *fields)
    one = {r[0] for r in everyone if fold(r[1]) and fold(r[1]) in {fold(w[0]) for w in wanted}}
    assert {r[0] for r in org.find("prospect", [], ["firstName"], [(w[0],) for w in wanted])} == one
    pairs = {tuple(map(fold, w)) for w in wanted}
    both = {r[0] for r in everyone if all(map(fold, r[1:])) and tuple(map(fold, r[1:])) in pairs}
    assert {r[0] for r in org.find("prospect", [], fields, wanted)} == both
    org.close()


def test_find_in_a_large_org_goes_by_an_index_that_keeps_up() -> None:
    org = open_org(O, MEMORY)
    made = org.write(
        "prospect",
        [Write(None, {"lastName": f"N{i}", "workPhones": [f"{i}", "x"]}) for i in range(600)],
    )
    for key in ("lastName", "workPhones"):
        text = "n7" if key == "lastName" else "7"
        assert [r[0] for r in org.find("prospect", [], [key], [(text,)])] == [made[7].id]
    write(org, "prospect", made[7].id, lastName="Other", workPhones=["new"])
    new = write(org, "prospect", lastName="n7", workPhones=["7"]).id
    assert [r[0] for r in org.find("prospect", [], ["lastName"], [("N7 ",)])] == [new]
    assert [r[0] for r in org.find("prospect", [], ["workPhones"], [("7",)])] == [new]
    assert [r[0] for r in org.find("prospect", [], ["workPhones"], [("NEW",)])] == [made[7].id]
    plan = org.file.rows(
        'EXPLAIN QUERY PLAN SELECT 1 FROM prospect WHERE folded("lastName") IN'
        " (SELECT value FROM json_each('[]'))"
    )
    assert any("prospect by lastName" in row[3] for row in plan)
    org.close()


def test_a_reader_and_a_writer_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    one, two = open_org(O, path), open_org(O, path)
    made = write(one, "prospect", emails=["a@b.co"])
    assert rows(two, "prospect", "emails") == [(made.id, ["a@b.co"])]
    assert write(two, "prospect", emails=["A@B.co"]).code == "validationError"
    assert write(two, "prospect", emails=["c@b.co"]).id == 2
    one.close()
    two.close()


def test_a_prospects_current_sequence_is_its_latest_that_runs(tmp_path: Path) -> None:
    def resource(type_name: str, number: int, attributes: Any, **to: int) -> dict[str, Any]:
        related = {n: {"data": {"type": n, "id": i}} for n, i in to.items()}
        shape = {"type": type_name, "id": number, "attributes": attributes}
        return {**shape, "relationships": related}

    files = {
        "prospect": [resource("prospect", i, {}) for i in (1, 2)],
        "sequence": [resource("sequence", i, {"name": f"S{i}"}) for i in (1, 2, 3)],
        "sequenceStep": [resource("sequenceStep", 5, {"order": 4, "stepType": "call"})],
        "sequenceState": [
            resource("sequenceState", 1, {"state": "paused"}, prospect=1, sequence=1),
            resource(
                "sequenceState", 2, {"state": "active"}, prospect=1, sequence=2, sequenceStep=5
            ),
            resource("sequenceState", 3, {"state": "finished"}, prospect=1, sequence=3),
        ],
        "task": [resource("task", 1, {"dueAt": "2026-05-01T00:00:00.000Z"}, sequenceState=2)],
    }
    for name, resources in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(resources))
    org = open_org(O, MEMORY)
    load(org, tmp_path)
    words = ("id", "name", "status", "active", "step_number", "step_type", "task_due")
    fields = [f"sequence.{word}" for word in words]
    due = "2026-05-01T00:00:00.000Z"
    assert rows(org, "prospect", *fields, "sequence.user_salesforce_id") == [
        (1, 2, "S2", "active", True, 4, "call", due, None),
        (2, None, None, None, False, None, None, None, None),
    ]
    org.close()


def test_a_loaded_custom_field_can_be_read(tmp_path: Path) -> None:
    record = {"Id": "001000000000001AAA", "Name": "A", "Rating__c": "Hot"}
    (tmp_path / "Account.json").write_text(json.dumps([record]))
    org = open_org(S, MEMORY)
    load(org, tmp_path)
    assert rows(org, "Account", "Rating__c", "Other__c") == [(record["Id"], "Hot", None)]
    assert org.fetch("Account", [], ["half \ud800", record["Id"]])[0][0] == record["Id"]
    org.close()
