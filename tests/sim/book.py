"""What really happened: every edit of a user and every write of the engine, by record and field."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.model import RecordId, Side, Value, Write
from tests.sim.lands import Land
from tests.sim.sky import Spot

__all__ = ["Book", "Edit", "plain"]


class Edit(NamedTuple):
    """One value that a user gave a field; `early` while the answer to a write over it was open."""

    tick: int
    value: Value
    early: bool = False


class Written(NamedTuple):
    """One value that the engine wrote, and when it had last read the record."""

    tick: int
    value: Value
    read: int


def plain(value: Value) -> Value:
    """A value for comparing: a list by its first element, no empty text."""
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value == "" else value


@dataclass
class Book:
    """`wrongs` are writes that the rules forbid, found as they happen."""

    land: Land
    edits: dict[tuple[Spot, str], list[Edit]] = field(default_factory=lambda: defaultdict(list))
    written: dict[tuple[Spot, str], list[Written]] = field(
        default_factory=lambda: defaultdict(list)
    )
    by_user: dict[Spot, Value] = field(default_factory=dict)
    by_engine: dict[Spot, Value] = field(default_factory=dict)
    deleted: dict[Spot, int] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)
    attempts: int = 0

    def user_wrote(self, spot: Spot, write: Write, tick: int, *, early: bool = False) -> None:
        if write.id is None:
            marker = self.land.sync_of(spot[0], spot[1]).marker.names[spot[0]]
            self.by_user[spot] = write.values.get(marker)
        if write.delete:
            self.deleted[spot] = tick
        for name, value in write.values.items():
            self.edits[spot, name].append(Edit(tick, plain(value), early))

    def engine_wrote(self, spot: Spot, write: Write, tick: int, read: int) -> None:
        if write.id is None:
            marker = self.land.sync_of(spot[0], spot[1]).marker.names[spot[0]]
            self.by_engine[spot] = write.values.get(marker)
        for name, value in write.values.items():
            self.written[spot, name].append(Written(tick, plain(value), read))

    def engine_tries(self, side: Side, type_name: str, write: Write) -> None:
        """Whether a toggle or an arrow forbids a write, also one that the org refuses."""
        self.attempts += 1
        spot = f"{side} {type_name} {write.id}"
        sync = self.land.sync_of(side, type_name)
        lines = [*sync.all_lines(), *([sync.reference] if sync.reference else [])]
        allowed = {line.names[side] for line in lines if side.other in line.sources}
        if write.delete:
            self.wrongs.append(f"deleted {spot}")
        elif side not in (sync.creates if write.id is None else sync.updates):
            self.wrongs.append(f"a toggle forbids to write {spot}")
        for line in lines if write.id is not None else ():
            if line.kept and plain(write.values.get(line.names[side], "-")) is None:
                self.wrongs.append(f"{line.names[side]} of {spot} was blanked")
        if forbidden := write.values.keys() - allowed:
            self.wrongs.append(f"no arrow leads to {sorted(forbidden)} of {spot}")

    def last(self, spot: Spot, name: str) -> Edit | None:
        found = self.edits.get((spot, name))
        return found[-1] if found else None

    def reached(self, spot: Spot, name: str, value: Value) -> bool:
        """Whether the engine ever brought a value to a field."""
        return any(w.value == value for w in self.written.get((spot, name), ()))

    def overrun(self, spot: Spot, name: str, edit: Edit) -> bool:
        """Whether an edit came between the engine's reading and its writing: nobody can tell."""
        return any(w.read < edit.tick < w.tick for w in self.written.get((spot, name), ()))

    def outdated(self, spot: Spot, name: str, value: Value) -> bool:
        """Whether a user gave a field this value, and then another one."""
        found = self.edits.get((spot, name), ())
        return any(edit.value == value for edit in found[:-1]) and found[-1].value != value

    def meant(self, spot: Spot, name: str, value: Value) -> bool:
        """Whether the last value that a user gave a field is this one."""
        last = self.last(spot, name)
        return last is not None and last.value == value

    def living(self, side: Side, type_name: str) -> list[RecordId]:
        every = {*self.by_user, *self.by_engine}
        return [s[2] for s in every if s[:2] == (side, type_name) and s not in self.deleted]
