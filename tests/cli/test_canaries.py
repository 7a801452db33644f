"""No secret of a configuration shows: not in what is printed or logged, nor in what is kept.

Each key that may hold a secret has one of its own here, and a new key must say what it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import signal
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import keyring
import pytest
import requests
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from keyring.backend import KeyringBackend

from engine import console
from engine.config import KNOWN
from engine.model import Side
from engine.sandbox.identity import OutreachIdentity, SalesforceIdentity
from engine.sealing import KEY
from engine.vault import LedgerVault
from tests.cli.program import Answer
from tests.cli.served import LEADS, Acme, acme
from tests.cli.test_own_org import free_port
from tests.service.test_serve import until
from tests.stores.listener import answering

_MADE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_PEM = _MADE.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
_PUBLIC = _MADE.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def canary(name: str) -> str:
    """A secret that is another one in every encoding."""
    return f"{name}+/{hashlib.sha256(name.encode()).hexdigest()[:24]}&%=~"


#: Each key that may hold a secret, with its own.
CANARIES: Mapping[tuple[str, str], str] = {
    **{
        (side.value, key): canary(f"{side}-{key}")
        for side in Side
        for key in (
            "client_secret",
            "password",
            "refresh_token",
            "security_token",
            "token",
            "webhook_secret",
        )
    },
    ("salesforce", "private_key"): _PEM,
    ("outreach", "private_key"): canary("outreach-private_key"),
    ("project", "ledger"): canary("ledger"),
    ("alerts", "slack"): canary("slack"),
    ("alerts", "webhook"): canary("alerts-webhook"),
    ("alerts", "smtp_password"): canary("smtp_password"),
    ("telemetry", "authorization"): canary("telemetry"),
    ("console", "users"): canary("users"),
    ("console", "tokens"): canary("tokens"),
}
#: Keys that hold none.
HARMLESS = {
    *(("project", key) for key in ("name", "rules", "timezone", "log_days")),
    *((side.value, key) for side in Side for key in ("store", "path", "client_id", "redirect_uri")),
    *(("salesforce", key) for key in ("auth", "instance_url", "login_url", "username")),
    ("outreach", "base_url"),
    *(("alerts", key) for key in ("email_to", "email_from", "smtp", "smtp_user")),
    ("console", "hosts"),
    ("webhooks", "url"),
    ("telemetry", "endpoint"),
    # Sent by a library that need not be installed: tests/service/test_telemetry.py looks for it.
    ("telemetry", "authorization"),
}
SEAL = Fernet.generate_key().decode()


def test_every_key_of_the_configuration_has_a_canary_or_holds_no_secret() -> None:
    keys = {(section, key) for section, known in KNOWN.items() for key in known}
    keys |= {("console", key) for key in console.KEYS}
    new = keys - CANARIES.keys() - HARMLESS
    assert not new, f"give each of {new} a canary in CANARIES, or say in HARMLESS that it has none"
    assert keys >= CANARIES.keys() | HARMLESS


# -- what is looked for -------------------------------------------------------------------------


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it may show: as it is, in an address, in JSON, in base64 wherever it begins."""
    text = secret.splitlines()[1] if "\n" in secret else secret
    yield from (form.encode() for form in (text, quote(text), quote_plus(text), quote(text, "")))
    yield json.dumps(text)[1:-1].encode()
    yield text.encode().hex().encode()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"x" * before + text.encode())[4:-4]


def shown(secrets: Mapping[Any, str], what: bytes) -> list[Any]:
    """Which secrets show there."""
    return [name for name, each in secrets.items() if any(f in what for f in forms(each))]


def test_a_secret_is_found_in_each_of_its_forms() -> None:
    secret = CANARIES["alerts", "slack"]
    basic = base64.b64encode(f"me:{secret}".encode())
    for text in (secret.encode(), quote(secret).encode(), basic, json.dumps([secret]).encode()):
        assert shown(CANARIES, b"..." + text + b"...") == [("alerts", "slack")]
    assert shown(CANARIES, _PEM.replace("\n", "").encode()) == [("salesforce", "private_key")]
    assert shown(CANARIES, b"nothing of it") == []


# -- a project full of them ---------------------------------------------------------------------


#: Where the secrets lie that are in use.
PLACES = {
    ("salesforce", "client_secret"): "env",
    ("salesforce", "private_key"): "file",
    ("salesforce", "password"): "keyring",
    ("salesforce", "security_token"): "keyring",
    ("outreach", "client_secret"): "keyring",
    ("outreach", "refresh_token"): "file",
    ("outreach", "webhook_secret"): "env",
    ("alerts", "webhook"): "env",
    ("alerts", "slack"): "env",
    ("alerts", "smtp_password"): "file",
}


