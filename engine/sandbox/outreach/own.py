"""Lists of the server's own documents, webhooks and imports, which are few: filtered and paged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.sandbox.outreach.errors import not_found, unsuitable
from engine.sandbox.outreach.kept import Kept
from engine.sandbox.outreach.parameters import Parameters, shown
from engine.sandbox.outreach.resources import MOST, PAGE, plural

__all__ = ["own_one", "own_page"]

#: What may filter and sort such a list, as the vendor has it.
_FILTERS = {"webhook": ("action", "active", "id", "resource"), "import": ("id", "state")}


def _attributes(document: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are told; a secret never is."""
    return dict(sorted(document.items())) | ({"secret": None} if "secret" in document else {})


def own_one(type_name: str, kept: Kept, number: int, base: str) -> dict[str, Any]:
    """A document of one. Raises `ApiError`."""
    found = kept.get(number)
    if found is None:
        raise not_found(type_name, number)
    return {"data": _resource(type_name, number, found, base)}


def own_page(type_name: str, kept: Kept, given: Parameters, base: str) -> dict[str, Any]:
    """A document of a page of them, by id. Raises `ApiError`."""
    found = kept.all()
    for key, values in given.of("filter"):
        if len(key) != 1 or key[0] not in _FILTERS[type_name]:
            name = shown(("filter", *key))
            raise unsuitable(f"'{key[0][:80]}' is not a filter of {type_name}.", name)
        wanted = values[-1].casefold().split(",")
        found = {n: doc for n, doc in found.items() if _text(key[0], n, doc) in wanted}
    size = given.number(1, MOST, "page", "size") or given.number(1, MOST, "page", "limit") or PAGE
    after = given.number(0, 10**9 - 1, "page", "after") or 0
    numbers = [n for n in found if n > after]
    shown_now = numbers[:size]
    address = f"{base}/{plural(type_name)}"
    links = {"first": given.link(address, {"page[size]": str(size)})}
    if len(numbers) > size:
        parts = {"page[size]": str(size), "page[after]": str(shown_now[-1])}
        links["next"] = given.link(address, parts)
    data = [_resource(type_name, n, found[n], base) for n in shown_now]
    return {"data": data, "links": links, "meta": {"count": len(found), "count_truncated": False}}


def _text(name: str, number: int, document: Mapping[str, Any]) -> str:
    return str(number if name == "id" else document.get(name)).casefold()


def _resource(
    type_name: str, number: int, document: Mapping[str, Any], base: str
) -> dict[str, Any]:
    return {
        "type": type_name,
        "id": number,
        "attributes": _attributes(document),
        "relationships": {"creator": {"data": None}},
        "links": {"self": f"{base}/{plural(type_name)}/{number}"},
    }
