"""A run over the records of a list: the usual cycle, in which they are let in because of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from dsl.program import Program
from dsl.schema import Side
from dsl.values import stamp
from engine.byhand import asked_program
from engine.case import Case, Change, Verdict
from engine.chosen import Chosen
from engine.compiled import Compiled
from engine.context import Context, Tally
from engine.cycle import Summary, recorded, rehearse
from engine.graph import build
from engine.guard import Blast
from engine.imports.newcomers import Newcomers, found_by_keys
from engine.imports.outcome import Rows
from engine.imports.rows import Chunk, Entry
from engine.interpreter import Interpreter, Progress, Stopped
from engine.ledger import Commit, Ledger, LogRow
from engine.ledger.looking import waiting_of
from engine.ledger.schema import pending
from engine.model import Direction, RecordId
from engine.objection import Objection
from engine.ports import Clock, Store

__all__ = ["List", "bring", "objections_to"]


@dataclass(frozen=True)
class List:
    """A list to bring in: `name` as people know it, and its rows, which can be read anew."""

    name: str
    chunks: Callable[[], Iterator[Chunk]]
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def bring(  # noqa: PLR0913 - all but the first six are options with a default
    program: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    zone: tzinfo,
    pair: str,
    given: List,
    *,
    clock: Clock | None = None,
    before: Callable[[str], Sequence[Objection]] = lambda _run: (),
    report: Callable[[Change], None] = lambda _change: None,
    keep: Callable[[Change, Case | None], None] = lambda _change, _case: None,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress = lambda _step, _count: None,
) -> tuple[Summary, Rows]:
    """Run over the records of a list, which inbound create lets in whatever its rule says.

    All else holds as ever; nothing is written to Salesforce. Raises what the stores raise, and
    what reading the list does, once the ledger knows that the run stopped there.
    """
    rows = Rows(given.name, given.notes, given.unknown)

    def work(context: Context) -> None:
        context.chosen, context.admit = Chosen({}), _is_inbound
        context.by_hand = {pair: f"imported by hand from {given.name}"}
        bringing = _Bringing(program, context, zone, given, rows, stop, progress)
        try:
            bringing.run(frozenset({pair}))
        finally:
            bringing.log()

    tally = Tally(report, keep)
    summary = recorded(program, stores, ledger, work, tally, clock=clock, before=before)
    return replace(summary, rows=rows.as_json()), rows


def objections_to(
    program: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    zone: tzinfo,
    pair: str,
    given: List,
    **options: Any,
) -> list[Objection]:
    """What the rules' `guard` has against an import, found in a rehearsal. Raises `Stopped`."""
    if not program.guards:
        return []
    blast = Blast()
    with rehearse(stores, ledger) as (rehearsal, copy):
        summary, _ = bring(program, rehearsal, copy, zone, pair, given, keep=blast.add, **options)
    if summary.status == "stopped":
        raise Stopped
    for spent in summary.waits:  # not all was counted
        raise spent
    return blast.objections(program, ledger, zone)


def _is_inbound(verdict: Verdict) -> bool:
    """Whether nothing of a verdict concerns Salesforce: that is left to the next run."""
    return all(change.direction is Direction.INBOUND for change in verdict.changes)


class _Bringing(Interpreter):
    """Walks the steps of one pair; what its Salesforce side looks at are the records of a list."""

    def __init__(
        self,
        program: Program,
        context: Context,
        zone: tzinfo,
        given: List,
        rows: Rows,
        stop: Callable[[], bool],
        progress: Progress,
    ) -> None:
        super().__init__(Compiled(program, zone), context, stop, progress)
        (pair,) = context.by_hand
        self.graph = build(asked_program(program, pair))
        self._given, self._rows = given, rows
        self._own = self._batches[pair]
        self._newcomers = Newcomers(self._own, rows)

    def _look_at(self, chosen: Chosen, node: str, pair: str, side: Side) -> None:
        """Take the list through, some hundred rows at a time."""
        for chunk in self._given.chunks():
            self._check()
            for bad in chunk.bad:
                self._rows.wrong(*bad)
            self._take(chunk.entries, chosen)
            self._rows.read += chunk.read
            self._progress(node, self._rows.read)

    def _take(self, entries: Sequence[Entry], chosen: Chosen) -> None:
        mapping, store = self._own.mapping, self._context.stores[Side.SALESFORCE]
        type_name, columns = mapping.type_name(Side.SALESFORCE), mapping.columns[Side.SALESFORCE]
        named = [(entry.line, entry.id) for entry in entries if entry.id is not None]
        by_id = {}
        if named:
            ids = list(dict.fromkeys(record for _, record in named))
            by_id = {row[0]: row for row in store.fetch(type_name, columns, ids)}
        found = []
        for line, record in named:
            if record in by_id:
                found.append((line, by_id[record]))
            else:
                self._rows.wrong(line, f"Salesforce has no {type_name} {record}, or hides it")
        unnamed = [entry for entry in entries if entry.id is None]
        people, new = found_by_keys(self._own, unnamed, self._rows) if unnamed else ([], [])
        lines: dict[RecordId, int] = {}
        rows = []
        for line, row in sorted([*found, *people], key=lambda item: item[0]):
            if row[0] in lines or chosen.has(mapping.name, Side.SALESFORCE, row[0]):
                self._rows.skipped += 1
                continue
            lines[row[0]] = line
            rows.append(row)
        chosen.add(mapping.name, Side.SALESFORCE, list(lines))
        self._own.process(Side.SALESFORCE, rows, again=True)
        self._count(lines)
        if new:
            self._newcomers.welcome(new)

    def _count(self, lines: dict[RecordId, int]) -> None:
        """What became of the records that Salesforce has."""
        mapping, ledger = self._own.mapping, self._context.ledger
        linked = ledger.others(mapping.name, Side.SALESFORCE, list(lines))
        self._rows.imported += len(linked)
        for record, line in lines.items():
            if record not in linked:
                self._left(record, line)

    def _left(self, record: RecordId, line: int) -> None:
        """A record that was not brought in: held, refused, waiting, or to be left alone."""
        mapping, ledger = self._own.mapping, self._context.ledger
        query = waiting_of(Side.SALESFORCE, mapping.type_name(Side.SALESFORCE), str(record))
        of_pair = query.where(pending.c.pair == mapping.name)  # by which they are indexed
        why = [row["message"] for row in ledger.rows(of_pair)]
        if why:
            self._rows.wrong(line, why[0])
        else:
            self._rows.skipped += 1

    def log(self) -> None:
        """Say in the log what was imported, from where."""
        rows, mapping, context = self._rows, self._own.mapping, self._context
        message = f"{rows.imported:,} of {rows.read:,} rows of {rows.name} imported by hand"
        row = LogRow(
            "imported",
            message,
            mapping.type_name(Side.OUTREACH),
            None,
            mapping.type_name(Side.SALESFORCE),
            None,
        )
        now = stamp(context.clock.now())
        context.ledger.commit(context.run, now, context.digest, Commit(logs=[row]))