def reference(kind: str, section: str, key: str) -> str:
    """How crosswalk.toml refers to a secret of ours."""
    place = {"env": "{}_{}", "file": "secrets/{}.{}", "keyring": "{}/{}"}[kind]
    return f"{kind}:{place.format(section, key)}"


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 9

    def get_password(self, service: str, username: str) -> str | None:
        return CANARIES.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


class Watched:
    """A project of which all that is said and kept is searched for secrets."""

    def __init__(self, at: Acme) -> None:
        self.at = at
        self.said: list[bytes] = []

    def type(self, *words: str) -> Answer:
        answer = self.at.type(*words)
        self.said += [answer.out.encode(), answer.err.encode()]
        return answer

    def breaks(self, *words: str) -> None:
        """A command that comes upon a bug of ours, with its traceback."""
        try:
            self.type(*words)
        except (ZeroDivisionError, ExceptionGroup) as error:
            self.said.append("".join(traceback.format_exception(error)).encode())
        else:
            raise AssertionError(words)

    def secrets(self) -> dict[Any, str]:
        """All there are: those of the configuration, the key, and what was minted meanwhile."""
        found: dict[Any, str] = {**CANARIES, KEY: SEAL}
        for side in Side:
            tokens = LedgerVault(self.at.root / "crosswalk.db", side).tokens()
            if tokens is not None:
                found[side, "access"] = tokens.access
                found |= {(side, "refresh"): tokens.refresh} if tokens.refresh else {}
        return found

    def kept(self) -> dict[str, bytes]:
        """What lies in the project afterwards, but for what the user or the servers keep there."""
        own = ("salesforce.db", "outreach.db", "secrets/")
        return {
            name: path.read_bytes()
            for path in self.at.root.rglob("*")
            if not (name := str(path.relative_to(self.at.root))).startswith(own) and path.is_file()
        }


@pytest.fixture
def heard() -> Iterator[list[bytes]]:
    """All that anything logs, in whichever detail."""
    lines: list[bytes] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record).encode())

    # The service takes the root's own handlers away, so those who log much are listened to as well.
    loggers = [logging.getLogger(name) for name in ("", "crosswalk", "aiohttp", "asyncio")]
    before, ear = [(each, each.level, list(each.handlers)) for each in loggers], Ear()
    for each in loggers:
        each.addHandler(ear)
        each.setLevel(logging.DEBUG)
    yield lines
    for each, level, handlers in before:
        each.setLevel(level)
        each.handlers[:] = handlers


