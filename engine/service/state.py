"""What a service says of itself: values that any thread may look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.cycle import Summary
from engine.model import Direction, Side
from engine.planfile import Plan

__all__ = ["Drawn", "Letting", "RulesState", "Running", "State", "Step", "StepState"]


class Step(NamedTuple):
    """What is scheduled: one direction of a pair."""

    pair: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class StepState:
    """A step's place in the schedule.

    `last` is the status of the last cycle that took it (`done`, `held`, …), empty before the first;
    `trouble` is why it does not go on, empty where there is none.
    """

    step: Step
    interval: timedelta
    due: datetime | None
    last: str = ""
    trouble: str = ""

    @property
    def pair(self) -> str:
        return self.step.pair

    @property
    def direction(self) -> Direction:
        return self.step.direction


@dataclass(frozen=True, slots=True)
class Running:
    """What the worker is at (`cycle`, `run`, `plan`, …), and the step it last told of."""

    what: str
    since: datetime
    steps: tuple[Step, ...] = ()
    progress: tuple[str, int] = ("", 0)


@dataclass(frozen=True, slots=True)
class RulesState:
    """The rules in force; `findings` are those of newer ones that were refused for them."""

    digest: str
    loaded: datetime
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """The service at one moment; `waits` tells by side until when its budget is spent."""

    started: datetime
    running: Running | None
    steps: tuple[StepState, ...]
    rules: RulesState
    stopping: bool
    unreachable: str
    waits: tuple[tuple[Side, datetime], ...]

    @property
    def findings(self) -> tuple[str, ...]:
        return self.rules.findings


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan that was made and kept for approval, and what it would do and cost."""

    plan: Plan
    summary: Summary


@dataclass(frozen=True, slots=True)
class Letting:
    """Which held records are let go: all, those of a type, or one, perhaps linked to another."""

    type: str | None = None
    id: str | None = None
    link: str | None = None
    relink: bool = False
