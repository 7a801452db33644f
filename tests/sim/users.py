"""The users of both orgs: they create, edit and delete, also while a cycle runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.ledger import Ledger
from engine.model import SIDES, Direction, Outcome, RecordId, Side, Value, Write
from engine.stores.local import LocalOrg
from tests.sim.book import Book
from tests.sim.lands import Land, Sync
from tests.sim.sky import Sky, shown

__all__ = ["Users"]

_ADDRESSES = 6


@dataclass
class Users:
    """Each value that a user gives is unlike all others, so that it can be told where it went."""

    land: Land
    orgs: dict[Side, LocalOrg]
    ledger: Ledger
    sky: Sky
    book: Book
    given: int = 0

    def act(self) -> None:
        """One user does one thing, which the org may refuse."""
        sync = self.sky.rng.choice(self.land.syncs)
        side = self.sky.rng.choice(SIDES)
        act = self.sky.rng.choices(("create", "edit", "delete"), (5, 12, 1))[0]
        records = self._within_reach(sync, side)
        if act == "create" or not records:
            self._do(side, sync, Write(None, self._values(sync, side)))
            return
        record = self.sky.rng.choice(records)
        if act == "delete":
            self._do(side, sync, Write(record, delete=True))
        else:
            self._do(side, sync, Write(record, self._edit(sync, side)))

    def _within_reach(self, sync: Sync, side: Side) -> list[RecordId]:
        """The records that a user may touch.

        Not those that the engine has written and not yet read back (see `test_known.py`); nor those
        that it made and does not know of, since nothing then tells whose they are.
        """
        type_name = sync.types[side]
        records = sorted(self.book.living(side, type_name), key=str)
        linked = self.ledger.others(sync.name, side, records)
        return [
            record
            for record in records
            if (side, type_name, record) not in self.sky.unread
            and (record in linked or (side, type_name, record) in self.book.by_user)
        ]

    def _values(self, sync: Sync, side: Side) -> dict[str, Value]:
        values = {line.names[side]: self._new() for line in (sync.marker, *sync.lines)}
        for line in sync.lines:
            if not line.required and self.sky.happens(0.3):
                del values[line.names[side]]
        values[sync.key.names[side]] = self._key(sync, side)
        return values | self._reference(sync, side)

    def _edit(self, sync: Sync, side: Side) -> dict[str, Value]:
        if sync.reference is not None and self.sky.happens(0.2):
            return self._reference(sync, side)
        if self.sky.happens(0.1):
            # Not cleared: it would give way to the prospect's next one, on that side only.
            return {sync.key.names[side]: self._key(sync, side) or f"{self._new()}@x.co"}
        lines = self.sky.rng.choices(sync.lines, k=self.sky.rng.choice((1, 1, 2)))
        return {line.names[side]: None if self.sky.happens(0.1) else self._new() for line in lines}

    def _reference(self, sync: Sync, side: Side) -> dict[str, Value]:
        if sync.reference is None:
            return {}
        target = next(s for s in self.land.syncs if s.name == sync.refers)
        records = sorted(self.book.living(side, target.types[side]), key=str)
        return {sync.reference.names[side]: self.sky.rng.choice([*records, None])}

    def _new(self) -> str:
        self.given += 1
        return f"v{self.given}"

    def _key(self, sync: Sync, side: Side) -> Value:
        """What records are matched by: often unlike all others, sometimes the same, or none."""
        if sync.key.names[Side.SALESFORCE] != "Email":
            return self.sky.rng.choice([self._new(), self._new(), "Acme"])
        name = self.sky.rng.choice([self._new(), self._new(), f"p{self.given % _ADDRESSES}", None])
        if side is Side.OUTREACH:
            return [f"{name}@x.co"] if name else []
        return f"{name}@x.co" if name else None

    def _do(self, side: Side, sync: Sync, write: Write) -> None:
        type_name, org = sync.types[side], self.orgs[side]
        early = self._is_written_unheard(side, sync, write.id)
        (result,) = org.write(type_name, [write])
        done: Any = result.id if result.outcome is Outcome.DONE else result.code
        act = "deletes" if write.delete else "creates" if write.id is None else "edits"
        target = write.id or ""
        self.sky.note(f"  user {act} {side} {type_name} {target} {shown(write.values)}: {done}")
        if result.outcome is Outcome.DONE and result.id is not None:
            spot = (side, type_name, result.id)
            self.book.user_wrote(spot, write, self.sky.tick, early=early)
            self.sky.wrote(spot)

    def _is_written_unheard(self, side: Side, sync: Sync, record: RecordId | None) -> bool:
        """Whether an update of a record has no answer: nobody can tell whose its values are."""
        return any(
            record is not None
            and intent.pair == sync.name
            and Direction(intent.direction).target is side
            and record == (intent.salesforce_id if side is Side.SALESFORCE else intent.outreach_id)
            for intent, _ in self.ledger.unanswered()
        )