@pytest.fixture
def watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: list[bytes]
) -> Iterator[Watched]:
    """A project with every secret in use, each referred to in another way; at the end, searched."""
    monkeypatch.setattr("engine.stores.salesforce.connection._FIRST_PAUSE", 0.001)
    ring = keyring.get_keyring()
    keyring.set_keyring(Ring())
    two = CANARIES
    salesforce = SalesforceIdentity(
        client_secret=two["salesforce", "client_secret"],
        password=two["salesforce", "password"],
        security_token=two["salesforce", "security_token"],
        certificate=_PUBLIC.decode(),
    )
    outreach = OutreachIdentity(
        client_secret=two["outreach", "client_secret"],
        refresh_token=two["outreach", "refresh_token"],
        webhook_secret=two["outreach", "webhook_secret"],
    )
    with (
        answering(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") as nobody,
        acme(tmp_path, monkeypatch, who=(salesforce, outreach)) as at,
    ):
        (tmp_path / "secrets").mkdir()
        for (section, key), secret in CANARIES.items():
            address = f"{nobody}/{quote(secret)}" if key in ("slack", "webhook") else secret
            monkeypatch.setenv(f"{section}_{key}", address)
            (tmp_path / "secrets" / f"{section}.{key}").write_text(address)
        monkeypatch.setenv(KEY, SEAL)
        at.set("salesforce", username=salesforce.username)
        at.set("alerts", smtp="127.0.0.1:9", email_to="a@acme.example")
        for (section, key), kind in PLACES.items():
            at.set(section, **{key: reference(kind, section, key)})
        at.set("console.users.ada", {"password": "env:console_users", "role": "approve"})
        at.set("console.tokens.ci", {"token": "env:console_tokens", "role": "look"})
        made = Watched(at)
        yield made
        secrets = made.secrets()
        assert shown(secrets, b"\n".join(made.said)) == []
        assert shown(secrets, b"\n".join(heard)) == []
        for name, content in made.kept().items():
            assert shown(secrets, content) == [], name
    keyring.set_keyring(ring)


#: Each way of logging in, with the secret that it needs besides.
WAYS = {
    "client_credentials": "",
    "jwt": "",
    "password": "",
    "token": "token",
    "web": "refresh_token",
}


@pytest.mark.parametrize("auth", WAYS)
def test_no_way_of_logging_in_shows_its_secrets(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    at = watched.at
    more = WAYS[auth]
    at.set("salesforce", auth=auth, **({more: f"env:salesforce_{more}"} if more else {}))
    works = not more  # no server gave those
    assert watched.type("check").code == (0 if works else 1)
    plan = str(at.root / "crosswalk.plan")
    assert watched.type("plan", "--out", plan).code == (0 if works else 2)
    ran = watched.type("run", "--format", "json", "--changes")
    assert ran.code == (0 if works else 2)
    assert at.held() == (LEADS, LEADS if works else 0)
    watched.type("status", "--format", "json")
    watched.type("log", "--format", "json")
    # Whatever is refused, and a bug of ours in the middle of a login and of a request.
    monkeypatch.setattr("requests.Session.send", lambda *_args, **_options: 1 / 0)
    monkeypatch.setattr("aiohttp.ClientSession._request", lambda *_args, **_options: 1 / 0)
    at.set("outreach", {"token": "env:outreach_token"})
    watched.breaks("run")
    at.set("salesforce", store="local", path="salesforce.db")
    watched.breaks("run")


def test_refusals_show_none(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    at = watched.at
    assert watched.type("run").code == 0
    for name in ("salesforce_client_secret", "outreach_webhook_secret"):
        monkeypatch.setenv(name, CANARIES["outreach", "token"])
    at.set("outreach", {"client_secret": "env:salesforce_token"})
    (at.root / "crosswalk.db").unlink()
    assert watched.type("check").code == 1
    assert watched.type("run").code == 2
    for side in Side:
        watched.type("connect", side.value, "--no-browser", "--paste")
    password = CANARIES["project", "ledger"]
    at.set("project", ledger=f"postgresql+psycopg://me:{password}@db.acme.example/sync")
    told = watched.type("run")
    assert (told.code, "postgresql+psycopg://…@db.acme.example" in told.err) == (2, True)
    at.set("project", ledger=None)
    for section, key in CANARIES:
        if section != "console" and (section, key) not in (
            ("project", "ledger"),
            ("alerts", "webhook"),
        ):
            before = at.config.get(section, {}).get(key)
            at.set(section, **{key: CANARIES[section, key]})  # in plain text
            assert watched.type("check").code == 2, key
            at.set(section, **{key: before})
    for section, key in (("salesforce", "instance_url"), ("outreach", "base_url")):
        before = at.config[section][key]
        at.set(section, **{key: f"https://me:{password}@acme.example?k={password}"})
        assert watched.type("check").code in (1, 2), key
        at.set(section, **{key: before})


def test_the_service_shows_none(watched: Watched, heard: list[bytes]) -> None:
    """Served in this process, asked from a thread, which ends it."""
    at, port = watched.at, free_port()
    url = f"http://127.0.0.1:{port}"
    wrong = {"client_secret": "env:salesforce_token"}
    at.set("salesforce", **wrong)  # so that there is a trouble to tell

    def ask() -> None:
        event = json.dumps({"data": {"type": "prospect", "id": 1}, "meta": {}}).encode()
        secret = CANARIES["outreach", "webhook_secret"].encode()
        right = hmac.new(secret, event, hashlib.sha256).hexdigest()
        calls: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", "/readyz", {}),
            ("GET", "/metrics", {"headers": _bearer(CANARIES["console", "tokens"])}),
            ("GET", "/login", {}),
            ("POST", "/hooks/outreach", {"data": event}),
            ("POST", "/hooks/outreach", {"data": event, "headers": _signed("0" * 64)}),
            ("POST", "/hooks/outreach", {"data": event, "headers": _signed(right)}),
            ("GET", "/api/v1/status", {"headers": _bearer(CANARIES["console", "tokens"])}),
            ("GET", "/api/v1/status", {"headers": _bearer(canary("none"))}),
            ("GET", "/api/v1/nothing", {"headers": _bearer(CANARIES["console", "tokens"])}),
        ]
        for method, path, options in calls:
            answer = requests.request(method, url + path, timeout=20, **options)
            watched.said.append(f"{answer.status_code} {answer.headers} {answer.text}".encode())

    def follow() -> None:
        try:
            assert until(lambda: answers(url))
            assert until(lambda: b"the alert cannot be sent by `slack`" in b"".join(heard))
            ask()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    asker = threading.Thread(target=follow)
    asker.start()
    ended = watched.type("serve", "--port", str(port), "--log-format", "json")
    asker.join()
    assert (ended.code, f"crosswalk serves {url}" in ended.out) == (0, True)
    codes = [said.split()[0] for said in watched.said[:-2]]
    assert codes == [b"200", b"200", b"200", b"401", b"401", b"204", b"200", b"401", b"404"]


def answers(url: str) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(f"{url}/healthz", timeout=20).ok
    return False


def _signed(signature: str) -> dict[str, str]:
    return {"Outreach-Webhook-Signature": signature}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
