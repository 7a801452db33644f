"""What becomes of links whose record is gone or is back: deletes, undeletes, merges.

A record is gone if the store says so. One that only cannot be seen keeps its link, and what has to
be done about it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dsl.schema import Side
from engine.case import Case, Change, Verdict
from engine.context import Context, Task
from engine.decide import decide_gone
from engine.ledger import Held, Link, Pending, Tombstone
from engine.mapping import Mapping
from engine.model import Action, Direction, RecordId, Row
from engine.references import Wait
from engine.vanishing import Vanishing

__all__ = ["Fates", "Lives", "look_again"]

#: What became of records that were deleted: None, or the record that now stands for one.
Fates = dict[RecordId, RecordId | None]


@dataclass
class Lives:
    """Decides on the links of one pair whose records are gone, and on those that came back."""

    mapping: Mapping
    context: Context
    vanishing: Vanishing = field(init=False)

    def __post_init__(self) -> None:
        self.vanishing = Vanishing(self.mapping, self.context)

    # -- what happened --------------------------------------------------------------------------

    def fates(self, side: Side, ids: Sequence[RecordId], *, sure: bool = False) -> Fates:
        """What became of those of these records that were deleted; of all, if that is `sure`."""
        if not ids:
            return {}
        store, type_name = self.context.stores[side], self.mapping.type_name(side)
        gone: Fates = dict.fromkeys(ids) if sure else {}
        gone |= store.fates(type_name, ids)
        asked = set(gone)
        # The master of a merge may have been merged itself since, or deleted.
        while wanted := {m for m in gone.values() if m is not None} - asked:
            asked |= wanted
            gone |= store.fates(type_name, list(wanted))
        return {record: _end(gone, record) for record in ids if record in gone}

    # -- records that are gone ------------------------------------------------------------------

    def depart(self, side: Side, cases: Iterable[tuple[Link, Case]], fates: Fates) -> list[Task]:
        """Decide on links whose record of `side` is not there any more, as `fates` tell."""
        tasks = [Task(case, Verdict(), link) for link, case in cases]
        found = [(task, task.link) for task in tasks if task.link is not None]
        contested = self.context.ledger.waits.contested(self.mapping.name) if found else {}
        deleted, merged = [], []
        for task, link in found:
            if link.id(side) not in fates:
                task.verdict = self._unseen(task, link, side)
            elif fates[link.id(side)] is None or not self._has_partner(task, link):
                deleted.append((task, link))
            else:
                merged.append((task, link))
        held = self.vanishing.held(side, [link.id(side) for _, link in deleted])
        for task, link in deleted:
            if link.id(side) in held:
                change = self._change(link, Action.HOLD, side, held[link.id(side)])
                task.verdict, task.held = Verdict([change]), Held("vanished")
            else:
                self._delete(task, link, side, contested)
        self._merge(merged, fates)
        return tasks

    def _unseen(self, task: Task, link: Link, side: Side) -> Verdict:
        """A record that is not there and was not deleted: what was to be done about it waits."""
        record = link.id(side)
        message = (
            f"{side.title()} {self.mapping.type_name(side)} {record} cannot be seen, though it was"
            " not deleted: let the connected user see it"
        )
        at = side.other if side.other in task.case.rows else side
        skip = self._change(link, Action.SKIP, at, message)
        return Verdict([skip], [], [Wait(-1, at, (), record, message)])

    def _delete(self, task: Task, link: Link, side: Side, contested: dict[str, str]) -> None:
        """A plain delete, unless the other record must not be touched."""
        mine = link.salesforce_id
        # The other one of a held merge, which need not wait any longer.
        other = contested.get(mine) or {lost: m for m, lost in contested.items()}.get(mine)
        converted = self.mapping.is_converted(task.case.rows.get(Side.SALESFORCE))
        if other is None and not converted:
            task.verdict = decide_gone(task.case, link, Direction.out_of(side))
            return
        reason = f"{side.title()} {self.mapping.type_name(side)} {link.id(side)} was deleted"
        task.verdict = Verdict([self._change(link, Action.UNLINK, side, reason)])
        if other is not None:
            task.later.append(look_again(self.mapping.name, other))

    # -- merges ---------------------------------------------------------------------------------

    def _has_partner(self, task: Task, link: Link) -> bool:
        """Whether a merged record's partner was not deleted too; it need not be visible."""
        if Side.OUTREACH in task.case.rows:
            return True
        return not self.fates(Side.OUTREACH, [link.outreach_id])

    def _merge(self, found: list[tuple[Task, Link]], fates: Fates) -> None:
        """Move links to the master records; where such a one has a link of its own, hold both."""
        name, types = self.mapping.name, self.mapping.types
        masters = [fates[link.salesforce_id] or "" for _, link in found]
        taken = self.context.ledger.others(name, Side.SALESFORCE, masters) if masters else {}
        for (task, link), to in zip(found, masters, strict=True):
            master, lost = str(to), f"{types[Side.SALESFORCE]} {link.salesforce_id}"
            lost += f" was merged into {master}"
            if master in taken:
                ids = f"({link.outreach_id} and {taken[master]})"
                reason = f"{lost}, and both have a {types[Side.OUTREACH]} {ids}"
                reason += ": delete or merge one of the two in Outreach"
                hold = self._change(link, Action.HOLD, Side.SALESFORCE, reason)
                task.verdict, task.held = Verdict([hold]), Held("review", f"merge {name}", master)
                continue
            taken[master] = link.outreach_id
            heir = link._replace(salesforce_id=master)
            goes = self._change(link, Action.UNLINK, Side.SALESFORCE, lost)
            comes = self._change(heir, Action.LINK, Side.SALESFORCE, lost)
            task.verdict = Verdict([goes, comes])
            task.heirs.append((name, heir))
            task.later.append(look_again(name, master))

    def contest(self, tasks: Sequence[Task]) -> list[Task]:
        """Those of linked records whose merge is held, decided: they are held as well."""
        contested = self.context.ledger.waits.contested(self.mapping.name) if tasks else {}
        held = []
        types = self.mapping.types
        for task in tasks if contested else ():
            loser = contested.get(task.link.salesforce_id) if task.link else None
            if task.link is None or loser is None:
                continue
            reason = (
                f"{types[Side.SALESFORCE]} {loser} was merged into it, and has a"
                f" {types[Side.OUTREACH]} of its own"
            )
            hold = self._change(task.link, Action.HOLD, Side.SALESFORCE, reason)
            task.verdict = Verdict([hold])
            held.append(task)
        return held

    # -- records that are back ------------------------------------------------------------------

    def come_back(
        self, side: Side, rows: Sequence[Row]
    ) -> tuple[list[Row], list[tuple[Row, Link]]]:
        """Of unlinked records: those to look for matches for, and those whose link is revived.

        Neither is one whose other record was deleted: it is not to be made again.
        """
        stones = self.context.ledger.tombstones(self.mapping.name, side, [row[0] for row in rows])
        if not stones:
            return list(rows), []
        back = {r: own for r, all_ in stones.items() if (own := _own(all_, side)) is not None}
        there, free = self._partners(side, back)
        alone, revived = [], []
        for row in rows:
            stone = back.get(row[0])
            if row[0] not in stones:
                alone.append(row)
            elif stone is None:
                continue
            elif stone.link.id(side.other) not in free or self._parted(stone.link):
                alone.append(row)
            elif stone.link.id(side.other) in there:
                revived.append((row, stone.link))
            elif self.context.ledger.has_deleted(self.mapping.name, stone.link):
                alone.append(row)  # what we deleted with it comes back with it
        return alone, revived

    def _parted(self, link: Link) -> bool:
        """Whether a person said that these two do not belong together."""
        return self.context.ledger.has_moved(self.mapping.name, link)

    def _partners(
        self, side: Side, back: dict[RecordId, Tombstone]
    ) -> tuple[set[RecordId], set[RecordId]]:
        """Which of the other records are there, and which are free of another link."""
        other, ids = side.other, [stone.link.id(side.other) for stone in back.values()]
        if not ids:
            return set(), set()
        linked = self.context.ledger.others(self.mapping.name, other, ids)
        rows = self.context.stores[other].fetch(self.mapping.type_name(other), [], ids)
        return {row[0] for row in rows}, set(ids) - linked.keys()

    def revived(self, case: Case, side: Side) -> Change:
        """What a plan says of a link that is there again."""
        reason = f"{self.mapping.type_name(side)} {case.id(side)} was undeleted"
        return case.change(Action.LINK, Direction.out_of(side), reason, self._place(side))

    # -- changes --------------------------------------------------------------------------------

    def _change(self, link: Link, action: Action, source: Side, reason: str) -> Change:
        ids = (link.salesforce_id, link.outreach_id)
        direction, place = Direction.out_of(source), self._place(source)
        label = self.mapping.pair.label
        return Change(action, direction, self.mapping.types, *ids, reason, place, label=label)

    def _place(self, side: Side) -> str:
        return self.mapping.rules[f"{Direction.out_of(side)} delete"].place


def look_again(pair: str, record: str) -> Pending:
    """A linked Salesforce record that is decided on again before the run is over."""
    message = f"{pair} {record} is looked at again"
    return Pending(pair, Side.SALESFORCE, record, "reference", pair, record, message)


def _own(stones: list[Tombstone], side: Side) -> Tombstone | None:
    """The newest link that ended because this very record was gone."""
    return next((stone for stone in stones if stone.gone is side), None)


def _end(gone: Fates, record: RecordId) -> RecordId | None:
    """The record in which a chain of merges ends; None if it was deleted."""
    seen: set[RecordId] = set()
    at: RecordId | None = record
    while at is not None and at in gone and at not in seen:
        seen.add(at)
        at = gone[at]
    return None if at in seen else at
