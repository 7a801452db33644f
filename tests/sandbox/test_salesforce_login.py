"""Every way in to the Salesforce sandbox, by the clients that take it, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from tests.sandbox.salesforce import DATA, ME, VERSION, Sandbox, sandbox, session

JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Clock:
    """Runs as the machine's does, until it is moved on."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
PUBLIC = (
    KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    identity = replace(ME, certificate=PUBLIC)
    path = tmp_path_factory.mktemp("login") / "org.db"
    with sandbox(path, identity=identity, clock=Clock()) as made:
        yield made


def works(client: Salesforce) -> bool:
    return bool(client.query("SELECT Id FROM Lead LIMIT 1")["totalSize"])


# -- by simple-salesforce -----------------------------------------------------------------------


def test_a_password_and_a_security_token_let_in_by_soap(box: Sandbox) -> None:
    client = Salesforce(
        username=ME.username,
        password=ME.password,
        security_token=ME.security_token,
        session=session(box.url),
        version=VERSION,
    )
    assert works(client)


def test_a_wrong_password_is_an_invalid_login(box: Sandbox) -> None:
    with pytest.raises(SalesforceAuthenticationFailed) as caught:
        Salesforce(
            username=ME.username,
            password=ME.username,
            security_token=ME.security_token,
            session=session(box.url),
        )
    assert caught.value.code == "INVALID_LOGIN"


def test_an_assertion_signed_with_the_key_of_the_certificate_lets_in(box: Sandbox) -> None:
    client = Salesforce(
        username=ME.username,
        consumer_key=ME.client_id,
        privatekey=PRIVATE,
        session=session(box.url),
    )
    assert works(client)


def test_client_credentials_let_in(box: Sandbox) -> None:
    client = Salesforce(
        consumer_key=ME.client_id,
        consumer_secret=ME.client_secret,
        domain="mine",
        session=session(box.url),
    )
    assert works(client)


def test_the_oauth_password_flow_lets_in(box: Sandbox) -> None:
    client = Salesforce(
        username=ME.username,
        password=ME.password + ME.security_token,
        consumer_key=ME.client_id,
        consumer_secret=ME.client_secret,
        session=session(box.url),
    )
    assert works(client)


# -- assertions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"iss": "another-app"}, "invalid_client_id", "client identifier"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "audience"),
        ({"exp": 1}, "invalid_grant", "expired"),
        ({"sub": "who@else.example"}, "invalid_grant", "approved"),
    ],
)
def test_an_assertion_that_claims_something_else_is_refused(
    box: Sandbox, changed: dict[str, object], error: str, words: str
) -> None:
    claims = {"iss": ME.client_id, "sub": ME.username, "aud": box.url, "exp": time.time() + 60}
    for exp in (claims["exp"], int(time.time() * 1000)):  # as Salesforce's own CLI has it
        right = jwt.encode(claims | {"exp": exp}, PRIVATE, "RS256")
        assert box.oauth("token", grant_type=JWT, assertion=right).status_code == 200
    assertion = jwt.encode(claims | changed, PRIVATE, "RS256")
    answer = box.oauth("token", grant_type=JWT, assertion=assertion)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert words in answer.json()["error_description"]


def test_an_assertion_signed_by_another_key_is_refused(box: Sandbox) -> None:
    claims = {"iss": ME.client_id, "sub": ME.username, "aud": box.url, "exp": time.time() + 60}
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for forged in (jwt.encode(claims, other, "RS256"), jwt.encode(claims, "x" * 40, "HS256")):
        answer = box.oauth("token", grant_type=JWT, assertion=forged)
        assert answer.json() == {
            "error": "invalid_grant",
            "error_description": "invalid assertion",
        }


# -- the web server flow ------------------------------------------------------------------------


def asked(box: Sandbox, **more: str) -> requests.Response:
    """The consent page, with its form sent off as a browser without scripts does."""
    given = {
        "response_type": "code",
        "client_id": ME.client_id,
        "redirect_uri": "http://localhost:1717/OauthRedirect",
        "state": "a&b",
        **more,
    }
    where = f"{box.url}/services/oauth2/authorize"
    page = requests.get(where, params=given, timeout=30)
    if page.status_code != 200:
        return page
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    form = {name: value.replace("&amp;", "&") for name, value in hidden}
    return requests.post(where, {**form, "decision": "allow"}, allow_redirects=False, timeout=30)


def code_of(answer: requests.Response) -> str:
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert back["state"] == ["a&b"]
    return back["code"][0]


