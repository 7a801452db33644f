"""Maps held against the picklists that they serve: what is new there, renamed, or deactivated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from dsl.diagnostics import closest
from dsl.program import FieldRef, Line, MapEntry, Pair, Translation
from dsl.schema import Field, Schema, Side, is_custom, shipped_schema

__all__ = ["Drift", "MapUse", "drifts", "has", "is_listed", "uses_of_maps"]

_LISTED = ("picklist", "multipicklist")


def is_listed(field: Field, schema: Schema, side: Side) -> bool:
    """Whether the values of a field are known: each org has its own in its own fields."""
    if not field.picklist or field.vendor_type not in _LISTED:
        return False
    return schema is not shipped_schema() or not is_custom(side, field.name)


def has(field: Field, text: str, *, exact: bool) -> bool:
    """Whether a picklist has a value; a multi-picklist each of those that `;` joins.

    A record may also hold one that was deactivated, which none is given: what is compared with a
    record's value is not `exact`, as capitals do not matter then.
    """
    wanted = text.split(";") if field.vendor_type == "multipicklist" else [text]
    if exact:
        return all(not each or each in field.picklist for each in wanted)
    known = {value.casefold() for value in (*field.picklist, *field.inactive)}
    return all(not each or each.casefold() in known for each in wanted)


@dataclass(frozen=True, slots=True)
class MapUse:
    """A line that translates; `field` is its picklist, None for a field that takes any text."""

    line: Line
    owner: str
    field: Field | None

    def lacks(self, value: object) -> bool:
        """Whether the picklist has no such value that is active."""
        if self.field is None or not isinstance(value, str):
            return False
        return not has(self.field, value, exact=True)

    @property
    def name(self) -> str:
        return f"{self.owner}.{self.field.name}" if self.field else self.owner


def uses_of_maps(pairs: Iterable[Pair], schema: Schema) -> Mapping[str, list[MapUse]]:
    """Who uses each map that a line goes through, by the map's name."""
    uses: dict[str, list[MapUse]] = {}
    for pair in pairs:
        owner = schema.get(Side.SALESFORCE, pair.salesforce.name) or pair.salesforce
        for line in pair.lines:
            if line.via is None:
                continue
            end = line.salesforce
            field = owner.fields.get(end.path) if isinstance(end, FieldRef) else None
            if field is not None and not is_listed(field, schema, Side.SALESFORCE):
                field = None
            uses.setdefault(line.via.name, []).append(MapUse(line, owner.name, field))
    return uses


def _concerned(uses: Iterable[MapUse], entry: MapEntry) -> list[MapUse]:
    """The uses in whose direction a pair of the map goes."""
    return [
        use
        for use in uses
        if (use.line.inbound and entry.arrow != "<-") or (use.line.outbound and entry.arrow != "->")
    ]


@dataclass(frozen=True, slots=True)
class Drift:
    """A value in which a map and the picklists that it serves differ.

    `new`: records may have it, no pair of the map takes it to Outreach, and `otherwise` holds it
    back. `gone`: a pair names it and no picklist has it. `inactive`: a pair names it, and it was
    deactivated. `near` is what it may have been renamed to, or from. `nowhere`: none of
    the picklists that the pair serves offers it.
    """

    what: Literal["new", "gone", "inactive"]
    value: str
    uses: tuple[MapUse, ...]
    entry: MapEntry | None = None
    near: str | None = None
    nowhere: bool = False

    @property
    def harmless(self) -> bool:
        """Whether it is a deactivated value that is read from old records, and never written."""
        return self.what == "inactive" and not any(
            use.line.outbound for use in self.uses if self.entry and self.entry.arrow != "->"
        )


def drifts(via: Translation, uses: Iterable[MapUse]) -> list[Drift]:
    """What is new, gone or deactivated, in the order of the map and then of the picklists.

    Of several picklists that a map serves one has to have each of its values; that one of them
    deactivated it is told all the same.
    """
    uses = list(uses)
    new = list(_new(via, uses))
    back = {each.near: each.value for each in new if each.near is not None}
    gone = [replace(each, near=back.get(each.value)) for each in _left_behind(via, uses)]
    return [*gone, *new]


def _left_behind(via: Translation, uses: list[MapUse]) -> Iterator[Drift]:
    for entry in via.entries:
        by = _concerned(uses, entry)
        if not by or not isinstance(entry.left, str):
            continue
        nowhere = all(use.lacks(entry.left) for use in by)
        if idle := [use for use in by if use.field and entry.left in use.field.inactive]:
            yield Drift("inactive", entry.left, tuple(idle), entry, nowhere=nowhere)
        elif nowhere:
            yield Drift("gone", entry.left, tuple(by), entry, nowhere=True)


def _new(via: Translation, uses: list[MapUse]) -> Iterator[Drift]:
    """What `otherwise` speaks for is provided for, unless it only holds."""
    if via.otherwise != "hold":
        return
    found: dict[str, list[MapUse]] = {}
    named = [e.left for e in via.inbound.values() if isinstance(e.left, str)]
    lost: dict[str, None] = {}
    for use in uses:
        if use.line.inbound and use.field is not None and use.field.vendor_type == "picklist":
            new = [value for value in use.field.picklist if value not in via.inbound]
            for value in new:
                found.setdefault(value, []).append(use)
            if new:
                known = (*use.field.picklist, *use.field.inactive)
                lost |= dict.fromkeys(value for value in named if value not in known)
    for value, by in found.items():
        yield Drift("new", value, tuple(by), near=_renamed(value, list(lost), len(found)))


def _renamed(value: str, lost: list[str], new: int) -> str | None:
    """What a value was called before, most likely: a name like it, or the only one that is lost."""
    if new == len(lost) == 1:
        return lost[0]
    near = closest(value, lost)
    folded = value.casefold()
    begins = (x for x in lost if x.casefold().startswith(folded) or folded.startswith(x.casefold()))
    return near or next(begins, None)
