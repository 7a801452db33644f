"""One batch of one side's records, from what was observed to what the ledger keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from dsl.program import Policy, Program
from dsl.schema import Side
from dsl.values import stamp
from engine.act import Context, Task, act
from engine.case import Base, Case, Verdict
from engine.compile import UNSET, waits_with
from engine.decide import await_news, decide_create, decide_gone, decide_linked, hold, meeting
from engine.ledger import Commit, Link, LogRow
from engine.mapping import Mapping
from engine.matching import Matches, find_matches
from engine.model import SIDES, Cursor, Direction, RecordId, Row
from engine.references import References, gather, routes

__all__ = ["Batches"]

_encode = msgspec.json.Encoder().encode
_WATCHING = {Side.SALESFORCE: "polling", Side.OUTREACH: "pushing"}
_decode = msgspec.json.Decoder(tuple[Any, ...]).decode


@dataclass
class _Sorted:
    """A batch sorted by what has to be decided about each record."""

    linked: list[tuple[Row, tuple[Any, ...], Link]] = field(default_factory=list)
    alone: list[Row] = field(default_factory=list)
    settled: list[RecordId] = field(default_factory=list)


class Batches:
    """Takes a pair's observed rows through decide and act to the ledger."""

    def __init__(self, program: Program, mapping: Mapping, context: Context) -> None:
        self.mapping = mapping
        self.context = context
        self.layout = context.ledger.layout(mapping.name, mapping.keys)
        self._routes = routes(program, mapping)

    def process(
        self,
        side: Side,
        rows: Sequence[Row],
        gone: Sequence[RecordId] = (),
        cursor: tuple[str, Side, Cursor, str] | None = None,
        logs: Sequence[LogRow] = (),
        *,
        again: bool = False,
    ) -> None:
        """Decide and carry out one page; the cursor moves with the last commit of its records.

        `again` are records that had to wait, to be decided on though they have not changed.
        """
        now = self.context.clock.now()
        rows = self._polled(side, rows, now)
        while True:
            commit = Commit()
            later = self._pass(side, rows, gone, now, commit, again)
            if not later:
                commit.cursor = cursor
                commit.logs.extend(logs)
            self.context.ledger.commit(self.context.run, stamp(now), self.context.digest, commit)
            if not later:
                return
            rows, gone = later, ()

    def _polled(self, side: Side, rows: Sequence[Row], now: datetime) -> list[Row]:
        """The rows that the condition of `polling` (or `pushing`) lets in, by themselves."""
        holds = self.mapping.conditions.get(_WATCHING[side])
        if holds is None or side not in self.mapping.alone:
            return list(rows)
        if side is Side.SALESFORCE:
            return [row for row in rows if holds(row, None, None, None, now)]
        return [row for row in rows if holds(None, row, None, None, now)]

    def _pass(
        self,
        side: Side,
        rows: Sequence[Row],
        gone: Sequence[RecordId],
        now: datetime,
        commit: Commit,
        again: bool,
    ) -> list[Row]:
        """One pass over a batch; the rows that have to wait for others of the same batch."""
        found = self._sort(side, rows, again)
        tasks = self._watched(side, self._linked_tasks(side, found.linked, now))
        tasks += self._gone_tasks(side, gone, now)
        matches = self._matches(side, found.alone, now)
        ready = [row for row in found.alone if row[0] not in matches.later]
        tasks += self._watched(side, [self._lone_task(side, row, matches, now) for row in ready])
        references = self._references(task.case for task in tasks)
        for task in tasks:
            task.case.references = references
            task.verdict = self._decide(side, task, matches)
        name = self.mapping.name
        commit.seen += [(name, at, row[0]) for task in tasks for at, row in task.case.rows.items()]
        commit.seen += [(name, side, record) for record in (*found.settled, *gone)]
        act(self.mapping, self.layout, tasks, self.context, commit)
        return [row for row in found.alone if row[0] in matches.later]

    def _watched(self, side: Side, tasks: list[Task]) -> list[Task]:
        """Those that `polling` (or `pushing`) lets in, if it reads more than the row itself."""
        holds = self.mapping.conditions.get(_WATCHING[side])
        if holds is None or side in self.mapping.alone:
            return tasks
        return [task for task in tasks if task.case.ask(holds)]

    # -- sorting --------------------------------------------------------------------------------

    def _sort(self, side: Side, rows: Sequence[Row], again: bool) -> _Sorted:
        """Drop what equals its base (most often our own write's echo), part linked and alone."""
        ledger, found = self.context.ledger, _Sorted()
        links = ledger.links(self.mapping.name, side, [row[0] for row in rows])
        view, crossed = self.mapping.view[side], side in self.mapping.crossed
        alone = []
        for row in rows:
            link = links.get(row[0])
            if link is None:
                alone.append(row)
                continue
            seen = view(row)
            same = link.layout == self.layout and link.base(side) == _encode(seen)
            if same and not crossed:
                found.settled.append(row[0])
            elif again or crossed or not self._only_waits(side, seen, link):
                found.linked.append((row, seen, link))
        dead = ledger.tombstones(self.mapping.name, side, [row[0] for row in alone])
        found.alone = [row for row in alone if row[0] not in dead]
        return found

    def _only_waits(self, side: Side, seen: tuple[Any, ...], link: Link) -> bool:
        """Whether all that differs from the base are lines that wait, as they did before."""
        if link.layout != self.layout:
            return False
        return all(
            value == base or waits_with(base, value)
            for value, base in zip(seen, _decode(link.base(side)), strict=True)
        )

    def _linked_tasks(
        self, side: Side, linked: list[tuple[Row, tuple[Any, ...], Link]], now: datetime
    ) -> list[Task]:
        partners = self._with_partners(side, [link for _, _, link in linked])
        tasks = []
        for (row, seen, link), (_, partner) in zip(linked, partners, strict=True):
            case = self._case({side: row}, {side: seen}, now)
            case.bases = {at: self._base(link, at) for at in SIDES}
            self._add_partner(case, side.other, partner)
            tasks.append(Task(case, Verdict(), link))
        return tasks

    def _base(self, link: Link, side: Side) -> Base:
        """A link's base in the order of today's lines; a line that is new has none."""
        values: Base = _decode(link.base(side))
        if link.layout == self.layout:
            return values
        old = self.context.ledger.layout_lines(link.layout)
        by_key = dict(zip(old, values, strict=True))
        return tuple(by_key.get(key, UNSET) for key in self.mapping.keys)

    def _gone_tasks(self, side: Side, gone: Sequence[RecordId], now: datetime) -> list[Task]:
        """Links whose record on `side` was deleted."""
        links = self.context.ledger.links(self.mapping.name, side, list(gone)) if gone else {}
        tasks = []
        for link, partner in self._with_partners(side, list(links.values())):
            case = self._case({}, {}, now)
            self._add_partner(case, side.other, partner)
            case.bases = {at: self._base(link, at) for at in SIDES}
            tasks.append(Task(case, Verdict(), link))
        return tasks

    def _with_partners(self, side: Side, links: list[Link]) -> list[tuple[Link, Row | None]]:
        """Links of records of `side`, each with the row of its other record, if that is there."""
        if not links:
            return []
        other = side.other
        ids = [link.id(other) for link in links]
        type_name = self.mapping.type_name(other)
        rows = self.context.stores[other].fetch(type_name, self.mapping.columns[other], ids)
        partners = {row[0]: row for row in rows}
        return [(link, partners.get(link.id(other))) for link in links]

    def _add_partner(self, case: Case, side: Side, row: Row | None) -> None:
        if row is not None:
            case.rows[side] = row
            case.views[side] = self.mapping.view[side](row)

    # -- records without a counterpart ----------------------------------------------------------

    def _matches(self, side: Side, rows: list[Row], now: datetime) -> Matches:
        if not rows:
            return Matches()
        direction = Direction.out_of(side)
        creating: set[RecordId] = set()
        if self.mapping.flows(direction, "create"):
            creating = {
                row[0]
                for row in rows
                if self._case({side: row}, {}, now).holds(direction, "create")
            }
        store = self.context.stores[side.other]
        return find_matches(self.mapping, side, rows, store, self.context.ledger, creating)

    def _lone_task(self, side: Side, row: Row, matches: Matches, now: datetime) -> Task:
        case = self._case({side: row}, {side: self.mapping.view[side](row)}, now)
        partner = matches.partners.get(row[0])
        if partner is not None:
            self._add_partner(case, side.other, partner)
            if self.mapping.pair.toggle("sync down").on:
                case.override = Policy.SALESFORCE
        return Task(case, Verdict())

    # -- deciding -------------------------------------------------------------------------------

    def _case(
        self, rows: dict[Side, Row], views: dict[Side, tuple[Any, ...]], now: datetime
    ) -> Case:
        return Case(self.mapping, References({}), now, rows, views)

    def _references(self, cases: Iterable[Case]) -> References:
        rows: dict[Side, list[Row]] = {side: [] for side in SIDES}
        for case in cases:
            for side, row in case.rows.items():
                rows[side].append(row)
        context = self.context
        return gather(
            self.mapping, self._routes, rows, context.ledger, context.stores, context.names
        )

    def _decide(self, side: Side, task: Task, matches: Matches) -> Verdict:
        case, direction = task.case, Direction.out_of(side)
        if task.link is not None:
            for at in (side, side.other):
                if at not in case.rows:
                    return decide_gone(case, task.link, Direction.out_of(at))
            return decide_linked(case)
        record = case.id(side)
        if record in matches.held:
            return hold(case, direction, matches.held[record])
        if side.other in case.rows:
            return meeting(case, direction)
        if self._unheard(side, record):
            return await_news(case, direction)
        return decide_create(case, direction)

    def _unheard(self, side: Side, record: RecordId) -> bool:
        """Whether a record may have a counterpart from a create that nobody heard of."""
        unheard, name, direction = self.context.unheard, self.mapping.name, Direction.out_of(side)
        back = Direction.out_of(side.other)
        return bool(unheard.get((name, back))) or record in unheard.get((name, direction), ())
