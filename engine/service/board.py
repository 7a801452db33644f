"""How things stand: noted by the worker, read by any thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from dsl.program import Program
from engine.budget import State as Budget
from engine.cycle import Summary
from engine.model import Side
from engine.ports import Clock, Unreachable
from engine.service.schedule import intervals
from engine.service.state import RulesState, Running, Step, StepState

__all__ = ["WAITING", "Board"]

#: What a step's last cycle came to that is tried again by itself, as soon as that may help.
WAITING = "waiting"


class Board:
    """Every value is replaced as a whole, so that readers need no lock.

    `held` counts by pair what waits for a person; it and `budgets` are None before the first look.
    `proven` are the sides that answered since they last failed to; `ledger` and `webhooks` tell
    what is wrong with those, if something is.
    """

    def __init__(self, program: Program, clock: Clock) -> None:
        self._clock = clock
        self.started = clock.now()
        self.program = program
        self.rules = RulesState(program.digest, self.started)
        self.steps = {s: StepState(s, every, None) for s, every in intervals(program).items()}
        self.running: Running | None = None
        self.held: Mapping[str, int] | None = None
        self.budgets: tuple[Budget, ...] | None = None
        self.down: Mapping[Side | None, str] = {}
        self.proven: frozenset[Side] = frozenset()
        self.ledger = self.webhooks = ""

    @property
    def unreachable(self) -> str:
        """Which sides cannot be reached, in words; empty if both can."""
        return "; ".join(self.down.values())

    def begin(self, what: str, steps: tuple[Step, ...]) -> None:
        """The worker is at something."""
        self.running = Running(what, self._clock.now(), steps)

    def told(self, step: str, count: int) -> None:
        """How far it is."""
        running = self.running
        if running is not None:
            self.running = replace(running, progress=(step, count))

    def end(self) -> None:
        """The worker is at nothing."""
        self.running = None

    def keep(self, steps: Iterable[Step], last: str, trouble: str) -> None:
        """What came of a cycle over these steps."""
        ended = {s: replace(self.steps[s], last=last, trouble=trouble) for s in steps if s in self}
        self.steps = self.steps | ended

    def __contains__(self, step: object) -> bool:
        return step in self.steps

    def cut_off(self, error: Unreachable) -> bool:
        """A side could not be reached; whether that is new."""
        new = error.side not in self.down
        self.down = {**self.down, error.side: str(error)}
        self.proven -= {error.side}
        return new

    def reached(self, summary: Summary) -> bool:
        """A cycle went through; whether both sides answer again, as far as it had to ask."""
        answered = {side for side in Side if summary.calls.get(side, 0)}
        self.proven |= answered
        was = bool(self.down)
        over = answered | {None} if answered else answered  # None: nobody knows which side it was
        self.down = {side: told for side, told in self.down.items() if side not in over}
        return was and not self.down

    def take(self, program: Program) -> dict[Step, timedelta]:
        """Other rules are in force; their steps."""
        self.program = program
        self.rules = RulesState(program.digest, self._clock.now())
        found = intervals(program)
        self.steps = {
            step: replace(self.steps.get(step, StepState(step, every, None)), interval=every)
            for step, every in found.items()
        }
        return found

    def refuse(self, findings: Sequence[str]) -> None:
        """Newer rules are refused for these findings; without any, the ones in force are back."""
        self.rules = replace(self.rules, findings=tuple(findings))
