"""Runs one test: its statements in order, cycles between them, until nothing changes any more."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import groupby

from dsl import syntax as s
from dsl.source import Span
from engine.case import Change
from engine.ports import StoreError
from engine.rule_tests.coverage import Coverage
from engine.rule_tests.expect import judge
from engine.rule_tests.failures import Failure, Unfit
from engine.rule_tests.given import Records
from engine.rule_tests.rules import Rules
from engine.rule_tests.world import CYCLES, World

__all__ = ["Result", "run_test"]

_Act = s.Given | s.Change


@dataclass(frozen=True)
class Result:
    """How a test ended; it passed if nothing failed."""

    test: s.Test
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def name(self) -> str:
        return str(self.test.title.value)

    @property
    def span(self) -> Span:
        return self.test.span

    @property
    def passed(self) -> bool:
        return not self.failures


def run_test(rules: Rules, test: s.Test, coverage: Coverage | None = None) -> Result:
    """Run a test on orgs of its own; `coverage` is told what it comes by."""
    started = time.perf_counter()
    failures: list[Failure] = []
    with World(rules) as world:
        try:
            _Run(test, world, Records(world, test), coverage, failures).run()
        except Unfit as unfit:
            failures.append(Failure(unfit.span, str(unfit)))
        except StoreError as error:
            failures.append(Failure(test.title.span, f"the cycle stopped: {error}"))
    return Result(test, tuple(failures), time.perf_counter() - started)


@dataclass
class _Run:
    """A test under way. `changes` are those since the last expectations."""

    test: s.Test
    world: World
    records: Records
    coverage: Coverage | None
    failures: list[Failure]
    changes: list[Change] = field(default_factory=list)

    def run(self) -> None:
        if not any(isinstance(each, s.Expectation) for each in self.test.statements):
            message = "this test expects nothing, so it proves nothing"
            self.failures.append(Failure(self.test.title.span, message))
        # Acts and expectations take turns; what a turn expects is judged by what it did.
        for expects, group in groupby(
            self.test.statements, key=lambda each: isinstance(each, s.Expectation)
        ):
            statements = list(group)
            if expects:
                for each in statements:
                    self._judge(each)
            else:
                self.changes = []
                self._act([each for each in statements if not isinstance(each, s.Expectation)])
                self._settle(statements[-1].span)

    def _act(self, statements: list[_Act]) -> None:
        """Carry out what is given and what then happens to it, a minute each."""
        changed = [each for each in statements if isinstance(each, s.Change)]
        settled = False
        for statement in statements:
            if isinstance(statement, s.Given):
                self.world.clock.tick()
                self.records.place(statement)
                settled = False
                continue
            if not settled and (self.records.has_unlinked() or self._waits_for_a_cycle(changed)):
                self._settle(statement.span)
            settled = True
            self.world.clock.tick()
            self.records.change(statement.record)

    def _waits_for_a_cycle(self, changed: list[s.Change]) -> bool:
        """Whether a record is to be changed that a cycle has to make first."""
        return any(each.record.type.text not in self.records.given for each in changed)

    def _settle(self, span: Span) -> None:
        """Run cycles until one changes nothing."""
        for _ in range(CYCLES):
            if self.coverage is not None:
                self.coverage.before(self.world)
            changes = self.world.cycle()
            self.changes += changes
            if self.coverage is not None:
                self.coverage.after(changes)
            if not self.world.wrote(changes):
                return
        last = next(c for c in changes if self.world.wrote([c]))
        message = f"the two sides do not come to rest: cycle {CYCLES} still wrote something"
        types = " and ".join(last.types.values())
        reason = f"{last.action} of {types}: {last.reason} ({last.rule})"
        self.failures.append(Failure(span, message, reason=reason))

    def _judge(self, expectation: s.Given | s.Change | s.Expectation) -> None:
        if not isinstance(expectation, s.Expectation):
            return
        try:
            failure = judge(self.world, expectation, self.changes)
        except Unfit as unfit:
            failure = Failure(unfit.span, str(unfit))
        if failure is not None:
            self.failures.append(failure)
