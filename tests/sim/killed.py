"""Runs cycles on real files, each in a process that kills itself at another place.

`python -m tests.sim.killed FOLDER` with `KILL_FIRST` and `KILL_STEP` in the environment copies the
folder's files to `FOLDER-n` for each n of FIRST, FIRST + STEP, …, and kills the cycle there at its
nth place, until there is a cycle that gets to its end.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

from dsl.program import Program
from engine.cycle import Summary, run_cycle
from engine.ledger import Ledger
from engine.model import SIDES, Side
from engine.stores.local import open_org
from tests.engine.rules import program_of

__all__ = ["FILES", "RULES", "copied", "cycle", "opened"]

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound create
    outbound update
    inbound delete
    fields { LastName <-> lastName  Company <-> company  Email <-> emails  Title <-> title }
}
"""
FILES = ("salesforce.db", "outreach.db", "ledger.db")
_CALLS = ("scan", "fetch", "fates", "find", "write", "begin", "intend", "commit", "finish")
_WRITING = ("BEGIN", "INSERT", "UPDATE", "DELETE", "COMMIT")

Place = Callable[[str], None]


class Watched:
    """A store or a ledger, each of whose calls begins and ends at a place."""

    def __init__(self, inner: Any, place: Place) -> None:
        self._inner = inner
        self._place = place

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in _CALLS:
            return found

        def call(*args: Any) -> Any:
            self._place(f"before {name}")
            answer = found(*args)
            self._place(f"after {name}")
            return answer

        return call


@contextmanager
def opened(folder: Path, place: Place | None = None) -> Iterator[tuple[dict[Side, Any], Any]]:
    """The orgs and the ledger of a folder; `place` hears of calls, and of the ledger's writing."""
    orgs = {side: open_org(side, folder / f"{side}.db") for side in SIDES}
    ledger = Ledger(folder / "ledger.db")
    try:
        if place is None:
            yield dict(orgs), ledger
            return
        ledger._connection.set_trace_callback(_written(place))
        yield {side: Watched(org, place) for side, org in orgs.items()}, Watched(ledger, place)
    finally:
        for org in orgs.values():
            org.close()
        ledger.close()


def _written(place: Place) -> Callable[[str], None]:
    """A trace of SQLite's that tells of the statements that write."""

    def told(statement: str) -> None:
        if statement.startswith(_WRITING):
            place(statement.split(maxsplit=1)[0])

    return told


@cache
def _program() -> Program:
    return program_of(RULES)


def cycle(stores: dict[Side, Any], ledger: Any) -> Summary:
    """One cycle by the computer's clock."""
    return run_cycle(_program(), stores, ledger, UTC)


def copied(source: Path, target: Path) -> Path:
    """A folder's databases with their logs, as a crash leaves them."""
    target.mkdir()
    for name in FILES:
        for path in source.glob(f"{name}*"):
            shutil.copy(path, target / path.name)
    return target


def _killer(at: int) -> Place:
    passed = 0

    def place(_what: str) -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return place


def _survives(folder: Path, at: int) -> bool:
    """Whether a cycle has fewer places than that at which it was to be killed."""
    _program()
    child = os.fork()
    if child == 0:
        with opened(folder, _killer(at)) as world:
            cycle(*world)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    assert os.waitstatus_to_exitcode(status) == 0, status
    return True


def main(folder: Path, at: int, step: int) -> None:
    while not _survives(copied(folder, folder.with_name(f"{folder.name}-{at}")), at):
        at += step


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(os.environ["KILL_FIRST"]), int(os.environ["KILL_STEP"]))
