"""Queries by SOQL, page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.salesforce.box import Box, box_of, version_of
from engine.sandbox.salesforce.columns import columns_of
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.lists import query_of
from engine.sandbox.salesforce.recent import note_viewed
from engine.sandbox.salesforce.wire import answer
from engine.sandbox.soql import SoqlError, query
from engine.sandbox.soql.locators import BATCH, batch_size
from engine.sandbox.soql.parse import parse
from engine.sandbox.soql.virtual import list_views
from engine.stores.local.lists import REPORT, lists_of

__all__ = ["first_page", "next_page", "routes"]


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    return [
        Route("/query", _query),
        Route("/queryAll", _query_all),
        Route("/query/{locator}", _more),
        Route("/queryAll/{locator}", _more),
    ]


async def _query(request: Request) -> Response:
    explained = request.query_params.get("explain")
    if explained is not None:
        return answer(_explained(request, explained))
    if request.query_params.get("columns") == "true":
        text = _asked(request)
        return answer(_seen(box_of(request), lambda: columns_of(box_of(request), text)))
    return _answered(request, deleted=False)


async def _query_all(request: Request) -> Response:
    return _answered(request, deleted=True)


def _answered(request: Request, deleted: bool) -> Response:
    text = _asked(request)
    size = batch_size(request.headers.get("sforce-query-options"))
    return answer(first_page(request, text, deleted=deleted, size=size))


def _asked(request: Request) -> str:
    text = request.query_params.get("q")
    if not text:
        raise ApiError(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
    return text


async def _more(request: Request) -> Response:
    size = batch_size(request.headers.get("sforce-query-options"))
    return answer(next_page(request, request.path_params["locator"], size))


def first_page(
    request: Request, text: str, *, deleted: bool = False, size: int = BATCH, version: str = ""
) -> dict[str, Any]:
    """The first page of what a query finds. Raises `ApiError`."""
    box = box_of(request)
    api = f"v{version or version_of(request)}"

    def page() -> dict[str, Any]:
        found = query(request.app.state.org, text, deleted=deleted, api=api)
        made = box.locators.first(found, f"/services/data/{api}/query", size)
        if parse(text).viewed:
            note_viewed(box, made["records"])
        return made

    return _seen(box, page)


def next_page(
    request: Request, locator: str, size: int = BATCH, version: str = ""
) -> dict[str, Any]:
    """The page that a locator names. Raises `ApiError`."""
    box = box_of(request)
    base = f"/services/data/v{version or version_of(request)}/query"
    return _seen(box, lambda: box.locators.more(locator, base, size))


def _seen(box: Box, page: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        with box.late.kept_back():
            return page()
    except SoqlError as error:
        raise ApiError(400, error.code, error.message) from None


def _explained(request: Request, text: str) -> dict[str, Any]:
    """A plan of the query, as one that reads the whole table; also what tells if it can be read.

    The id of a report or a list view stands for its query.
    """
    box = box_of(request)
    for each in (*lists_of(box.file, REPORT), *list_views(box.file)):
        if text in (each.id, each.id[:15]):
            text = query_of(box, each)
    page = first_page(request, text)
    type_ = box.visible.find(parse(text).type)
    plan = {
        "cardinality": page["totalSize"],
        "fields": [],
        "leadingOperationType": "TableScan",
        "notes": [],
        "relativeCost": 1.0,
        "sobjectCardinality": page["totalSize"],
        "sobjectType": parse(text).type if type_ is None else type_.name,
    }
    return {"plans": [plan], "sourceQuery": text}
