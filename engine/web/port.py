"""What the console asks of the service behind it, and nothing more: it decides nothing itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from dsl.program import Program
from engine.budget import State as Budget
from engine.config import Config
from engine.cycle import Summary
from engine.ledger import Ledger
from engine.planfile import Plan

__all__ = ["Drawn", "Letting", "Running", "Service", "Snapshot", "StepState"]


class StepState(Protocol):
    """One direction of a pair, as the schedule has it.

    `last` is how its last cycle ended (`done`, `held`, …), empty before the first; `trouble` is
    why it does not go on, empty where there is none.
    """

    @property
    def pair(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def interval(self) -> timedelta: ...
    @property
    def due(self) -> datetime | None: ...
    @property
    def last(self) -> str: ...
    @property
    def trouble(self) -> str: ...


class Running(Protocol):
    """What the worker is at."""

    @property
    def what(self) -> str: ...
    @property
    def since(self) -> datetime: ...


class Snapshot(Protocol):
    """The service at one moment; `findings` are those of rules that it refused to load."""

    @property
    def started(self) -> datetime: ...
    @property
    def running(self) -> Running | None: ...
    @property
    def steps(self) -> Sequence[StepState]: ...
    @property
    def findings(self) -> Sequence[str]: ...


class Drawn(Protocol):
    """A plan that was made: what it would do, and what that costs."""

    @property
    def plan(self) -> Plan: ...
    @property
    def summary(self) -> Summary: ...


class Letting(Protocol):
    """Which held records are let go: all, those of a type, or one, perhaps linked to another."""

    @property
    def type(self) -> str | None: ...
    @property
    def id(self) -> str | None: ...
    @property
    def link(self) -> str | None: ...
    @property
    def relink(self) -> bool: ...


class Service(Protocol):
    """A running project. What returns a future is done by the worker, one after another."""

    @property
    def config(self) -> Config: ...

    def state(self) -> Snapshot: ...

    def program(self) -> Program: ...

    def looking(self) -> AbstractContextManager[Ledger]:
        """The ledger for one reader, who may be any thread."""
        ...

    def budgets(self) -> Sequence[Budget]:
        """Where the budgets stood when the worker last looked."""
        ...

    def run_now(self, types: Sequence[str] | None = None) -> Future[Summary]: ...

    def plan(self, types: Sequence[str] | None = None) -> Future[Drawn]: ...

    def approve(self, plan: str, who: str) -> Future[Summary]: ...

    def reject(self, plan: str, who: str) -> None: ...

    def retry(self, letting: Letting) -> Future[Summary]: ...

    def resume(self, letting: Letting) -> Future[Summary]: ...

    def explain(self, type_name: str, record: str) -> Future[dict[str, Any]]:
        """The account of one record; the future raises `ValueError` with words for the user."""
        ...

    def events(self) -> AsyncIterator[dict[str, Any]]: ...
