"""Webhooks: who is told of what, how it is signed, and that others' changes are told too."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dsl.schema import Side
from engine.play import read_script
from engine.sandbox.identity import OUTREACH
from engine.stores.local import open_org
from engine.stores.local.play import Stage
from tests.sandbox.outreach_client import Client, errors, outreach, resource

SECRET: dict[str, Any] = {"secret": "s"}


class Receiver:
    """A small server that keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((dict(self.headers), body))
                self.send_response(500)  # which counts as delivered
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def documents(self, number: int) -> list[dict[str, Any]]:
        """What has come, once there is so much of it."""
        for _ in range(3000):
            if len(self.requests) >= number:
                break
            time.sleep(0.01)
        return [json.loads(body) for _, body in self.requests]

    def names(self, number: int) -> list[str]:
        return [each["meta"]["eventName"] for each in self.documents(number)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def org(tmp_path: Path) -> Path:
    return tmp_path / "outreach.db"


@pytest.fixture
def client(org: Path) -> Iterator[Client]:
    with outreach(org) as found:
        found.make("prospect", firstName="Al", emails=["al@example.com"])
        yield found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One server for all that is refused."""
    with outreach(tmp_path_factory.mktemp("org") / "outreach.db") as found:
        yield found


def _play(org: Path, script: str) -> None:
    acts, wrong = read_script(script)
    assert not wrong
    here = open_org(Side.OUTREACH, org)
    list(Stage({Side.OUTREACH: here}).play(acts))
    here.close()


def test_changes_are_told_signed_and_in_order(client: Client, receiver: Receiver) -> None:
    client.make("webhook", url=receiver.url, resource="prospect", **SECRET)
    client.change("prospect", 1, lastName="Do")
    receiver.documents(1)
    client.make("account", name="A")
    record = client.make("prospect", firstName="Bo")
    receiver.documents(2)
    client.ask("DELETE", f"prospects/{record}")
    updated, created, destroyed = receiver.documents(3)
    assert receiver.names(3) == ["prospect.updated", "prospect.created", "prospect.destroyed"]
    assert updated["data"]["id"] == 1
    changed = updated["data"]["attributes"]
    assert {k: v for k, v in changed.items() if k != "updatedAt"} == {
        "lastName": "Do",
        "name": "Al Do",
    }
    assert created["data"]["attributes"]["firstName"] == "Bo"
    assert "title" not in created["data"]["attributes"]
    assert destroyed["data"]["attributes"]["firstName"] == "Bo"
    for headers, body in receiver.requests:
        known = hmac.new(b"s", body, hashlib.sha256).hexdigest()
        assert headers["Outreach-Webhook-Signature"] == known


def test_what_others_do_in_the_org_is_told_too(
    client: Client, receiver: Receiver, org: Path
) -> None:
    client.make("webhook", url=receiver.url, resource="mailing")
    client.make("webhook", url=receiver.url, resource="task", action="completed")
    client.make("webhook", url=receiver.url, resource="sequenceState")
    _play(org, 'send "Hi" to al@example.com')
    assert receiver.names(2) == ["mailing.created", "mailing.delivered"]
    _play(org, 'open "Hi"')
    assert receiver.names(4)[2:] == ["mailing.updated", "mailing.opened"]
    _play(org, 'reply "Hi" with "Yes"')
    heard = set(receiver.names(8)[4:])
    assert {"mailing.replied", "mailing.created"} <= heard
    receiver.requests.clear()
    _play(org, "make sequence Warm with call,task\nadd al@example.com to sequence Warm")
    assert receiver.names(1) == ["sequenceState.created"]
    _play(org, "complete task for al@example.com")
    heard = set(receiver.names(4)[1:])
    assert heard == {"sequenceState.updated", "sequenceState.advanced", "task.completed"}
    receiver.requests.clear()
    _play(org, "finish al@example.com")
    assert receiver.names(2) == ["sequenceState.updated", "sequenceState.finished"]
    signed = hmac.new(OUTREACH.webhook_secret.encode(), receiver.requests[0][1], hashlib.sha256)
    assert receiver.requests[0][0]["Outreach-Webhook-Signature"] == signed.hexdigest()


def test_a_webhook_in_version_2_tells_what_was_before(client: Client, receiver: Receiver) -> None:
    client.make("account", name="A")
    client.make("webhook", url=receiver.url, payloadVersion=2)
    document = resource("prospect", {"firstName": "Bo"}, {"account": 1}, 1)
    client.ask("PATCH", "prospects/1", document)
    [told] = receiver.documents(1)
    assert told["data"]["attributes"]["firstName"] == "Bo"
    assert told["data"]["relationships"] == {"account": {"type": "account", "id": 1}}
    assert told["beforeUpdate"]["attributes"]["firstName"] == "Al"
    assert told["beforeUpdate"]["relationships"] == {"account": None}


def test_an_import_says_when_it_is_finished(client: Client, receiver: Receiver) -> None:
    client.make("webhook", url=receiver.url, resource="import")
    records = [{"type": "prospect", "attributes": {"firstName": "N"}}]
    document = {"data": {"attributes": {"records": records}}}
    assert client.ask("POST", "imports/actions/bulkUpsert", document).status_code == 200
    assert receiver.names(2) == ["import.created", "import.finished"]
    assert receiver.documents(2)[1]["data"]["attributes"]["total"] == 1


def test_webhooks_outlive_a_restart_and_can_be_turned_off(
    org: Path, client: Client, receiver: Receiver
) -> None:
    hook = client.make("webhook", url=receiver.url, resource="prospect", **SECRET)
    shown = client.get(f"webhooks/{hook}")["data"]["attributes"]
    assert (shown["resource"], shown["action"], shown["active"]) == ("prospect", "*", True)
    assert shown["secret"] is None
    with outreach(org) as other:
        assert other.get("webhooks?filter[resource]=prospect")["meta"]["count"] == 1
        assert other.get("webhooks?filter[active]=false")["data"] == []
        other.change("webhook", hook, active=False)
        assert other.get("webhooks?filter[active]=false")["meta"]["count"] == 1
        assert other.ask("DELETE", f"webhooks/{hook}").status_code == 204
        assert other.ask("GET", f"webhooks/{hook}").status_code == 404


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "url"),
        ({"url": "http://example.com/hook"}, "url"),
        ({"url": "http://10.0.0.1/hook"}, "url"),
        ({"url": "ftp://127.0.0.1/hook"}, "url"),
        ({"url": "http://127.0.0.1:99999/"}, "url"),
        ({"url": 5}, "url"),
        ({"url": "http://127.0.0.1/", "resource": "team"}, "resource"),
        ({"url": "http://127.0.0.1/", "resource": ["task"]}, "resource"),
        ({"url": "http://127.0.0.1/", "resource": "task", "action": "opened"}, "action"),
        ({"url": "http://127.0.0.1/", "active": "yes"}, "active"),
        ({"url": "http://127.0.0.1/", "payloadVersion": 3}, "payloadVersion"),
        ({"url": "http://127.0.0.1/", "secret": ""}, "secret"),
        ({"url": "http://127.0.0.1/", "createdAt": None}, "createdAt"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused(
    shared: Client, values: dict[str, Any], name: str
) -> None:
    answer = shared.ask("POST", "webhooks", resource("webhook", values))
    assert answer.status_code == 422, answer.text
    assert errors(answer) == [("validationError", f"/data/attributes/{name}")]


@pytest.mark.parametrize(("spec", "times"), [("lost=1", 0), ("doubled=1", 2), ("reordered=1", 1)])
def test_webhooks_go_wrong_on_request(org: Path, receiver: Receiver, spec: str, times: int) -> None:
    with outreach(org, spec) as client:
        client.log_in()
        client.make("webhook", url=receiver.url, resource="account")
        client.make("account", name="A")
        client.make("account", name="B")
        documents = receiver.documents(2 * times or 1) if times else []
        if not times:
            time.sleep(0.3)
        ids = [each["data"]["id"] for each in documents]
        assert ids == {"lost=1": [], "doubled=1": [1, 1, 2, 2], "reordered=1": [2, 1]}[spec]
        assert len(receiver.requests) == 2 * times
