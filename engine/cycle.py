"""One cycle, for real or rehearsed: the same interpreter on the same ledger tables."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from dsl.program import Program
from dsl.schema import Side
from dsl.values import stamp
from engine.case import Case, Change, Verdict
from engine.chosen import Chosen, Partner
from engine.clock import SystemClock
from engine.compiled import Compiled
from engine.context import Context, Tally
from engine.interpreter import Interpreter, Progress, Stopped
from engine.ledger import Commit, Ledger, LogRow
from engine.model import Direction
from engine.objection import Objection
from engine.ports import BudgetSpent, Clock, Store
from engine.rehearsal import Rehearsal, is_provisional
from engine.tracing import span

__all__ = [
    "Summary",
    "change_as_json",
    "recorded",
    "rehearse",
    "run_cycle",
]


@dataclass(frozen=True)
class Summary:
    """How a cycle ended: `done`, `held`, `failed`, or `stopped` between two batches.

    One with `objections` stopped before its first write; `left` is what an undo had to leave, and
    `rows` what became of those of a list. `waits` are the budgets that are spent: what they left,
    later runs carry on with. A plan tells by `budgets` what a run would use of each, and by
    `guard_calls` how many of its calls are for the guard, which counts before the first write.
    """

    run: str
    status: str
    counts: dict[str, int]
    calls: dict[str, int]
    objections: tuple[Objection, ...] = ()
    left: tuple[Objection, ...] = ()
    waits: tuple[BudgetSpent, ...] = ()
    budgets: tuple[dict[str, Any], ...] = ()
    guard_calls: dict[str, int] = field(default_factory=dict)
    rows: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        more = {
            "objections": [each.as_json() for each in self.objections],
            "left": [each.as_json() for each in self.left],
            "waits": [_wait_as_json(each) for each in self.waits],
            "budgets": list(self.budgets),
            "guard_calls": self.guard_calls,
        }
        return {
            "run": self.run,
            "status": self.status,
            "counts": self.counts,
            "calls": self.calls,
            **({} if self.rows is None else {"rows": self.rows}),
            **{key: found for key, found in more.items() if found},
        }


def _wait_as_json(spent: BudgetSpent) -> dict[str, Any]:
    return {"side": spent.side.value, "until": stamp(spent.until), "message": str(spent)}


def run_cycle(  # noqa: PLR0913 - all but the first four are options with a default
    program: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    zone: tzinfo,
    *,
    clock: Clock | None = None,
    only: frozenset[str] | None = None,
    steps: frozenset[tuple[str, Direction]] | None = None,
    chosen: Chosen | None = None,
    admit: Callable[[Verdict], bool] | None = None,
    partner: Partner | None = None,
    fresh: frozenset[str] = frozenset(),
    unpaused: bool = False,
    compiled: Compiled | None = None,
    before: Callable[[str], Sequence[Objection]] = lambda _run: (),
    yes: bool = False,
    report: Callable[[Change], None] = lambda _change: None,
    keep: Callable[[Change, Case | None], None] = lambda _change, _case: None,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress = lambda _step, _count: None,
) -> Summary:
    """Run one cycle over all pairs, or the pairs in `only`, and note it in the ledger.

    Of these pairs, `steps` (pair, direction) narrows down which sides are read.
    `chosen` and `admit` narrow down what it looks at and acts on; `partner` was named by a person
    for one of the chosen; `fresh` fields are decided as if they had just met, and fields that
    swing go on where the run is `unpaused`; `compiled` is the program made ready, where several
    cycles share it; `before` is asked, with the run's id, before the first write. `yes` carries out
    deletions however many there are, and those that were held for that. `report` is told each
    change that went through, was held or skipped, `keep` also what it rests on. Raises the stores'
    errors once the ledger knows that the run stopped there.
    """

    def work(context: Context) -> None:
        context.chosen, context.admit = chosen, admit
        context.partner, context.fresh, context.yes = partner, fresh, yes
        context.unpaused = unpaused
        if yes:
            ledger.waits.resume(None if only is None else list(only))
        ready = compiled or Compiled(program, zone)
        Interpreter(ready, context, stop, progress).run(only, steps)
        _log_troubles(program, context)

    tally = Tally(report, keep)
    return recorded(program, stores, ledger, work, tally, clock=clock, before=before)


def _log_troubles(program: Program, context: Context) -> None:
    """Log which titles could not be made: the activities have plain ones instead."""
    logs = []
    for pair in program.pairs:
        told = dict.fromkeys(pair.troubles)
        logs += [LogRow("title failed", each, pair.outreach.name) for each in told]
        pair.troubles.clear()
    if logs:
        now = stamp(context.clock.now())
        context.ledger.commit(context.run, now, context.digest, Commit(logs=logs))


def recorded(
    program: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    work: Callable[[Context], None],
    tally: Tally,
    *,
    clock: Clock | None = None,
    before: Callable[[str], Sequence[Objection]] = lambda _run: (),
) -> Summary:
    """Do some work as a run that the ledger notes, unless `before` objects."""
    clock = clock or SystemClock()
    started = stamp(clock.now())
    run = f"r-{clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    earlier = {side: store.calls for side, store in stores.items()}
    context = Context(run, started, program.digest, stores, ledger, clock, tally)
    status, objections = "stopped", tuple[Objection, ...]()
    ledger.begin(run, started, context.digest)

    def calls() -> dict[str, int]:
        return {side.value: store.calls - earlier[side] for side, store in stores.items()}

    with span("cycle", run=run) as note:
        try:
            objections = tuple(before(run))
            if objections:
                logs = [LogRow("stopped", each.message) for each in objections]
                ledger.commit(run, started, context.digest, Commit(logs=logs))
            else:
                work(context)
                status = _status(tally, context)
        except Stopped:
            pass
        except BudgetSpent as spent:  # before the first step, or where there are no steps
            context.waits.note(spent)
            ledger.calls.stall(context.waits.stalled())
            status = _status(tally, context)
        finally:
            ledger.finish(run, stamp(clock.now()), status, tally.counts, calls())
            note("status", status)
    waits = tuple(context.waits.spent.values())
    return Summary(run, status, tally.counts, calls(), objections, waits=waits)


def _status(tally: Tally, context: Context) -> str:
    if tally.counts["failed"]:
        return "failed"
    return "held" if tally.counts["held"] or context.waits.spent else "done"


@contextmanager
def rehearse(
    stores: dict[Side, Store], ledger: Ledger
) -> Iterator[tuple[dict[Side, Store], Ledger]]:
    """Stores and a ledger to plan on: they read what is there, and keep what is written apart."""
    with ExitStack() as stack:
        copy = stack.enter_context(ledger.scratch())
        rehearsals: dict[Side, Store] = {side: Rehearsal(store) for side, store in stores.items()}
        for store in rehearsals.values():
            stack.callback(store.close)
        yield rehearsals, copy


def change_as_json(change: Change) -> dict[str, Any]:
    """A change in the documented JSON; ids that do not exist yet are null."""
    return {
        "action": change.action.value,
        "direction": change.direction.value,
        **{
            side.value: {"type": change.types.get(side), "id": _real(change.id(side))}
            for side in Side
        },
        "fields": [
            {
                "source": f.source,
                "target": f.target,
                "before": _real(f.before) if f.is_link else f.before,
                "after": _real(f.after) if f.is_link else f.after,
            }
            | (
                {
                    "conflict": {
                        "salesforce": f.conflict.salesforce,
                        "outreach": f.conflict.outreach,
                        "winner": f.conflict.winner.value,
                    }
                }
                if f.conflict
                else {}
            )
            for f in change.fields
        ],
        "reason": change.reason,
        "rule": change.rule,
        **({"upsert": change.upsert} if change.upsert else {}),
    }


def _real(record: Any) -> Any:
    """An id that is real, or None; of several each."""
    if isinstance(record, list):
        return [_real(each) for each in record]
    return None if is_provisional(record) else record
