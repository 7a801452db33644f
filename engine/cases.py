"""Cases before they are decided on: linked records with both their sides and bases put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from dsl.schema import Side
from engine.case import Base, Case
from engine.compile import is_unset
from engine.context import Context
from engine.ledger import Link
from engine.mapping import UNSET, Mapping
from engine.model import SIDES, RecordId, Row
from engine.references import References

__all__ = ["Cases"]

_decode = msgspec.json.Decoder(tuple[Any, ...]).decode


@dataclass
class Cases:
    """Puts the cases of one pair together; `layout` is that of today's lines."""

    mapping: Mapping
    layout: int
    context: Context

    def bare(
        self, seen: Side, rows: dict[Side, Row], views: dict[Side, tuple[Any, ...]], now: datetime
    ) -> Case:
        """What is known of a record before it is decided on."""
        notes: dict[int, str] | None = {} if self.context.telling else None
        return Case(self.mapping, References({}), now, rows, views, seen=seen, notes=notes)

    def departing(self, side: Side, links: list[Link], now: datetime) -> list[tuple[Link, Case]]:
        """Links whose record of `side` is not there, with what is known of them."""
        found = []
        for link, partner in self.with_partners(side, links):
            case = self.bare(side, {}, {}, now)
            self.add(case, side.other, partner)
            case.bases = {at: self.base(link, at) for at in SIDES}
            found.append((link, case))
        return found

    def linked(
        self, side: Side, links: dict[RecordId, Link], now: datetime
    ) -> Iterator[tuple[RecordId, Case]]:
        """The cases of linked records, by their id on `side`, with what is there of both."""
        ids = list(links)
        type_name, columns = self.mapping.type_name(side), self.mapping.columns[side]
        found = self.context.stores[side].fetch(type_name, columns, ids) if ids else []
        rows = {row[0]: row for row in found}
        for link, partner in self.with_partners(side, list(links.values())):
            case = self.bare(side, {}, {}, now)
            self.add(case, side, rows.get(link.id(side)))
            self.add(case, side.other, partner)
            case.bases = {at: self.base(link, at) for at in SIDES}
            yield link.id(side), case

    def with_partners(self, side: Side, links: list[Link]) -> list[tuple[Link, Row | None]]:
        """Links of records of `side`, each with the row of its other record, if that is there."""
        if not links:
            return []
        other = side.other
        ids = [link.id(other) for link in links]
        type_name = self.mapping.type_name(other)
        rows = self.context.stores[other].fetch(type_name, self.mapping.columns[other], ids)
        partners = {row[0]: row for row in rows}
        return [(link, partners.get(link.id(other))) for link in links]

    def add(self, case: Case, side: Side, row: Row | None) -> None:
        if row is not None:
            case.rows[side] = row
            case.views[side] = self.mapping.view[side](row)

    def base(self, link: Link, side: Side) -> Base:
        """A link's base in the order of today's lines; a line that is new has none."""
        values: Base = _decode(link.base(side))
        if link.layout != self.layout:
            old = self.context.ledger.layout_lines(link.layout)
            by_key = dict(zip(old, values, strict=True))
            values = tuple(by_key.get(key, UNSET) for key in self.mapping.keys)
        if not self.context.fresh:
            return values
        return tuple(UNSET if n in self._fresh else value for n, value in enumerate(values))

    def last_given(self, case: Case) -> Iterator[tuple[int, Side, RecordId]]:
        """What lines last put into relationships to many records, and may have to take out."""
        for number in self.mapping.adding:
            base = case.base(Side.SALESFORCE, number)
            if base is not None and not is_unset(base):
                yield number, Side.SALESFORCE, base

    @cached_property
    def _fresh(self) -> frozenset[int]:
        """The lines that are to be decided as if they had no base."""
        return frozenset(
            number
            for number, code in enumerate(self.mapping.lines)
            if any(end.label in self.context.fresh for end in code.ends.values())
        )
