"""Asks the conditions of the rules of the records that are there, term by term."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from dsl import program as ir
from dsl.evaluate import Context, evaluate
from dsl.schema import Side
from dsl.values import canonical
from engine.columns import line_of
from engine.mapping import Mapping
from engine.model import SIDES, RecordId, Row, Value
from engine.rule_tests.world import World

__all__ = ["Seen", "holds", "seen_records", "terms_of"]

_decode = msgspec.json.Decoder(tuple[Any, ...]).decode


@dataclass(frozen=True)
class Seen:
    """One record, or two linked ones, as a cycle is about to see them.

    `bases` are there for linked records; `quiet` says that neither of these differs from them.
    """

    mapping: Mapping
    rows: dict[Side, Row]
    bases: dict[Side, tuple[Any, ...]] | None
    quiet: bool
    now: datetime

    @property
    def side(self) -> Side:
        """Whose record it is, if it is one alone."""
        return next(iter(self.rows))

    def id(self, side: Side) -> RecordId | None:
        row = self.rows.get(side)
        return row[0] if row else None

    def context(self) -> Context:
        """What a condition reads of it."""
        return Context(self._read, self._changed, self.now, self.mapping.zone)

    def _read(self, ref: ir.FieldRef) -> Value:
        row = self.rows.get(ref.side)
        return None if row is None else row[self.mapping.slot(ref.side, ref.path)]

    def _changed(self, ref: ir.FieldRef) -> bool:
        if self.bases is None:
            return True
        line = line_of(self.mapping.pair, ref)
        if line is None:
            line = self.mapping.keys.index(f"changed {ref.side}.{ref.path}")
        form = canonical(ref.kind, ref.is_email)
        return bool(self.bases[ref.side][line] != form(self._read(ref)))


def terms_of(condition: ir.Condition) -> Iterator[ir.Condition]:
    """The comparisons and the like that a condition is put together from."""
    match condition:
        case ir.All(terms=terms) | ir.Any(terms=terms):
            for term in terms:
                yield from terms_of(term)
        case ir.Negation(term=term):
            yield from terms_of(term)
        case _:
            yield condition


def holds(condition: ir.Condition | None, seen: Seen) -> bool:
    """Whether a condition holds, by the evaluator that defines it."""
    return condition is None or evaluate(condition, seen.context())


def seen_records(world: World, mapping: Mapping) -> Iterator[Seen]:
    """All records of a pair's types, linked ones in twos."""
    now = world.clock.now()
    rows = {
        side: {
            row[0]: row for row in world.rows(mapping.pair.type(side), list(mapping.columns[side]))
        }
        for side in SIDES
    }
    left = world.ledger.links(mapping.name, Side.SALESFORCE, list(rows[Side.SALESFORCE]))
    linked = {link.outreach_id for link in left.values()}
    for side in SIDES:
        for record, row in rows[side].items():
            if record not in (left if side is Side.SALESFORCE else linked):
                yield Seen(mapping, {side: row}, None, False, now)
    for link in left.values():
        both = {side: rows[side].get(link.id(side)) for side in SIDES}
        there = {side: row for side, row in both.items() if row is not None}
        if len(there) == len(SIDES):
            bases = {side: _decode(link.base(side)) for side in SIDES}
            quiet = all(
                msgspec.json.encode(mapping.view[side](row)) == link.base(side)
                for side, row in there.items()
            )
            yield Seen(mapping, there, bases, quiet, now)
