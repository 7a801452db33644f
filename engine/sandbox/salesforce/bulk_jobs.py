"""Jobs of Bulk API 2.0: what is known of one, and the states that it goes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from dsl.ids import full_id
from engine.sandbox.salesforce.box import Box, box_of, version_of
from engine.sandbox.salesforce.bulk_csv import DELIMITERS, ENDINGS
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.soql import Answer
from engine.stores.local.ids import INSTANCE

__all__ = [
    "ENDED",
    "FAILED",
    "Job",
    "Jobs",
    "enumerated",
    "jobs_of",
    "listed",
    "now_of",
    "wrong_state",
]

#: The states that a job does not leave.
ENDED = ("JobComplete", "Aborted", "Failed")
#: Why a job failed that nothing is wrong with.
FAILED = "InternalServerError : Retried more than fifteen times"
_LISTED = 1_000  # jobs in one page of a list


@dataclass
class Job:
    """One job; `kind` is `ingest` or `query`. What it worked off is kept until it is deleted."""

    id: str
    kind: str
    operation: str
    type: str
    user: str
    created: str
    version: str
    state: str
    delimiter: str = "COMMA"
    ending: str = "LF"
    key: str | None = None
    touched: str = ""
    error: str = ""
    # of an upload
    content: bytes | None = None
    header: list[str] = field(default_factory=list)
    waiting: list[list[str]] = field(default_factory=list)
    done: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    # of a query
    text: str = ""
    answer: Answer | None = None

    def basics(self) -> dict[str, Any]:
        """What every answer about the job has."""
        found: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.type,
            "createdById": self.user,
            "createdDate": self.created,
            "systemModstamp": self.touched or self.created,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.ending,
            "columnDelimiter": self.delimiter,
        }
        if self.key is not None:
            found["externalIdFieldName"] = self.key
        if self.kind == "ingest":
            folder = f"services/data/v{self.version}/jobs/ingest/{self.id}"
            found["contentUrl"] = f"{folder}/batches"
        return found

    def whole(self) -> dict[str, Any]:
        """What is told of the job alone."""
        found = self.basics() | {
            "jobType": "V2Ingest" if self.kind == "ingest" else "V2Query",
            "retries": 0,
            "totalProcessingTime": 0,
        }
        if self.kind == "query":
            found["numberRecordsProcessed"] = self.answer.size if self.answer else 0
            found["isPkChunkingSupported"] = True
        else:
            found |= {
                "numberRecordsProcessed": len(self.done) + len(self.failed),
                "numberRecordsFailed": len(self.failed),
                "apiActiveProcessingTime": 0,
                "apexProcessingTime": 0,
            }
        return found | ({"errorMessage": self.error} if self.error else {})


class Jobs:
    """The jobs of one sandbox, until it stops."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._number = 0

    def add(
        self, box: Box, request: Request, kind: str, operation: str, type_name: str, state: str
    ) -> Job:
        """A new job."""
        self._number += 1
        made = full_id(f"750{INSTANCE}{self._number:09}")
        created = box.file.as_vendor(box.org.now())
        version = version_of(request)
        job = Job(made, kind, operation, type_name, box.user_id(), created, version, state)
        self._jobs[made] = job
        return job

    def find(self, request: Request, kind: str) -> Job:
        """The job that a request names. Raises `ApiError`."""
        given = request.path_params["job"]
        job = self._jobs.get(full_id(given) if len(given) == 15 else given)
        if job is None or job.kind != kind:
            raise not_found()
        return job

    def all(self, kind: str) -> list[Job]:
        """Those of a kind, the latest first."""
        return [job for job in reversed(self._jobs.values()) if job.kind == kind]

    def drop(self, job: Job) -> None:
        """Forget a job that has ended, or waits. Raises `ApiError`."""
        if job.state not in (*ENDED, "UploadComplete"):
            raise wrong_state(job)
        del self._jobs[job.id]


def jobs_of(request: Request) -> Jobs:
    """The jobs of the sandbox that a request came to."""
    state = request.app.state
    if not hasattr(state, "bulk"):
        state.bulk = Jobs()
    found: Jobs = state.bulk
    return found


def listed(request: Request, kind: str, own_type: str) -> dict[str, Any]:
    """A page of the list of jobs, as the request asks for it."""
    asked = request.query_params.get("jobType", own_type)
    found = jobs_of(request).all(kind) if asked == own_type else []
    position = request.query_params.get("queryLocator", "0")
    start = int(position) if position.isdecimal() else 0
    stop = start + _LISTED
    version = version_of(request)
    more = f"/services/data/v{version}/jobs/{kind}?queryLocator={stop}"
    return {
        "done": stop >= len(found),
        "records": [job.basics() | {"jobType": own_type} for job in found[start:stop]],
        "nextRecordsUrl": None if stop >= len(found) else more,
    }


def enumerated(body: dict[str, Any], job: Job) -> None:
    """Take the separators that a request names. Raises `ApiError`."""
    job.delimiter = _one_of(body, "columnDelimiter", DELIMITERS, "COMMA")
    job.ending = _one_of(body, "lineEnding", ENDINGS, "LF")
    _one_of(body, "contentType", ("CSV",), "CSV")


def _one_of(body: dict[str, Any], name: str, known: Any, usual: str) -> str:
    found = body.get(name) or usual
    if found not in known:
        message = f"{name}: {found} is not one of {', '.join(known)}"
        raise ApiError(400, "INVALIDJOB", message)
    return str(found)


def wrong_state(job: Job) -> ApiError:
    """The refusal of what a job's state does not allow."""
    message = f"Invalid job state, {job.state}, for this request: {job.id}"
    return ApiError(400, "INVALIDJOBSTATE", message)


def now_of(request: Request) -> str:
    """The org's time as the vendor writes it."""
    box = box_of(request)
    return box.file.as_vendor(box.org.now())
