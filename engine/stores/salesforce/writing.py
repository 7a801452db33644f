"""Records into Salesforce: collections of 200, five to a call, each record standing by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec

from dsl.ids import full_id
from engine.model import NO_CALLS, Outcome, Result, Value, Write
from engine.ports import BudgetSpent, Unreachable
from engine.stores.salesforce.connection import ROOT, Connection
from engine.stores.salesforce.problems import (
    LOCKED,
    VendorProblem,
    duplicates_in,
    outcome_of,
    problem_in,
)
from engine.stores.salesforce.soql import checked_name

__all__ = ["WRITE_SIZE", "packed", "write_all"]

#: Records of one call: five collections of 200 in one composite request.
WRITE_SIZE = 1_000

_COLLECTION = 200
_TOGETHER = 5
#: What a collection answers as a whole if a value of one record is not of its field's type.
_UNREAD = "JSON_PARSER_ERROR"
_AGAIN = 3  # times that a record whose row is locked is sent
#: The references whose record Salesforce locks while it writes one that refers to it.
_PARENTS = ("AccountId", "OpportunityId", "WhatId", "WhoId", "ContactId", "ParentId", "ReportsToId")


class _Error(msgspec.Struct, rename="camel"):
    status_code: str = ""
    message: str = ""
    fields: list[str] | None = None
    duplicate_resut: Mapping[str, Any] | None = None
    duplicate_result: Mapping[str, Any] | None = None


class _Written(msgspec.Struct):
    """A collection's answer to one record."""

    success: bool
    id: str | None = None
    created: bool | None = None
    errors: list[_Error] = msgspec.field(default_factory=list)


class _Part(msgspec.Struct, rename="camel"):
    http_status_code: int
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Composite(msgspec.Struct, rename="camel"):
    composite_response: list[_Part]


_composite = msgspec.json.Decoder(_Composite).decode
_written = msgspec.json.Decoder(list[_Written]).decode


@dataclass(frozen=True, slots=True)
class _Item:
    """A write, its place among all, and how many before it are of the same record or external id.

    A collection takes each once.
    """

    at: int
    write: Write
    turn: int

    @property
    def kind(self) -> str:
        """The method and, of an upsert, the field by which it goes."""
        if self.write.delete:
            return "DELETE"
        if self.write.id is not None:
            return "PATCH"
        return f"PATCH {self.write.upsert}" if self.write.upsert else "POST"


