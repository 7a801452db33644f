"""Carries out the rows of an uploaded file: each becomes a record's write, and has a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dsl.schema import Kind, ObjectType
from engine.sandbox.salesforce.box import Box
from engine.sandbox.salesforce.bulk_csv import BadData, read_csv
from engine.sandbox.salesforce.bulk_jobs import FAILED, Job
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.keys import key_field
from engine.sandbox.salesforce.upserting import upserted
from engine.sandbox.salesforce.values import checked_record_id, values_of
from engine.sandbox.salesforce.writes import Verdict, Wanted, carry_out

__all__ = ["Column", "carried_out", "payload_of", "proceed", "see_column"]

_AT_ONCE = 10_000  # rows that are worked off each time that somebody asks how far the job is
_CHUNK = 200
_NULL = "#N/A"
_Payload = dict[str, Any]


def proceed(box: Box, job: Job) -> None:
    """Move an uploaded job on: begin it, work off some rows of it, or end it."""
    if job.state == "UploadComplete":
        job.state = "InProgress"
        try:
            _begin(box, job)
        except BadData as error:
            job.state, job.error = "Failed", str(error)
    elif job.state == "InProgress" and not job.waiting:
        job.state = "JobComplete"
    if job.state == "InProgress" and job.waiting and box.faults.happens("job"):
        _work(box, job, len(job.waiting) // 2)
        job.state, job.error = "Failed", FAILED
    elif job.state == "InProgress":
        _work(box, job, _AT_ONCE)


def _begin(box: Box, job: Job) -> None:
    job.header, job.waiting = read_csv(job.content or b"", job.delimiter, job.ending)
    job.content = None
    type_ = box.visible.type(job.type)
    for name in job.header:
        see_column(box, type_, name)
    extra = [name for name in job.header if name.casefold() != "id"]
    if extra and job.operation in ("delete", "hardDelete"):
        raise BadData(f"InvalidBatch : Field name provided, {extra[0]} is not supported for delete")


def see_column(box: Box, type_: ObjectType, name: str) -> None:
    """See that a header names a field. Raises `BadData`."""
    column = Column.of(name)
    if column.key is None:
        known = box.visible.field(type_.name, name) is not None
    else:
        words = (f.relationship.casefold() for f in type_.fields.values() if f.relationship)
        known = column.name.casefold() in words
    if not known:
        raise BadData(f"InvalidBatch : Field name not found : {name}")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: a field, or another record's key (`Owner.Username`, `User:Owner.Username`)."""

    name: str
    key: str | None = None
    type: str | None = None

    @classmethod
    def of(cls, header: str) -> Column:
        """The column of a header."""
        type_, _, path = header.rpartition(":")
        name, _, key = path.partition(".")
        return cls(name, key or None, type_ or None)

    def value(self, text: str) -> Any:
        """A cell as JSON would have it."""
        if text == _NULL:
            return None
        if self.key is None:
            return text
        head = {"attributes": {"type": self.type}} if self.type else {}
        return {**head, self.key: text}


def _work(box: Box, job: Job, most: int) -> None:
    columns = [Column.of(name) for name in job.header]
    rows, job.waiting = job.waiting[:most], job.waiting[most:]
    payloads = (payload_of(columns, row) for row in rows)
    _note(job, rows, carried_out(box, job.operation, job.type, job.key, payloads))


def payload_of(columns: Sequence[Column], row: Sequence[str]) -> _Payload:
    """A row as a record. An empty value says nothing; what is to be emptied says #N/A."""
    cells = zip(columns, row, strict=False)
    return {column.name: column.value(text) for column, text in cells if text != ""}


def carried_out(
    box: Box, operation: str, type_name: str, key: str | None, payloads: Iterable[_Payload]
) -> list[Verdict]:
    """Write records, some at a time; one verdict each, in order."""
    type_, wanted = box.visible.type(type_name), _WAYS[operation]
    left, verdicts = iter(payloads), list[Verdict]()
    while chunk := list(islice(left, _CHUNK)):
        asked: list[Wanted | Verdict] = []
        for payload in chunk:
            try:
                asked.append(wanted(box, type_, key, payload))
            except ApiError as error:
                asked.append(Verdict.of(error))
        done = carry_out(box, asked)
        if operation == "hardDelete":
            _purge(box, type_, [verdict.id for verdict in done if verdict.done])
        verdicts += done
    return verdicts


def _note(job: Job, rows: Sequence[list[str]], verdicts: Sequence[Verdict]) -> None:
    for row, verdict in zip(rows, verdicts, strict=True):
        whole = [*row, *[""] * (len(job.header) - len(row))]
        record = verdict.id or ""
        if verdict.done:
            job.done.append([record, "true" if verdict.created else "false", *whole])
        else:
            fields = f"{','.join(verdict.fields)} " if verdict.fields else ""
            job.failed.append([record, f"{verdict.code}:{verdict.message}:{fields}--", *whole])


def _purge(box: Box, type_: ObjectType, ids: Sequence[str | None]) -> None:
    """Leave nothing in the recycle bin."""
    with box.file.transaction():
        sql = "UPDATE deleted SET record = NULL WHERE type = ? AND id = ?"
        box.file.db.executemany(sql, [(type_.name, record) for record in ids])


# -- what a row asks for ------------------------------------------------------------------------


def _insert(box: Box, type_: ObjectType, _key: str | None, payload: _Payload) -> Wanted:
    return Wanted(type_.name, None, values_of(box, type_, payload, creating=True))


def _update(box: Box, type_: ObjectType, _key: str | None, payload: _Payload) -> Wanted:
    rest, record = _without_id(type_, payload)
    return Wanted(type_.name, record, values_of(box, type_, rest, creating=False))


def _delete(_box: Box, type_: ObjectType, _key: str | None, payload: _Payload) -> Wanted:
    _, record = _without_id(type_, payload)
    return Wanted(type_.name, record, {}, delete=True)


def _upsert(box: Box, type_: ObjectType, key_name: str | None, payload: _Payload) -> Wanted:
    key = key_field(box, type_, key_name or "")
    found = next((v for k, v in payload.items() if k.casefold() == key.name.casefold()), None)
    if found is None and key.kind is not Kind.ID:
        raise ApiError(400, "MISSING_ARGUMENT", f"{key.name} not specified")
    return upserted(box, type_, key, found, payload)


def _without_id(type_: ObjectType, payload: _Payload) -> tuple[_Payload, str]:
    rest = {k: v for k, v in payload.items() if k.casefold() != "id"}
    given = next((v for k, v in payload.items() if k.casefold() == "id"), None)
    if given is None:
        raise ApiError(400, "MISSING_ARGUMENT", "Id not specified")
    return rest, checked_record_id(type_.name, given)


_WAYS: dict[str, Callable[[Box, ObjectType, str | None, _Payload], Wanted]] = {
    "insert": _insert,
    "update": _update,
    "upsert": _upsert,
    "delete": _delete,
    "hardDelete": _delete,
}
