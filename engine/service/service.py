"""The service: one worker thread that does all that reads the stores or writes the ledger."""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, TypeVar

from dsl.program import Program
from engine.budget import State as Budget
from engine.config import Config
from engine.cycle import Summary
from engine.interpreter import Stopped
from engine.ledger import Ledger
from engine.ledger.locking import Busy, run_lock, serve_lock
from engine.ledger.records import LedgerError
from engine.model import Direction, Side
from engine.ports import BudgetSpent, Store, StoreError, Unreachable, Wait
from engine.secrets import Secrets
from engine.service.alerts import Alerts, troubles
from engine.service.desk import RESUMES, RETRIES, Desk
from engine.service.events import Events
from engine.service.metrics import Metrics
from engine.service.reload import Watch
from engine.service.schedule import Schedule, intervals
from engine.service.state import Drawn, Letting, RulesState, Running, State, Step, StepState

__all__ = ["Host", "Service"]

_LOG = logging.getLogger("crosswalk.serve")
_DEBOUNCE = 1.0  # seconds from a webhook's hint to its cycle: hints come in bursts
_FIRST_REST, _LONGEST_REST = 2.0, 300.0  # seconds, while a side cannot be reached
_T = TypeVar("_T")


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


@dataclass(frozen=True)
class _Job:
    """Work that somebody waits for."""

    what: str
    work: Callable[[Desk], Any]
    future: Future[Any]


