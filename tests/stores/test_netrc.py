"""What a `.netrc` of this machine says is sent nowhere, and the environment's proxy is honoured."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from engine.ledger import Ledger
from engine.ports import StoreError
from engine.sandbox.identity import OUTREACH, SALESFORCE
from engine.sandbox.outreach import app as outreach_app
from engine.sandbox.salesforce.app import app as salesforce_app
from engine.sandbox.serving import Serving
from engine.secrets import Secret, Secrets
from engine.service.alerts import Alerts
from engine.stores.oauth import WebFlow
from tests.sandbox.test_outreach_webhooks import Receiver
from tests.stores import outreach, salesforce

CANARY = "canary-netrc-77d1"
BASIC = base64.b64encode(f"somebody:{CANARY}".encode())


@pytest.fixture(autouse=True)
def _netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "netrc"
    path.write_text(f"default login somebody password {CANARY}\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def overheard(app: Any, path: Path) -> Iterator[tuple[str, list[Any]]]:
    """A server over an org, and the headers of all that it is sent."""
    heard: list[Any] = []

    def make() -> Any:
        inside = app(path)

        async def outside(scope: Any, receive: Any, send: Any) -> None:
            heard.extend(scope.get("headers", ()))
            await inside(scope, receive, send)

        return outside

    with Serving(make) as server:
        yield server.url, heard


def clean(heard: list[Any]) -> bool:
    """Whether something came, and nothing of the `.netrc` with it."""
    text = repr(heard).encode()
    return bool(heard) and CANARY.encode() not in text and BASIC not in text


@pytest.mark.parametrize("auth", ["client_credentials", "password", "token", "web"])
def test_salesforce_is_sent_nothing_of_it(tmp_path: Path, auth: str) -> None:
    with overheard(salesforce_app, tmp_path / "salesforce.db") as (url, heard):
        more = {"token": "ended", "refresh_token": "ended"}
        with (
            salesforce.connected(url, auth=auth, **more) as store,
            suppress(StoreError),  # a refused login sends something, too
        ):
            store.describe("Lead")
        assert clean(heard)


def test_who_authorises_in_a_browser_sends_nothing_of_it(tmp_path: Path) -> None:
    with overheard(salesforce_app, tmp_path / "salesforce.db") as (url, heard):
        places = f"{url}/services/oauth2/authorize", f"{url}/services/oauth2/token"
        app = SALESFORCE.client_id, Secret(SALESFORCE.client_secret), "http://127.0.0.1:1/c"
        flow = WebFlow("Salesforce", *places, *app, ("api",))
        page, _, query = flow.address().partition("?")
        form = dict(parse_qsl(query)) | {"decision": "allow"}
        answer = requests.post(page, form, allow_redirects=False, auth=lambda r: r, timeout=20)
        assert flow.tokens(answer.headers["Location"]).access
        assert clean(heard)


def test_outreach_is_sent_nothing_of_it(tmp_path: Path) -> None:
    with overheard(outreach_app, tmp_path / "outreach.db") as (url, heard):
        store = outreach.store_at(url, outreach.MemoryVault())
        assert store.fetch("user", [], [1]) == []
        store.close()
        assert clean(heard)


def test_who_is_told_of_troubles_is_sent_nothing_of_it() -> None:
    receiver, ledger = Receiver(), Ledger(Path(":memory:"))
    try:
        alerts = Alerts({"webhook": receiver.url}, Secrets(Path(), {}), "acme")
        alerts.see(ledger, {"rules": "refused"})
        receiver.documents(1)
        alerts.close()
        assert clean([headers for headers, _ in receiver.requests])
    finally:
        receiver.close()
        ledger.close()


@contextmanager
def proxy() -> Iterator[tuple[int, list[bytes]]]:
    """A proxy that lets nobody through, and what it was asked."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller, suppress(OSError):
                asked.append(caller.recv(1 << 16))
                caller.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize("who", ["", "ann:word@"])
def test_the_proxy_of_the_environment_is_asked_with_its_own_password_alone(
    monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr("engine.stores.salesforce.connection._FIRST_PAUSE", 0.001)
    with proxy() as (port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{who}127.0.0.1:{port}")
        with (
            salesforce.connected("https://acme.example", auth="token", token=CANARY[:6]) as store,
            pytest.raises(StoreError, match="HTTPS_PROXY"),
        ):
            store.describe("Lead")
        other = outreach.store_at("https://acme.example", outreach.MemoryVault())
        with pytest.raises(StoreError):
            other.fetch("user", [], [1])
        other.close()
    assert len(asked) >= 2
    assert all(each.startswith(b"CONNECT acme.example:443") for each in asked)
    wanted = b"Proxy-Authorization: Basic " + base64.b64encode(b"ann:word")
    assert all((wanted.lower() in each.lower()) is bool(who) for each in asked)
    assert clean(list(asked))
    assert OUTREACH.refresh_token.encode() not in b"".join(asked)
