"""Connecting to Salesforce: every way to log in, sessions that end, and what is refused and how."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from engine.ports import StoreError, Tokens, Unauthorized, Unreachable
from engine.sandbox.identity import SALESFORCE, SalesforceIdentity
from engine.sandbox.salesforce.setup import Setup
from engine.secrets import Secret, Secrets
from engine.stores.oauth import WebFlow
from engine.stores.salesforce import open_salesforce
from tests.stores.listener import answering, self_signed
from tests.stores.salesforce import KeptTokens, connected, served, settings

CANARY = "canary-5f2a91"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "crosswalk")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, certificate: bytes) -> Iterator[str]:
    identity = SalesforceIdentity(certificate=certificate.decode())
    path = tmp_path_factory.mktemp("org") / "salesforce.db"
    with served(path, identity=identity) as address:
        yield address


def _works(url: str, vault: KeptTokens, **more: str) -> None:
    with connected(url, vault, **more) as store:
        assert store.describe("Lead") is not None


@pytest.mark.parametrize("auth", ["client_credentials", "password"])
def test_a_session_is_kept_for_the_next_process(url: str, auth: str) -> None:
    vault = KeptTokens()
    _works(url, vault, auth=auth)
    _works(url, vault, auth=auth)
    assert len(vault.kept) == 1
    with connected(url, vault, auth=auth, client_secret=CANARY, password=CANARY) as store:
        assert store.describe("Lead") is not None  # the session is still good
        (found,) = store.checkups([])  # and the credentials are looked at all the same
    assert "Salesforce refuses the login" in found.advice


def test_a_jwt_is_signed_with_the_key_of_the_connected_app(
    url: str, key: rsa.RSAPrivateKey
) -> None:
    _works(url, KeptTokens(), auth="jwt", private_key=_pem(key))


def test_a_user_lets_crosswalk_in_and_its_refresh_token_stays_when_the_session_ends(
    url: str,
) -> None:
    flow = WebFlow(
        "Salesforce",
        f"{url}/services/oauth2/authorize",
        f"{url}/services/oauth2/token",
        SALESFORCE.client_id,
        Secret(SALESFORCE.client_secret),
        "http://localhost:1717/callback",
        ("api", "refresh_token"),
    )
    page, _, query = flow.address().partition("?")
    form = dict(parse_qsl(query)) | {"decision": "allow"}
    answer = requests.post(page, data=form, allow_redirects=False, timeout=5)
    tokens = flow.tokens(answer.headers["Location"])
    assert tokens.refresh
    vault = KeptTokens([tokens._replace(access="ended")])
    _works(url, vault, auth="web")
    assert vault.kept[-1].refresh == tokens.refresh
    assert vault.kept[-1].access != "ended"


def test_a_session_that_another_process_renewed_is_taken_over(url: str) -> None:
    first = KeptTokens()
    _works(url, first)

    class Renewed(KeptTokens):
        """Another process renews between this one's look and its own renewal."""

        looks = 0

        def tokens(self) -> Tokens | None:
            self.looks += 1
            return Tokens("ended", None, None, url) if self.looks == 1 else first.kept[0]

    second = Renewed()
    _works(url, second)
    assert second.kept == []


def test_sessions_that_end_at_once_are_an_error_and_no_endless_renewal(tmp_path: Path) -> None:
    vault = KeptTokens()
    with (
        served(tmp_path / "salesforce.db", setup=Setup(session=timedelta(0))) as address,
        connected(address, vault) as store,
        pytest.raises(Unauthorized, match="does not accept the session"),
    ):
        store.describe("Lead")
    assert len(vault.kept) == 2


def test_a_session_that_ends_in_the_middle_is_renewed(tmp_path: Path) -> None:
    vault = KeptTokens()
    with (
        served(tmp_path / "salesforce.db", "401=0.1", seed=4) as address,
        connected(address, vault) as store,
    ):
        for _ in range(10):
            store.usage()
            store.describe("Lead")
            store._types._kept.clear()
    assert len(vault.kept) > 1


