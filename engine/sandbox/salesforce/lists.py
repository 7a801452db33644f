"""List views of a type: which there are, the query behind each, and the records in it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dsl.schema import Field, ObjectType
from dsl.soql import soql
from engine.model import Listing
from engine.sandbox.salesforce.box import Box, box_of, version_of
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.wire import answer
from engine.sandbox.soql import query
from engine.sandbox.soql.virtual import developer_name, list_views, standard_views
from engine.stores.local.conditions import read_condition
from engine.stores.local.ids import full_id
from engine.stores.local.lists import LIST_VIEW, definition, ids_in, lists_of

__all__ = ["columns_of", "found_list", "query_of", "records_in", "routes"]

_PAGE, _MOST = 25, 2_000  # records of a page of results, and at most
_MOST_NAMED = 4_000  # ids that one query can name
_SHOWN = ("Name", "Subject", "Company", "Title", "Email", "Phone", "StageName", "Amount", "Status")
_HIDDEN = ("Id", "CreatedDate", "LastModifiedDate", "SystemModstamp")
_ORDER = "ORDER BY {0} ASC NULLS FIRST, Id ASC NULLS FIRST"


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    one = "/sobjects/{type}/listviews/{list}"
    return [
        Route("/sobjects/{type}/listviews", _views),
        Route(one, _view),
        Route(f"{one}/describe", _describe),
        Route(f"{one}/results", _results),
    ]


async def _views(request: Request) -> Response:
    box = box_of(request)
    type_ = box.visible.type(request.path_params["type"])
    found = [each for each in list_views(box.file) if each.type == type_.name]
    return answer(
        {
            "done": True,
            "listviews": [_summary(request, each) for each in found],
            "nextRecordsUrl": None,
            "size": len(found),
            "sobjectType": type_.name,
        }
    )


async def _view(request: Request) -> Response:
    _, view = _asked(request)
    return answer(_summary(request, view))


def _summary(request: Request, view: Listing) -> dict[str, Any]:
    base = f"/services/data/v{version_of(request)}/sobjects/{view.type}/listviews/{view.id}"
    return {
        "describeUrl": f"{base}/describe",
        "developerName": developer_name(view.name),
        "id": view.id,
        "label": view.name,
        "resultsUrl": f"{base}/results",
        "soqlCompatible": True,
        "url": base,
    }


def _asked(request: Request) -> tuple[ObjectType, Listing]:
    box = box_of(request)
    type_ = box.visible.type(request.path_params["type"])
    view = found_list(box, LIST_VIEW, request.path_params["list"])
    if view.type != type_.name:
        raise not_found()
    return type_, view


def query_of(box: Box, listing: Listing) -> str:
    """The SOQL that a list view, or a report, stands for. Raises `ApiError`."""
    names = [field.name for field in columns_of(box.visible.type(listing.type))]
    where, order = _where(box, listing), _ORDER.format(names[0])
    return f"SELECT {', '.join(names)} FROM {listing.type}{where} {order}"


async def _describe(request: Request) -> Response:
    type_, view = _asked(request)
    columns = columns_of(type_)
    order = columns[0].name
    text = query_of(box_of(request), view)
    return answer(
        {
            "columns": [_column(field, order) for field in columns],
            "id": view.id,
            "orderBy": [
                {"fieldNameOrPath": name, "nullsPosition": "first", "sortDirection": "ascending"}
                for name in (order, "Id")
            ],
            "query": text,
            "scope": "everything",
            "sobjectType": type_.name,
            "whereCondition": None,
        }
    )


def _where(box: Box, view: Listing) -> str:
    """What the view's query asks for; where SOQL cannot say it, the ids of those that it finds."""
    if view in standard_views():
        return ""
    condition, _ = definition(box.file, view)
    if condition is not None:
        now = datetime.fromisoformat(box.org.now()).astimezone(UTC)
        pushed = soql(read_condition(view.type, condition), zone=UTC, now=now)
        if pushed is not None and pushed.exact:
            return f" WHERE {pushed.text}"
    elif definition(box.file, view)[1] is None:
        return ""
    ids = records_in(box, view)
    if len(ids) > _MOST_NAMED:
        message = f"The list view {view.name} cannot be said in SOQL, and is too long to name"
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", message)
    listed = ", ".join(f"'{record}'" for record in ids)
    return f" WHERE Id IN ({listed})" if ids else " WHERE Id = null"


async def _results(request: Request) -> Response:
    box = box_of(request)
    type_, view = _asked(request)
    limit = _number(request, "limit", _PAGE, 1, _MOST)
    offset = _number(request, "offset", 0, 0, 1 << 31)
    columns = columns_of(type_)
    names = [field.name for field in columns]
    ids = records_in(box, view)
    part = ids[offset : offset + limit]
    rows = _rows(request, type_, names, part) if part else []
    return answer(
        {
            "columns": [_column(field, names[0]) for field in columns],
            "developerName": developer_name(view.name),
            "done": offset + limit >= len(ids),
            "id": view.id,
            "label": view.name,
            "records": [
                {"columns": [{"fieldNameOrPath": n, "value": _label(row[n])} for n in names]}
                for row in rows
            ],
            "size": len(rows),
        }
    )


def _rows(
    request: Request, type_: ObjectType, names: list[str], ids: list[str]
) -> list[dict[str, Any]]:
    listed = ", ".join(f"'{record}'" for record in ids)
    text = f"SELECT {', '.join(names)} FROM {type_.name} WHERE Id IN ({listed})"
    found = {row["Id"]: row for row in query(request.app.state.org, text).records()}
    return [found[record] for record in ids if record in found]


def _label(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _number(request: Request, name: str, usual: int, least: int, most: int) -> int:
    text = request.query_params.get(name, str(usual))
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ApiError(400, "INVALID_INPUT", f"{name} must be between {least} and {most}: {text}")
    return int(text)


# -- what reports need too ----------------------------------------------------------------------


def found_list(box: Box, kind: str, given: str) -> Listing:
    """The list of a kind with an id. Raises `ApiError`."""
    record = full_id(given) if len(given) == 15 else given
    known = list_views(box.file) if kind == LIST_VIEW else lists_of(box.file, kind)
    found = next((each for each in known if each.id == record), None)
    if found is None:
        raise not_found()
    return found


def records_in(box: Box, listing: Listing) -> list[str]:
    """The ids in a list, as queries see the org now. Raises `StoreError`."""
    with box.late.kept_back():
        if listing in standard_views():
            return [row["Id"] for row in query(box.org, f"SELECT Id FROM {listing.type}").records()]
        return [str(record) for record in chain.from_iterable(ids_in(box.file, listing, _MOST))]


def columns_of(type_: ObjectType) -> list[Field]:
    """The fields that a list of a type shows, and behind them those that it only has."""
    found = [type_.fields[name] for name in (*_SHOWN, *_HIDDEN) if name in type_.fields]
    return found if found[0].name != "Id" else found[::-1]


def _column(field: Field, order: str) -> dict[str, Any]:
    number = field.vendor_type in ("int", "double", "currency", "percent")
    first, last = ("9-0", "0-9") if number else ("Z-A", "A-Z")
    return {
        "ascendingLabel": first,
        "descendingLabel": last,
        "fieldNameOrPath": field.name,
        "hidden": field.name in _HIDDEN,
        "label": field.label,
        "selectListItem": field.name,
        "sortDirection": "ascending" if field.name == order else None,
        "sortIndex": 0 if field.name == order else None,
        "sortable": True,
        "type": field.vendor_type,
    }
