"""Rows of the org as JSON:API resource objects, with only the fields that are asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from dsl.schema import Field, Kind
from engine.sandbox.outreach.errors import unsuitable
from engine.sandbox.outreach.filters import column
from engine.sandbox.outreach.parameters import Parameters
from engine.sandbox.outreach.resources import Resource, by_type, plural
from engine.stores.local.org import OrgFile
from engine.stores.local.tables import quoted, shape

__all__ = ["Chosen", "chosen", "documents", "select"]

_Row = tuple[Any, ...]
#: Where an opportunity's and a prospect's records of each other stand.
_ROLES = {
    ("opportunity", "prospects"): ("opportunityProspectRole", "opportunity", "prospect"),
    ("prospect", "opportunities"): ("opportunityProspectRole", "prospect", "opportunity"),
}


@dataclass(frozen=True)
class Chosen:
    """The fields of a type that an answer has; `whole` if that is all of them."""

    attributes: tuple[str, ...]
    relationships: tuple[str, ...]
    whole: bool


@lru_cache(maxsize=64)
def _everything(resource_type: str) -> Chosen:
    resource = by_type(resource_type)
    assert resource is not None  # noqa: S101 - only names of resources are asked for
    return Chosen(tuple(resource.attributes), tuple(resource.relationships), whole=True)


def chosen(resource: Resource, given: Parameters) -> Chosen:
    """What `fields[TYPE]=a,b` asks for. Raises `ApiError` for a field that the type has not."""
    text = given.one("fields", resource.type)
    if text is None:
        return _everything(resource.type)
    names = dict.fromkeys(filter(None, text.split(",")))
    for name in names:
        if name not in resource.attributes and name not in resource.relationships and name != "id":
            parameter = f"fields[{resource.type}]"
            raise unsuitable(f"'{name[:80]}' is not a field of {resource.type}.", parameter)
    return Chosen(
        tuple(n for n in names if n in resource.attributes),
        tuple(n for n in names if n in resource.relationships),
        whole=False,
    )


@lru_cache(maxsize=256)
def select(resource_type: str, fields: Chosen) -> str:
    """The columns of a SELECT for `documents`: id, `_extra`, and the fields."""
    resource = by_type(resource_type)
    assert resource is not None  # noqa: S101 - as above
    many_types = any(len(resource.relationships[n].references) > 1 for n in fields.relationships)
    extra = 't._extra AS "extra [crosswalk_json]"' if fields.whole or many_types else "NULL"
    columns = ["t.id", extra]
    for at, name in enumerate((*fields.attributes, *_stored(resource, fields))):
        known = resource.object.fields[name]
        form = shape(known)
        sql = column(name)
        columns.append(sql if form == "plain" else f'{sql} AS "c{at} [crosswalk_{form}]"')
    return ", ".join(columns)


def _stored(resource: Resource, fields: Chosen) -> list[str]:
    """The relationships that have a column worth reading."""
    return [n for n in fields.relationships if not resource.relationships[n].linked]


def documents(
    org: OrgFile, resource: Resource, fields: Chosen, rows: Sequence[_Row], base: str
) -> list[dict[str, Any]]:
    """The resource objects of rows that `select` has read; `base` is the address of the API."""
    shaper = _Shaper(org, resource, fields, base)
    shaper.look_back([row[0] for row in rows])
    return [shaper.shaped(row) for row in rows]


class _Plan(NamedTuple):
    """How rows of some fields are shaped: the columns of relationships, and what becomes of each.

    `many` has the type of a relationship's records, if it is one, and where they are listed: an
    address from the API's on, up to the id of the record.
    """

    stored: tuple[str, ...]
    singles: tuple[Field, ...]
    many: tuple[tuple[str, str | None, str], ...]


@lru_cache(maxsize=256)
def _plan(resource_type: str, fields: Chosen) -> _Plan:
    resource = by_type(resource_type)
    assert resource is not None  # noqa: S101 - as above
    related = resource.relationships
    stored = tuple(_stored(resource, fields))
    many = []
    for name in fields.relationships:
        if related[name].many or related[name].linked:
            target = _target(related[name])
            path = plural(target) if target is not None else name
            many.append((name, target, f"/{path}?filter%5B{resource_type}%5D%5Bid%5D="))
    return _Plan(stored, tuple(related[n] for n in stored if not related[n].many), tuple(many))


@dataclass
class _Shaper:
    org: OrgFile
    resource: Resource
    fields: Chosen
    base: str
    back: dict[str, dict[int, list[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._width = 2 + len(self.fields.attributes)
        self._stored, self._singles, many = _plan(self.resource.type, self.fields)
        self._self = f"{self.base}/{self.resource.plural}/"
        self._many = [(name, target, self.base + path) for name, target, path in many]

    def shaped(self, row: _Row) -> dict[str, Any]:
        record, extra = row[0], row[1] or {}
        attributes = dict(zip(self.fields.attributes, row[2 : self._width], strict=True))
        if self.fields.whole and "fields" in extra:
            attributes = dict(sorted((attributes | extra["fields"]).items()))
        values = dict(zip(self._stored, row[self._width :], strict=True))
        relationships: dict[str, Any] = dict.fromkeys(self.fields.relationships)
        for known in self._singles:
            value = values[known.name]
            if value is not None:
                value = {"type": self._type(known, value, values, extra), "id": value}
            relationships[known.name] = {"data": value}
        for name, target, address in self._many:
            links = {"related": f"{address}{record}"}
            if name in values and target is not None:
                ids = values[name] or self.back.get(name, {}).get(record, ())
                data = [{"type": target, "id": each} for each in ids]
                relationships[name] = {"data": data, "links": links, "meta": {"count": len(data)}}
            else:
                relationships[name] = {"links": links}
        return {
            "type": self.resource.type,
            "id": record,
            "attributes": attributes,
            "relationships": relationships,
            "links": {"self": f"{self._self}{record}"},
        }

    def _type(
        self, known: Field, value: int, values: Mapping[str, Any], extra: Mapping[str, Any]
    ) -> str:
        """The type of a record that may be of several: as it was written, or as others tell."""
        if len(known.references) == 1:
            return known.references[0]
        told = extra.get("types", {}).get(known.name)
        if told is not None:
            return str(told)
        like = [name for name in known.references if values.get(name) == value]
        return like[0] if like else known.references[-1]

    # -- records that refer to these ------------------------------------------------------------

    def look_back(self, ids: list[int]) -> None:
        """Find what other records make of relationships to many."""
        for name in self._stored:
            known = self.resource.relationships[name]
            found = _through(self.resource, known) if known.many else None
            if found is not None and self.org.made(found[0]):
                self.back[name] = self._found(name, *found, ids)

    def _found(
        self, name: str, type_name: str, by: str, target: str, ids: list[int]
    ) -> dict[int, list[int]]:
        _see_reference(self.org, type_name, by)
        sql = (
            f"SELECT {quoted(by)}, {quoted(target)} FROM {quoted(type_name)} WHERE {quoted(by)} IN"
            " (SELECT value FROM json_each(?))"
        )
        if name == "activeSequenceStates":
            sql += " AND state IS 'active'"
        found: dict[int, list[int]] = {}
        for one, other in self.org.rows(f"{sql} ORDER BY id", (json.dumps(ids),)):
            if other is not None:
                found.setdefault(one, []).append(other)
        return found


def _target(known: Field) -> str | None:
    return known.references[0] if len(known.references) == 1 else None


@lru_cache(maxsize=512)
def _back(resource_type: str, name: str, target: str) -> tuple[str, str, str] | None:
    if (resource_type, name) in _ROLES:
        return _ROLES[resource_type, name]
    other = by_type(target)
    field = other.relationships.get(resource_type) if other is not None else None
    if field is None or field.kind is not Kind.REFERENCE:
        return None
    return target, resource_type, "id"


def _through(resource: Resource, known: Field) -> tuple[str, str, str] | None:
    """The type whose records make a relationship to many, and its two columns."""
    if len(known.references) != 1:
        return None
    return _back(resource.type, known.name, known.references[0])


def _see_reference(org: OrgFile, type_name: str, name: str) -> None:
    """See that the records of a type are quickly found by a reference."""
    index = f"{type_name} of {name}"
    known = "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?"
    if not org.rows(known, (index,)):
        with org.transaction():
            org.db.execute(
                f"CREATE INDEX IF NOT EXISTS {quoted(index)}"
                f" ON {quoted(type_name)} ({quoted(name)})"
            )
