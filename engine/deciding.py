"""What is decided on one page of a side's records: linked, matched or made, with nothing done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from dsl.program import Policy, Program
from dsl.schema import Side
from engine.case import Case, Verdict
from engine.cases import Cases
from engine.compile import waits_with
from engine.context import Context, Task
from engine.conversion import Heir, decide_conversions
from engine.decide import await_news, decide_create, decide_linked, hold, meeting
from engine.ledger import Link, about
from engine.lives import Fates, Lives
from engine.mapping import Mapping
from engine.matching import Matches, find_matches
from engine.model import SIDES, Direction, RecordId, Row
from engine.moves import link_by_hand, take_partner
from engine.references import Known, References, gather, routes
from engine.swing import pause_swinging
from engine.upserts import as_upserts, names_of
from engine.whose import decide_activity, finish_activities, who_is_linked

__all__ = ["WATCHING", "Decided", "Deciding"]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[Any, ...]).decode
#: The toggle that says whether, and which, records of a side are looked at.
WATCHING = {Side.SALESFORCE: "polling", Side.OUTREACH: "pushing"}


@dataclass
class _Sorted:
    """A batch sorted by what has to be decided about each record."""

    linked: list[tuple[Row, tuple[Any, ...], Link]] = field(default_factory=list)
    revived: set[RecordId] = field(default_factory=set)
    alone: list[Row] = field(default_factory=list)
    settled: list[RecordId] = field(default_factory=list)


@dataclass(frozen=True)
class Decided:
    """What was decided about a page; `settled` equal their base, `later` wait for their twins."""

    tasks: list[Task]
    settled: list[RecordId]
    later: list[Row]


class Deciding:
    """Decides on a pair's observed rows; what a batch does about it is in `batch.py`."""

    def __init__(self, program: Program, mapping: Mapping, context: Context) -> None:
        self.mapping = mapping
        self.context = context
        self.layout = context.ledger.layout(mapping.name, mapping.keys)
        self.cases = Cases(mapping, self.layout, context)
        self.lives = Lives(mapping, context)
        #: Whose links go on where those of converted leads end.
        self.heir: Deciding | None = None
        self._routes = routes(program, mapping)

    def decide(
        self,
        side: Side,
        rows: Sequence[Row],
        gone: Sequence[RecordId],
        now: datetime,
        again: bool = False,
    ) -> Decided:
        """Decide on one page's records, and do nothing about it."""
        departed = self._departed(side, gone, now, sure=not again)[0] if gone else []
        found = self._sort(side, rows, again)
        linked = self._watched(side, self._linked_tasks(side, found, now))
        departed += self._without_partner(side, linked, now)
        decided = [*departed, *self._convert(linked), *self.lives.contest(linked)]
        done = {id(task) for task in decided}
        tasks = [task for task in linked if id(task) not in done]
        matches = self._matches(side, found.alone, now)
        ready = [row for row in found.alone if row[0] not in matches.later]
        tasks += self._watched(side, [self._lone_task(side, row, matches, now) for row in ready])
        references = self.references_of(task.case for task in tasks)
        for task in tasks:
            task.case.references = references
            task.verdict = self._decide(side, task, matches)
            if task.link is None and side.other in task.case.rows:
                link_by_hand(self.mapping, side, self.context, task)
        as_upserts(self.mapping, tasks, self.context)
        if not self.context.unpaused:
            pause_swinging(tasks, self.mapping, self.layout, self.context.ledger, now)
        if self.mapping.pair.label:
            finish_activities(self.mapping, tasks, self.context.stores, self.context.ledger)
        later = [row for row in found.alone if row[0] in matches.later]
        return Decided([*tasks, *decided], found.settled, later)

    def _departed(
        self, side: Side, gone: Sequence[RecordId], now: datetime, *, sure: bool
    ) -> tuple[list[Task], Fates]:
        """What is decided on the links of records that are gone, and what became of those."""
        links = self.context.ledger.links(self.mapping.name, side, list(gone))
        fates = self.lives.fates(side, list(links) if sure else list(gone), sure=sure)
        cases = self.cases.departing(side, list(links.values()), now)
        return self.lives.depart(side, cases, fates), fates

    def _without_partner(self, side: Side, linked: list[Task], now: datetime) -> list[Task]:
        """Decide on linked records whose other record is not there to be read."""
        other = side.other
        links = [task.link for task in linked if task.link and other not in task.case.rows]
        if not links:
            return []
        lost = [task for task in linked if other not in task.case.rows]
        fates = self.lives.fates(other, [link.id(other) for link in links])
        cases = [(task.link, task.case) for task in lost if task.link]
        decided = self.lives.depart(other, cases, fates)
        for task in lost:
            linked.remove(task)
        return decided

    def _convert(self, linked: list[Task]) -> list[Task]:
        """Decide on linked leads that were converted."""
        tasks = [task for task in linked if self._is_converted(task)]
        if tasks:
            heir = None if self.heir is None else Heir(self.heir.mapping, self.heir.layout)
            decide_conversions(self.mapping, heir, tasks, self.context.ledger)
        return tasks

    def _watched(self, side: Side, tasks: list[Task]) -> list[Task]:
        """Those that `polling` (or `pushing`) lets in, if it reads more than the row itself.

        A linked lead that was converted is let in all the same.
        """
        holds = self.mapping.conditions.get(WATCHING[side])
        if holds is None or side in self.mapping.alone or self.context.telling:
            return tasks
        return [t for t in tasks if t.case.ask(holds) or (t.link and self._is_converted(t))]

    def _is_converted(self, task: Task) -> bool:
        return self.mapping.is_converted(task.case.rows.get(Side.SALESFORCE))

    # -- sorting --------------------------------------------------------------------------------

    def _sort(self, side: Side, rows: Sequence[Row], again: bool) -> _Sorted:
        """Drop what equals its base (most often our own write's echo), part linked and alone."""
        ledger, found = self.context.ledger, _Sorted()
        links = ledger.links(self.mapping.name, side, [row[0] for row in rows])
        view, context = self.mapping.view[side], self.context
        crossed = side in self.mapping.crossed or context.telling or bool(context.fresh)
        converts = side is Side.SALESFORCE and self.mapping.conversion is not None
        alone = []
        for row in rows:
            link = links.get(row[0])
            converted = converts and self.mapping.is_converted(row)
            if link is None:
                if not (converted and self._has_heir(row)):
                    alone.append(row)
                continue
            seen = view(row)
            same = link.layout == self.layout and link.base(side) == _encode(seen)
            if same and not crossed and not converted:
                found.settled.append(row[0])
            elif again or crossed or converted or not self._only_waits(side, seen, link):
                found.linked.append((row, seen, link))
        found.alone, revived = self.lives.come_back(side, alone)
        found.linked += [(row, view(row), link) for row, link in revived]
        found.revived = {row[0] for row, _ in revived}
        return found

    def _has_heir(self, lead: Row) -> bool:
        """Whether a converted lead is made no prospect, since its contact stands for it."""
        place = self.mapping.conversion
        return self.heir is not None and place is not None and lead[place[1]] is not None

    def _only_waits(self, side: Side, seen: tuple[Any, ...], link: Link) -> bool:
        """Whether all that differs from the base are lines that wait, as they did before."""
        if link.layout != self.layout:
            return False
        return all(
            value == base or waits_with(base, value)
            for value, base in zip(seen, _decode(link.base(side)), strict=True)
        )

    def _linked_tasks(self, side: Side, found: _Sorted, now: datetime) -> list[Task]:
        partners = self.cases.with_partners(side, [link for _, _, link in found.linked])
        tasks = []
        for (row, seen, link), (_, partner) in zip(found.linked, partners, strict=True):
            case = self.cases.bare(side, {side: row}, {side: seen}, now)
            case.bases = {at: self.cases.base(link, at) for at in SIDES}
            self.cases.add(case, side.other, partner)
            tasks.append(Task(case, Verdict(), link, revived=row[0] in found.revived))
        return tasks

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
                if self.mapping.pair.matches
                and self.cases.bare(side, {side: row}, {}, now).holds(direction, "create")
            }
        stores, ledger = self.context.stores, self.context.ledger
        upserting = creating and side is Side.OUTREACH
        named = names_of(self.mapping, self.context) if upserting else ()
        found = find_matches(self.mapping, side, rows, stores, ledger, creating, named)
        take_partner(self.mapping, side, self.context, found)
        return found

    def _lone_task(self, side: Side, row: Row, matches: Matches, now: datetime) -> Task:
        row = matches.fresh.get(row[0], row)
        case = self.cases.bare(side, {side: row}, {side: self.mapping.view[side](row)}, now)
        partner = matches.partners.get(row[0])
        if partner is not None and not self._may_be_ours(side, row[0], partner[0]):
            self.cases.add(case, side.other, partner)
            if self.mapping.pair.toggle("sync down").on:
                case.override = Policy.SALESFORCE
        return Task(case, Verdict())

    # -- deciding -------------------------------------------------------------------------------

    def references_of(self, cases: Iterable[Case]) -> References:
        """What the references and names of these cases stand for on the other side."""
        rows: dict[Side, list[Row]] = {side: [] for side in SIDES}
        last: list[tuple[int, Side, RecordId]] = []
        for case in cases:
            last += self.cases.last_given(case)
            for side, row in case.rows.items():
                rows[side].append(row)
        context = self.context
        return gather(
            self.mapping,
            self._routes,
            rows,
            last,
            context.ledger,
            context.stores,
            Known(context.names, context.active),
        )

    def _decide(self, side: Side, task: Task, matches: Matches) -> Verdict:
        case, direction = task.case, Direction.out_of(side)
        if self.mapping.pair.label:
            case.who = who_is_linked(case)
        if task.link is not None:
            verdict = decide_linked(case)
            if task.revived:
                verdict.changes.insert(0, self.lives.revived(case, side))
            return verdict
        record = case.id(side)
        if record in matches.held:
            clash = matches.held[record]
            task.held = about(self.mapping.name, clash.about)
            return hold(case, direction, clash.reason)
        if side.other in case.rows:
            return meeting(case, direction)
        if self._unheard(side, record):
            return await_news(case, direction)
        if self.mapping.pair.label and side is Side.OUTREACH:
            return decide_activity(case)
        return decide_create(case, direction)

    def _may_be_ours(self, side: Side, record: RecordId, partner: RecordId) -> bool:
        """Whether one of two that just met may have been made of the other, unheard.

        What it holds would then be no edit of anybody's; whoever looks for lost creates knows.
        """
        unheard, name = self.context.unheard, self.mapping.name
        return record in unheard.get((name, Direction.out_of(side)), ()) or (
            partner in unheard.get((name, Direction.out_of(side.other)), ())
        )

    def _unheard(self, side: Side, record: RecordId) -> bool:
        """Whether a record may have a counterpart from a create that nobody heard of."""
        unheard, name, direction = self.context.unheard, self.mapping.name, Direction.out_of(side)
        back = Direction.out_of(side.other)
        return bool(unheard.get((name, back))) or record in unheard.get((name, direction), ())
