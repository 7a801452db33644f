"""The service as others see it: how it stands, what may be asked of it, its beginning and end."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from dsl.program import Program
from engine.budget import State as Budget
from engine.clock import SystemClock
from engine.config import Config
from engine.cycle import Summary
from engine.ledger import Ledger
from engine.ledger.records import LedgerError
from engine.model import Direction
from engine.ports import BudgetSpent, Clock, Unreachable
from engine.secrets import Secret, Secrets
from engine.service.agenda import Agenda, Pace
from engine.service.alerts import Alerts
from engine.service.board import Board
from engine.service.desk import Desk
from engine.service.events import Events
from engine.service.metrics import Metrics
from engine.service.registering import hook_secret, renewed
from engine.service.reload import Watch
from engine.service.schedule import Schedule
from engine.service.state import Drawn, Letting, State, Step
from engine.service.worker import Host, Worker
from engine.whys import RESUMES, RETRIES

__all__ = ["Service"]

_LOG = logging.getLogger("crosswalk.serve")
_RENEWED = timedelta(minutes=10)  # from one look at our webhooks at Outreach to the next
_T = TypeVar("_T")


class Service:
    """A project at work. Public methods may be called from any thread.

    What returns a `Future` is done by the worker, one after another; the future raises `ValueError`
    with words for the user, a store's or the ledger's error, or is cancelled when the service ends.
    Raises `SecretError` if a reference in [alerts] leads nowhere.
    """

    def __init__(
        self, host: Host, program: Program, clock: Clock | None = None, pace: Pace | None = None
    ) -> None:
        self.clock, pace = clock or SystemClock(), pace or Pace()
        self.metrics = Metrics()
        self._host = host
        self._events = Events()
        self._agenda = Agenda(self.clock, pace)
        self._board = Board(program, self.clock)
        self._alerts = Alerts(host.config.alerts, Secrets(host.config.root), host.config.name)
        self._worker = Worker(
            host,
            self._agenda,
            self._board,
            self.clock,
            self._events,
            self.metrics,
            self._alerts,
        )
        self._schedule = Schedule(lambda step: self._agenda.mark([step]))
        self._worker.rescheduled = self._take_steps
        self._watch = Watch(host.config, self.reload, self._schedule.look)

    @property
    def config(self) -> Config:
        return self._host.config

    # -- looking --------------------------------------------------------------------------------

    def state(self) -> State:
        """How things stand."""
        board = self._board
        return State(
            board.started,
            board.running,
            tuple(replace(s, due=self._schedule.next(s.step)) for s in board.steps.values()),
            board.rules,
            self._worker.is_stopping,
            board.unreachable,
            self._agenda.waits(),
        )

    def hook_secret(self) -> Secret | None:
        """What Outreach's webhooks are signed with; None if none are taken.

        Raises `SecretError`, or `StoreError` where one cannot be kept.
        """
        return hook_secret(self._host)

    @property
    def alive(self) -> bool:
        """Whether there is a worker."""
        return self._worker.is_alive

    @property
    def ready(self) -> bool:
        """Whether rules are in force and both sides could be reached when last tried."""
        at_work = self._worker.opened.done() and self.alive and not self._worker.is_stopping
        return at_work and not self._board.down and not self._board.ledger

    def program(self) -> Program:
        """The rules in force."""
        return self._board.program

    def looking(self) -> AbstractContextManager[Ledger]:
        """The ledger for one reader. Raises `LedgerError`."""
        return self._worker.looking()

    def budgets(self) -> tuple[Budget, ...]:
        """Where the budgets stood when the worker last looked."""
        return self._board.budgets or ()

    def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens from now on: dicts with an `event` (`run`, `state`, `reload`, `log`)."""
        return self._events.listen()

    # -- asking for work ------------------------------------------------------------------------

    def run_now(self, types: Sequence[str] | None = None, *, yes: bool = False) -> Future[Summary]:
        """A cycle over all, or over the syncs of these types; with `yes` past the guard."""
        return self._ask("run", lambda desk: desk.run(types, yes=yes))

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
        """Let go on what waits for a person; without a record, very many deletions as well."""
        return self._ask("resume", lambda desk: desk.let_go(letting, RESUMES))

    def resume_vanished(self, types: Sequence[str] | None = None) -> Future[Summary]:
        """Let only the deletions go on that were held since too many came at once."""
        return self._ask("resume", lambda desk: desk.let_vanished_go(types))

    def renew_webhooks(self) -> Future[list[str]]:
        """Have the webhooks at Outreach that the project wants; what was done, in words."""
        future = self._ask("webhooks", lambda desk: renewed(self._host, desk))
        future.add_done_callback(self._registered)
        return future

    def _registered(self, future: Future[list[str]]) -> None:
        error = None if future.cancelled() else future.exception()
        passing = isinstance(error, (Unreachable, BudgetSpent, LedgerError))  # told as what it is
        self._board.webhooks = str(error) if error is not None and not passing else ""

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
            for step in self._board.steps
            if step.direction is Direction.OUTBOUND
            and step.pair.split()[0].endswith(f">{type_name}")
        ]
        self._agenda.hint(found)
        _LOG.info("hint %s.%s", type_name, event, extra={"event": "hint"})
        return bool(found)

    def reload(self) -> None:
        """Read the rules again, and go on with them if they have no error."""
        self._agenda.reload()

    def _take_steps(self, steps: dict[Step, timedelta]) -> None:
        self._schedule.set(steps)
        self.renew_webhooks()  # other types may be pushed

    def _ask(self, what: str, work: Callable[[Desk], _T]) -> Future[_T]:
        return self._agenda.ask(what, work)

    # -- from beginning to end ------------------------------------------------------------------

    def open(self, where: str = "", when_broken: Callable[[], None] = lambda: None) -> None:
        """Do what is asked, and nothing by the clock.

        `where` is the address that a second service is told, `when_broken` hears of an end by our
        fault. Raises `Busy` for a second service, `LedgerError`, or what the stores raise.
        """
        self._worker.ended = when_broken
        self._worker.start(where)

    def start(self, where: str = "", when_broken: Callable[[], None] = lambda: None) -> None:
        """Begin, on the rules' schedule. Raises as `open`."""
        self.open(where, when_broken)
        self._schedule.start({step: s.interval for step, s in self._board.steps.items()})
        self._schedule.chore("webhooks", _RENEWED, self.renew_webhooks)
        self._watch.start()

    def hurry(self) -> None:
        """Begin to end, as a signal's handler may ask: takes no lock and waits for nothing."""
        self._worker.hurry()
        self._events.close()

    def stop(self, timeout: float = 10.0) -> bool:
        """End after the batch at work; whether that was within so many seconds."""
        self._worker.hurry()
        self._agenda.end()
        self._watch.stop()
        self._schedule.stop()
        ended = self._worker.join(timeout)
        self._events.close()
        if self._worker.opened.done() and self._worker.opened.exception() is None:
            with suppress(LedgerError), self.looking() as ledger:
                self._alerts.close(ledger)
        return ended
