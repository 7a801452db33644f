"""The one thread that reads the stores and writes the ledger, whatever was asked for or is due."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Protocol

from dsl.program import Program
from engine.config import Config
from engine.cycle import Summary
from engine.interpreter import Stopped
from engine.ledger import Ledger
from engine.ledger.locking import Busy, run_lock, serve_lock
from engine.ledger.records import LedgerError
from engine.model import Side
from engine.ports import BudgetSpent, Clock, Store, StoreError, Unreachable, Wait
from engine.service.agenda import Agenda, Job
from engine.service.alerts import Alerts
from engine.service.board import WAITING, Board
from engine.service.desk import Desk
from engine.service.events import Events
from engine.service.metrics import Metrics
from engine.service.state import Step
from engine.service.troubles import is_open, troubles

__all__ = ["Host", "Worker"]

_LOG = logging.getLogger("crosswalk.serve")
_Steps = tuple[Step, ...]


class Host(Protocol):
    """The project that is served."""

    @property
    def config(self) -> Config: ...

    @property
    def ledger_path(self) -> Path: ...

    def rules_read(self) -> tuple[Program | None, tuple[str, ...]]: ...

    def open_ledger(self) -> Ledger: ...

    def open_budgeted(
        self, stack: ExitStack, program: Program, ledger: Ledger, wait: Wait | None = None
    ) -> dict[Side, Store]: ...


class Worker:
    """Takes from the agenda, does it, and notes on the board what came of it.

    `rescheduled` is told the steps of rules that were just taken, `ended` that the worker is no
    more, though nobody asked it to stop.
    """

    def __init__(
        self,
        host: Host,
        agenda: Agenda,
        board: Board,
        clock: Clock,
        events: Events,
        metrics: Metrics,
        alerts: Alerts,
    ) -> None:
        self._host, self._agenda, self._board, self._clock = host, agenda, board, clock
        self._events, self._metrics, self._alerts = events, metrics, alerts
        self.rescheduled: Callable[[dict[Step, timedelta]], object] = lambda _steps: None
        self.ended: Callable[[], None] = lambda: None
        self.opened: Future[None] = Future()
        self._stopping = threading.Event()
        self._where = ""
        self._desk: Desk | None = None
        self._ledger: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self, where: str = "") -> None:
        """Begin; `where` is told to a second service, for which this raises `Busy`.

        Raises `LedgerError`, or what the stores raise, as well.
        """
        self._where = where
        self._thread.start()
        self.opened.result()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def hurry(self) -> None:
        """End after the batch at work."""
        self._stopping.set()

    @contextmanager
    def looking(self) -> Iterator[Ledger]:
        """The ledger for one reader, on any thread. Raises `LedgerError`."""
        self._check_ledger()
        with closing(self._host.open_ledger()) as ledger:
            yield ledger

    def join(self, timeout: float) -> bool:
        """Whether it has ended within so many seconds."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with serve_lock(self._host.ledger_path, self._where):
                try:
                    self._open()
                except Unreachable as error:
                    self._cut_off(error)
                    self._alert()
                self.opened.set_result(None)
                self._loop()
        except BaseException as error:  # noqa: BLE001 - told to whoever started it, or to all
            if not self.opened.done():
                self.opened.set_exception(error)
                return
            _LOG.exception("the worker ended", extra={"event": "broken"})
            self.ended()
        finally:
            self._leave()

    def _loop(self) -> None:
        while (found := self._agenda.next(self._board)) is not None:
            if isinstance(found, Job) and found.what == "reload":
                self._reload()
            else:
                self._do(found)
            self._alert()

    def _open(self) -> Desk:
        """The desk, opened if it is not. Raises what stores and ledger raise."""
        try:
            self._check_ledger()
        except LedgerError:
            self._leave()
            raise
        if self._desk is not None:
            return self._desk
        with ExitStack() as stack:
            ledger = self._host.open_ledger()
            stack.callback(ledger.close)
            self._ledger = self._ledger or _identity(self._host.ledger_path)
            stores = self._host.open_budgeted(stack, self._board.program, ledger)
            path = self._host.ledger_path
            self._desk = Desk(
                self._board.program,
                stores,
                ledger,
                self._host.config,
                path.with_name(f"{path.name}.plans"),
                stack.pop_all(),
                self._stopping.is_set,
                self._board.told,
                self._clock,
            )
        return self._desk

    def _leave(self) -> None:
        """Close the desk; the next work opens another one."""
        desk, self._desk = self._desk, None
        if desk is not None:
            with suppress(LedgerError, StoreError):
                desk.close()

    def _check_ledger(self) -> None:
        """A file that is gone would be written to as if it were there, and lost with all in it."""
        path = self._host.ledger_path
        if self._ledger is not None and _identity(path) != self._ledger:
            raise LedgerError(
                f"the ledger {path} was removed or replaced while it is served: put it back, or"
                " start `crosswalk serve` anew to go on with what is there"
            )

    def _do(self, found: Job | _Steps) -> None:
        steps = () if isinstance(found, Job) else found
        if isinstance(found, Job) and not found.future.set_running_or_notify_cancel():
            return
        self._board.begin(found.what if isinstance(found, Job) else "cycle", steps)
        self._events.tell("state")
        begun = monotonic()
        try:
            with run_lock(self._host.ledger_path, self._stopping.wait):
                desk = self._open()
                result = found.work(desk) if isinstance(found, Job) else desk.cycle(steps)
                self._board.budgets = desk.budgets()
                self._board.held = self._metrics.look(desk.ledger, desk.stores, self._board.budgets)
        except Exception as error:  # noqa: BLE001 - told, and the service goes on
            self._failed(found, error)
        else:
            self._board.ledger = ""
            if isinstance(result, Summary):
                self._ended(result, steps, monotonic() - begun)
            if isinstance(found, Job):
                found.future.set_result(result)
        finally:
            self._board.end()
            self._events.tell("state")

    # -- what comes of it -----------------------------------------------------------------------

    def _ended(self, summary: Summary, steps: _Steps, seconds: float) -> None:
        """Keep what came of a cycle for whoever looks."""
        if self._board.reached(summary):
            _LOG.info("both sides can be reached again", extra={"event": "reached"})
        if not self._board.down:
            self._agenda.rested()
        for spent in summary.waits:
            self._agenda.wait_for(spent.side, spent.until)
        if summary.waits:  # it goes on as soon as there are calls, and not at its next tick
            self._agenda.mark(steps)
        told = (*summary.objections, *summary.waits)
        trouble = "; ".join(str(getattr(each, "message", each)) for each in told)
        self._board.keep(steps, summary.status, trouble)
        self._metrics.count(summary, seconds)
        written = sum(n for name, n in summary.counts.items() if name != "skipped")
        level = logging.WARNING if trouble else logging.INFO if written else logging.DEBUG
        about = {"event": "run", "run": summary.run, "summary": summary.as_json()}
        _LOG.log(level, "run %s %s", summary.run, summary.status, extra=about)
        if trouble:
            _LOG.warning("%s", trouble, extra={"event": "trouble", "run": summary.run})
        self._events.tell("run", **summary.as_json())

    def _failed(self, found: Job | _Steps, error: Exception) -> None:
        """Tell of it; steps that a passing trouble hit are due again after a rest."""
        if isinstance(error, Unreachable):
            self._cut_off(error)
        if isinstance(error, BudgetSpent):
            self._agenda.wait_for(error.side, error.until)
        if isinstance(error, LedgerError) and not isinstance(error, Busy):
            self._board.ledger = str(error)
            self._agenda.rest()
        if not isinstance(error, (StoreError, LedgerError, ValueError, Stopped)):
            _LOG.error("%s", error, exc_info=error, extra={"event": "failed"})
        if isinstance(found, Job):
            found.future.set_exception(error)
            return
        if isinstance(error, Stopped) or (isinstance(error, Busy) and self._stopping.is_set()):
            return
        passing = isinstance(error, (Unreachable, BudgetSpent, LedgerError))
        if not passing:
            _LOG.error("%s", error, extra={"event": "failed"})
        self._board.keep(found, WAITING if passing else "failed", str(error))
        if passing:
            self._agenda.mark(found)

    def _cut_off(self, error: Unreachable) -> None:
        self._agenda.rest()
        if self._board.cut_off(error):
            _LOG.warning("%s; tried again after a rest", error, extra={"event": "cut off"})
            self._events.tell("log", message=str(error))

    def _alert(self) -> None:
        """Tell people of the troubles that are new."""
        board, ledger = self._board, None
        with ExitStack() as stack:
            with suppress(LedgerError):  # which is a trouble itself, told without it
                ledger = self._desk.ledger if self._desk else stack.enter_context(self.looking())
            self._alerts.see(ledger, dict(troubles(board)), lambda about: is_open(board, about))

    def _reload(self) -> None:
        """Take newer rules if they have no error; the old ones go on otherwise."""
        findings: tuple[str, ...]
        try:
            program, findings = self._host.rules_read()
        except Exception as error:  # noqa: BLE001 - a folder that cannot be read is a finding too
            program, findings = None, (str(error),)
        self._board.refuse(findings)
        if program is None:
            text = "the new rules are refused, the old ones go on:\n%s"
            _LOG.error(text, "\n".join(findings), extra={"event": "reload"})
            self._events.tell("reload", taken=False, findings=list(findings))
            return
        if program.digest == self._board.rules.digest:
            return
        self._agenda.wait_no_more()
        self.rescheduled(self._board.take(program))
        self._leave()
        _LOG.info("the new rules are in force", extra={"event": "reload"})
        self._events.tell("reload", taken=True, findings=[])


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one of its name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
