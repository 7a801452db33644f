"""One batch of one side's records, from what was observed to what the ledger keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dsl.program import Program
from dsl.schema import Side
from dsl.values import stamp
from engine.act import act
from engine.byhand import asked
from engine.columns import CONVERSION, LEAD
from engine.compiled import Compiled
from engine.context import Context, Task
from engine.conversion import heir_of
from engine.deciding import WATCHING, Deciding
from engine.ledger import Commit, LogRow
from engine.mapping import Mapping
from engine.model import SIDES, Cursor, RecordId, Row
from engine.overlap import remember, without_repeats
from engine.tracing import span

__all__ = ["Batches", "batches_of"]


def batches_of(compiled: Compiled, context: Context) -> dict[str, Batches]:
    """The batches of each pair by its name; those of leads and contacts know each other."""
    program, found = compiled.program, {}
    for name, mapping in compiled.mappings.items():
        why = context.by_hand.get(name)
        found[name] = Batches(program, asked(mapping, why) if why else mapping, context)
    for batches in found.values():
        heir = found.get(heir_of(program, batches.mapping) or "")
        if heir is not None:
            batches.heir, heir.leads = heir, batches
    return found


@dataclass(frozen=True)
class _Turn:
    """What is common to the passes over one page; see `Batches.process`."""

    side: Side
    now: datetime
    again: bool
    cursor: tuple[str, Side, Cursor, str] | None
    overlap: str

    def still(self, rows: Sequence[Row]) -> set[RecordId]:
        """Those that may not have moved since the last scan."""
        return {row[0] for row in rows if row[1] and row[1] <= self.overlap}


class Batches(Deciding):
    """Takes a pair's observed rows through decide and act to the ledger."""

    def __init__(self, program: Program, mapping: Mapping, context: Context) -> None:
        super().__init__(program, mapping, context)
        #: Whose links, where they end since a lead was converted, go on in these.
        self.leads: Batches | None = None

    def process(
        self,
        side: Side,
        rows: Sequence[Row],
        gone: Sequence[RecordId] = (),
        cursor: tuple[str, Side, Cursor, str] | None = None,
        logs: Sequence[LogRow] = (),
        *,
        again: bool = False,
        overlap: str = "",
    ) -> None:
        """Decide and carry out one page; the cursor moves with the last commit of its records.

        `again` are records that had to wait, to be decided on though they have not changed. What is
        stamped before `overlap` may have been read by the last scan as well.
        """
        now = self.context.clock.now()
        turn = _Turn(side, now, again, cursor, overlap)
        if not again and self.context.stores[side].lag:
            rows = without_repeats(self.mapping, side, rows, self.context.ledger)
        moved = [] if again else [row[0] for row in rows]
        if self.leads is not None and side is Side.SALESFORCE:
            self.leads.convert_into(self._unlinked(rows))
        rows = self._polled(side, rows, now)
        if gone:
            # Before the others: one of these may be the master into which a gone one was merged.
            self._depart(side, gone, now, sure=not again)
        while True:
            commit = Commit(moved={self.mapping.name: moved})
            later = self._pass(turn, rows, commit)
            if not later:
                commit.cursor = cursor
                commit.logs.extend(logs)
            self.context.ledger.commit(self.context.run, stamp(now), self.context.digest, commit)
            if not later:
                return
            rows = later

    def convert_into(self, contacts: Sequence[RecordId]) -> None:
        """Move the links of leads that were converted into these contacts, before those are seen.

        Otherwise such a contact would be made a second prospect.
        """
        ledger, name = self.context.ledger, self.mapping.name
        if not contacts or not ledger.link_count(name):
            return
        columns, key = self.mapping.columns[Side.SALESFORCE], [CONVERSION[1]]
        store = self.context.stores[Side.SALESFORCE]
        rows = store.find(LEAD, columns, key, [(contact,) for contact in contacts])
        linked = ledger.others(name, Side.SALESFORCE, [row[0] for row in rows])
        if rows := [row for row in rows if row[0] in linked]:
            self.process(Side.SALESFORCE, rows, again=True)

    def _unlinked(self, rows: Sequence[Row]) -> list[RecordId]:
        ids = [row[0] for row in rows]
        linked = self.context.ledger.others(self.mapping.name, Side.SALESFORCE, ids)
        return [record for record in ids if record not in linked]

    def _polled(self, side: Side, rows: Sequence[Row], now: datetime) -> list[Row]:
        """The rows that the condition of `polling` (or `pushing`) lets in, by themselves.

        A linked lead that was converted is let in whatever the condition says.
        """
        holds = self.mapping.conditions.get(WATCHING[side])
        if holds is None or side not in self.mapping.alone:
            return list(rows)
        if side is Side.OUTREACH:
            return [row for row in rows if holds(None, row, None, None, now)]
        out = {row[0]: row for row in rows if not holds(row, None, None, None, now)}
        converted = [record for record, row in out.items() if self.mapping.is_converted(row)]
        for record in self.context.ledger.others(self.mapping.name, side, converted):
            del out[record]
        return [row for row in rows if row[0] not in out]

    def _depart(self, side: Side, gone: Sequence[RecordId], now: datetime, *, sure: bool) -> None:
        """Decide on records that are gone, and commit that by itself."""
        commit = Commit(moved={self.mapping.name: list(gone)})
        tasks, fates = self._departed(side, gone, now, sure=sure)
        # Without a link there is nothing to do about a record but to forget what waits for it.
        commit.seen += [(self.mapping.name, side, each) for each in (gone if sure else fates)]
        act(self.mapping, self.layout, self._admitted(tasks), self.context, commit)
        self.context.ledger.commit(self.context.run, stamp(now), self.context.digest, commit)

    def _admitted(self, tasks: list[Task]) -> list[Task]:
        admit = self.context.admit
        return tasks if admit is None else [task for task in tasks if admit(task.verdict)]

    def _pass(self, turn: _Turn, rows: Sequence[Row], commit: Commit) -> list[Row]:
        """One pass over a batch; the rows that have to wait for others of the same batch."""
        side = turn.side
        with span("decide", side=side.value, records=len(rows)):
            found = self.decide(side, rows, (), turn.now, turn.again)
        tasks = self._admitted(found.tasks)
        name = self.mapping.name
        # By hand nothing is tried in the other direction: what waits there goes on waiting.
        sides = (side,) if name in self.context.by_hand else SIDES
        commit.seen += [
            (name, at, row[0])
            for task in tasks
            for at, row in task.case.rows.items()
            if at in sides
        ]
        commit.seen += [(name, side, record) for record in found.settled]
        still = turn.still(rows).intersection(found.settled)
        commit.moved[name] = [record for record in commit.moved[name] if record not in still]
        act(self.mapping, self.layout, tasks, self.context, commit)
        if turn.cursor is not None and not turn.again:
            store = self.context.stores[side]
            remember(self.mapping, side, store, tasks, turn.cursor, commit)
        return found.later
