"""Functions that bring one line's value into the other side's terms, made once a line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any, NamedTuple, Protocol

from dsl.program import Translation
from dsl.schema import Kind, Side
from dsl.values import convert, first, is_empty
from engine.columns import End
from engine.model import Direction, RecordId, Row, Value

__all__ = ["HOLD", "Linked", "Lookup", "Translate", "translator"]

HOLD = object()
"""What a value comes to that is unmapped, or has no form there: leave the other side as it is."""


class Linked(NamedTuple):
    """What links say that a reference stands for, on a line whose map speaks of names."""

    id: RecordId


class Lookup(Protocol):
    """Who knows what a reference is linked to."""

    def linked(self, line: int, source: Side, record: RecordId) -> Any:
        """The other side's id, something that says the line waits, or None if it never will be."""
        ...


Read = Callable[[Row, datetime], Value]
#: From a row of the source side to the value in the target's terms, for people to read; `HOLD`, or
#: what the lookup says of a line that waits.
Translate = Callable[[Row, Lookup, datetime], Any]


def translator(
    number: int,
    read: Read,
    read_id: Read | None,
    ends: dict[Side, End],
    via: Translation | None,
    direction: Direction,
    zone: tzinfo,
) -> Translate:
    """How line `number` flows in one direction; `read_id` is there if links help its map out."""
    source, target = ends[direction.source], ends[direction.target]
    if via is not None and read_id is not None:
        by_links = _by_links(number, read_id, direction.source)
        return _by_names_or_links(read, by_links, via, direction)
    if via is not None:
        return _by_map(read, via, direction)
    if source.is_link and target.is_link:
        return _by_links(number, read, direction.source)
    if target.by_name:
        return lambda row, _lookup, now: first(read(row, now))
    kind = Kind.UNKNOWN if target.is_list else target.kind
    takes_list = source.kind in (Kind.LIST, Kind.UNKNOWN) or target.is_list

    def converted(row: Row, _lookup: Lookup, now: datetime) -> Any:
        value = first(read(row, now)) if takes_list else read(row, now)
        if value is None or value == "":
            return None
        found = convert(value, source.kind, kind, zone)
        return HOLD if found is None else found

    if source.kind is kind is Kind.BOOLEAN:
        # Outreach sometimes has null where Salesforce takes only true or false.
        return lambda row, _lookup, now: read(row, now) is True
    if source.kind is kind and not takes_list:
        return lambda row, _lookup, now: read(row, now)
    return converted


def _by_links(number: int, read: Read, source: Side) -> Translate:
    def translate(row: Row, lookup: Lookup, now: datetime) -> Any:
        value = read(row, now)
        if value is None:
            return None
        found = lookup.linked(number, source, value)
        return HOLD if found is None else found

    return translate


def _by_names_or_links(
    read: Read, by_links: Translate, via: Translation, direction: Direction
) -> Translate:
    """A map of names has the first word, then links, and `otherwise` speaks for who has none."""
    known, otherwise = _known(via, direction), via.otherwise

    def translate(row: Row, lookup: Lookup, now: datetime) -> Any:
        name = first(read(row, now))
        if name in known:
            return known[name]
        found = by_links(row, lookup, now)
        if found is None:
            return None
        if found is not HOLD and isinstance(found, str | int):
            return Linked(found)
        if otherwise == "text":
            return via.otherwise_text
        if otherwise == "same":
            return found if is_empty(name) else name
        return None if otherwise == "clear" else found

    return translate


def _known(via: Translation, direction: Direction) -> dict[object, Any]:
    inbound = direction is Direction.INBOUND
    entries = via.inbound if inbound else via.outbound
    return {value: e.right if inbound else e.left for value, e in entries.items()}


def _by_map(read: Read, via: Translation, direction: Direction) -> Translate:
    known = _known(via, direction)
    otherwise: dict[str, Callable[[Value], Any]] = {
        "hold": lambda _value: HOLD,
        "clear": lambda _value: None,
        "same": lambda value: value,
        "text": lambda _value: via.otherwise_text,
    }
    unmapped = otherwise[via.otherwise]

    def translate(row: Row, _lookup: Lookup, now: datetime) -> Any:
        value = first(read(row, now))
        if is_empty(value):
            return None
        return known[value] if value in known else unmapped(value)

    return translate