def write_all(connection: Connection, type_name: str, writes: Sequence[Write]) -> list[Result]:
    """Carry out the writes; one result each, in order.

    A record whose row is locked is sent again, and so is, in ever smaller company, one that stood
    in a collection which Salesforce could not read for the value of another.

    Raises `Unreachable` where nobody knows what became of a call.
    """
    results: dict[int, Result] = {}
    items = list(_items(writes))
    size, tried = _COLLECTION, 0
    while items:
        results |= _send_all(connection, checked_name(type_name), items, size)
        tried += 1
        unread = [i for i in items if results[i.at].code == _UNREAD] if size > 1 else []
        locked = [i for i in items if results[i.at].code == LOCKED] if tried < _AGAIN else []
        if locked:
            connection.pause(tried)
        if unread:
            size = max(size // 2, 1)
        items = unread + locked
    return [results[at] for at in range(len(writes))]


def packed(writes: Sequence[Write]) -> int:
    """How many calls these writes take, if none has to be sent again."""
    return -(-sum(1 for _ in _chunks(list(_items(writes)), _COLLECTION)) // _TOGETHER)


def _items(writes: Sequence[Write]) -> Iterator[_Item]:
    turns: Counter[Any] = Counter()
    for at, write in enumerate(writes):
        name: Any = write.id
        if write.upsert:
            name = write.upsert, str(write.values[write.upsert]).strip().casefold()
        yield _Item(at, write, turns[name] if name is not None else 0)
        turns[name] += 1


def _send_all(
    connection: Connection, type_name: str, items: Sequence[_Item], size: int
) -> dict[int, Result]:
    """One pass over the writes, call by call. What finds the org's calls used up was not sent."""
    results: dict[int, Result] = {}
    chunks = list(_chunks(items, size))
    for start in range(0, len(chunks), _TOGETHER):
        together = chunks[start : start + _TOGETHER]
        try:
            results |= _send(connection, type_name, together)
        except BudgetSpent as spent:
            left = [item for chunk in chunks[start:] for item in chunk]
            refused = Result(Outcome.TRANSIENT, code=NO_CALLS, message=str(spent))
            return results | {item.at: refused for item in left}
    return results


def _chunks(items: Sequence[_Item], size: int) -> Iterator[list[_Item]]:
    """Collections of one kind; those who share a parent stand together, and so lock it once."""
    ordered = sorted(items, key=lambda i: (i.turn, i.kind, _parent(i.write), i.at))
    for _, group in groupby(ordered, key=lambda i: (i.turn, i.kind)):
        same = list(group)
        for start in range(0, len(same), size):
            yield same[start : start + size]


def _parent(write: Write) -> str:
    return next((str(write.values[p]) for p in _PARENTS if write.values.get(p)), "")


def _send(
    connection: Connection, type_name: str, chunks: Sequence[Sequence[_Item]]
) -> dict[int, Result]:
    """One call. Sent again only if it makes nothing: a create that was not heard may be there.

    Nor is an upsert: somebody may have edited by then what it made.
    """
    again = all(item.kind in ("PATCH", "DELETE") for chunk in chunks for item in chunk)
    requests = [_request(type_name, at, chunk) for at, chunk in enumerate(chunks)]

    def parts(body: bytes) -> list[_Part]:
        return _composite(body).composite_response

    body = {"allOrNone": False, "compositeRequest": requests}
    try:
        answers = connection.ask("POST", "composite", parts, again=again, json=body)
    except VendorProblem as problem:
        if problem.status not in (400, 413):
            raise
        return {item.at: _refused(item.write, problem) for chunk in chunks for item in chunk}
    if len(answers) != len(chunks):
        raise Unreachable("Salesforce answers to another number of requests than it was sent")
    results: dict[int, Result] = {}
    for chunk, answer in zip(chunks, answers, strict=True):
        results |= _taken(chunk, answer)
    return results


def _request(type_name: str, at: int, chunk: Sequence[_Item]) -> dict[str, Any]:
    kind, url = chunk[0].kind, f"{ROOT}composite/sobjects"
    if kind == "DELETE":
        ids = ",".join(str(item.write.id) for item in chunk)
        url = f"{url}?ids={ids}&allOrNone=false"
        return {"method": kind, "url": url, "referenceId": f"w{at}"}
    records = [_record(type_name, item.write) for item in chunk]
    body = {"allOrNone": False, "records": records}
    kind, _, key = kind.partition(" ")
    if key:
        url = f"{url}/{type_name}/{checked_name(key)}"
    return {"method": kind, "url": url, "referenceId": f"w{at}", "body": body}


def _record(type_name: str, write: Write) -> dict[str, Value]:
    record: dict[str, Value] = {"attributes": {"type": type_name}}
    if write.id is not None:
        record["id"] = write.id
    # A multi-select picklist is one text to Salesforce.
    several = {k: ";".join(map(str, v)) for k, v in write.values.items() if isinstance(v, list)}
    return record | write.values | several


def _taken(chunk: Sequence[_Item], answer: _Part) -> dict[int, Result]:
    """The results of one collection; one that failed as a whole is each record's own failure."""
    if answer.http_status_code >= 300:
        problem = problem_in(answer.http_status_code, msgspec.json.decode(answer.body))
        if not problem.is_certain:
            raise Unreachable(f"Salesforce broke off a part of the writes: {problem.code}")
        return {item.at: _refused(item.write, problem) for item in chunk}
    written = _written(bytes(answer.body))
    if len(written) != len(chunk):
        raise Unreachable("Salesforce answers to another number of records than it was sent")
    return {item.at: _result(item.write, found) for item, found in zip(chunk, written, strict=True)}


def _refused(write: Write, problem: VendorProblem) -> Result:
    # An external id that is none any longer: the next run asks again which fields are.
    passes = problem.passes or (write.upsert is not None and problem.status == 404)
    outcome = Outcome.TRANSIENT if passes else Outcome.REFUSED
    return Result(outcome, write.id, problem.code, problem.message, problem.fields)


def _result(write: Write, found: _Written) -> Result:
    if found.success:
        met = write.upsert is not None and found.created is False
        return Result(Outcome.DONE, full_id(found.id) if found.id else write.id, met=met)
    error = found.errors[0] if found.errors else _Error("UNKNOWN_EXCEPTION")
    fields = tuple(error.fields or ())
    outcome = outcome_of(error.status_code, fields, exists=write.id is not None)
    message = error.message
    twins = duplicates_in(error.duplicate_resut or error.duplicate_result or {})
    if twins:
        message = f"{message} (found {', '.join(twins)}: link it to one, or merge them)"
    return Result(outcome, write.id, error.status_code, message, fields)
