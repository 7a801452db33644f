"""What the local Outreach org takes, fills in, stamps and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.model import Outcome, Write
from engine.ports import StoreError
from engine.stores.local import LocalOrg, Refused
from engine.stores.local.acts import typed_values
from tests.stores.orgs import Clock, O, org_of, rows, write


@pytest.fixture
def at() -> Iterator[tuple[LocalOrg, Clock]]:
    org, clock = org_of(O)
    org.create("prospect", {"firstName": "Rose", "emails": ["Rose@edge.com"]})
    yield org, clock
    org.close()


@pytest.fixture
def org(at: tuple[LocalOrg, Clock]) -> LocalOrg:
    return at[0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"fristName": "x"}, "not an attribute or relationship"),
        ({"name": "x"}, "read-only"),
        ({"updatedAt": "2020-01-01T00:00:00Z"}, "read-only"),
        ({"title": "x" * 256}, "longer than 255"),
        ({"emails": ["x"]}, "no e-mail address"),
        ({"emails": "a@b.co"}, "not a list"),
        ({"optedOut": 1}, "not true or false"),
        ({"score": "5"}, "not a number"),
        ({"linkedInConnections": 5.5}, "not a whole number"),
        ({"linkedInConnections": 2**63}, "out of range"),
        ({"dateOfBirth": "2024-02-30"}, "not a date"),
        ({"stage": 7}, "there is no stage of id 7"),
        ({"stage": "Working"}, "not an id"),
        ({"assignedUsers": [1]}, "there is no user of id 1"),
        ({"sequenceStates": [1]}, "read-only"),
        ({"firstName": 5}, "not text"),
    ],
)
def test_a_write_is_refused(org: LocalOrg, values: dict[str, Any], words: str) -> None:
    before = org.get("prospect", 1)
    for record in (None, 1):
        result = write(org, "prospect", record, **values)
        assert (result.outcome, result.code) == (Outcome.REFUSED, "validationError")
        assert words in result.message
    assert org.get("prospect", 1) == before
    assert len(rows(org, "prospect")) == 1


def test_an_e_mail_belongs_to_one_prospect_whatever_its_case(org: LocalOrg) -> None:
    taken = write(org, "prospect", emails=["new@edge.com", " rose@EDGE.com"[1:]])
    assert taken.message == "'emails': rose@edge.com has already been taken by prospect 1"
    second = write(org, "prospect", emails=["two@edge.com"]).id
    assert write(org, "prospect", second, emails=["rose@edge.com"]).code == "validationError"
    assert write(org, "prospect", 1, emails=["ROSE@edge.com", "r@edge.com"]).code == ""
    swap = [Write(1, {"emails": ["free@edge.com"]}), Write(second, {"emails": ["rose@edge.com"]})]
    assert [r.outcome for r in org.write("prospect", swap)] == [Outcome.DONE] * 2
    org.delete("prospect", second or 0)
    assert write(org, "prospect", emails=["rose@edge.com"]).code == ""


def test_an_e_mail_given_twice_in_one_batch_is_taken_once(org: LocalOrg) -> None:
    calls = org.calls
    writes = [Write(None, {"emails": [e]}) for e in ("a@x.co", "A@x.co", "b@x.co")]
    results = org.write("prospect", writes)
    assert [r.outcome for r in results] == [Outcome.DONE, Outcome.REFUSED, Outcome.DONE]
    assert "prospect 2" in results[1].message
    assert org.calls - calls == 3


def test_names_of_stages_and_e_mails_of_users_are_unique(org: LocalOrg) -> None:
    assert write(org, "stage", name="Open").code == ""
    assert write(org, "stage", name="open ").code == "validationError"
    person = {"firstName": "A", "lastName": "B", "email": "a@b.co"}
    assert write(org, "user", **person).code == ""
    assert "user 1" in write(org, "user", **person).message
    assert "can't be blank" in write(org, "user", email="x@y.co").message
    assert "can't be blank" in write(org, "stage", 1, name="").message


def test_a_create_is_filled_in_and_stamped(at: tuple[LocalOrg, Clock]) -> None:
    org, clock = at
    stage = org.create("stage", {"name": "Open"})
    record = org.create("prospect", {"firstName": "Ann", "lastName": "Lee", "stage": stage})
    shape = org.get("prospect", record)
    assert shape is not None
    assert (shape["type"], shape["id"]) == ("prospect", 2)
    made = shape["attributes"]
    assert (made["name"], made["emails"], made["optedOut"]) == ("Ann Lee", [], False)
    assert made["createdAt"] == made["updatedAt"] == "2026-03-01T12:00:00.250Z"
    assert shape["relationships"]["stage"] == {"data": {"type": "stage", "id": stage}}
    assert shape["relationships"]["owner"] == {"data": None}
    clock.move(0.5)
    org.edit("prospect", record, {})
    [row] = org.fetch("prospect", ["updatedAt", "createdAt"], [record])
    assert row[1:] == ("2026-03-01T12:00:00.750Z", "2026-03-01T12:00:00.750Z", made["createdAt"])


def test_a_deleted_record_is_gone_and_its_id_is_not_used_again(org: LocalOrg) -> None:
    org.delete("prospect", 1)
    assert org.get("prospect", 1) is None
    result = write(org, "prospect", 1, title="x")
    assert (result.outcome, result.code) == (Outcome.GONE, "resourceNotFound")
    assert org.create("prospect", {}) == 2


def test_users_name_what_they_refer_to(org: LocalOrg) -> None:
    type_ = org.describe("prospect")
    assert type_ is not None
    stage = org.create("stage", {"name": "Working"})
    user = org.create("user", {"firstName": "A", "lastName": "B", "email": "a@b.co"})
    texts = {"stage": "working", "owner": "A@b.co", "emails": "x@y.co", "tags": '["a", "b"]'}
    assert typed_values(org, type_, texts) == {
        "stage": stage,
        "owner": user,
        "emails": ["x@y.co"],
        "tags": ["a", "b"],
    }
    more = {"owner": "A B", "optedOut": "True", "score": "1.5", "stage": "", "emails": "", "x": "y"}
    assert typed_values(org, type_, more) == {
        "owner": user,
        "optedOut": True,
        "score": 1.5,
        "stage": None,
        "emails": [],
        "x": "y",
    }
    org.create("user", {"firstName": "A", "lastName": "B", "email": "c@b.co"})
    with pytest.raises(StoreError, match="several of type user"):
        typed_values(org, type_, {"owner": "A B"})
    with pytest.raises(StoreError, match="no stage goes by `Wroking`"):
        typed_values(org, type_, {"stage": "Wroking"})


def test_what_is_refused_is_raised_with_the_vendors_code(org: LocalOrg) -> None:
    with pytest.raises(Refused) as refused:
        org.edit("prospect", 99, {})
    assert refused.value.code == "resourceNotFound"
