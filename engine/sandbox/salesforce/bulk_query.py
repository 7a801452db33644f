"""Queries of Bulk API 2.0, whose results are pages of CSV."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dsl.schema import Kind
from engine.sandbox.salesforce.box import Box, box_of
from engine.sandbox.salesforce.bulk_csv import csv_text, shown, value_at
from engine.sandbox.salesforce.bulk_jobs import (
    ENDED,
    FAILED,
    Job,
    enumerated,
    jobs_of,
    listed,
    now_of,
    wrong_state,
)
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.wire import answer, csv_answer, object_of
from engine.sandbox.soql import Answer, SoqlError, query
from engine.sandbox.soql.parse import parse
from engine.sandbox.soql.tree import Call, Children, Path, Plain, Query, TypeOf

__all__ = ["routes"]

_PAGE = 20_000  # rows of a page, unless fewer are asked for
_READ = 2_000


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    job = "/jobs/query/{job}"
    return [
        Route("/jobs/query", _create, methods=["POST"]),
        Route("/jobs/query", _list, methods=["GET"]),
        Route(job, _info, methods=["GET"]),
        Route(job, _change, methods=["PATCH"]),
        Route(job, _drop, methods=["DELETE"]),
        Route(f"{job}/results", _results, methods=["GET"]),
    ]


async def _create(request: Request) -> Response:
    box, body = box_of(request), await object_of(request)
    operation, text = body.get("operation"), body.get("query")
    if operation not in ("query", "queryAll"):
        message = f"operation: {operation} is not one of query, queryAll"
        raise ApiError(400, "INVALIDOPERATION", message)
    if not isinstance(text, str) or not text:
        raise ApiError(400, "INVALIDJOB", "query: a SOQL query is required")
    # Refused at once, so that nobody waits for what cannot be.
    _ask(request, text, deleted=False)
    tree = parse(text)
    _see_supported(box, tree)
    type_ = box.visible.type(tree.type)
    job = jobs_of(request).add(box, request, "query", operation, type_.name, "UploadComplete")
    job.text = text
    try:
        enumerated(body, job)
    except ApiError:
        jobs_of(request).drop(job)
        raise
    return answer(job.basics())


def _ask(request: Request, text: str, deleted: bool) -> Answer:
    try:
        with box_of(request).late.kept_back():
            return query(request.app.state.org, text, deleted=deleted)
    except SoqlError as error:
        raise ApiError(400, error.code, error.message) from None


def _see_supported(box: Box, tree: Query) -> None:
    """Refuse what the vendor's bulk queries cannot do, though its others can."""
    unable = ""
    for item in tree.items:
        match item:
            case Children():
                unable = (
                    "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
                )
            case TypeOf():
                unable = "TYPEOF not supported in Bulk Query"
            case Plain(operand=Call(name=name)) if name not in ("FIELDS", "TOLABEL", "FORMAT"):
                unable = f"{name} not supported in Bulk Query"
            case Plain(operand=Path(names=(name,))):
                field = box.visible.field(tree.type, name)
                if field is not None and field.kind is Kind.OBJECT:
                    unable = "Selecting compound data not supported in Bulk Query"
    if tree.group:
        unable = "GROUP BY not supported in Bulk Query"
    if tree.offset:
        unable = "OFFSET not supported in Bulk Query"
    if unable:
        raise ApiError(400, "API_ERROR", f"FUNCTIONALITY_NOT_ENABLED: {unable}")


async def _info(request: Request) -> Response:
    job = jobs_of(request).find(request, "query")
    _go_on(request, job)
    return answer(job.whole())


def _go_on(request: Request, job: Job) -> None:
    if job.state == "UploadComplete":
        job.answer = _ask(request, job.text, deleted=job.operation == "queryAll")
        job.state = "InProgress"
        job.touched = now_of(request)
    elif job.state == "InProgress" and box_of(request).faults.happens("job"):
        job.state, job.error = "Failed", FAILED
    elif job.state == "InProgress":
        job.state = "JobComplete"


async def _change(request: Request) -> Response:
    job = jobs_of(request).find(request, "query")
    if (await object_of(request)).get("state") != "Aborted" or job.state in ENDED:
        raise wrong_state(job)
    job.state, job.touched = "Aborted", now_of(request)
    return answer(job.basics())


async def _list(request: Request) -> Response:
    for job in jobs_of(request).all("query"):
        _go_on(request, job)
    return answer(listed(request, "query", "V2Query"))


async def _drop(request: Request) -> Response:
    jobs = jobs_of(request)
    jobs.drop(jobs.find(request, "query"))
    return Response(None, 204)


async def _results(request: Request) -> Response:
    job = jobs_of(request).find(request, "query")
    if job.state != "JobComplete" or job.answer is None:
        _go_on(request, job)
        raise wrong_state(job)
    start = _position(request.query_params.get("locator"), job.answer)
    most = request.query_params.get("maxRecords", str(_PAGE))
    if not most.isdecimal() or int(most) < 1:
        raise ApiError(400, "INVALIDJOB", f"maxRecords: {most} is no number of records")
    stop = min(start + min(int(most), _PAGE), job.answer.size)
    rows = list(_rows(request, job.answer, start, stop))
    header = [".".join(path) for path in job.answer.columns]
    text = csv_text([header, *rows], job.delimiter, job.ending)
    more = stop < job.answer.size
    headers = {
        "Sforce-Locator": _locator(stop) if more else "null",
        "Sforce-NumberOfRecords": str(len(rows)),
    }
    return csv_answer(text, headers)


def _rows(request: Request, found: Answer, start: int, stop: int) -> Iterator[list[str]]:
    with box_of(request).late.kept_back():
        for at in range(start, stop, _READ):
            for record in found.records(at, min(at + _READ, stop)):
                yield [shown(value_at(record, path)) for path in found.columns]


def _locator(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _position(locator: str | None, found: Answer) -> int:
    if locator is None:
        return 0
    try:
        text = base64.b64decode(locator + "=" * (-len(locator) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.isdecimal() or not 0 < int(text) < found.size:
        raise ApiError(400, "INVALID_QUERY_LOCATOR", f"invalid query locator: {locator}")
    return int(text)