@pytest.mark.parametrize("auth", ["client_credentials", "password"])
def test_logging_in_gets_through_what_breaks(
    tmp_path: Path, auth: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.stores.salesforce.connection._FIRST_PAUSE", 0.001)
    odds = "truncated=.15,500=.1,503=.1,before=.05,after=.05,reset=.05"
    with served(tmp_path / "salesforce.db", odds, seed=1) as address:
        for _ in range(12):
            _works(address, KeptTokens(), auth=auth)


REFUSALS = {
    "an unknown app": (
        {"client_id": CANARY},
        r"invalid_client_id.*check `client_id` against the Consumer Key",
    ),
    "a wrong secret": (
        {"client_secret": CANARY},
        r"invalid_client:.*check `client_secret` against the Consumer Secret",
    ),
    "a wrong password": (
        {"auth": "password", "password": CANARY},
        r"INVALID_LOGIN.*check `username`, `password`",
    ),
    "a wrong security token": (
        {"auth": "password", "security_token": CANARY},
        r"INVALID_LOGIN.*`security_token`",
    ),
    "a revoked refresh token": (
        {"auth": "web", "refresh_token": CANARY},
        r"its refresh token has ended or was revoked: run `crosswalk connect salesforce`",
    ),
    "nobody connected": ({"auth": "web"}, r"nobody has connected Salesforce yet: run `crosswalk"),
    "a token that has ended": (
        {"auth": "token", "token": CANARY},
        r"the access token that `token` in \[salesforce\] refers to has ended",
    ),
    "no key": ({"auth": "jwt", "private_key": CANARY}, r"`private_key` .* no RSA private key"),
}


@pytest.mark.parametrize(("given", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_refused_login_says_what_to_change_and_no_secret(
    url: str, given: dict[str, str], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with connected(url, None, **given) as store, pytest.raises(Unauthorized, match=words) as caught:
        store.describe("Lead")
    assert CANARY not in f"{caught.value!r} {caught.value.__cause__!r} {store!r} {caplog.text}"


def test_a_wrong_key_is_told_from_a_wrong_app(url: str) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    wanted = r"invalid assertion\): check `private_key`"
    with (
        connected(url, auth="jwt", private_key=_pem(other)) as store,
        pytest.raises(Unauthorized, match=wanted),
    ):
        store.describe("Lead")


def test_scopes_that_the_app_lacks_are_told_each_with_what_to_do(tmp_path: Path) -> None:
    with served(tmp_path / "one.db", setup=Setup(scopes=frozenset({"api"}))) as url:
        places = f"{url}/services/oauth2/authorize", f"{url}/services/oauth2/token"
        app = SALESFORCE.client_id, Secret(SALESFORCE.client_secret), "http://localhost:1717/c"
        flow = WebFlow("Salesforce", *places, *app, ("api", "refresh_token"))
        back = requests.get(flow.address(), allow_redirects=False, timeout=5).headers["Location"]
        with pytest.raises(Unauthorized, match="the scopes `api`, `refresh_token`, then try again"):
            flow.tokens(back)
        # Asked for without it, the authorisation holds as long as its session.
        short = WebFlow("Salesforce", *places, *app, ("api",))
        page, _, query = short.address().partition("?")
        form = dict(parse_qsl(query)) | {"decision": "allow"}
        answer = requests.post(page, data=form, allow_redirects=False, timeout=5)
        tokens = short.tokens(answer.headers["Location"])
        assert tokens.refresh is None
        _works(url, KeptTokens([tokens]), auth="web")
        ended = KeptTokens([tokens._replace(access="ended")])
        wanted = r"has ended, and no refresh token .* `Perform requests at any time \(refresh_token"
        with (
            connected(url, ended, auth="web") as store,
            pytest.raises(Unauthorized, match=wanted),
        ):
            store.describe("Lead")
    lacking = Setup(scopes=frozenset({"refresh_token"}))
    with (
        served(tmp_path / "two.db", setup=lacking) as url,
        connected(url) as store,
        pytest.raises(Unauthorized, match=r"scope `Manage user data via APIs \(api\)`"),
    ):
        store.describe("Lead")


def test_an_org_without_api_access_is_told(tmp_path: Path) -> None:
    with (
        served(tmp_path / "salesforce.db", setup=Setup(api=False)) as address,
        connected(address) as store,
    ):
        (found,) = store.checkups([])
    assert not found.right
    assert "no API access: it takes Enterprise" in found.advice


# -- hosts --------------------------------------------------------------------------------------

MISTAKES = {
    "another auth": ({"auth": "magic"}, r"`auth` in \[salesforce\] is `magic`"),
    "plain http": ({"instance_url": "http://acme.my.salesforce.com"}, "could be read on its way"),
    "a path": ({"instance_url": "https://acme.my.salesforce.com/x"}, "write an address such as"),
}


@pytest.mark.parametrize(("given", "words"), MISTAKES.values(), ids=MISTAKES)
def test_wrong_settings_are_told_before_anything_is_sent(given: dict[str, str], words: str) -> None:
    wrong = settings("https://acme.my.salesforce.com") | given
    with pytest.raises(StoreError, match=words) as caught:
        open_salesforce(wrong, Secrets(Path(), {}), KeptTokens())
    assert CANARY not in str(caught.value)


def test_a_login_of_another_org_is_not_used(url: str) -> None:
    vault = KeptTokens()
    with (
        served_elsewhere() as other,
        connected(other, vault, login_url=url) as store,
        pytest.raises(StoreError, match=r"this login is for 127\.0\.0\.1:\d+, and `instance_url`"),
    ):
        store.describe("Lead")


@contextmanager
def served_elsewhere() -> Iterator[str]:
    """The address of a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_host_that_is_not_there_is_told(url: str) -> None:
    given = {"login_url": url, "auth": "token", "token": CANARY}
    with (
        connected("https://crosswalk-test.invalid", None, **given) as store,
        pytest.raises(Unreachable, match=r"no host crosswalk-test\.invalid.*`instance_url`"),
    ):
        store.describe("Lead")


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    moved = (
        "HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n"
    )
    with (
        answering(moved.encode()) as address,
        connected(address, auth="token", token=CANARY) as store,
        pytest.raises(StoreError, match=r"moved to evil\.example: set `instance_url`"),
    ):
        store.describe("Lead")


def test_a_certificate_that_does_not_verify_is_told(tmp_path: Path) -> None:
    with (
        answering(b"", self_signed(tmp_path)) as address,
        connected(address, auth="token", token=CANARY) as store,
        pytest.raises(Unreachable, match=r"the certificate of 127\.0\.0\.1:\d+ cannot be verified"),
    ):
        store.describe("Lead")
