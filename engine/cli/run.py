"""`crosswalk run`: one cycle, from which the next one goes on whatever happens to this one."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from engine.cli.plan import chosen
from engine.cli.project import Failure, Project

__all__ = ["register", "run", "run_lock"]

_SHOWN = 20
_CODES = {"done": 0, "held": 1, "failed": 1, "stopped": 130}


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--type", metavar="T", help="only syncs of this type (Lead, prospect, …)")
    parser.add_argument("--once", action="store_true", help="one cycle and no more (the default)")
    parser.add_argument(
        "--yes", action="store_true", help="go on with deletions that are held for being so many"
    )
    parser.add_argument("--changes", action="store_true", help="list the changes in the JSON too")
    parser.add_argument("--all", action="store_true", help=f"show more than {_SHOWN} changes")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.epilog = (
        "Ctrl-C stops after the batch at work; the next run goes on from there. Exit code 1 says\n"
        "that records were held for review or refused: `crosswalk status` names them.\n\n"
        "examples:\n"
        "  crosswalk run\n"
        "  crosswalk run --type Account --format json --changes"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Run one cycle and print how it went."""
    from engine.cli.output import ChangeSpool
    from engine.cli.progress import shown_progress
    from engine.cycle import run_cycle

    as_json = args.format == "json"
    everything = args.changes if as_json else args.all
    limit = None if everything else 0 if as_json else _SHOWN
    # A cycle makes and drops millions of small objects, hardly any of them in circles.
    gc.set_threshold(200_000, 50, 100)
    program = project.program()
    only = chosen(program, args.type)
    with ExitStack() as stack:
        stack.enter_context(run_lock(project.ledger_path))
        ledger = project.open_ledger()
        stack.callback(ledger.close)
        stores = project.open_stores(stack)
        spool = stack.enter_context(ChangeSpool(as_json, limit))
        stop = stack.enter_context(_gentle_interrupt())
        with shown_progress() as progress:
            summary = run_cycle(
                program,
                stores,
                ledger,
                project.config.timezone,
                only=only,
                yes=args.yes,
                report=spool.add,
                stop=stop,
                progress=progress,
            )
        spool.print(summary, foretold=False)
    if summary.status == "stopped":
        print("stopped; the next run goes on from here", file=sys.stderr)
    return _CODES[summary.status]


@contextmanager
def run_lock(ledger: Path) -> Iterator[None]:
    """Keep a second run off the same ledger. Raises `Failure` if one is at work."""
    from filelock import FileLock, Timeout

    path = ledger.with_name(ledger.name + ".lock")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Failure(
            f"another run is at work on the ledger {ledger}: wait until it is done"
        ) from None
    except OSError as error:
        raise Failure(f"the lock file {path} cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


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
