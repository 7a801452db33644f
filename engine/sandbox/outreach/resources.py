"""The resources that the server offers, from the describes: names, attributes, relationships."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from dsl.schema import Field, Kind, ObjectType, Side, shipped_schema

__all__ = ["MOST", "PAGE", "Resource", "by_plural", "by_type", "plural", "resources"]

#: What a page holds unless `page[size]` says otherwise.
PAGE = 50
#: What a page may be asked to hold; of some types it holds less all the same, as clients rely on.
MOST = 1000
_MOST_OF = {"mailing": 100}
#: The activity feed is only read here; what is posted to it are events of an app's own.
_READ_ONLY = frozenset({"event"})
_VOWELS = "aeiou"


@dataclass(frozen=True)
class Resource:
    """A type of record: `type` as in a document, `plural` as in a path.

    `attributes` and `relationships` are by name; `most` is the largest page.
    """

    type: str
    plural: str
    object: ObjectType
    attributes: Mapping[str, Field]
    relationships: Mapping[str, Field]
    most: int
    writable: bool

    @property
    def singles(self) -> dict[str, Field]:
        """The relationships to one record."""
        return {
            n: f for n, f in self.relationships.items() if f.kind is Kind.REFERENCE and not f.linked
        }


def plural(type_name: str) -> str:
    """A type as it stands in a path: `opportunity` is `opportunities`."""
    if type_name.endswith("y") and type_name[-2:-1] not in _VOWELS:
        return type_name[:-1] + "ies"
    return type_name + ("es" if type_name.endswith(("s", "x", "ch")) else "s")


def _resource(type_: ObjectType) -> Resource:
    fields = {n: f for n, f in type_.fields.items() if n != "id"}
    related = {n: f for n, f in fields.items() if f.vendor_type == "relationship"}
    plain = {n: f for n, f in fields.items() if n not in related}
    return Resource(
        type_.name,
        plural(type_.name),
        type_,
        dict(sorted(plain.items())),
        dict(sorted(related.items())),
        _MOST_OF.get(type_.name, MOST),
        type_.name not in _READ_ONLY,
    )


@cache
def resources() -> Mapping[str, Resource]:
    """All resources by type."""
    schema = shipped_schema()
    names = sorted(schema.names(Side.OUTREACH))
    return {name: _resource(schema.types[Side.OUTREACH, name]) for name in names}


def by_type(name: str) -> Resource | None:
    """The resource of a type, or None."""
    return resources().get(name)


@cache
def _plurals() -> Mapping[str, Resource]:
    return {r.plural: r for r in resources().values()}


def by_plural(name: str) -> Resource | None:
    """The resource of a path, or None."""
    return _plurals().get(name)
