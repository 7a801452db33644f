"""The HTTP API says what the command line says."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from engine.cli.main import main
from engine.web.table import ROUTES
from tests.web.served import Served
from tests.web.test_pages import csrf

SAME = {
    "/api/v1/status": ["status"],
    "/api/v1/links?limit=10000": ["links"],
    "/api/v1/log?limit=10000": ["log"],
    "/api/v1/activity": ["activity"],
    "/api/v1/limits": ["limits"],
    "/api/v1/review": ["review"],
    "/api/v1/graph": ["graph"],
}


@pytest.mark.parametrize("path", SAME)
def test_the_same_json_as_the_command_line(
    client: TestClient, service: Served, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    project = ["--project", str(service.config.root)]
    assert main([*project, *SAME[path], "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert client.get(path).json() == {"version": 1, **told}


def test_every_route_is_described(client: TestClient) -> None:
    told = client.get("/api/v1/openapi.json").json()
    described = {(m.upper(), path) for path, each in told["paths"].items() for m in each}
    assert described == {(e.method, e.path) for e in ROUTES if e.api}
    names = [op["operationId"] for each in told["paths"].values() for op in each.values()]
    assert len(set(names)) == len(names)


def test_a_run_is_asked_for_and_told(client: TestClient) -> None:
    headers = {"x-csrf-token": csrf(client, "/plan")}
    told = client.post("/api/v1/run", json={"type": "User"}, headers=headers).json()
    assert told["status"] == "done"
    assert client.get(f"/api/v1/jobs/{told['job']}").json()["run"] == told["run"]
    wrong = client.post("/api/v1/run", json={"type": "Moon"}, headers=headers)
    assert wrong.status_code == 400
    assert "no sync of a type `Moon`" in wrong.json()["error"]