def redeemed(box: Sandbox, code: str, **more: str) -> requests.Response:
    given = {"redirect_uri": "http://localhost:1717/OauthRedirect", "code": code, **more}
    return box.oauth("token", grant_type="authorization_code", client_id=ME.client_id, **given)


def test_a_code_buys_a_refresh_token_that_mints_until_it_is_revoked(box: Sandbox) -> None:
    code = code_of(asked(box))
    tokens = redeemed(box, code, client_secret=ME.client_secret).json()
    assert tokens["instance_url"] == box.url
    assert {"signature", "issued_at", "token_type", "scope"} <= tokens.keys()
    who = requests.get(
        tokens["id"], headers={"Authorization": f"Bearer {tokens['access_token']}"}, timeout=30
    )
    assert who.json()["username"] == ME.username
    again = redeemed(box, code, client_secret=ME.client_secret)
    assert again.json()["error"] == "invalid_grant"

    given = {"refresh_token": tokens["refresh_token"], "client_id": ME.client_id}
    minted = box.oauth("token", grant_type="refresh_token", **given).json()
    assert "refresh_token" not in minted
    assert box.oauth("revoke", token=tokens["refresh_token"]).status_code == 200
    refused = box.oauth("token", grant_type="refresh_token", **given)
    assert refused.json()["error"] == "invalid_grant"
    headers = {"Authorization": f"Bearer {minted['access_token']}"}
    answer = requests.get(f"{box.url}{DATA}/limits", headers=headers, timeout=30)
    assert answer.json()[0]["errorCode"] == "INVALID_SESSION_ID"


def test_a_program_without_a_secret_proves_itself_by_its_verifier(box: Sandbox) -> None:
    verifier = "v" * 64
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    more = {"code_challenge": challenge, "code_challenge_method": "S256"}
    wrong = redeemed(box, code_of(asked(box, **more)), code_verifier="w" * 64)
    assert wrong.json()["error_description"] == "invalid code verifier"
    right = redeemed(box, code_of(asked(box, **more)), code_verifier=verifier)
    assert right.status_code == 200
    without = redeemed(box, code_of(asked(box)))
    assert without.json()["error"] == "invalid_client"


def test_the_consent_page_goes_nowhere_for_an_app_that_is_not_known(box: Sandbox) -> None:
    answer = asked(box, client_id="<b>other</b>")
    assert answer.status_code == 400
    assert "invalid_client_id" in answer.text
    for wrong in ("javascript:alert(1)", "http://[", "/here"):
        assert asked(box, redirect_uri=wrong).status_code == 400


# -- sessions -----------------------------------------------------------------------------------


def test_a_session_ends_after_its_time(tmp_path: Path) -> None:
    clock = Clock()
    with sandbox(tmp_path / "org.db", clock=clock, session=timedelta(minutes=15)) as box:
        assert box.ask("GET", "/limits").status_code == 200
        clock.ahead = timedelta(minutes=16)
        answer = box.ask("GET", "/limits")
    assert answer.status_code == 401
    assert answer.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]


def test_introspection_tells_of_a_token_whether_it_is_active(box: Sandbox) -> None:
    app = {"client_id": ME.client_id, "client_secret": ME.client_secret}
    token = box.token()
    found = box.oauth("introspect", token=token, **app).json()
    assert (found["active"], found["username"]) == (True, ME.username)
    box.oauth("revoke", token=token)
    assert box.oauth("introspect", token=token, **app).json() == {"active": False}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"grant_type": "client_credentials"}, "invalid_client_id"),
        (
            {
                "grant_type": "client_credentials",
                "client_id": ME.client_id,
                "client_secret": "no",
            },
            "invalid_client",
        ),
        (
            {
                "grant_type": "password",
                "client_id": ME.client_id,
                "client_secret": ME.client_secret,
                "username": ME.username,
                "password": "no",
            },
            "invalid_grant",
        ),
        (
            {"grant_type": "refresh_token", "client_id": ME.client_id, "refresh_token": "5Aep"},
            "invalid_grant",
        ),
        ({"grant_type": "device"}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_buy_no_token(box: Sandbox, given: dict[str, str], error: str) -> None:
    answer = box.oauth("token", **given)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_an_org_without_api_access_says_so(tmp_path: Path) -> None:
    with sandbox(tmp_path / "org.db", api=False) as box:
        answer = box.ask("GET", "/limits")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "API_DISABLED_FOR_ORG")