class Service:
    """A project at work. Public methods may be called from any thread.

    What returns a `Future` is done by the worker, one after another; the future raises `ValueError`
    with words for the user, a store's or the ledger's error, or is cancelled when the service ends.
    """

    def __init__(self, host: Host, program: Program) -> None:
        self._host, self._program = host, program
        self.metrics = Metrics()
        self._events = Events()
        self._schedule = Schedule(self._mark)
        self._wake = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._due: dict[Step, float] = {}
        self._steps = {
            step: StepState(step, every, None) for step, every in intervals(program).items()
        }
        self._started = datetime.now(UTC)
        self._rules = RulesState(program.digest, self._started)
        self._running: Running | None = None
        self._waits: dict[Side, datetime] = {}
        self._budgets: tuple[Budget, ...] = ()
        self._unreachable, self._rest, self._failures = "", 0.0, 0
        self._alerts = Alerts(host.config.alerts, Secrets(host.config.root), host.config.name)
        self._held: dict[str, int] = {}
        self._stopping = threading.Event()
        self._opened: Future[None] = Future()
        self._worker = threading.Thread(target=self._run, name="worker", daemon=True)
        self._watch = Watch(host.config, self.reload)

    @property
    def config(self) -> Config:
        return self._host.config

    # -- looking --------------------------------------------------------------------------------

    def state(self) -> State:
        """How things stand."""
        steps = tuple(
            replace(s, due=self._schedule.next(s.step)) for s in list(self._steps.values())
        )
        waits = tuple(self._waits.items())
        stopping = self._stopping.is_set()
        return State(
            self._started, self._running, steps, self._rules, stopping, self._unreachable, waits
        )

    @property
    def ready(self) -> bool:
        """Whether rules are in force and both sides could be reached when last tried."""
        done = self._opened.done() and not self._opened.cancelled()
        return done and not self._unreachable and not self._stopping.is_set()

    def program(self) -> Program:
        """The rules in force."""
        return self._program

    @contextmanager
    def looking(self) -> Iterator[Ledger]:
        """The ledger for one reader."""
        ledger = self._host.open_ledger()
        try:
            yield ledger
        finally:
            ledger.close()

    def budgets(self) -> tuple[Budget, ...]:
        """Where the budgets stood when the worker last looked."""
        return self._budgets

    def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens from now on: dicts with an `event` (`run`, `state`, `reload`, `log`)."""
        return self._events.listen()

    # -- asking for work ------------------------------------------------------------------------

    def run_now(self, types: Sequence[str] | None = None) -> Future[Summary]:
        """A cycle over all, or over the syncs of these types."""
        return self._ask("run", lambda desk: desk.cycle(None, types))

    def plan(self, types: Sequence[str] | None = None) -> Future[Drawn]:
        """A plan, kept until it is approved or rejected."""
        return self._ask("plan", lambda desk: desk.plan(types))

    def approve(self, plan: str, who: str) -> Future[Summary]:
        """Carry out a kept plan, exactly and once."""
        return self._ask("approve", lambda desk: desk.approve(plan, who))

    def reject(self, plan: str, who: str) -> Future[None]:
        """Throw a kept plan away."""
        return self._ask("reject", lambda desk: desk.reject(plan, who))

    def retry(self, letting: Any = Letting()) -> Future[Summary]:  # noqa: B008 - it is frozen
        """Try refused writes again; `letting` has the attributes of `Letting`."""
        return self._ask("retry", lambda desk: desk.let_go(letting, RETRIES))

    def resume(self, letting: Any = Letting()) -> Future[Summary]:  # noqa: B008 - likewise
        """Let go on what waits for a person."""
        return self._ask("resume", lambda desk: desk.let_go(letting, RESUMES))

    def undo(self, run: str) -> Future[Summary]:
        """Put back what a run wrote."""
        return self._ask("undo", lambda desk: desk.undo(run))

    def explain(self, type_name: str, record: str) -> Future[dict[str, Any]]:
        """The account of one record."""
        return self._ask("explain", lambda desk: desk.explain(type_name, record))

    def hint(self, type_name: str, event: str) -> bool:
        """Something happened to a record in Outreach: its steps are due, a moment later."""
        found = [
            step
            for step in self._steps
            if step.direction is Direction.OUTBOUND
            and step.pair.split()[0].endswith(f">{type_name}")
        ]
        for step in found:
            self._mark(step, _DEBOUNCE)
        _LOG.info("hint %s.%s", type_name, event)
        return bool(found)

    def reload(self) -> None:
        """Read the rules again, and go on with them if they have no error."""
        with self._wake:
            if all(job.what != "reload" for job in self._jobs):
                self._jobs.appendleft(_Job("reload", lambda _desk: None, Future()))
            self._wake.notify()

    def _ask(self, what: str, work: Callable[[Desk], _T]) -> Future[_T]:
        future: Future[_T] = Future()
        with self._wake:
            if self._stopping.is_set():
                future.cancel()
            else:
                self._jobs.append(_Job(what, work, future))
                self._wake.notify()
        return future

    def _mark(self, step: Step, wait: float = 0.0) -> None:
        with self._wake:
            at = monotonic() + wait
            self._due[step] = min(self._due.get(step, at), at)
            self._wake.notify()

    # -- from beginning to end ------------------------------------------------------------------

    def start(self) -> None:
        """Begin. Raises `LedgerError` (`Busy`: a second service), or what the stores raise."""
        self._worker.start()
        self._opened.result()
        self._schedule.start({step: s.interval for step, s in self._steps.items()})
        self._watch.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """End after the batch at work; whether that was within so many seconds."""
        self._stopping.set()
        self._watch.stop()
        self._schedule.stop()
        with self._wake:
            for job in self._jobs:
                job.future.cancel()
            self._jobs.clear()
            self._wake.notify()
        if self._worker.ident is not None:
            self._worker.join(timeout)
        self._events.close()
        self._alerts.close()
        return not self._worker.is_alive()

    # -- the worker's thread --------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with serve_lock(self._host.ledger_path), ExitStack() as stack:
                desk: Desk | None = None
                try:
                    desk = self._open()
                except Unreachable as error:
                    self._note_unreachable(error)
                    self._alert()
                self._opened.set_result(None)
                desk = self._loop(desk)
                if desk is not None:
                    stack.callback(desk.close)
        except BaseException as error:
            if self._opened.done():
                _LOG.exception("the worker ended")
                raise
            self._opened.set_exception(error)

    def _open(self) -> Desk:
        with ExitStack() as stack:
            ledger = self._host.open_ledger()
            stack.callback(ledger.close)
            stores = self._host.open_budgeted(stack, self._program, ledger)
            path = self._host.ledger_path
            plans = path.with_name(f"{path.name}.plans")
            stop = self._stopping.is_set
            return Desk(
                self._program, stores, ledger, self.config, plans, stack.pop_all(), stop, self._told
            )

    def _loop(self, desk: Desk | None) -> Desk | None:
        while (found := self._next()) is not None:
            if isinstance(found, _Job) and found.what == "reload":
                if self._reload() and desk is not None:
                    desk.close()
                    desk = None
                self._alert()
                continue
            try:
                desk = desk or self._open()
            except Exception as error:  # noqa: BLE001 - told, and tried again
                self._failed(found, error)
                self._alert()
                continue
            self._do(desk, found)
        return desk

    def _next(self) -> _Job | tuple[Step, ...] | None:
        """What is to be done next, as soon as there is something; None to end."""
        with self._wake:
            while not self._stopping.is_set():
                if self._jobs:
                    return self._jobs.popleft()
                now = monotonic()
                at = max(
                    min(self._due.values(), default=now + 3600), self._rest, self._calls_again()
                )
                if at <= now:
                    steps = tuple(
                        s for s, due in self._due.items() if due <= now and s in self._steps
                    )
                    self._due = {s: due for s, due in self._due.items() if due > now}
                    if steps:
                        return steps
                    continue
                self._wake.wait(at - now)
            return None

    def _calls_again(self) -> float:
        """When no side waits for calls any more: each step needs both."""
        now = datetime.now(UTC)
        self._waits = {side: until for side, until in self._waits.items() if until > now}
        if not self._waits:
            return 0.0
        return monotonic() + (max(self._waits.values()) - now).total_seconds()

    def _do(self, desk: Desk, found: _Job | tuple[Step, ...]) -> None:
        steps = () if isinstance(found, _Job) else found
        what = found.what if isinstance(found, _Job) else "cycle"
        if isinstance(found, _Job) and not found.future.set_running_or_notify_cancel():
            return
        self._running = Running(what, datetime.now(UTC), steps)
        self._events.tell("state")
        begun = monotonic()
        try:
            with run_lock(self._host.ledger_path, self._stopping.wait):
                work = found.work if isinstance(found, _Job) else lambda d: d.cycle(steps)
                result = work(desk)
                self._budgets = desk.budgets()
                self._held = self.metrics.look(desk.ledger, desk.stores, self._budgets)
        except Exception as error:  # noqa: BLE001 - told, and the service goes on
            self._failed(found, error)
        else:
            self._reached()
            if isinstance(result, Summary):
                self._ended(result, steps, monotonic() - begun)
            if isinstance(found, _Job):
                found.future.set_result(result)
        finally:
            self._alert()
            self._running = None
            self._events.tell("state")

    def _ended(self, summary: Summary, steps: tuple[Step, ...], seconds: float) -> None:
        """Keep what came of a cycle for whoever looks."""
        self._waits.update({spent.side: spent.until for spent in summary.waits})
        told = (*summary.objections, *summary.waits)
        trouble = "; ".join(str(getattr(each, "message", each)) for each in told)
        self._keep(steps, summary.status, trouble)
        self.metrics.count(summary, seconds)
        written = sum(n for name, n in summary.counts.items() if name != "skipped")
        level = logging.WARNING if trouble else logging.INFO if written else logging.DEBUG
        _LOG.log(level, "run %s %s", summary.run, summary.status, extra={"run": summary.as_json()})
        if trouble:
            _LOG.warning("%s", trouble)
        self._events.tell("run", **summary.as_json())

    def _keep(self, steps: tuple[Step, ...], last: str, trouble: str) -> None:
        for step in steps:
            if step in self._steps:
                self._steps[step] = replace(self._steps[step], last=last, trouble=trouble)

    def _failed(self, found: _Job | tuple[Step, ...], error: Exception) -> None:
        """Tell of it; steps that a passing trouble hit are due again after a rest."""
        if isinstance(error, Unreachable):
            self._note_unreachable(error)
        if isinstance(error, BudgetSpent):
            self._waits[error.side] = error.until
        if isinstance(found, _Job):
            if not found.future.done():
                found.future.set_exception(error)
            return
        if isinstance(error, Stopped) or (isinstance(error, Busy) and self._stopping.is_set()):
            return
        if not isinstance(error, StoreError):
            _LOG.error("%s", error, exc_info=not isinstance(error, (Busy, ValueError)))
        self._keep(found, "failed", str(error))
        for step in found:
            if isinstance(error, (Unreachable, BudgetSpent, Busy)):
                self._mark(step)

    def _note_unreachable(self, error: Unreachable) -> None:
        rest = min(_FIRST_REST * 2**self._failures, _LONGEST_REST)
        self._failures += 1
        self._rest = monotonic() + rest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        if not self._unreachable:
            _LOG.warning("%s; tried again after a rest", error)
            self._events.tell("log", message=str(error))
        self._unreachable = str(error)

    def _reached(self) -> None:
        if self._unreachable:
            _LOG.info("both sides can be reached again")
        self._unreachable, self._rest, self._failures = "", 0.0, 0

    def _alert(self) -> None:
        """Tell people of the troubles that are new."""
        try:
            with self.looking() as ledger:
                found = troubles(self.state(), self._held, self._budgets)
                self._alerts.see(ledger, dict(found))
        except LedgerError as error:
            _LOG.error("%s", error)

    def _told(self, step: str, count: int) -> None:
        running = self._running
        if running is not None:
            self._running = replace(running, progress=(step, count))

    def _reload(self) -> bool:
        """Take newer rules if they have no error; the old ones go on otherwise."""
        findings: tuple[str, ...]
        try:
            program, findings = self._host.rules_read()
        except Exception as error:  # noqa: BLE001 - a folder that cannot be read is a finding too
            program, findings = None, (str(error),)
        if program is None:
            self._rules = replace(self._rules, findings=findings)
            _LOG.error("the new rules are refused, the old ones go on:\n%s", "\n".join(findings))
            self._events.tell("reload", taken=False, findings=list(findings))
            return False
        digest = program.digest
        if digest == self._rules.digest:
            self._rules = replace(self._rules, findings=())
            return False
        self._program = program
        self._rules = RulesState(digest, datetime.now(UTC))
        self._waits = {}
        steps = intervals(program)
        self._steps = {
            step: replace(self._steps.get(step, StepState(step, every, None)), interval=every)
            for step, every in steps.items()
        }
        with suppress(RuntimeError):  # the scheduler has just ended
            self._schedule.set(steps)
        _LOG.info("the new rules are in force")
        self._events.tell("reload", taken=True, findings=[])
        return True
