"""Tokens and other secrets in the project's ledger, sealed; kept before they are used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from engine.ledger import Ledger
from engine.ledger.records import LedgerError
from engine.model import Side
from engine.ports import StoreError, Tokens
from engine.sealing import opened, sealed

__all__ = ["LedgerVault", "SealedDrawer"]

_PATIENCE = 60.0  # seconds that another process may take to renew the tokens

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Tokens).decode


class SealedDrawer:
    """One sealed text in the ledger of a file, which is open only while it is read or written.

    Every method may be called from any thread, and raises `StoreError`.
    """

    def __init__(self, ledger: Path, name: str) -> None:
        self._ledger = ledger
        self._name = name

    def read(self) -> bytes | None:
        """What was kept last; None if nothing was, or if it was sealed with another key."""
        if not self._ledger.exists():
            return None
        with self._opened() as ledger:
            kept = ledger.sealed_tokens(self._name)
        return None if kept is None else opened(kept)

    def keep(self, text: bytes) -> None:
        """Seal the text and commit it."""
        closed = sealed(text)
        with self._opened() as ledger:
            ledger.keep_tokens(self._name, closed, datetime.now(UTC).isoformat())

    @contextmanager
    def _opened(self) -> Iterator[Ledger]:
        try:
            with closing(Ledger(self._ledger)) as ledger:
                yield ledger
        except LedgerError as error:
            raise StoreError(str(error)) from None


class LedgerVault:
    """A `Vault` over the ledger in a file; every method may be called from any thread."""

    def __init__(self, ledger: Path, side: Side) -> None:
        self._ledger = ledger
        self._side = side
        self._drawer = SealedDrawer(ledger, side)

    def tokens(self) -> Tokens | None:
        """What was kept last; None if nothing was, or if it was sealed with another key."""
        text = self._drawer.read()
        return None if text is None else _decode(text)

    def keep(self, tokens: Tokens) -> None:
        """Seal the tokens and commit them. Raises `StoreError`."""
        self._drawer.keep(_encode(tokens))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Held by one process at a time. Raises `StoreError` if another one does not let go."""
        path = self._ledger.with_name(f"{self._ledger.name}.{self._side}.lock")
        lock = FileLock(path, thread_local=False)
        try:
            lock.acquire(timeout=_PATIENCE)
        except Timeout:
            raise StoreError(
                f"another process has been renewing the {self._side} token for {_PATIENCE:.0f}"
                f" seconds: end it, then try again"
            ) from None
        except OSError as error:
            raise StoreError(f"the lock file {path} cannot be written: {error.strerror}") from None
        try:
            yield
        finally:
            lock.release()
