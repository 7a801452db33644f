"""The first Bulk API, at `/services/async`: jobs to which batches, or a query, are added."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dsl.ids import full_id
from engine.sandbox.salesforce.box import Box, box_of
from engine.sandbox.salesforce.bulk_csv import BadData, csv_text, read_csv, shown, value_at
from engine.sandbox.salesforce.bulk_v1_forms import (
    asked,
    chunk_size,
    formed,
    record_key,
    records_as_xml,
    records_in_xml,
    refusal,
    results_as_csv_rows,
    results_as_json,
    results_as_xml,
    wants_json,
)
from engine.sandbox.salesforce.bulk_work import Column, carried_out, payload_of, see_column
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.keys import key_field
from engine.sandbox.salesforce.meter import checked_session, counted
from engine.sandbox.salesforce.wire import body_of, csv_answer
from engine.sandbox.soql import SoqlError, query
from engine.stores.local.ids import INSTANCE

__all__ = ["routes"]

_QUERIES = ("query", "queryAll")
_WRITES = ("insert", "update", "upsert", "delete", "hardDelete")
_MOST, _LARGEST = 10_000, 10_000_000  # records, and bytes, of one batch
_FORMS = {"CSV": "text/csv", "JSON": "application/json", "XML": "application/xml"}
_Handler = Callable[[Request], Awaitable[Response]]


@dataclass
class _Batch:
    """Data that waits to be worked off, and then what came of it."""

    id: str
    raw: bytes
    state: str = "Queued"
    message: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    columns: tuple[tuple[str, ...], ...] = ()

    @property
    def failed(self) -> int:
        return sum(not result["success"] for result in self.results)


@dataclass
class _Job:
    id: str
    operation: str
    type: str
    key: str | None
    form: str
    created: str
    user: str
    version: str
    mode: str = "Parallel"
    chunk: int | None = None
    state: str = "Open"
    batches: dict[str, _Batch] = field(default_factory=dict)


def routes() -> list[Route]:
    """The addresses, from the server's root."""
    job = "/services/async/{version}/job"
    one, batch = f"{job}/{{job}}", f"{job}/{{job}}/batch/{{batch}}"
    return [
        Route(job, _let_in(_create), methods=["POST"]),
        Route(one, _let_in(_info), methods=["GET"]),
        Route(one, _let_in(_change), methods=["POST"]),
        Route(f"{one}/batch", _let_in(_add), methods=["POST"]),
        Route(f"{one}/batch", _let_in(_batches), methods=["GET"]),
        Route(batch, _let_in(_batch), methods=["GET"]),
        Route(f"{batch}/request", _let_in(_request), methods=["GET"]),
        Route(f"{batch}/result", _let_in(_result), methods=["GET"]),
        Route(f"{batch}/result/{{result}}", _let_in(_records), methods=["GET"]),
    ]


def _let_in(handler: _Handler) -> _Handler:
    """With a session, and while there are calls left; refusals in this API's own words."""

    async def let_in(request: Request) -> Response:
        try:
            box = box_of(request)
            checked_session(box, request.headers.get("x-sfdc-session", ""))
            counted(box)
            return await handler(request)
        except ApiError as error:
            return refusal(request, error)

    return let_in


# -- jobs ---------------------------------------------------------------------------------------


def _jobs(request: Request) -> dict[str, _Job]:
    state = request.app.state
    if not hasattr(state, "bulk_v1"):
        state.bulk_v1 = {}
    found: dict[str, _Job] = state.bulk_v1
    return found


def _job_of(request: Request) -> _Job:
    given = request.path_params["job"]
    job = _jobs(request).get(full_id(given) if len(given) == 15 else given)
    if job is None:
        raise ApiError(400, "InvalidJob", f"Unable to find job: {given}")
    return job


