"""Field names and dotted paths as parameters of a list, and as values of the records it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote

from dsl.schema import Field, ObjectType, Side, is_custom
from dsl.values import instant, stamp
from engine.model import Row, Value
from engine.ports import StoreError

__all__ = ["SEQUENCE", "Columns", "Included", "Resource", "address", "included_of", "plural"]

#: What a rule reads of a prospect's sequence begins with this word, which is no relationship.
SEQUENCE = "sequence"
_TRASHED = "trashedAt"
_STAMP = len("2024-05-17T09:30:00.000Z")

#: A resource object of JSON:API: `{"type", "id", "attributes", "relationships"}`.
Resource = Mapping[str, Any]
#: The resources that came along, by type and id.
Included = Mapping[tuple[str, int], Resource]
Described = Callable[[str], ObjectType | None]


def plural(type_name: str) -> str:
    """The path of a type's records: `opportunities`, `mailboxes`, `prospects`."""
    if type_name.endswith("y") and type_name[-2] not in "aeiou":
        return f"{type_name[:-1]}ies"
    return f"{type_name}es" if type_name.endswith(("s", "x", "ch")) else f"{type_name}s"


def address(base: str, path: str, parameters: Iterable[tuple[str, str]]) -> str:
    """A whole address; brackets and commas stay as they are, which keeps long lists short."""
    query = "&".join(f"{name}={quote(value, safe=',:')}" for name, value in parameters)
    return f"{base}/{path}?{query}" if query else f"{base}/{path}"


def included_of(document: Mapping[str, Any]) -> Included:
    """What came along with a list."""
    return {(each["type"], int(each["id"])): each for each in document.get("included") or ()}


@dataclass(frozen=True)
class Columns:
    """What is asked of a type's records; values of a prospect's sequence are read by others."""

    type: ObjectType
    fields: tuple[str, ...]
    described: Described

    @classmethod
    def of(cls, type_: ObjectType, fields: Sequence[str], described: Described) -> Columns:
        """Raises `StoreError` for a field that the type does not have."""
        found = cls(type_, tuple(fields), described)
        for path in fields:
            found._check(path)
        return found

    @property
    def stamp(self) -> str:
        """The attribute by which changes are read; what never changes has only a first moment."""
        return "updatedAt" if "updatedAt" in self.type.fields else "createdAt"

    @property
    def sequence(self) -> tuple[str, ...]:
        """The paths into a prospect's sequence."""
        return tuple(path for path in self.fields if self._reads_sequence(path))

    def parameters(self) -> list[tuple[str, str]]:
        """`fields[…]` of each type that is read, and `include`."""
        names: dict[str, set[str]] = {self.type.name: {self.stamp}}
        if _TRASHED in self.type.fields:
            names[self.type.name].add(_TRASHED)
        includes: set[str] = set()
        for path in self.fields:
            if not self._reads_sequence(path):
                words = path.split(".")
                includes.update(".".join(words[:n]) for n in range(1, len(words)))
                self._gather(self.type, words, names)
        found = [
            (f"fields[{name}]", ",".join(sorted(wanted - {"id"}) or ["id"]))
            for name, wanted in names.items()
        ]
        return found + ([("include", ",".join(sorted(includes)))] if includes else [])

    def row(self, resource: Resource, included: Included, sequence: Mapping[str, Value]) -> Row:
        """A record as the engine takes it."""
        values = resource.get("attributes") or {}
        if sequence:
            values = {**values, **sequence}
        return (
            int(resource["id"]),
            self.stamp_of(resource),
            *[
                values[path] if path in values else self._value(resource, included, path)
                for path in self.fields
            ],
        )

    def stamp_of(self, resource: Resource) -> str:
        """When a record changed last, `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
        text = (resource.get("attributes") or {}).get(self.stamp) or ""
        if len(text) == _STAMP and text.endswith("Z"):
            return str(text)
        moment = instant(text)
        return "" if moment is None else stamp(moment)

    def is_trashed(self, resource: Resource) -> bool:
        """Whether a record was deleted, and is only kept for a while."""
        return bool((resource.get("attributes") or {}).get(_TRASHED))

    # -- paths ----------------------------------------------------------------------------------

    def _reads_sequence(self, path: str) -> bool:
        return self.type.name == "prospect" and path.startswith(f"{SEQUENCE}.")

    def _check(self, path: str) -> None:
        if self._reads_sequence(path):
            return
        at: ObjectType | None = self.type
        *through, last = path.split(".")
        for word in through:
            if at is None:
                return
            field = at.fields.get(word)
            if field is None or field.vendor_type != "relationship" or field.many:
                raise StoreError(f"`{path}`: {at.name} has no relationship `{word}`")
            at = self._target(field)
        if at is not None and last not in at.fields and not is_custom(Side.OUTREACH, last):
            near = get_close_matches(last, list(at.fields), 1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise StoreError(f"Outreach {at.name} has no field `{last}`{hint}")

    def _target(self, field: Field) -> ObjectType | None:
        """The type that a relationship leads to; None if there are several, or nobody knows it."""
        return self.described(field.references[0]) if len(field.references) == 1 else None

    def _gather(self, type_: ObjectType, words: list[str], names: dict[str, set[str]]) -> None:
        """Add what a path reads to the names wanted of each type that it leads through."""
        field = type_.fields.get(words[0])
        if field is not None or is_custom(Side.OUTREACH, words[0]):
            names.setdefault(type_.name, set()).add(words[0])
        for target in field.references if field is not None and len(words) > 1 else ():
            known = self.described(target)
            if known is not None:
                self._gather(known, words[1:], names)

    def _value(self, resource: Resource, included: Included, path: str) -> Value:
        at, (*through, last) = resource, path.split(".")
        for number, word in enumerate(through):
            data = _data(at, word)
            if not isinstance(data, dict):
                return None
            found = self._along(data, included, word)
            if found is None:
                return int(data["id"]) if last == "id" and number == len(through) - 1 else None
            at = found
        if last == "id":
            return int(at["id"])
        attributes = at.get("attributes") or {}
        return attributes[last] if last in attributes else _ids(_data(at, last))

    def _along(self, data: Mapping[str, Any], included: Included, word: str) -> Resource | None:
        record, type_name = int(data["id"]), data.get("type")
        if type_name:
            return included.get((type_name, record))
        field = self.type.fields.get(word)
        found = (included.get((t, record)) for t in (field.references if field else ()))
        return next((each for each in found if each is not None), None)


def _data(resource: Resource, name: str) -> Any:
    return ((resource.get("relationships") or {}).get(name) or {}).get("data")


def _ids(data: Any) -> Value:
    if isinstance(data, list):
        return [int(each["id"]) for each in data]
    return int(data["id"]) if isinstance(data, dict) else None
