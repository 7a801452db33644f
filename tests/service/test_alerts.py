"""People are told of a trouble once while it lasts, by each way, however often it takes to send."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from engine.ledger import Ledger
from engine.secrets import Secrets
from engine.service.alerts import Alerts
from tests.service.place import Post, until

DOWN = {"unreachable outreach": "Outreach cannot be reached"}
HELD = {"held x": "2 held", "held y": "2 held"}


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    found = Ledger(Path(":memory:"))
    yield found
    found.close()


@contextmanager
def alerts(settings: dict[str, str], **environment: str) -> Iterator[Alerts]:
    found = Alerts(settings, Secrets(Path(), environment), "acme", first_wait=0.01)
    try:
        yield found
    finally:
        found.close()


def test_a_trouble_is_told_once_until_it_was_over(ledger: Ledger) -> None:
    with Post() as hook, Post() as slack:
        ways = {"slack": "env:SLACK", "webhook": hook.url}
        for looks in ([DOWN, DOWN], [DOWN, DOWN | HELD, DOWN | HELD, {}], [DOWN]):
            with alerts(ways, SLACK=slack.url) as told:
                for look in looks:
                    told.see(ledger, look)
                    until(lambda: not told._tries)
                told.close(ledger)  # and begins anew: a restart tells nobody again
        assert hook.troubles == ["unreachable outreach", "held x", "unreachable outreach"]
        assert [each["text"] for each in slack.taken] == [
            "Crosswalk acme: Outreach cannot be reached",
            "Crosswalk acme: 2 held",
            "Crosswalk acme: Outreach cannot be reached",
        ]


def test_what_is_not_known_yet_is_not_over(ledger: Ledger) -> None:
    with Post() as hook, alerts({"webhook": hook.url}) as told:
        for look, is_open in ((DOWN, False), ({}, True), (DOWN, False)):
            told.see(ledger, look, lambda _about: is_open)  # noqa: B023 - asked at once
            until(lambda: not told._tries)
        assert len(hook.taken) == 1


def test_a_refused_alert_is_sent_again_and_the_other_way_hears_it_once(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with Post(refusals=3) as hook, Post() as slack:
        with alerts({"webhook": hook.url, "slack": "env:SLACK"}, SLACK=slack.url) as told:

            def come() -> bool:
                told.see(ledger, DOWN)
                return bool(hook.taken)

            until(come)
        assert (len(hook.taken), len(slack.taken), hook.refusals) == (1, 1, 0)
        assert "the alert cannot be sent by `webhook`, and is tried again" in caplog.text
        assert slack.url not in caplog.text
        assert hook.url not in caplog.text


class _Listening(Controller):
    """One on a free port, which it learns once it listens."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(folder: Path) -> Iterator[tuple[str, list[Envelope]]]:
    """A server that takes mail by TLS from who knows the password; and what it took."""
    taken: list[Envelope] = []

    class Box:
        async def handle_DATA(  # noqa: N802 - the library asks for this name
            self, _server: object, _session: object, mail: Envelope
        ) -> str:
            taken.append(mail)
            return "250 OK"

    def sign_in(*given: object) -> AuthResult:
        right = given[-1] == LoginPassword(b"ann", b"mail-secret")
        return AuthResult(success=right)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate(folder))
    server = _Listening(
        Box(),
        hostname="127.0.0.1",
        port=0,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=sign_in,
    )
    server.start()
    try:
        yield f"127.0.0.1:{server.port}", taken
    finally:
        server.stop()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that it signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


def test_mail_is_sent_by_tls_with_a_login_and_only_to_a_server_that_is_trusted(
    tmp_path: Path,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with mail_server(tmp_path) as (address, taken):
        settings = {
            "email_to": "ops@acme.co",
            "email_from": "crosswalk@acme.co",
            "smtp": address,
            "smtp_user": "ann",
            "smtp_password": "env:MAIL",
        }
        with alerts(settings, MAIL="mail-secret") as told:
            told.see(ledger, DOWN)
            until(lambda: "cannot be sent by `email_to`" in caplog.text)
            assert not taken, "a stranger's server was given the password"
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))

            def come() -> bool:
                told.see(ledger, DOWN)
                return bool(taken)

            until(come)
            for _ in range(3):
                told.see(ledger, DOWN)
        (mail,) = taken
        assert mail.rcpt_tos == ["ops@acme.co"]
        assert b"Subject: Crosswalk acme: Outreach cannot be reached" in bytes(mail.content or b"")
        assert "mail-secret" not in caplog.text
