"""Tokens from one process to the next: sealed, committed before use, one renewal at a time."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.model import Side
from engine.ports import StoreError, Tokens
from engine.sealing import KEY, opened, sealed
from engine.secrets import Secret, SecretError, Secrets
from engine.vault import LedgerVault

TOKENS = Tokens("canary-access", "canary-refresh", 1_800_000_000.0, "https://acme.example")


@pytest.fixture(autouse=True)
def _own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(KEY, raising=False)


@pytest.fixture
def vault(tmp_path: Path) -> LedgerVault:
    return LedgerVault(tmp_path / "ledger.db", Side.OUTREACH)


def test_what_was_kept_is_there_for_the_next_process_and_nobody_can_read_it(
    vault: LedgerVault, tmp_path: Path
) -> None:
    vault.keep(TOKENS)
    assert LedgerVault(tmp_path / "ledger.db", Side.OUTREACH).tokens() == TOKENS
    assert LedgerVault(tmp_path / "ledger.db", Side.SALESFORCE).tokens() is None
    everything = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"canary" not in everything
    assert "canary" not in repr(TOKENS)
    assert (tmp_path / "config" / "crosswalk" / "key").stat().st_mode & 0o777 == 0o600


def test_nothing_is_kept_before_there_is_a_ledger(vault: LedgerVault, tmp_path: Path) -> None:
    assert vault.tokens() is None
    assert list(tmp_path.iterdir()) == []


def test_with_another_key_the_tokens_are_as_if_they_were_not_there(
    vault: LedgerVault, tmp_path: Path
) -> None:
    vault.keep(TOKENS)
    (tmp_path / "config" / "crosswalk" / "key").unlink()
    assert vault.tokens() is None


def test_a_key_that_others_can_read_or_that_is_none_is_refused(
    vault: LedgerVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.keep(TOKENS)
    (tmp_path / "config" / "crosswalk" / "key").chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        vault.tokens()
    monkeypatch.setenv(KEY, "too short")
    with pytest.raises(StoreError, match=KEY):
        vault.tokens()


def test_a_key_of_the_environment_needs_no_file(tmp_path: Path) -> None:
    environment = {KEY: "A" * 43 + "=", "XDG_CONFIG_HOME": str(tmp_path)}
    assert opened(sealed(b"text", environment), environment) == b"text"
    assert opened(sealed(b"text", environment), {KEY: "B" * 42 + "A="}) is None
    assert list(tmp_path.iterdir()) == []


def test_processes_that_make_the_key_at_once_agree_on_it(tmp_path: Path) -> None:
    script = "from engine.sealing import sealed; import sys; sys.stdout.buffer.write(sealed(b'x'))"
    made = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(3)
    ]
    texts = [process.communicate(timeout=60)[0] for process in made]
    assert [opened(text) for text in texts] == [b"x"] * 3


def test_of_several_renewals_one_happens_at_a_time(vault: LedgerVault) -> None:
    inside, most = 0, 0

    def renew() -> None:
        nonlocal inside, most
        for _ in range(5):
            with vault.exclusive():
                inside += 1
                most = max(most, inside)
                vault.keep(TOKENS)
                inside -= 1

    threads = [threading.Thread(target=renew) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_secrets_are_found_by_reference_and_shown_to_nobody(tmp_path: Path) -> None:
    (tmp_path / "sf.pem").write_text("canary-key\n")
    found = Secrets(tmp_path, {"SF_SECRET": "canary-env "})
    for secret in (found.get("token", "env:SF_SECRET"), found.get("private_key", "file:sf.pem")):
        assert secret.reveal().startswith("canary-")
        assert not secret.reveal().endswith((" ", "\n"))
        assert "canary" not in f"{secret} {secret!r} {found!r}"
    assert found.get("client_id", "plain") == Secret("plain")


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("env:NOT_SET", "export NOT_SET="),
        ("env:EMPTY", "is empty"),
        ("file:none.pem", "not there"),
        ("keyring:acme/token", "token of acme"),
    ],
)
def test_a_reference_that_leads_nowhere_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, told: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with pytest.raises(SecretError, match=told):
        Secrets(tmp_path, {"EMPTY": " "}).get("token", reference)
