"""A wrong connection is told with what to do, without a secret, and nothing is lost or half done.

Each over HTTP, from the command line; what a project looks like is in `tests/cli/served.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from engine.sandbox.identity import SALESFORCE, OutreachIdentity, SalesforceIdentity
from engine.sandbox.salesforce.setup import Setup
from tests.cli.served import LEADS, RULES, Acme, acme
from tests.stores.listener import answering, self_signed

CANARY = "canary-81be40"


@dataclass(frozen=True)
class Case:
    """A mistake: what makes it, what is told, and the exit codes of `check` and `run`."""

    told: str
    salesforce: dict[str, Any] = field(default_factory=dict)
    outreach: dict[str, Any] = field(default_factory=dict)
    setup: Setup = field(default_factory=Setup)
    scopes: tuple[str, ...] = ("all",)
    codes: tuple[int, int] = (1, 2)
    rules: str = RULES


SECRET = {"client_secret": "env:CANARY"}
CASES = {
    "a wrong secret of Salesforce's app": Case(
        "check `client_secret` against the Consumer Secret", SECRET
    ),
    "an app that Salesforce does not know": Case(
        "check `client_id` against the Consumer Key", {"client_id": "env:CANARY"}
    ),
    "a wrong password": Case(
        "check `username`, `password`, `security_token`",
        {"auth": "password", "username": SALESFORCE.username, "password": "env:CANARY"},
    ),
    "a key that is not the app's": Case(
        "check `private_key`, `client_id`, `username`",
        {"auth": "jwt", "username": SALESFORCE.username, "private_key": "file:other.pem"},
    ),
    "a key that is none": Case(
        "`private_key` in [salesforce] is no RSA private key",
        {"auth": "jwt", "username": SALESFORCE.username, "private_key": "env:CANARY"},
    ),
    "an access token of Salesforce that was revoked": Case(
        "the access token that `token` in [salesforce] refers to has ended or was revoked",
        {"auth": "token", "token": "env:CANARY"},
    ),
    "a refresh token of Salesforce that was revoked": Case(
        "its refresh token has ended or was revoked: run `crosswalk connect salesforce`",
        {"auth": "web", "refresh_token": "env:CANARY"},
    ),
    "a connected app without the scope `api`": Case(
        "give it the OAuth scope `Manage user data via APIs (api)`",
        setup=Setup(scopes=frozenset({"refresh_token"})),
    ),
    "an org without API access": Case(
        "the org or the user has no API access: it takes Enterprise", setup=Setup(api=False)
    ),
    "a field that the user cannot see": Case(
        "`Company`", setup=Setup(hidden=frozenset({("Lead", "Company")}))
    ),
    "an object that does not exist": Case(
        "Visit__c", rules=RULES.replace("Lead", "Visit__c"), codes=(1, 2)
    ),
    "a login for another host than the configured one": Case(
        "`instance_url` in [salesforce] is 127.0.0.1:9: make them the same",
        {"instance_url": "http://127.0.0.1:9"},
    ),
    "a wrong secret of Outreach's app": Case(
        "`client_id` and `client_secret` in [outreach] of crosswalk.toml do not belong together",
        outreach=SECRET,
    ),
    "a refresh token of Outreach that was revoked": Case(
        "Outreach no longer takes the refresh token", outreach={"refresh_token": "env:CANARY"}
    ),
    "an access token of Outreach that was revoked": Case(
        "Outreach refuses the access token that `token` in [outreach]",
        outreach={"token": "env:CANARY"},
    ),
    "a missing scope of Outreach": Case(
        "'prospects.write'", scopes=("prospects.read", "stages.read", "users.read")
    ),
}


@pytest.fixture(autouse=True)
def _canary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setattr("engine.stores.salesforce.connection._FIRST_PAUSE", 0.001)
    (tmp_path / "other.pem").write_bytes(PEM)


KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
PEM = KEYS[0].private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
PUBLIC = (
    KEYS[1]
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)


def goes_wrong(at: Acme, told: str, codes: tuple[int, int]) -> None:
    """Both `check` and `run` say so, without the secret, and nothing has happened."""
    checked, ran = at.type("check"), at.type("run")
    assert (checked.code, ran.code) == codes, checked.out + ran.err
    assert told in checked.out + checked.err
    assert told in ran.err
    assert not any(CANARY in answer.out + answer.err for answer in (checked, ran))
    kept = b"".join(path.read_bytes() for path in at.root.glob("crosswalk.*"))
    assert CANARY.encode() not in kept
    assert at.held() == (LEADS, 0)
    assert at.type("links", "--format", "json").json["links"] == []


def goes_on(at: Acme, mended: Callable[[], None]) -> None:
    """Once it is mended, all of it goes through."""
    mended()
    ran = at.type("run", "--format", "json")
    assert (ran.code, ran.json["counts"]["created"]) == (0, LEADS), ran.err
    assert at.held() == (LEADS, LEADS)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_told_with_what_to_do_and_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    who = SalesforceIdentity(certificate=PUBLIC.decode()), OutreachIdentity(scopes=case.scopes)
    with acme(tmp_path, monkeypatch, {"setup": case.setup}, who=who) as at:
        right = {name: dict(keys) for name, keys in at.config.items()}
        at.set("salesforce", **case.salesforce)
        at.set("outreach", **case.outreach)
        at.rules(case.rules)
        goes_wrong(at, case.told, case.codes)
        if case.setup == Setup() and case.scopes == ("all",):
            at.rules(RULES)
            at.config = right
            goes_on(at, lambda: at.set("project"))


@pytest.mark.parametrize(
    ("section", "key", "told"),
    [
        ("salesforce", "login_url", "cannot be verified: check `instance_url` and `login_url`"),
        ("outreach", "base_url", "shows a certificate that cannot be trusted here"),
    ],
)
def test_a_certificate_that_does_not_verify_is_sent_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str, key: str, told: str
) -> None:
    with (
        answering(b"", self_signed(tmp_path)) as elsewhere,
        acme(tmp_path, monkeypatch) as at,
    ):
        right = at.config[section][key]
        at.set(section, **{key: elsewhere})
        goes_wrong(at, told, (3, 3))
        goes_on(at, lambda: at.set(section, **{key: right}))


def test_scopes_that_the_app_lacks_are_named_to_who_connects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = Setup(scopes=frozenset({"api", "id"}))
    with acme(tmp_path, monkeypatch, {"setup": setup}) as at:
        at.set("salesforce", auth="web", redirect_uri="https://acme.example/back")
        words = "connect", "salesforce", "--no-browser", "--paste"
        back = "https://acme.example/back?error=invalid_scope&error_description=not+allowed"
        answer = at.type(*words, stdin=f"{back}\n")
        assert answer.code == 2
        assert "give the app in Salesforce the scopes `api`, `refresh_token`" in answer.err
