"""Who may do what: every route of the table, so that a new one cannot be forgotten."""

from __future__ import annotations

import base64
import dataclasses
import hashlib

import pytest
from starlette.testclient import TestClient

from engine.console import Console, Person, console_of
from engine.web.access import NoUsers
from engine.web.app import app
from engine.web.passwords import hash_password, hash_token, verify
from engine.web.routes import Entry
from engine.web.table import ROUTES
from tests.web.served import Served
from tests.web.test_pages import csrf

QUICK = "scrypt:16:1:1:{}:{}"
MUTATING = [entry for entry in ROUTES if entry.mutating]
READING = [entry for entry in ROUTES if not entry.mutating and entry.role]
WORDS = {"pair": "Lead<->prospect", "type": "Lead", "id": "00Q", "job": "j-1"}


def quick(password: str) -> str:
    """A hash that takes no time, as tests want it."""
    hashed = hashlib.scrypt(password.encode(), salt=b"salt", n=16, r=1, p=1, dklen=32)
    return QUICK.format(
        *(base64.urlsafe_b64encode(b).decode().rstrip("=") for b in (b"salt", hashed))
    )


class Named:
    """The service with people who may use it."""

    def __init__(self, service: Served) -> None:
        self._service = service
        people = (Person("ada", quick("a long word"), "approve"), Person("bob", quick("b"), "look"))
        tokens = (
            Person("ci", hash_token("t-approve"), "approve"),
            Person("ro", hash_token("t-look")),
        )
        console = Console(people, tokens, ("sync.acme.example",))
        self.config = dataclasses.replace(service.config, console=console)

    def __getattr__(self, name: str) -> object:
        return getattr(self._service, name)


@pytest.fixture
def guarded(service: Served) -> TestClient:
    console = app(Named(service), "0.0.0.0")  # type: ignore[arg-type]  # noqa: S104
    return TestClient(console, base_url="https://sync.acme.example", follow_redirects=False)


def log_in(client: TestClient, name: str, password: str) -> int:
    form = {"csrf": csrf(client, "/login"), "name": name, "password": password}
    return client.post("/login", data=form).status_code


def send(client: TestClient, entry: Entry, **headers: str) -> int:
    path = entry.path.format(**WORDS)
    return client.request(entry.method, path, headers=headers).status_code


@pytest.mark.parametrize("entry", MUTATING, ids=lambda e: e.path)
def test_nothing_is_changed_without_login_token_or_from_elsewhere(
    guarded: TestClient, client: TestClient, entry: Entry
) -> None:
    refused = (401, 403)
    assert send(guarded, entry) in refused
    assert send(guarded, entry, authorization="Bearer wrong") == 401
    # On loopback nobody logs in: the token of the session alone tells our form from another's.
    assert send(client, entry) == 403
    right = {"x-csrf-token": csrf(client, "/plan")}
    assert send(client, entry, **right, origin="https://evil.example") == 403
    assert send(client, entry, **right, origin="null") == 403
    assert send(client, entry, **{**right, "sec-fetch-site": "cross-site"}) == 403
    assert send(client, entry, **{**right, "x-csrf-token": "wrong"}) == 403
    if entry.role == "approve":
        assert log_in(guarded, "bob", "b") == 303
        assert send(guarded, entry, **{"x-csrf-token": csrf(guarded, "/plan")}) == 403
        if entry.api:
            assert send(guarded, entry, authorization="Bearer t-look") == 403


@pytest.mark.parametrize("entry", READING, ids=lambda e: e.path)
def test_nothing_is_shown_before_a_login(guarded: TestClient, entry: Entry) -> None:
    assert send(guarded, entry) in (303, 401)


def test_events_are_for_whoever_logged_in(guarded: TestClient) -> None:
    assert guarded.get("/events").status_code == 401


def test_a_login_gives_a_new_session_and_a_cookie_that_scripts_cannot_read(
    guarded: TestClient,
) -> None:
    guarded.get("/login")
    before = guarded.cookies["crosswalk"]
    form = {"csrf": csrf(guarded, "/login"), "name": "ada", "password": "a long word"}
    answer = guarded.post("/login", data=form, headers={"origin": "https://sync.acme.example"})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "secure", "samesite=strict"))
    assert guarded.cookies["crosswalk"] != before
    assert guarded.get("/types").status_code == 200
    guarded.post("/logout", data={"csrf": csrf(guarded, "/types")})
    assert guarded.get("/types").status_code == 303


def test_a_cookie_that_was_not_signed_here_is_nobody(guarded: TestClient) -> None:
    assert log_in(guarded, "ada", "a long word") == 303
    name, _, _ = guarded.cookies["crosswalk"].partition(".")
    guarded.cookies.set("crosswalk", f"{name}.forged", domain="sync.acme.example")
    fresh = TestClient(guarded.app, base_url="https://sync.acme.example", follow_redirects=False)
    assert fresh.get("/types", headers={"cookie": f"crosswalk={name}.forged"}).status_code == 303


def test_logins_that_fail_are_slowed_down(guarded: TestClient) -> None:
    codes = [log_in(guarded, "ada", "wrong") for _ in range(6)]
    assert codes == [401] * 5 + [429]
    assert log_in(guarded, "ada", "a long word") == 429


def test_tokens_do_what_their_role_may(guarded: TestClient) -> None:
    def ask(token: str, path: str) -> int:
        return guarded.get(path, headers={"authorization": f"Bearer {token}"}).status_code

    assert ask("t-look", "/api/v1/status") == 200
    assert ask("t-approve", "/api/v1/status") == 200
    assert ask("t-none", "/api/v1/status") == 401
    headers = {"authorization": "Bearer t-approve"}
    answer = guarded.post("/api/v1/plan", json={"type": "User"}, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["state"] == "done"


def test_another_host_name_is_not_answered(client: TestClient) -> None:
    assert client.get("/types", headers={"host": "evil.example"}).status_code == 421


def test_every_answer_has_the_strict_headers(client: TestClient) -> None:
    for path in ("/types", "/static/console.css", "/nowhere", "/api/v1/status"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_a_network_is_not_let_in_without_users(service: Served) -> None:
    with pytest.raises(NoUsers, match="nobody could log in"):
        app(service, "0.0.0.0")  # noqa: S104


def test_passwords_are_kept_hashed() -> None:
    kept = hash_password("correct horse")
    assert "correct" not in kept
    assert verify("correct horse", kept)
    assert not verify("wrong horse", kept)


def test_a_password_in_plain_text_is_an_error() -> None:
    problems: list[str] = []
    console_of({"users": {"ada": {"password": "hunter2", "role": "boss"}}}, problems)
    console_of({"users": {"ada": {"password": "hunter2"}}, "user": {}}, problems)
    told = "\n".join(problems)
    assert "`role` in [console.users.ada] is `boss`" in told
    assert "unknown key `user` in [console]" in told
    assert "is a secret written as plain text" in told
    assert "hunter2" not in told
