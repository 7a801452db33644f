"""What goes wrong at the Outreach sandbox on request, by a seed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from dsl.schema import Side
from engine.sandbox.outreach import Setup
from engine.stores.local import open_org
from tests.sandbox.outreach_client import Client, Ticking, errors, outreach, resource

BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, ValueError)


def _stages(path: Path) -> list[str]:
    org = open_org(Side.OUTREACH, path)
    found = [row[2] for page in org.scan("stage", ["name"], None) for row in page.rows]
    org.close()
    return found


def _outcome(client: Client, name: str) -> str:
    try:
        answer = client.ask("POST", "stages", resource("stage", {"name": name}))
        answer.json()
    except BROKEN:
        return "broken"
    return str(answer.status_code)


def _logged_in(client: Client) -> None:
    """Tokens are got with the same trouble as all else."""
    for _ in range(100):
        try:
            client.log_in()
        except (*BROKEN, KeyError):
            continue
        return
    raise AssertionError("never logged in")


@pytest.mark.parametrize(
    ("spec", "outcome", "made"),
    [
        ("before=0.5", "broken", False),
        ("after=0.5", "broken", True),
        ("reset=0.5", "broken", True),
        ("truncated=0.5", "broken", True),
        ("500=0.5", "500", False),
        ("503=0.5", "503", False),
        ("429=0.5", "429", False),
    ],
)
def test_a_request_that_goes_wrong_was_done_or_not(
    tmp_path: Path, spec: str, outcome: str, made: bool
) -> None:
    path = tmp_path / "outreach.db"
    with outreach(path, spec) as client:
        _logged_in(client)
        found = {f"S{at}": _outcome(client, f"S{at}") for at in range(12)}
    assert set(found.values()) == {"201", outcome}
    done = {name for name, how in found.items() if how == "201" or made}
    assert set(_stages(path)) == done


def test_the_same_seed_goes_wrong_in_the_same_places(tmp_path: Path) -> None:
    found = []
    for at in range(2):
        with outreach(tmp_path / f"{at}.db", "500=0.3,429=0.3", seed=7) as client:
            _logged_in(client)
            found.append([_outcome(client, f"S{n}") for n in range(10)])
    assert found[0] == found[1]
    assert len(set(found[0])) == 3


def test_a_token_that_expires_early_is_refused_from_then_on(tmp_path: Path) -> None:
    with outreach(tmp_path / "outreach.db", "401=0.2") as client:
        client.log_in()
        found: list[int] = []
        while not found or found[-1] == 200:
            found.append(client.ask("GET", "stages").status_code)
        assert found[-1] == 401
        assert client.ask("GET", "stages").status_code == 401
        client.log_in()


def test_refusals_say_when_to_come_back(tmp_path: Path) -> None:
    with outreach(tmp_path / "outreach.db", "429=1") as client:
        client.log_in()
        answer = client.ask("GET", "stages")
        assert errors(answer) == [("rateLimitExceeded", "")]
        assert answer.headers["Retry-After"] == "1"
    with outreach(tmp_path / "outreach.db", "503=1") as client:
        away: Any = client.ask("GET", "stages")
        assert errors(away) == [("scheduledServerMaintenance", "")]
        assert away.headers["Retry-After"][10] == "T"


def test_a_late_row_is_in_lists_only_after_a_while(tmp_path: Path) -> None:
    clock, setup = Ticking(), Setup(late=timedelta(seconds=20))
    with outreach(tmp_path / "outreach.db", "late=1", clock=clock, setup=setup) as client:
        client.log_in()
        record = client.make("stage", name="S")
        assert client.get("stages")["data"] == []
        assert client.get(f"stages/{record}")["data"]["id"] == record
        clock.ahead += timedelta(seconds=21)
        assert [each["id"] for each in client.get("stages")["data"]] == [record]
