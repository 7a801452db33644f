"""What the worker has open, and each kind of work on it: cycles, plans, and letting go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dsl.pairs import types_of_pair
from dsl.program import Program
from dsl.values import stamp
from engine.activities import able
from engine.again import held_records, no_partner
from engine.approved import calls_of, run_plan
from engine.budget import State as Budget
from engine.budgeted import Budgeted
from engine.case import Case, Change
from engine.chosen import Chosen, Partner
from engine.compiled import Compiled
from engine.cycle import Summary, rehearse, run_cycle
from engine.explain import Unknown, explain
from engine.guard import blast_of
from engine.interpreter import Progress, Stopped
from engine.kept_rules import keep_rules
from engine.ledger import Commit, Ledger, LogRow
from engine.ledger.looking import last_run
from engine.ledger.retention import drop_old_log
from engine.model import SIDES, RecordId, Side
from engine.named import record_named
from engine.objection import Objection
from engine.planfile import PlanFile, read, schema_digest
from engine.ports import Clock, Store
from engine.service.state import Drawn, Letting, Step
from engine.undo import NoSuchRun, undo
from engine.whys import VANISHED

__all__ = ["Desk"]

_PLAN = re.compile(r"p-[0-9a-f-]+")


@dataclass
class Desk:
    """The stores and the ledger, opened by the worker's thread and used by no other.

    What is wrong with a request is a `ValueError` with a sentence for the user; the stores' and the
    ledger's errors pass through.
    """

    program: Program
    stores: dict[Side, Store]
    ledger: Ledger
    config: Any
    plans: Path
    stack: ExitStack
    stop: Callable[[], bool]
    progress: Progress
    clock: Clock

    def __post_init__(self) -> None:
        self.program, self.notes = able(self.program, self.stores)
        self._compiled = Compiled(self.program, self.config.timezone)
        keep_rules(self.program, self.ledger)

    @property
    def _world(self) -> tuple[Program, dict[Side, Store], Ledger, Any]:
        return self.program, self.stores, self.ledger, self.config.timezone

    def close(self) -> None:
        self.stack.close()

    def budgets(self) -> tuple[Budget, ...]:
        """Where the budgets stand."""
        found = [store for store in self.stores.values() if isinstance(store, Budgeted)]
        return tuple(state for store in found for state in store.budget.states())

    def cycle(self, steps: Sequence[Step]) -> Summary:
        """A cycle over these steps, if the guard lets it."""
        only = frozenset(step.pair for step in steps)
        summary = self._guarded(only=only, steps=frozenset(map(tuple, steps)))
        drop_old_log(self.ledger, self.clock.now(), self.config.log_days)
        return summary

    def run(self, types: Sequence[str] | None, *, yes: bool) -> Summary:
        """A cycle over all that these types' syncs have, if the guard or somebody's yes lets it."""
        return self._guarded(yes=yes, only=self._chosen(types))

    def _guarded(self, *, yes: bool = False, **options: Any) -> Summary:
        def before(_run: str) -> Sequence[Objection]:
            if yes or not self.program.guards:
                return ()
            blast = blast_of(*self._world, clock=self.clock, stop=self.stop, **options)
            return blast.objections(self.program, self.ledger, self.config.timezone)

        return run_cycle(
            *self._world,
            clock=self.clock,
            compiled=self._compiled,
            yes=yes,
            before=before,
            stop=self.stop,
            progress=self.progress,
            **options,
        )

    def _chosen(self, types: Sequence[str] | None) -> frozenset[str] | None:
        """The pairs of these types, of either side. Raises `ValueError`."""
        if not types:
            return None
        found = frozenset(
            pair.name
            for pair in self.program.pairs
            if {pair.name, *(pair.type(side).name for side in SIDES)} & set(types)
        )
        if not found:
            known = sorted({pair.type(side).name for pair in self.program.pairs for side in SIDES})
            raise ValueError(f"no sync of {', '.join(types)}: the rules sync {', '.join(known)}")
        return found

    # -- plans ----------------------------------------------------------------------------------

    def plan(self, types: Sequence[str] | None) -> Drawn:
        """A plan, kept in a file until it is approved or rejected."""
        only = self._chosen(types)
        self.plans.mkdir(mode=0o700, exist_ok=True)
        draft = self.plans / "draft.toml"
        with PlanFile(draft) as saved:

            def keep(change: Change, case: Case | None) -> None:
                saved.add(change, case)

            with rehearse(self.stores, self.ledger) as (rehearsal, copy):
                world = self.program, rehearsal, copy, self.config.timezone
                summary = run_cycle(
                    *world,
                    clock=self.clock,
                    only=only,
                    keep=keep,
                    stop=self.stop,
                    progress=self.progress,
                )
            if summary.status == "stopped":
                raise Stopped
            saved.write(
                summary,
                self.program.digest,
                schema_digest(self.program, self.stores),
                only or (),
                self.clock.now(),
                partial(calls_of, *self._world, clock=self.clock),
            )
        plan = read(draft)
        draft.replace(self._file(plan.plan))
        return Drawn(plan, summary)

    def approve(self, plan: str, who: str) -> Summary:
        """Carry out a plan exactly."""
        path = self._file(plan)
        if not path.exists():
            raise ValueError(f"there is no plan {plan} to approve: make a new one")
        summary = run_plan(
            *self._world, read(path), clock=self.clock, stop=self.stop, progress=self.progress
        )
        self._note(summary.run, "plan approved", f"{plan} was approved by {who}")
        path.unlink(missing_ok=True)
        return summary

    def reject(self, plan: str, who: str) -> None:
        """Throw a plan away."""
        self._file(plan).unlink(missing_ok=True)
        run = next((row["id"] for row in self.ledger.rows(last_run())), "")
        self._note(run, "plan rejected", f"{plan} was rejected by {who}")

    def _file(self, plan: str) -> Path:
        if not _PLAN.fullmatch(plan):  # it comes from outside, and becomes a path
            raise ValueError(f"`{plan}` is no plan's name")
        return self.plans / f"{plan}.toml"

    def _note(self, run: str, status: str, message: str) -> None:
        rows = Commit(logs=[LogRow(status, message)])
        self.ledger.commit(run, stamp(self.clock.now()), self.program.digest, rows)

    # -- letting go -----------------------------------------------------------------------------

    def let_go(self, letting: Letting, whys: frozenset[str]) -> Summary:
        """A cycle over the records that are held for these reasons."""
        only = self._chosen([letting.type] if letting.type else None)
        unpaused = "paused" in whys
        if letting.id is None:
            if unpaused:
                self.ledger.waits.resume(None if only is None else list(only))
            held = held_records(self.ledger, whys, only)
            return self._over(held, unpaused=unpaused)
        if letting.type is None:
            raise ValueError("a record's id needs its type")
        side, record = record_named(self.program, letting.type, letting.id)
        held = held_records(self.ledger, whys, only, str(record))
        held = {key: ids for key, ids in held.items() if key[1] is side}
        if not held:
            raise ValueError(f"{letting.type} {letting.id} is not held for this")
        if letting.link is None:
            return self._over(held, unpaused=unpaused)
        pair, _ = next(iter(held))
        _, other = record_named(self.program, types_of_pair(pair)[side.other], letting.link)
        partner = Partner(pair, side, record, other, letting.relink)
        if objections := no_partner(self.program, self.stores, self.ledger, partner):
            raise ValueError("\n".join(each.message for each in objections))
        return self._over(held, partner=partner)

    def let_vanished_go(self, types: Sequence[str] | None) -> Summary:
        """Let the deletions go on that were held since too many were gone at once."""
        only = self._chosen(types)
        self.ledger.waits.resume(None if only is None else list(only))
        return self._over(held_records(self.ledger, VANISHED, only))

    def _over(self, held: Mapping[tuple[str, Side], Sequence[RecordId]], **options: Any) -> Summary:
        only = frozenset(pair for pair, _ in held)
        return self._guarded(only=only, chosen=Chosen(held), **options)

    def undo(self, run: str) -> Summary:
        """Put back what a run wrote (`last`: the one that began last)."""
        if run == "last":
            run = next((row["id"] for row in self.ledger.rows(last_run())), run)
        try:
            return undo(*self._world, run, clock=self.clock, stop=self.stop)
        except NoSuchRun as error:
            raise ValueError(str(error)) from None

    # -- looking --------------------------------------------------------------------------------

    def explain(self, type_name: str, given: str) -> dict[str, Any]:
        """The account of one record, as the command line has it."""
        side, record = record_named(self.program, type_name, given)
        try:
            return explain(*self._world, self.clock, (side, type_name, record))
        except Unknown as unknown:
            raise ValueError(str(unknown)) from None
