"""One at a time on a ledger: who writes to it, and who serves it, hold a lock file beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.ledger.records import LedgerError

__all__ = ["Busy", "run_lock", "serve_lock"]

_NAP = 0.25  # seconds between two tries


class Busy(LedgerError):
    """Somebody else is at work on the ledger."""


@contextmanager
def run_lock(ledger: Path, wait: Callable[[float], bool] | None = None) -> Iterator[None]:
    """Keep a second run off the same ledger.

    Raises `Busy` if one is at work: at once, or when `wait` (it sleeps for so many seconds) says
    that it was long enough. Raises `LedgerError` if the lock cannot be written.
    """
    message = f"another run is at work on the ledger {ledger}: wait until it is done"
    with _lock(ledger.with_name(ledger.name + ".lock"), message, wait):
        yield


@contextmanager
def serve_lock(ledger: Path, where: str = "") -> Iterator[None]:
    """Keep a second service off the same ledger; `where` is this one's address.

    Raises `Busy` if there is one, with who that is.
    """
    who = ""
    lock, told = (ledger.with_name(f"{ledger.name}.serve{end}.lock") for end in ("", ".who"))
    with suppress(OSError):
        who = told.read_text(encoding="utf-8")
    message = (
        f"another `crosswalk serve`{who} is at work on the ledger {ledger}: end it first,"
        " or open its console"
    )
    with _lock(lock, message, None):
        # Not into the lock file itself, which everybody empties who tries it.
        with suppress(OSError):
            at = f" at {where}" if where else ""
            told.write_text(f" (process {os.getpid()}{at})", encoding="utf-8")
        try:
            yield
        finally:
            with suppress(OSError):
                told.unlink(missing_ok=True)


@contextmanager
def _lock(path: Path, message: str, wait: Callable[[float], bool] | None) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - a look at the ledger takes no lock

    lock = FileLock(path)
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            if wait is None or wait(_NAP):
                raise Busy(message) from None
        except OSError as error:
            raise LedgerError(f"the lock file {path} cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()
