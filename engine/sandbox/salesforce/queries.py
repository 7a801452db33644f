"""Queries by SOQL, page by page."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.salesforce.box import box_of, version_of
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.rows import rows_of
from engine.sandbox.salesforce.wire import answer

__all__ = ["routes"]

_PLAIN = re.compile(r"\s*SELECT\s+([\w\s,]+?)\s+FROM\s+(\w+)(?:\s+LIMIT\s+\d+)?\s*", re.IGNORECASE)


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    return [Route("/query", _query), Route("/queryAll", _query)]


async def _query(request: Request) -> Response:
    box = box_of(request)
    found = _PLAIN.fullmatch(request.query_params.get("q", ""))
    if found is None:
        raise ApiError(400, "MALFORMED_QUERY", "unexpected token")
    type_ = box.visible.find(found[2])
    if type_ is None:
        message = f"sObject type '{found[2]}' is not supported."
        raise ApiError(400, "INVALID_TYPE", message)
    fields = [box.visible.column(type_.name, n.strip()) for n in found[1].split(",")]
    made = box.file.made(type_.name)
    with box.late.kept_back():
        table = box.file.table(type_.name).name
        ids = [r[0] for r in box.file.rows(f'SELECT "Id" FROM {table}')] if made else []
        rows = list(rows_of(box, type_, ids, fields, version_of(request)).values())
    return answer({"totalSize": len(rows), "done": True, "records": rows})
