"""The Salesforce CLI, unchanged, against the Salesforce sandbox server."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from engine.model import Side
from engine.sandbox.faults import faults
from engine.sandbox.identity import SALESFORCE, SalesforceIdentity
from engine.sandbox.salesforce.app import app
from engine.sandbox.serving import Serving
from engine.stores.local import SAMPLE, load, open_org
from tests.clients.test_javascript import HERE, node

pytestmark = pytest.mark.skipif(
    not (HERE / "node_modules" / "@salesforce" / "cli").exists() or node() is None,
    reason="needs Node and its clients: make clients",
)

_SHORT, _JOBS = (
    re.findall(r"^  '([^']+)': ", part, re.MULTILINE)
    for part in (HERE / "cli.mjs").read_text().split("const jobs")
)
Played = Callable[[bool], dict[str, str | None]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Plays the short steps, or the jobs, and tells each one's error."""
    folder = tmp_path_factory.mktemp("cli")
    key, public = _key_pair()
    (folder / "key.pem").write_text(key)
    path = folder / "salesforce.db"
    org = open_org(Side.SALESFORCE, path)
    load(org, SAMPLE / "setup")
    load(org, SAMPLE / "salesforce")
    org.close()
    identity = SalesforceIdentity(certificate=public)
    with Serving(lambda: app(path, identity, faults())) as server:
        yield cache(lambda bulk: _play(folder, server.url, bulk))


def _play(folder: Path, url: str, bulk: bool) -> dict[str, str | None]:
    secret = {"client_id": SALESFORCE.client_id, "client_secret": SALESFORCE.client_secret}
    form = {"grant_type": "client_credentials", **secret}
    answer = requests.post(f"{url}/services/oauth2/token", form, timeout=20)
    given = {
        "url": url,
        "client_id": SALESFORCE.client_id,
        "username": SALESFORCE.username,
        "key_file": str(folder / "key.pem"),
        "token": answer.json()["access_token"],
        "bulk": bulk,
    }
    done = subprocess.run(
        [node() or "node", str(HERE / "cli.mjs")],
        cwd=folder,
        env=_environment(folder) | {"SANDBOX": json.dumps(given)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr
    return {line["name"]: line["error"] for line in lines}


def _environment(home: Path) -> dict[str, str]:
    """A machine without a keychain, on which nothing of the user's own is read or written."""
    places = {f"XDG_{each}_HOME": str(home / each) for each in ("DATA", "CONFIG", "CACHE", "STATE")}
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        **places,
        "NODE_NO_WARNINGS": "1",
        "SF_DISABLE_TELEMETRY": "true",
        "SF_AUTOUPDATE_DISABLE": "true",
        "SF_SKIP_NEW_VERSION_CHECK": "true",
        "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    }


def _key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@pytest.mark.parametrize("name", _SHORT)
def test_the_salesforce_cli_gets_along(played: Played, name: str) -> None:
    error = played(False)[name]
    assert error is None, error


@pytest.mark.long  # the CLI looks at a job every five seconds
@pytest.mark.parametrize("name", _JOBS)
def test_jobs_of_the_salesforce_cli_come_to_their_end(played: Played, name: str) -> None:
    error = played(True)[name]
    assert error is None, error