async def _create(request: Request) -> Response:
    box, body = box_of(request), await asked(request)
    operation, form = body.get("operation"), body.get("contentType") or "XML"
    if operation not in (*_QUERIES, *_WRITES):
        raise ApiError(400, "InvalidOperation", f"Invalid operation: {operation}")
    type_ = box.visible.find(str(body.get("object")))
    if type_ is None:
        raise ApiError(400, "InvalidEntity", f"Entity '{body.get('object')}' is not supported")
    if form not in _FORMS:
        message = f"contentType: {form} is not one of {', '.join(_FORMS)}"
        raise ApiError(400, "InvalidJob", message)
    mode = body.get("concurrencyMode") or "Parallel"
    if mode not in ("Parallel", "Serial"):
        raise ApiError(400, "InvalidJob", f"concurrencyMode: {mode} is not Parallel or Serial")
    key = body.get("externalIdFieldName") if operation == "upsert" else None
    if operation == "upsert":
        key = key_field(box, type_, str(key)).name
    jobs = _jobs(request)
    made = full_id(f"750{INSTANCE}B{len(jobs) + 1:08}")
    created = box.file.as_vendor(box.org.now())
    version = str(request.path_params["version"])
    chunk = chunk_size(request.headers.get("sforce-enable-pkchunking"))
    user = box.user_id()
    job = _Job(made, operation, type_.name, key, form, created, user, version, mode, chunk)
    jobs[made] = job
    return formed(request, "jobInfo", _told(job), 201)


async def _change(request: Request) -> Response:
    job, state = _job_of(request), (await asked(request)).get("state")
    if state not in ("Closed", "Aborted") or job.state != "Open":
        raise ApiError(400, "InvalidJobState", f"Invalid state: {state}, the job is {job.state}")
    job.state = state
    return formed(request, "jobInfo", _told(job))


async def _info(request: Request) -> Response:
    return formed(request, "jobInfo", _told(_job_of(request)))


def _told(job: _Job) -> dict[str, Any]:
    batches = list(job.batches.values())
    states = [batch.state for batch in batches]
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.type,
        "createdById": job.user,
        "createdDate": job.created.replace("+0000", "Z"),
        "systemModstamp": job.created.replace("+0000", "Z"),
        "state": job.state,
        "externalIdFieldName": job.key,
        "concurrencyMode": job.mode,
        "contentType": job.form,
        "numberBatchesQueued": states.count("Queued"),
        "numberBatchesInProgress": 0,
        "numberBatchesCompleted": states.count("Completed"),
        "numberBatchesFailed": states.count("Failed"),
        "numberBatchesTotal": len(batches),
        "numberRecordsProcessed": sum(len(b.results) or len(b.records) for b in batches),
        "numberRetries": 0,
        "apiVersion": float(job.version),
        "numberRecordsFailed": sum(batch.failed for batch in batches),
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    }


# -- batches ------------------------------------------------------------------------------------


async def _add(request: Request) -> Response:
    job = _job_of(request)
    if job.state != "Open":
        raise ApiError(400, "InvalidJobState", f"Job is {job.state.lower()}")
    raw = await body_of(request)
    if len(raw) > _LARGEST:
        raise ApiError(400, "ClientInputError", f"A batch has at most {_LARGEST} bytes")
    return formed(request, "batchInfo", _batch_told(job, _added(request, job, raw)), 201)


def _added(request: Request, job: _Job, raw: bytes) -> _Batch:
    number = sum(len(each.batches) for each in _jobs(request).values()) + 1
    made = full_id(f"751{INSTANCE}B{number:08}")
    batch = job.batches[made] = _Batch(made, raw)
    return batch


def _batch_of(request: Request) -> tuple[_Job, _Batch]:
    job = _job_of(request)
    batch = job.batches.get(request.path_params["batch"])
    if batch is None:
        raise ApiError(400, "InvalidBatch", f"Unable to find batch: {request.path_params['batch']}")
    return job, batch


def _batch_told(job: _Job, batch: _Batch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "jobId": job.id,
        "state": batch.state,
        "stateMessage": batch.message or None,
        "createdDate": job.created.replace("+0000", "Z"),
        "systemModstamp": job.created.replace("+0000", "Z"),
        "numberRecordsProcessed": len(batch.results) or len(batch.records),
        "numberRecordsFailed": batch.failed,
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    }


async def _batches(request: Request) -> Response:
    job = _job_of(request)
    found = [_batch_told(job, batch) for batch in job.batches.values()]
    return formed(request, "batchInfoList", {"batchInfo": found})


