"""Search in all records: by SOSL, and by parameters."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.salesforce.box import box_of, version_of
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.sosl import (
    Returning,
    Search,
    malformed,
    matching_ids,
    parse_sosl,
    see_term,
)
from engine.sandbox.salesforce.wire import answer, object_of
from engine.sandbox.soql import SoqlError, query

__all__ = ["found_by_sosl", "routes"]

#: What is searched where no type is named.
_EVERYWHERE = ("Account", "Contact", "Event", "Lead", "Opportunity", "Task", "User")
_WHERE = ("ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR")
_MOST = 2_000


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    return [
        Route("/search", _search, methods=["GET"]),
        Route("/parameterizedSearch", _by_parameters, methods=["GET", "POST"]),
    ]


async def _search(request: Request) -> Response:
    return _answered(request, parse_sosl(request.query_params.get("q", "")))


def found_by_sosl(request: Request, text: str, version: str) -> list[dict[str, Any]]:
    """The records that a search finds; their addresses are of a version. Raises `ApiError`."""
    return _all_found(request, parse_sosl(text), version)


def _answered(request: Request, search: Search) -> Response:
    return answer({"searchRecords": _all_found(request, search, version_of(request))})


def _all_found(request: Request, search: Search, version: str) -> list[dict[str, Any]]:
    returning = search.returning or tuple(map(Returning, _EVERYWHERE))
    with box_of(request).late.kept_back():
        found = [r for each in returning for r in _found(request, search, each, version)]
    return found[: search.limit]


def _found(request: Request, search: Search, of: Returning, version: str) -> list[dict[str, Any]]:
    org, box = request.app.state.org, box_of(request)
    type_ = box.visible.find(of.type)
    if type_ is None:
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{of.type}' is not supported.")
    ids = list(islice(matching_ids(org.file, type_, search.term, search.where), _MOST))
    listed = ", ".join(f"'{record}'" for record in ids)
    among = f"Id IN ({listed})" if ids else "Id = null"
    condition = f"({of.where}) AND {among}" if of.where else among
    text = f"SELECT {', '.join(of.fields)} FROM {type_.name} WHERE {condition} {of.tail}"
    try:
        # Also without a match: what cannot be read is refused in any case.
        return query(org, text, api=f"v{version}").records()
    except SoqlError as error:
        raise ApiError(400, error.code, error.message) from None


# -- by parameters ------------------------------------------------------------------------------


async def _by_parameters(request: Request) -> Response:
    if request.method == "POST":
        return _answered(request, _of_body(await object_of(request)))
    return _answered(request, _of_address(request))


def _of_address(request: Request) -> Search:
    given = request.query_params
    returning = []
    for name in given.getlist("sobject"):
        fields = given.get(f"{name}.fields") or given.get("fields")
        limit = given.get(f"{name}.limit") or given.get("defaultLimit")
        returning.append(_returning(name, _listed(fields), given.get(f"{name}.where"), limit))
    return _checked(given.get("q"), given.get("in"), returning, given.get("overallLimit"))


def _listed(fields: str | None) -> list[str]:
    return [each.strip() for each in (fields or "").split(",") if each.strip()]


def _of_body(body: dict[str, Any]) -> Search:
    returning = []
    for each in body.get("sobjects") or []:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise malformed("sobjects is a list of objects, each with a name")
        fields = each.get("fields") or body.get("fields") or []
        limit = each.get("limit") or body.get("defaultLimit")
        order = each.get("orderBy")
        returning.append(_returning(each["name"], fields, each.get("where"), limit, order))
    return _checked(body.get("q"), body.get("in"), returning, body.get("overallLimit"))


def _returning(
    name: str, fields: Iterable[str], where: Any, limit: Any, order: Any = None
) -> Returning:
    tail = f"ORDER BY {order} " if order else ""
    if limit:
        tail += f"LIMIT {_number(limit)}"
    return Returning(name, tuple(map(str, fields)) or ("Id",), str(where or ""), tail)


def _checked(term: Any, where: Any, returning: list[Returning], limit: Any) -> Search:
    if not isinstance(term, str) or not term:
        raise malformed("No search term found.")
    fields = str(where or "ALL").upper()
    if fields not in _WHERE:
        raise malformed(f"in: {where} is not one of {', '.join(_WHERE)}")
    return Search(see_term(term), fields, tuple(returning), _number(limit or _MOST))


def _number(given: Any) -> int:
    text = str(given)
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise malformed(f"a limit is between 1 and {_MOST}: {text}")
    return int(text)
