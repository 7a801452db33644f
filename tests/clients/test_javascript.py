"""Clients in JavaScript that others wrote, unchanged, against the Salesforce sandbox server."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from engine.sandbox.faults import faults
from engine.sandbox.identity import SALESFORCE
from engine.sandbox.salesforce.app import app
from engine.sandbox.serving import Serving
from engine.stores.local import SAMPLE, load, open_org
from engine.stores.local.org import Side

HERE = Path(__file__).parent
_INSTALL = "make clients"


def node() -> str | None:
    """Node 22 or newer: the one installed beside the clients, or that of the machine."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "")
    own = HERE / "node_modules" / f"node-linux-{machine}" / "bin" / "node"
    return str(own) if own.exists() else shutil.which("node")


pytestmark = pytest.mark.skipif(
    not (HERE / "node_modules" / "jsforce").exists() or node() is None,
    reason=f"needs Node and its clients: {_INSTALL}",
)


def _steps(script: str) -> list[str]:
    text = (HERE / script).read_text()
    return re.findall(r"^step\('([^']+)'|^  '([^']+)': ", text, re.MULTILINE)


STEPS = [
    (script, "".join(names)) for script in ("jsforce.mjs", "nforce.cjs") for names in _steps(script)
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    path = tmp_path_factory.mktemp("clients") / "salesforce.db"
    org = open_org(Side.SALESFORCE, path)
    load(org, SAMPLE / "setup")
    load(org, SAMPLE / "salesforce")
    org.close()
    with Serving(lambda: app(path, SALESFORCE, faults())) as serving:
        yield serving


@pytest.fixture(scope="module")
def played(server: Serving):  # type: ignore[no-untyped-def]
    @cache
    def play(script: str) -> dict[str, str | None]:
        given = {
            "url": server.url,
            "client_id": SALESFORCE.client_id,
            "client_secret": SALESFORCE.client_secret,
            "username": SALESFORCE.username,
            "password": SALESFORCE.password,
            "security_token": SALESFORCE.security_token,
        }
        done = subprocess.run(
            [node() or "node", script],
            cwd=HERE,
            env={**os.environ, "SANDBOX": json.dumps(given), "NODE_NO_WARNINGS": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stderr
        return {line["name"]: line["error"] for line in lines}

    return play


@pytest.mark.parametrize(("script", "name"), STEPS, ids=[f"{s}: {n}" for s, n in STEPS])
def test_a_client_gets_along(played, script: str, name: str) -> None:  # type: ignore[no-untyped-def]
    error = played(script)[name]
    assert error is None, error
