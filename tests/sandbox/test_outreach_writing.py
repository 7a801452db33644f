"""Creates, updates and deletes: what they answer, and all that they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dsl.schema import Side
from engine.stores.local import open_org
from tests.sandbox.outreach_client import MEDIA_TYPE, Client, errors, outreach, resource


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("org") / "outreach.db"


@pytest.fixture(scope="module")
def client(org: Path) -> Iterator[Client]:
    with outreach(org) as found:
        found.make("account", name="A")
        found.make("prospect", firstName="Al", emails=["al@example.com"])
        found.make("user", email="u@example.com", firstName="U", lastName="V")
        yield found


def test_a_record_is_made_changed_and_deleted(client: Client, org: Path) -> None:
    values = {"firstName": "Bo", "emails": ["Bo@example.com"], "custom7": "x", "tags": ["t"]}
    answer = client.ask("POST", "prospects", resource("prospect", values, {"account": 1}))
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    made = answer.json()["data"]
    assert {name: made["attributes"][name] for name in values} == values
    assert made["attributes"]["createdAt"] == made["attributes"]["updatedAt"]
    assert made["relationships"]["account"] == {"data": {"type": "account", "id": 1}}
    record = made["id"]
    changed = client.change("prospect", record, lastName="Do", custom7=None)
    assert changed["attributes"]["name"] == "Bo Do"
    assert changed["attributes"]["custom7"] is None
    assert changed["attributes"]["tags"] == ["t"]
    assert changed["attributes"]["updatedAt"] > made["attributes"]["updatedAt"]
    here = open_org(Side.OUTREACH, org)
    kept = here.get("prospect", record)
    here.close()
    assert kept is not None
    assert kept["attributes"]["lastName"] == "Do"
    deleted = client.ask("DELETE", f"prospects/{record}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert client.ask(method, f"prospects/{record}").status_code == 404
    gone = client.ask("PATCH", f"prospects/{record}", resource("prospect", {}, record=record))
    assert gone.status_code == 404


REFUSED: list[tuple[str, str, Any, int, list[tuple[str, str]]]] = [
    ("POST", "prospects", {"type": "account"}, 409, [("conflict", "/data/type")]),
    ("POST", "prospects", {"type": 5}, 422, [("validationError", "/data/type")]),
    ("POST", "prospects", {"id": 7}, 422, [("validationError", "/data/id")]),
    ("PATCH", "prospects/1", {"id": None}, 409, [("conflict", "/data/id")]),
    ("PATCH", "prospects/1", {"id": 2}, 409, [("conflict", "/data/id")]),
    ("PATCH", "prospects/1", {}, 422, [("validationError", "/data/id")]),
    ("POST", "prospects", {"attributes": []}, 422, [("validationError", "/data/attributes")]),
    ("POST", "prospects", {"more": 1}, 422, [("validationError", "/data/more")]),
    (
        "POST",
        "prospects",
        {"attributes": {"nick~/name": "x"}},
        422,
        [("validationError", "/data/attributes/nick~0~1name")],
    ),
    (
        "POST",
        "prospects",
        {"attributes": {"name": "Al"}},
        422,
        [("validationError", "/data/attributes/name")],
    ),
    (
        "POST",
        "prospects",
        {"attributes": {"createdAt": "2024-01-01T00:00:00Z"}},
        422,
        [("validationError", "/data/attributes/createdAt")],
    ),
    (
        "POST",
        "prospects",
        {"attributes": {"firstName": 5}},
        422,
        [("validationError", "/data/attributes/firstName")],
    ),
    (
        "POST",
        "prospects",
        {"attributes": {"title": "x" * 256}},
        422,
        [("validationError", "/data/attributes/title")],
    ),
    (
        "POST",
        "prospects",
        {"attributes": {"emails": ["nobody"]}},
        422,
        [("validationError", "/data/attributes/emails")],
    ),
    (
        "POST",
        "prospects",
        {"attributes": {"emails": ["AL@example.com"]}},
        422,
        [("validationError", "/data")],
    ),
    (
        "POST",
        "opportunities",
        {"type": "opportunity", "attributes": {"name": "x"}},
        422,
        [
            ("validationError", "/data/attributes/closeDate"),
            ("validationError", "/data/relationships/opportunityStage"),
        ],
    ),
    (
        "POST",
        "prospects",
        {"attributes": {"account": 1}},
        422,
        [("validationError", "/data/relationships/account")],
    ),
    (
        "POST",
        "prospects",
        {"relationships": {"firstName": {"data": None}}},
        422,
        [("validationError", "/data/relationships/firstName")],
    ),
    (
        "POST",
        "prospects",
        {"relationships": {"account": {"data": {"type": "user", "id": 1}}}},
        422,
        [("validationError", "/data/relationships/account/data/type")],
    ),
    (
        "POST",
        "prospects",
        {"relationships": {"account": {"data": {"type": "account", "id": "one"}}}},
        422,
        [("validationError", "/data/relationships/account/data/id")],
    ),
    (
        "POST",
        "prospects",
        {"relationships": {"account": {"data": {"type": "account", "id": "9" * 5000}}}},
        422,
        [("validationError", "/data/relationships/account/data/id")],
    ),
    (
        "POST",
        "prospects",
        {"relationships": {"account": {"data": {"type": "account", "id": 99}}}},
        422,
        [("validationError", "/data/relationships/account")],
    ),
    (
        "POST",
        "prospects",
        {"relationships": {"account": 1}},
        422,
        [("validationError", "/data/relationships/account")],
    ),
    (
        "POST",
        "prospects",
        {"relationships": {"updater": {"data": {"type": "user", "id": 1}}}},
        422,
        [("validationError", "/data/relationships/updater")],
    ),
    (
        "PATCH",
        "accounts/1",
        {"type": "account", "id": 1, "attributes": {"name": None}},
        422,
        [("validationError", "/data/attributes/name")],
    ),
    (
        "PATCH",
        "tasks/1",
        {"type": "task", "id": 1, "attributes": {"state": "complete"}},
        422,
        [("validationError", "/data/attributes/state")],
    ),
]


@pytest.mark.parametrize(("method", "path", "data", "status", "found"), REFUSED)
def test_a_document_that_does_not_fit_is_refused(
    client: Client,
    method: str,
    path: str,
    data: dict[str, Any],
    status: int,
    found: list[tuple[str, str]],
) -> None:
    if path == "tasks/1" and not client.get("tasks")["data"]:
        client.make("task", action="call")
    answer = client.ask(method, path, {"data": {"type": "prospect"} | data})
    assert answer.status_code == status, answer.text
    assert errors(answer) == found


def test_refusals_speak_the_words_of_the_vendor(client: Client) -> None:
    taken = client.ask("POST", "prospects", resource("prospect", {"emails": ["al@example.com"]}))
    [error] = taken.json()["errors"]
    assert error["detail"] == "Contacts email hash has already been taken."
    assert error["title"] == "Validation Error"
    blank = client.ask("POST", "accounts", resource("account", {}))
    [error] = blank.json()["errors"]
    assert error["detail"] == "Name can't be blank."
    assert error["source"] == {"pointer": "/data/attributes/name"}
    same = {"email": "U@example.com", "firstName": "x", "lastName": "y"}
    [error] = client.ask("POST", "users", resource("user", same)).json()["errors"]
    assert error["detail"] == "Email has already been taken."


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "", "application/x-www-form-urlencoded"]
)
def test_a_body_of_another_media_type_is_refused(client: Client, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = client.session.post(f"{client.api}/prospects", b"{}", headers=headers, timeout=60)
    assert answer.status_code == 415
    assert errors(answer) == [("unsupportedMediaType", "")]
    assert answer.json()["errors"][0]["details"].endswith("'application/vnd.api+json'.")


def test_the_media_type_may_have_parameters_and_the_body_come_in_chunks(client: Client) -> None:
    headers = {"Content-Type": f"{MEDIA_TYPE}; charset=utf-8"}
    chunks = iter([b'{"data": {"type": "prospect", ', b'"attributes": {"firstName": "Ch"}}}'])
    answer = client.session.post(f"{client.api}/prospects", chunks, headers=headers, timeout=60)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'"x"', b'{"data": []}', b"\xff", b"[" * 99_999]
)
def test_a_body_that_is_no_document_is_refused(client: Client, body: bytes) -> None:
    headers = {"Content-Type": MEDIA_TYPE}
    answer = client.session.post(f"{client.api}/prospects", body, headers=headers, timeout=60)
    assert answer.status_code in (400, 422)
    assert errors(answer)


def test_nothing_is_included_with_a_write(client: Client) -> None:
    document = resource("prospect", {"firstName": "X"})
    answer = client.ask("POST", "prospects?include=account", document)
    assert answer.status_code == 422
    assert errors(answer) == [("validationError", "include")]


def test_a_method_that_an_address_has_not_is_refused(client: Client) -> None:
    for method, path, allowed in [
        ("PUT", "prospects/1", "GET, PATCH, DELETE"),
        ("DELETE", "prospects", "GET, POST"),
        ("POST", "events", "GET"),
        ("POST", "types", "GET"),
    ]:
        answer = client.ask(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def test_a_task_about_a_prospect_is_that_prospects_task(client: Client) -> None:
    data = {
        "type": "task",
        "attributes": {"action": "call"},
        "relationships": {"subject": {"data": {"type": "prospect", "id": 1}}},
    }
    made = client.ask("POST", "tasks", {"data": data}).json()["data"]
    assert made["attributes"]["state"] == "incomplete"
    assert made["relationships"]["subject"]["data"] == {"type": "prospect", "id": 1}
    assert made["relationships"]["prospect"]["data"] == {"type": "prospect", "id": 1}
    data["relationships"]["subject"]["data"] = {"type": "account", "id": 1}  # type: ignore[index]
    made = client.ask("POST", "tasks", {"data": data}).json()["data"]
    assert made["relationships"]["subject"]["data"] == {"type": "account", "id": 1}


def test_requests_are_counted_with_everybodys_and_end_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "outreach.db"
    org = open_org(Side.OUTREACH, path)
    org.create("stage", {"name": "S"})
    org.close()
    with outreach(path, hourly_limit=4) as client:
        left = []
        for _ in range(3):
            answer = client.ask("GET", "stages")
            left.append(answer.headers["X-RateLimit-Remaining"])
        assert left == ["3", "2", "1"]
        assert answer.headers["X-RateLimit-Limit"] == "4"
        assert client.ask("GET", "stages").status_code == 200
        over = client.ask("GET", "stages")
        assert over.status_code == 429
        assert errors(over) == [("rateLimitExceeded", "")]
        assert 0 < int(over.headers["Retry-After"]) <= 3600
        assert int(over.headers["X-RateLimit-Reset"]) % 3600 == 0
    org = open_org(Side.OUTREACH, path)
    assert org.usage().used == 4
    org.close()
