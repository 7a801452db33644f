"""Tokens: codes and refresh tokens, what they may do, and when they die."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from engine.sandbox.identity import OUTREACH
from engine.sandbox.outreach import Setup
from tests.sandbox.outreach_client import Client, Ticking, errors, outreach

BACK = "http://127.0.0.1:9/back?a=1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with outreach(tmp_path_factory.mktemp("org") / "outreach.db") as found:
        yield found


def _consent(client: Client, answer: str, **more: str) -> requests.Response:
    asked = {"client_id": "sandbox-app", "redirect_uri": BACK, "response_type": "code"} | more
    page = client.session.get(f"{client.url}/oauth/authorize", params=asked, timeout=60)
    assert page.status_code == 200, page.text
    assert "<script" not in page.text
    form = asked | {"answer": answer}
    return client.session.post(
        f"{client.url}/oauth/authorize", data=form, allow_redirects=False, timeout=60
    )


def test_a_consent_gives_a_code_that_is_good_once_and_for_its_own_address(client: Client) -> None:
    given = _consent(client, "allow", state="s&t", scope="prospects.read")
    found = parse_qs(urlsplit(given.headers["Location"]).query)
    assert found["state"] == ["s&t"]
    assert found["a"] == ["1"]
    asked = {"grant_type": "authorization_code", "code": found["code"][0]}
    assert client.token(**asked, redirect_uri="http://127.0.0.1:9/other").status_code == 400
    found = parse_qs(urlsplit(_consent(client, "allow").headers["Location"]).query)
    asked = {"grant_type": "authorization_code", "code": found["code"][0], "redirect_uri": BACK}
    first = client.token(**asked)
    assert first.status_code == 200
    assert first.json()["expires_in"] == 7200
    assert client.token(**asked).json()["error"] == "invalid_grant"


def test_a_refusal_to_consent_goes_back_to_the_app(client: Client) -> None:
    found = parse_qs(urlsplit(_consent(client, "deny", state="x").headers["Location"]).query)
    assert (found["error"], found["state"]) == (["access_denied"], ["x"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "other"},
        {"redirect_uri": "http://example.com/"},
        {"redirect_uri": "javascript://127.0.0.1/%0aalert(1)"},
        {"redirect_uri": "http://[", "state": "<script>"},
        {"response_type": "token"},
    ],
)
def test_nobody_is_sent_to_a_wrong_place(client: Client, wrong: dict[str, str]) -> None:
    asked = {"client_id": "sandbox-app", "redirect_uri": BACK, "response_type": "code"} | wrong
    page = client.session.get(f"{client.url}/oauth/authorize", params=asked, timeout=60)
    assert page.status_code in (400, 401)
    assert "<script>" not in page.text


def test_a_client_shows_its_secret_in_the_body_or_by_basic(client: Client) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": OUTREACH.refresh_token}
    address = f"{client.url}/oauth/token"
    basic = requests.post(address, form, auth=("sandbox-app", "sandbox-app-secret"), timeout=60)
    assert basic.status_code == 200
    wrong = requests.post(address, form, auth=("sandbox-app", "guessed"), timeout=60)
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    nobody = requests.post(address, form, timeout=60)
    assert nobody.status_code == 401
    assert client.token(grant_type="password").json()["error"] == "unsupported_grant_type"


def test_a_refresh_token_dies_once_the_next_one_has_been_used(client: Client) -> None:
    first = client.refresh(OUTREACH.refresh_token).json()["refresh_token"]
    second = client.refresh(first).json()
    # Nobody may have heard of the second one yet.
    third = client.refresh(first).json()
    fresh = Client(client.url)
    with fresh.session:
        fresh.use(third["access_token"])
        fresh.get("stages")
    assert client.refresh(first).json()["error"] == "invalid_grant"
    assert client.refresh(second["refresh_token"]).status_code == 200
    assert client.refresh(OUTREACH.refresh_token).status_code == 200


def test_tokens_outlive_a_restart_and_expire_by_the_clock(tmp_path: Path) -> None:
    clock, path = Ticking(), tmp_path / "outreach.db"
    with outreach(path, clock=clock) as client:
        kept = client.refresh(OUTREACH.refresh_token).json()["refresh_token"]
    with outreach(path, clock=clock) as client:
        answer = client.refresh(kept).json()
        client.use(answer["access_token"])
        client.get("stages")
        clock.ahead += timedelta(hours=2)
        assert errors(client.ask("GET", "stages")) == [("unauthorized", "")]
        clock.ahead += timedelta(days=14)
        assert client.refresh(answer["refresh_token"]).json()["error"] == "invalid_grant"
        assert client.refresh(OUTREACH.refresh_token).status_code == 200


def test_a_strict_app_waits_a_minute_and_has_only_the_next_token(tmp_path: Path) -> None:
    clock = Ticking()
    setup = Setup(pause=timedelta(minutes=1), strict=True)
    with outreach(tmp_path / "outreach.db", clock=clock, setup=setup) as client:
        soon = client.refresh(OUTREACH.refresh_token)
        assert (soon.status_code, soon.headers["Retry-After"]) == (429, "60")
        client.get("stages")
        clock.ahead += timedelta(minutes=1)
        assert client.refresh(OUTREACH.refresh_token).json()["error"] == "invalid_grant"


def test_a_token_may_do_what_its_scopes_say(tmp_path: Path) -> None:
    identity = replace(OUTREACH, scopes=("prospects.write", "prospects.read", "accounts.all"))
    with outreach(tmp_path / "outreach.db", identity=identity) as client:
        record = client.make("prospect", firstName="Al")
        client.make("account", name="A")
        for method, path, scope in [
            ("DELETE", f"prospects/{record}", "prospects.delete"),
            ("GET", "users", "users.read"),
            ("POST", "webhooks", "webhooks.write"),
            ("GET", "imports", "imports.read"),
        ]:
            answer = client.ask(method, path)
            assert answer.status_code == 403
            assert errors(answer) == [("unauthorizedOauthScope", "")]
            assert f"'{scope}'" in answer.json()["errors"][0]["detail"]
        assert client.ask("DELETE", "accounts/1").status_code == 204
        asked = {"client_id": "sandbox-app", "redirect_uri": BACK, "response_type": "code"}
        address = f"{client.url}/oauth/authorize"
        for scope, status in [("accounts.read", 200), ("users.read", 400)]:
            page = client.session.get(address, params=asked | {"scope": scope}, timeout=60)
            assert page.status_code == status


def test_who_shows_no_token_is_told_to_get_one(client: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
        answer = requests.get(f"{client.api}/prospects", headers=headers, timeout=60)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert errors(answer) == [("unauthorized", "")]
