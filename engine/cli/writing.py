"""What the commands that write share: one at a time, a gentle end, what they say they did."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from time import sleep
from types import FrameType
from typing import TYPE_CHECKING, Any

from dsl.program import Program
from dsl.schema import Side
from engine.cli.project import Project, able

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.case import Change
    from engine.cycle import Summary
    from engine.interpreter import Progress
    from engine.ledger import Ledger
    from engine.model import RecordId
    from engine.objection import Objection
    from engine.ports import BudgetSpent, Store, Wait

__all__ = ["Session", "add_output", "add_yes", "run_chosen", "writing"]

_SHOWN = 20
_NAP = 1.0  # seconds between two looks at the clock
_CODES = {"done": 0, "held": 1, "failed": 1, "stopped": 130}


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add `--changes`, `--all` and `--format text|json`."""
    parser.add_argument("--changes", action="store_true", help="list the changes in the JSON too")
    parser.add_argument("--all", action="store_true", help=f"show more than {_SHOWN} changes")
    parser.add_argument("--format", choices=["text", "json"], default="text")


@dataclass(frozen=True)
class Session:
    """A project opened to be written to; `stop` says whether Ctrl-C was pressed."""

    program: Program
    stores: dict[Side, Store]
    ledger: Ledger
    zone: tzinfo
    report: Callable[[Change], None]
    stop: Callable[[], bool]
    progress: Progress

    @property
    def world(self) -> tuple[Program, dict[Side, Store], Ledger, tzinfo]:
        """What each cycle takes first."""
        return self.program, self.stores, self.ledger, self.zone


def writing(args: argparse.Namespace, project: Project, work: Callable[[Session], Summary]) -> int:
    """Open the project, do the work, print how it went; the exit code."""
    from engine.cli.output import ChangeSpool
    from engine.cli.progress import shown_progress
    from engine.kept_rules import keep_rules
    from engine.ledger.locking import run_lock
    from engine.ledger.retention import drop_old_log

    as_json = args.format == "json"
    everything = args.changes if as_json else args.all
    limit = None if everything else 0 if as_json else _SHOWN
    # A cycle makes and drops millions of small objects, hardly any of them in circles.
    gc.set_threshold(200_000, 50, 100)
    program = project.program()
    with ExitStack() as stack:
        stack.enter_context(run_lock(project.ledger_path))
        ledger = project.open_ledger()
        stack.callback(ledger.close)
        spool = stack.enter_context(ChangeSpool(as_json, limit))
        stop = stack.enter_context(_gentle_interrupt())
        wait = _waiter(stop, project.config.timezone) if getattr(args, "wait", False) else None
        stores = project.open_budgeted(stack, program, ledger, wait)
        program = able(program, stores)
        with shown_progress() as progress:
            zone = project.config.timezone
            session = Session(program, stores, ledger, zone, spool.add, stop, progress)
            keep_rules(program, ledger)
            summary = work(session)
        drop_old_log(ledger, datetime.now(UTC), project.config.log_days)
        if as_json or not summary.objections:
            spool.print(summary, foretold=False)
    return _ending(summary)


def _ending(summary: Summary) -> int:
    """The exit code, and a word to the user if the run stopped."""
    if summary.objections:
        from engine.cli.objections import objection_lines

        for line in objection_lines(summary):
            print(line, file=sys.stderr)
        return 1
    from engine.cli.budgets import wait_lines

    for line in wait_lines(summary):
        print(line, file=sys.stderr)
    for each in summary.left:
        print(f"left as it is: {each.message}", file=sys.stderr)
    if summary.status == "stopped":
        print("stopped; the next run goes on from here", file=sys.stderr)
    return _CODES[summary.status] or int(bool(summary.left))


def _waiter(stop: Callable[[], bool], zone: tzinfo) -> Wait:
    """Waits for calls, and says until when; goes on unless the run is asked to stop meanwhile."""

    def wait(spent: BudgetSpent) -> bool:
        from engine.cli.budgets import moment

        if stop():
            return False
        until = f"goes on at {moment(spent.until, zone)} {zone} (Ctrl-C stops it)"
        print(f"crosswalk: {spent}; {until}", file=sys.stderr, flush=True)
        while datetime.now(UTC) < spent.until:
            sleep(_NAP)
            if stop():
                return False
        return True

    return wait


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add `--yes`."""
    parser.add_argument(
        "--yes",
        action="store_true",
        help="do it though the rules' `guard`, or very many deletions, would stop it",
    )


def run_chosen(
    args: argparse.Namespace,
    session: Session,
    records: Mapping[tuple[str, Side], Sequence[RecordId]],
    **options: Any,
) -> Summary:
    """A cycle over these records alone, if the guard lets it."""
    from engine.chosen import Chosen
    from engine.cycle import run_cycle
    from engine.guard import blast_of

    program, stores, ledger, zone = session.world
    only = frozenset(pair for pair, _ in records)

    def guarded(_run: str) -> Sequence[Objection]:
        if args.yes or not program.guards:
            return ()
        again = {"only": only, "chosen": Chosen(records), **options}
        blast = blast_of(program, stores, ledger, zone, stop=session.stop, **again)
        return blast.objections(program, ledger, zone)

    return run_cycle(
        program,
        stores,
        ledger,
        zone,
        only=only,
        chosen=Chosen(records),
        before=guarded,
        report=session.report,
        stop=session.stop,
        progress=session.progress,
        **options,
    )


@contextmanager
def _gentle_interrupt() -> Iterator[Callable[[], bool]]:
    """Ctrl-C (or SIGTERM) asks the run to stop after its batch; a second one stops it at once."""
    asked = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        os.write(2, b"\nstopping after this batch; once more stops at once\n")

    before = {n: signal.signal(n, on_signal) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
