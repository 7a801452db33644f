"""What was looked at or written last: what a user would find in a list of recent records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dsl.schema import ObjectType
from engine.sandbox.salesforce.box import Box, box_of, version_of
from engine.sandbox.salesforce.describes import summary
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.wire import answer

__all__ = ["note_viewed", "routes"]

_USUAL, _MOST = 10, 200
_MOST_VIEWED = 2_000  # records of which it is known when they were looked at


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    return [
        Route("/recent", _recent),
        Route("/sobjects/{type}", _type, methods=["GET"]),
    ]


def note_viewed(box: Box, records: Iterable[Mapping[str, Any]]) -> None:
    """Records that a query was made FOR VIEW, or FOR REFERENCE, of."""
    now = box.file.now()
    for record in records:
        key = str(record.get("attributes", {}).get("url", "")).rpartition("/")[2]
        if key:
            box.viewed[key] = now
    while len(box.viewed) > _MOST_VIEWED:
        del box.viewed[next(iter(box.viewed))]


async def _recent(request: Request) -> Response:
    box = box_of(request)
    given = request.query_params.get("limit", str(_USUAL))
    if not (given.isascii() and given.isdecimal() and 1 <= int(given) <= _MOST):
        raise ApiError(400, "INVALID_INPUT", f"limit: a number from 1 to {_MOST}")
    types = [t for t in map(box.visible.find, box.visible.names()) if t is not None]
    found = [row for type_ in types for row in _latest(request, box, type_, int(given))]
    found.sort(key=lambda each: each[0], reverse=True)
    return answer([record for _, record in found[: int(given)]])


async def _type(request: Request) -> Response:
    box = box_of(request)
    type_ = box.visible.type(request.path_params["type"])
    items = [record for _, record in _latest(request, box, type_, _USUAL)]
    described = summary(box, type_, version_of(request))
    return answer({"objectDescribe": described, "recentItems": items})


def _latest(
    request: Request, box: Box, type_: ObjectType, most: int
) -> list[tuple[str, dict[str, Any]]]:
    """The records of a type that were written last, each with its stamp; those with a name."""
    if "Name" not in type_.fields or not box.file.made(type_.name):
        return []
    table = box.file.table(type_.name).name
    columns = f'SELECT _stamp, "Id", "Name" FROM {table}'
    written = box.file.rows(f'{columns} ORDER BY _stamp DESC, "Id" DESC LIMIT ?', (most,))
    seen = f'{columns} WHERE "Id" IN (SELECT value FROM json_each(?))'
    looked_at = box.file.rows(seen, (json.dumps([*box.viewed]),)) if box.viewed else []
    base = f"/services/data/v{version_of(request)}/sobjects/{type_.name}/"
    found = {
        record: (
            max(stamp, box.viewed.get(record, "")),
            {"attributes": {"type": type_.name, "url": base + record}, "Id": record, "Name": name},
        )
        for stamp, record, name in [*written, *looked_at]
    }
    return sorted(found.values(), key=itemgetter(0), reverse=True)[:most]
