"""Which records changed or were deleted in a span of time: `updated` and `deleted`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.salesforce.box import Box, box_of
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.wire import answer
from engine.stores.local.stamps import stamp

__all__ = ["deleted_in", "routes", "span_of", "updated_in"]

_WINDOW = timedelta(days=30)
_SHORTEST = timedelta(minutes=1)


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    return [
        Route("/sobjects/{type}/updated", _updated, methods=["GET"]),
        Route("/sobjects/{type}/deleted", _deleted, methods=["GET"]),
    ]


async def _updated(request: Request) -> Response:
    box = box_of(request)
    type_ = box.visible.type(request.path_params["type"])
    return answer(updated_in(box, type_.name, *_span(request)))


async def _deleted(request: Request) -> Response:
    box = box_of(request)
    type_ = box.visible.type(request.path_params["type"])
    return answer(deleted_in(box, type_.name, *_span(request)))


def updated_in(box: Box, type_name: str, start: str, end: str) -> dict[str, Any]:
    """The ids of records that were made or changed, with how far the answer is complete."""
    ids: list[str] = []
    if box.file.made(type_name):
        table = box.file.table(type_name).name
        sql = f'SELECT "Id" FROM {table} WHERE _stamp >= ? AND _stamp < ? ORDER BY _stamp, "Id"'
        with box.late.kept_back():
            ids = [row[0] for row in box.file.rows(sql, (start, end))]
    return {"ids": ids, "latestDateCovered": _covered(box, end)}


def deleted_in(box: Box, type_name: str, start: str, end: str) -> dict[str, Any]:
    """The records that were deleted, merged ones among them, each with when."""
    sql = "SELECT id, stamp FROM deleted WHERE type = ? AND stamp >= ? AND stamp < ?"
    rows = box.file.rows(f"{sql} ORDER BY stamp, id", (type_name, start, end))
    first = box.file.rows("SELECT min(stamp) FROM deleted WHERE type = ?", (type_name,))
    earliest = first[0][0] or start
    return {
        "deletedRecords": [{"id": i, "deletedDate": _written(at)} for i, at in rows],
        "earliestDateAvailable": _written(earliest),
        "latestDateCovered": _covered(box, end),
    }


def _covered(box: Box, end: str) -> str:
    """Up to now at most: what is written in this very minute may come yet."""
    return _written(min(end, box.file.now()))


def _written(moment: str) -> str:
    return moment[:19] + ".000+0000"


def _span(request: Request) -> tuple[str, str]:
    asked = request.query_params
    return span_of(box_of(request), asked.get("start"), asked.get("end"))


def span_of(box: Box, first: str | None, last: str | None) -> tuple[str, str]:
    """Start and end as stamps. Raises `ApiError`."""
    start, end = _moment("start", first), _moment("end", last)
    now = datetime.fromisoformat(box.file.now())
    if start >= end:
        message = "startDate: start date must be before end date"
        raise ApiError(400, "INVALID_REPLICATION_DATE", message)
    if now - start > _WINDOW:
        message = "startDate: start date must be within 30 days"
        raise ApiError(400, "INVALID_REPLICATION_DATE", message)
    if end - start < _SHORTEST:
        message = "endDate: end date must be at least one minute after the start date"
        raise ApiError(400, "INVALID_REPLICATION_DATE", message)
    return stamp(start), stamp(end)


def _moment(name: str, given: str | None) -> datetime:
    if given is None:
        raise ApiError(400, "MISSING_ARGUMENT", f"the {name} parameter is required")
    try:
        # A `+` that was not escaped in the address has become a space.
        moment = datetime.fromisoformat(given.strip().replace(" ", "+"))
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        message = f"{name}: '{given}' is not a valid dateTime"
        raise ApiError(400, "INVALID_REPLICATION_DATE", message) from None
    return moment.replace(second=0, microsecond=0)  # as Salesforce ignores seconds