async def _batch(request: Request) -> Response:
    job, batch = _batch_of(request)
    if batch.state == "Queued" and job.state != "Aborted":
        try:
            _work(request, job, batch)
            batch.state = "Completed"
            if job.chunk is not None and job.operation in _QUERIES:
                _split(request, job, batch)
        except (BadData, ApiError) as error:
            batch.state, batch.message = "Failed", str(error)
    return formed(request, "batchInfo", _batch_told(job, batch))


def _split(request: Request, job: _Job, batch: _Batch) -> None:
    """Hand a query's records out in batches of their own, by ranges of all ids of the type."""
    size = job.chunk or 1
    text = f"SELECT Id FROM {job.type} ORDER BY Id"
    ids = [row["Id"] for row in query(request.app.state.org, text).records()]
    records, columns = batch.records, batch.columns
    for start in range(0, len(ids), size):
        chosen = set(ids[start : start + size])
        made = _added(request, job, batch.raw)
        made.records = [r for r in records if record_key(r) in chosen]
        made.columns, made.state = columns, "Completed"
    batch.records, batch.state = [], "NotProcessed"


def _work(request: Request, job: _Job, batch: _Batch) -> None:
    box = box_of(request)
    if job.operation in _QUERIES:
        _ask(request, job, batch)
        return
    payloads = _payloads(box, job, batch.raw)
    if len(payloads) > _MOST:
        raise BadData(f"InvalidBatch : Records not processed, a batch has at most {_MOST} of them")
    verdicts = carried_out(box, job.operation, job.type, job.key, payloads)
    batch.results = [verdict.as_json(upserted=True) for verdict in verdicts]


def _payloads(box: Box, job: _Job, raw: bytes) -> list[dict[str, Any]]:
    if job.form == "JSON":
        try:
            return msgspec.json.decode(raw, type=list[dict[str, Any]])
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise BadData(f"InvalidBatch : {error}") from None
    if job.form == "XML":
        return records_in_xml(raw)
    ending = "CRLF" if raw.partition(b"\n")[0].endswith(b"\r") else "LF"
    header, rows = read_csv(raw, "COMMA", ending)
    for name in header:
        see_column(box, box.visible.type(job.type), name)
    columns = [Column.of(name) for name in header]
    return [payload_of(columns, row) for row in rows]


def _ask(request: Request, job: _Job, batch: _Batch) -> None:
    try:
        with box_of(request).late.kept_back():
            found = query(
                request.app.state.org,
                batch.raw.decode(errors="replace").strip(),
                deleted=job.operation == "queryAll",
                api=f"v{job.version}",
            )
            batch.records, batch.columns = found.records(), found.columns
    except SoqlError as error:
        message = f"InvalidBatch : Failed to process query: {error.code}: {error.message}"
        raise BadData(message) from None


async def _request(request: Request) -> Response:
    job, batch = _batch_of(request)
    return Response(batch.raw, 200, {"Content-Type": _FORMS[job.form]})


async def _result(request: Request) -> Response:
    job, batch = _batch_of(request)
    if batch.state != "Completed":
        raise ApiError(400, "InvalidBatch", f"Batch not completed: {batch.state}")
    if job.operation in _QUERIES:
        ids = [_result_id(batch)]
        return formed(request, "result-list", ids if wants_json(request) else {"result": ids})
    if job.form == "JSON":
        raw = msgspec.json.encode(results_as_json(batch.results))
        return Response(raw, 200, media_type="application/json")
    if job.form == "XML":
        return Response(results_as_xml(batch.results), 200, media_type=_FORMS["XML"])
    return csv_answer(csv_text(results_as_csv_rows(batch.results)))


def _result_id(batch: _Batch) -> str:
    return full_id(f"752{batch.id[3:15]}")


async def _records(request: Request) -> Response:
    job, batch = _batch_of(request)
    if request.path_params["result"] != _result_id(batch) or batch.state != "Completed":
        raise ApiError(400, "InvalidBatch", "Unable to find the result")
    if job.form == "JSON":
        raw = msgspec.json.encode(batch.records)
        return Response(raw, 200, media_type="application/json")
    if job.form == "XML":
        return Response(records_as_xml(batch.records), 200, media_type=_FORMS["XML"])
    header = [".".join(path) for path in batch.columns]
    rows = [[shown(value_at(r, path)) for path in batch.columns] for r in batch.records]
    return csv_answer(csv_text([header, *rows]))
