"""The description of the Outreach sandbox, and that the server is as it is described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.outreach_client import Client, outreach


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with outreach(tmp_path_factory.mktemp("org") / "outreach.db") as found:
        yield found


@pytest.fixture(scope="module")
def described(client: Client) -> dict[str, Any]:
    answer = requests.get(f"{client.url}/openapi.json", timeout=60)
    assert answer.status_code == 200
    same = requests.get(f"{client.api}/schema/openapi.json", timeout=60)
    assert same.json() == answer.json()
    found: dict[str, Any] = answer.json()
    return found


def test_every_described_operation_is_there(client: Client, described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for method in operations:
            answer = client.ask(method.upper(), path.strip("/").format(id=999))
            assert answer.status_code in (200, 204, 400, 404, 422), (method, path)
            if answer.status_code == 404:  # of a record, not of an address
                assert "'999'" in answer.text


def test_every_address_of_the_root_is_described(client: Client, described: dict[str, Any]) -> None:
    links = client.get("")["links"]
    known = set(described["paths"])
    assert {f"/{name}" for name in links if name != "self"} <= known


def test_references_of_the_description_lead_somewhere(described: dict[str, Any]) -> None:
    known = described["components"]["schemas"]
    wanted: set[str] = set()

    def look(part: Any) -> None:
        if isinstance(part, dict):
            if "$ref" in part:
                wanted.add(part["$ref"].rpartition("/")[2])
            part = list(part.values())
        if isinstance(part, list):
            for each in part:
                look(each)

    look(described["paths"])
    look(known)
    assert wanted == set(known)


def test_all_that_answers_have_is_described(client: Client, described: dict[str, Any]) -> None:
    client.make("account", name="A")
    client.make("prospect", {"account": 1}, firstName="Al")
    schemas = described["components"]["schemas"]
    for name, path in (("account", "accounts/1"), ("prospect", "prospects/1")):
        data = client.get(path)["data"]
        schema = schemas[name]["properties"]
        for part in ("attributes", "relationships"):
            assert set(data[part]) == set(schema[part]["properties"])
        assert set(data) == set(schema)
