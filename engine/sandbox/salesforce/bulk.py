"""Bulk API 2.0: files of records to be written (`jobs/ingest`), and queries (`jobs/query`)."""

from __future__ import annotations

import email.parser
import email.policy
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.salesforce import bulk_query
from engine.sandbox.salesforce.box import box_of
from engine.sandbox.salesforce.bulk_csv import csv_text
from engine.sandbox.salesforce.bulk_jobs import (
    ENDED,
    Job,
    enumerated,
    jobs_of,
    listed,
    now_of,
    wrong_state,
)
from engine.sandbox.salesforce.bulk_work import proceed
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.keys import key_field
from engine.sandbox.salesforce.wire import answer, body_of, csv_answer, object_of

__all__ = ["routes"]

_OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
_LARGEST = 150_000_000  # bytes of one upload
_RESULTS = {
    "successfulresults": ("done", ["sf__Id", "sf__Created"]),
    "failedresults": ("failed", ["sf__Id", "sf__Error"]),
    "unprocessedrecords": ("waiting", []),
}


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    job = "/jobs/ingest/{job}"
    return [
        Route("/jobs/ingest", _create, methods=["POST"]),
        Route("/jobs/ingest", _list, methods=["GET"]),
        Route(job, _info, methods=["GET"]),
        Route(job, _change, methods=["PATCH"]),
        Route(job, _drop, methods=["DELETE"]),
        Route(f"{job}/batches", _upload, methods=["PUT"]),
        Route(f"{job}/{{results}}", _results, methods=["GET"]),
        *bulk_query.routes(),
    ]


async def _create(request: Request) -> Response:
    kind = request.headers.get("content-type", "")
    content: bytes | None = None
    if kind.lower().startswith("multipart/form-data"):
        body, content = _parts(kind, await body_of(request))
    else:
        body = await object_of(request)
    job = _made(request, body)
    if content is not None:
        job.content, job.state = _bounded(content), "UploadComplete"
    return answer(job.basics())


def _made(request: Request, body: dict[str, Any]) -> Job:
    box = box_of(request)
    operation = body.get("operation")
    if operation not in _OPERATIONS:
        message = f"operation: {operation} is not one of {', '.join(_OPERATIONS)}"
        raise ApiError(400, "INVALIDOPERATION", message)
    type_ = box.visible.find(str(body.get("object")))
    if type_ is None:
        raise ApiError(400, "INVALIDENTITY", f"Unsupported object: {body.get('object')}")
    key = body.get("externalIdFieldName")
    if operation == "upsert":
        if not key:
            message = "externalIdFieldName is required for an upsert"
            raise ApiError(400, "INVALIDJOB", message)
        key = key_field(box, type_, str(key)).name
    job = jobs_of(request).add(box, request, "ingest", operation, type_.name, "Open")
    job.key = key if operation == "upsert" else None
    try:
        enumerated(body, job)
    except ApiError:
        job.state = "Aborted"
        jobs_of(request).drop(job)
        raise
    return job


def _parts(kind: str, raw: bytes) -> tuple[dict[str, Any], bytes]:
    """The parts `job` (JSON) and `content` (CSV) of a job that is made with its data."""
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    message = parser.parsebytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + raw)
    found: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        found[str(name)] = content if isinstance(content, bytes) else b""
    try:
        body = msgspec.json.decode(found["job"], type=dict)
        return body, found["content"]
    except (KeyError, msgspec.DecodeError, msgspec.ValidationError):
        wanted = "a job with its data has the parts `job` (JSON) and `content` (CSV)"
        raise ApiError(400, "INVALIDJOB", wanted) from None


def _bounded(content: bytes) -> bytes:
    if len(content) > _LARGEST:
        message = f"Max file size is {_LARGEST} bytes"
        raise ApiError(413, "REQUEST_ENTITY_TOO_LARGE", message)
    return content


async def _upload(request: Request) -> Response:
    job = jobs_of(request).find(request, "ingest")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/csv":
        message = f"Content-Type header specified in HTTP request is not supported: {kind}"
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    if job.state != "Open":
        raise wrong_state(job)
    if job.content is not None:
        message = (
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete'"
        )
        message += " the current Job then create a new Job and make sure you only do 'PUT' once"
        raise ApiError(400, "INVALIDBATCH", f"{message} on a given Job.")
    job.content = _bounded(await body_of(request))
    return Response(None, 201)


async def _change(request: Request) -> Response:
    job = jobs_of(request).find(request, "ingest")
    state = (await object_of(request)).get("state")
    closes = state == "UploadComplete" and job.state == "Open"
    aborts = state == "Aborted" and job.state not in ENDED
    if not closes and not aborts:
        raise wrong_state(job)
    job.state = str(state)
    job.touched = now_of(request)
    return answer(job.basics())


async def _info(request: Request) -> Response:
    job = jobs_of(request).find(request, "ingest")
    _go_on(request, job)
    return answer(job.whole())


def _go_on(request: Request, job: Job) -> None:
    """Whoever asks about a job moves it on; so all see it go through its states."""
    if job.state in ("UploadComplete", "InProgress"):
        proceed(box_of(request), job)
        job.touched = now_of(request)


async def _list(request: Request) -> Response:
    for job in jobs_of(request).all("ingest"):
        _go_on(request, job)
    return answer(listed(request, "ingest", "V2Ingest"))


async def _drop(request: Request) -> Response:
    jobs = jobs_of(request)
    jobs.drop(jobs.find(request, "ingest"))
    return Response(None, 204)


async def _results(request: Request) -> Response:
    job = jobs_of(request).find(request, "ingest")
    chosen = _RESULTS.get(request.path_params["results"].lower())
    if chosen is None:
        raise not_found()
    if job.state not in ENDED:
        _go_on(request, job)
        raise wrong_state(job)
    which, front = chosen
    rows: list[list[str]] = getattr(job, which)
    text = csv_text([[*front, *job.header], *rows], job.delimiter, job.ending)
    return csv_answer(text)
