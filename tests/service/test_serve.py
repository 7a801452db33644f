"""`crosswalk serve` as a real process over local orgs."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
import requests

from engine.model import Side, Value, Write
from engine.stores.local import open_org
from tests.cli.program import PROGRAM, crosswalk, environment

SECRET = "a-webhook-secret"  # noqa: S105 - of this test
RULES = """sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing every EVERY
    outbound update
    fields {
        LastName <-> lastName prevent empty
        Company   -> company
        Email    <-> emails prevent empty
    }
}
"""
MANY = 6000


def until(holds: Callable[[], object]) -> bool:
    """Whether something comes to hold; how long it takes fails no test short of a minute."""
    for _ in range(300):
        if holds():
            return True
        time.sleep(0.2)
    return False


class Served:
    """A project and its `crosswalk serve`."""

    def __init__(self, root: Path, every: str, leads: int = 1) -> None:
        self.root = root / "acme"
        crosswalk(root, "init", "acme")
        for file in (self.root / "rules").glob("*.sync"):
            file.unlink()
        self.rules = self.root / "rules" / "leads.sync"
        self.rules.write_text(RULES.replace("EVERY", every))
        (self.root / "hook.secret").write_text(SECRET)
        config = self.root / "crosswalk.toml"
        text = config.read_text()
        line = '[outreach]\nwebhook_secret = "file:hook.secret"'
        config.write_text(text.replace("[outreach]", line))
        self.lead = self._made(leads)
        with (root / "err").open("w") as err:
            self.process = self._started(err)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]

    def _made(self, leads: int) -> str:
        """The first of so many leads."""
        values: dict[str, Value] = {"LastName": "Ng", "Company": "Acme"}
        org = open_org(Side.SALESFORCE, self.root / "salesforce.db")
        try:
            writes = [Write(None, values | {"Email": f"ng{n}@acme.co"}) for n in range(leads)]
            return str(org.write("Lead", writes)[0].id)
        finally:
            org.close()

    def created(self) -> list[str]:
        """The addresses of the prospects that are there."""
        org = open_org(Side.OUTREACH, self.root / "outreach.db")
        try:
            pages = org.scan("prospect", ["emails"], None)
            return [str(row[2]) for page in pages for row in page.rows]
        finally:
            org.close()

    def _started(self, err: IO[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*PROGRAM, "serve", "--port", "0", "--log-format", "json"],
            cwd=self.root,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        )

    def ask(self, path: str, body: bytes | None = None, signature: str = "") -> tuple[int, str]:
        headers = {"Outreach-Webhook-Signature": signature}
        method = "GET" if body is None else "POST"
        answer = requests.request(method, self.url + path, data=body, headers=headers, timeout=30)
        return answer.status_code, answer.text

    def prospects(self) -> int:
        links = crosswalk(self.root, "links", "--format", "json").json
        return len(links["links"])

    def name_there(self) -> str:
        """The lead's last name; empty while there is no account of its fields."""
        answer = crosswalk(self.root, "explain", "Lead", self.lead, "--format", "json")
        steps = answer.json.get("steps", ()) if answer.out else ()
        fields = [field for step in steps for field in step.get("fields", ())]
        return next((str(f["salesforce"]) for f in fields if f["source"] == "LastName"), "")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)


@pytest.fixture(params=["1 second"])
def served(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    found = Served(tmp_path, request.param)
    try:
        yield found
    finally:
        found.process.kill()
        found.process.communicate()


def test_an_edit_flows_by_itself_and_broken_rules_stop_nothing(served: Served) -> None:
    assert until(lambda: served.prospects() == 1)
    second = crosswalk(served.root, "serve", "--port", "0")
    assert (second.code, "another `crosswalk serve`" in second.err) == (2, True), second.err

    served.rules.write_text(served.rules.read_text().replace("LastName <->", "LastNaem <->"))
    err = served.root.parent / "err"
    assert until(lambda: "the old ones go on" in err.read_text())
    edit = "prospect", "1", "lastName=Li"
    assert crosswalk(served.root, "local", "edit", "outreach", *edit).code == 0
    served.rules.write_text(served.rules.read_text().replace("LastNaem", "LastName"))
    assert until(lambda: served.name_there() == "Li")

    assert json.loads(served.ask("/readyz")[1])["ready"] is True
    metrics = served.ask("/metrics")[1]
    assert 'crosswalk_records_total{action="updated"} 1.0' in metrics
    assert 'crosswalk_lag_seconds{pair="Lead<->prospect",side="outreach"}' in metrics
    assert served.end() == 0
    assert all(json.loads(line)["level"] for line in err.read_text().splitlines())


@pytest.mark.parametrize("served", ["1 hour"], indirect=True)
def test_a_signed_webhook_makes_a_push_due_and_an_unsigned_one_does_not(served: Served) -> None:
    assert until(lambda: served.prospects() == 1)
    crosswalk(served.root, "local", "edit", "outreach", "prospect", "1", "lastName=Li")
    event = json.dumps({"data": {"type": "prospect", "id": 1}, "meta": {}}).encode()
    assert served.ask("/hooks/outreach", event, "0" * 64)[0] == 401
    assert served.ask("/hooks/outreach", b"x" * (2 << 20))[0] == 413
    signature = hmac.new(SECRET.encode(), event, hashlib.sha256).hexdigest()
    assert served.ask("/hooks/outreach", event, signature)[0] == 204
    assert until(lambda: served.name_there() == "Li")
    assert served.end(signal.SIGINT) == 130


def test_a_signal_in_the_middle_of_a_cycle_hands_back_and_the_next_run_goes_on(
    tmp_path: Path,
) -> None:
    served = Served(tmp_path, "1 hour", MANY)
    try:
        served.process.send_signal(signal.SIGHUP)  # reads the rules again, and ends nothing
        assert until(served.created)
        assert served.end() == 0
        before = len(served.created())
        assert 0 < before < MANY
    finally:
        served.process.kill()
        served.process.communicate()
    assert crosswalk(served.root, "run").code == 0
    after = served.created()
    assert len(after) == len(set(after)) == MANY
