"""A large first load by Bulk API 2.0: one job, and few calls for many pages.

A job costs a call to make, some to ask after it, and one for each 25,000 records; read page by page
the same records cost one call for each 2,000. Bulk API 2.0 and Bulk API Developer Guide, "Query".
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from dsl.schema import Field, Kind
from engine.model import Cursor, Page, Row
from engine.ports import StoreError, Unreachable
from engine.stores.salesforce.connection import Connection
from engine.stores.salesforce.problems import VendorProblem
from engine.stores.salesforce.types import Types

__all__ = ["WORTH", "bulk_pages"]

#: Records still to come from which on a job costs clearly fewer calls than pages do.
WORTH = 40_000

_ROWS = 2_000  # of a page, as a query would give it
_MOST = 25_000  # records of one answer
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds between two looks at a job
_PATIENCE = 1_800.0  # seconds, after which pages are read one by one
_CSV = {"Accept": "text/csv"}
_CUT = "Salesforce's answer broke off"
_END = "null"  # what `Sforce-Locator` reads literally behind the last records
#: Why an org gives no job: it has none, or none is left today. Then pages are read one by one.
_NO_JOB = ("FEATURENOTENABLED", "API_ERROR", "FEATURE_NOT_ENABLED", "EXCEEDEDQUOTA", "NOT_FOUND",
           "INVALIDENTITY", "INVALID_ENTITY", "INVALIDJOB")  # fmt: skip

_Read = Callable[[str], Any]


class _Job(msgspec.Struct):
    id: str
    state: str


_job = msgspec.json.Decoder(_Job).decode


def bulk_pages(
    connection: Connection, types: Types, type_name: str, fields: Sequence[str], query: str
) -> Iterator[Page]:
    """The records of a query that begins with Id and stamp, page by page, in its order.

    None at all if the org does not read such a query by jobs, or the job failed, and no more once
    the job is gone: then the caller goes on behind its last page.
    """
    readings = _readings(types, type_name, fields)
    if readings is None:
        return
    job = _made(connection, query)
    if job is None or not _finished(connection, job):
        return
    locator: str | None = None
    path = f"jobs/query/{job}/results?maxRecords={_MOST}"
    held: list[Row] = []

    def whole(body: bytes) -> tuple[bytes, int]:
        count = int(connection.headers.get("Sforce-NumberOfRecords", "0"))
        if not _is_whole(body, count):
            raise Unreachable(_CUT)
        return body, count

    while locator != _END:
        more = f"&locator={locator}" if locator else ""
        try:
            body, count = connection.read(path + more, whole, headers=_CSV)
        except VendorProblem:
            return  # what it is that the org refuses, reading page by page tells
        # A locator that is missing must not make a reader begin anew for ever.
        locator = connection.headers.get("Sforce-Locator", _END)
        for part in _parts(body, count, readings):
            held += part
            if len(held) > _ROWS:  # what may be the last page waits until that is known
                yield _page(held[:_ROWS], done=False)
                held = held[_ROWS:]
    if held:
        yield _page(held, done=True)


def _page(rows: list[Row], *, done: bool) -> Page:
    return Page(rows, [], Cursor(rows[-1][1], rows[-1][0]), done)


def _made(connection: Connection, query: str) -> str | None:
    try:
        # Two jobs for one query do no harm.
        body = {"operation": "query", "query": query}
        return connection.ask("POST", "jobs/query", _job, again=True, json=body).id
    except VendorProblem as problem:
        if problem.code in _NO_JOB or problem.status in (403, 404):
            return None
        raise


def _finished(connection: Connection, job: str) -> bool:
    """Wait for a job, but not for ever; whether it came to its end."""
    wait, until = _FIRST_WAIT, time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        state = connection.read(f"jobs/query/{job}", _job).state
        if state in ("JobComplete", "Failed", "Aborted"):
            return state == "JobComplete"
        time.sleep(wait)
        wait = min(_LONGEST_WAIT, wait * 1.5)
    return False


def _is_whole(body: bytes, count: int) -> bool:
    """Whether an answer has all its records: half a CSV file is one as well.

    So many lines, and no quoted value has a line of its own; else the values have to be told apart.
    """
    if body.count(b"\n") == count + 1:
        return True
    try:
        return sum(1 for _ in _lines(body)) == count
    except (ValueError, csv.Error):
        return False


def _lines(body: bytes) -> Iterator[list[str]]:
    """The lines of a CSV answer without its head, read as they are asked for."""
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(body), "utf-8", newline=""))
    next(lines, None)
    return lines


def _parts(body: bytes, count: int, readings: Sequence[_Read | None]) -> Iterator[list[Row]]:
    """The rows of a CSV answer, a page at a time: all at once they take ten times its room.

    Raises `Unreachable` before the last of them if there are other than `count`.
    """
    lines, seen = _lines(body), 0
    try:
        following = next(lines, None)
        while following is not None:
            part = _rows([following, *islice(lines, _ROWS - 1)], readings)
            seen, following = seen + len(part), next(lines, None)
            if following is None and seen != count:
                raise Unreachable(_CUT)
            yield part
    except (ValueError, csv.Error):
        raise Unreachable(_CUT) from None


def _rows(lines: Sequence[list[str]], readings: Sequence[_Read | None]) -> list[Row]:
    """Lines as rows, each value as a query would give it."""
    columns = list(zip(*lines, strict=True))
    if columns and len(columns) != len(readings):
        raise StoreError("Salesforce's Bulk API answers with other columns than were asked for")
    read = [
        [value or None for value in column]
        if as_ is None
        else [as_(value) if value else None for value in column]
        for column, as_ in zip(columns, readings, strict=True)
    ]
    return list(zip(*read, strict=True))


def _readings(types: Types, type_name: str, fields: Sequence[str]) -> list[_Read | None] | None:
    """How each column's text becomes its value; None if one of them cannot be read so.

    Bulk API 2.0 does not give compound fields, and its answer has each column once.
    """
    if len(set(fields)) != len(fields) or {"Id", types.stamp(type_name)} & set(fields):
        return None
    found: list[_Read | None] = [None, _as_stamp]
    for path in fields:
        field = types.field(type_name, path)
        if field is None or field.kind is Kind.OBJECT:
            return None
        found.append(_reading(field))
    return found


def _reading(field: Field) -> _Read | None:
    match field.kind:
        case Kind.BOOLEAN:
            return "true".__eq__
        case Kind.NUMBER:
            return _as_number if field.vendor_type not in ("int", "long") else int
        case Kind.DATETIME:
            return _as_datetime
        case _:
            return None


def _as_stamp(text: str) -> str:
    return text[:23] + "Z"


def _as_datetime(text: str) -> str:
    """A job gives `…Z`, and a query `…+0000`."""
    return text[:-1] + "+0000" if text.endswith("Z") else text


def _as_number(text: str) -> float:
    return float(text)
