"""Creates, updates and deletes: one record a request, several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from dsl.schema import Field, ObjectType
from engine.model import NO_CALLS, Outcome, RecordId, Result, Value, Write
from engine.ports import BudgetSpent, StoreError, Unauthorized, Unreachable
from engine.stores.outreach.failures import Unsent, refusal, refused
from engine.stores.outreach.paths import plural
from engine.stores.outreach.transport import Answer, Request, Transport

__all__ = ["Writer"]

_encode = msgspec.json.Encoder().encode
#: Statuses after which nobody knows whether a record was made: something gave up on the way.
_UNCERTAIN = (500, 502, 504)
_LATER = (408, 423, 425, 429, 503)
_SCOPE = "unauthorizedOauthScope"


class _Made(msgspec.Struct):
    id: int | str


class _Document(msgspec.Struct):
    """All that is read of the answer to a create, which tells the whole record."""

    data: _Made


_made = msgspec.json.Decoder(_Document).decode


class _Unfit(Exception):
    """A value that no request can say."""


@dataclass
class Writer:
    """Writes for one connection.

    `bulkUpsert` would take many records at once, but tells of none what came of it.
    """

    transport: Transport

    def write(self, type_: ObjectType, writes: Sequence[Write]) -> list[Result]:
        """One result for each write, in order.

        Raises `Unreachable` or `Unauthorized` if none of them is known to have had an effect, nor
        to have been refused by itself. Those that Outreach has no requests left for were not sent,
        and have `NO_CALLS` as their code.
        """
        results: list[Result | None] = [None] * len(writes)
        places, requests = [], []
        for at, write in enumerate(writes):
            try:
                requests.append(self._request(type_, write))
                places.append(at)
            except _Unfit as error:
                message = str(error)
                results[at] = Result(Outcome.REFUSED, write.id, "validationError", message)
        answers = self.transport.all(requests, plural(type_.name)) if requests else []
        _raise_if_nothing_came_of_it(answers, type_)
        for at, answer in zip(places, answers, strict=True):
            results[at] = _result(writes[at], answer)
        return [each for each in results if each is not None]

    def _request(self, type_: ObjectType, write: Write) -> Request:
        url = f"{self.transport.settings.base}/{plural(type_.name)}"
        if write.id is not None:
            url += f"/{int(write.id)}"
        if write.delete:
            return Request("DELETE", url)
        if _completes(type_, write):
            return Request("POST", f"{url}/actions/markComplete")
        body = _encode({"data": _resource(type_, write)})
        if write.id is None:
            return Request("POST", url, body, once=True)
        return Request("PATCH", url, body)


def _completes(type_: ObjectType, write: Write) -> bool:
    """Whether a task is to be completed and nothing else; `state` itself cannot be written."""
    values = write.values
    done = values.get("completed") is True or values.get("state") == "complete"
    return type_.name == "task" and done and values.keys() <= {"completed", "state"}


def _resource(type_: ObjectType, write: Write) -> dict[str, Any]:
    """A resource object of JSON:API with what is written."""
    attributes: dict[str, Value] = {}
    relationships: dict[str, Value] = {}
    for name, value in write.values.items():
        known = type_.fields.get(name)
        if known is not None and known.vendor_type == "relationship":
            relationships[name] = {"data": _linkage(known, value)}
        else:
            attributes[name] = value
    found: dict[str, Any] = {"type": type_.name}
    if write.id is not None:
        found["id"] = int(write.id)
    if attributes:
        found["attributes"] = attributes
    if relationships:
        found["relationships"] = relationships
    return found


def _linkage(known: Field, value: Value) -> Any:
    if value is None:
        return [] if known.many else None
    if len(known.references) != 1:
        raise _Unfit(
            f"'{known.name}' may be one of several types ({', '.join(known.references)}), and an id"
            " does not tell which: write it by a relationship of one type"
        )
    target = known.references[0]
    if known.many:
        return [{"type": target, "id": each} for each in value]
    return {"type": target, "id": value}


def _raise_if_nothing_came_of_it(answers: Sequence[Answer | StoreError], type_: ObjectType) -> None:
    """Let a failure be that of the whole call if no write has an answer of its own.

    Writes that wait for calls do have one: nobody need look whether they went through.
    """
    failures = [each for each in answers if isinstance(each, StoreError)]
    waiting = any(isinstance(each, BudgetSpent) for each in failures)
    if failures and len(failures) == len(answers) and not waiting:
        # Before all others one that leaves open what happened.
        unknown = [f for f in failures if type(f) is Unreachable]
        raise (unknown or failures)[0]
    scoped = [e for e in answers if isinstance(e, Answer) and _lacks_scope(e)]
    if scoped and all(each in scoped or isinstance(each, Unsent) for each in answers):
        raise refused(scoped[0].status, scoped[0].body, plural(type_.name))


def _lacks_scope(answer: Answer) -> bool:
    return answer.status == 403 and refusal(answer.status, answer.body).code == _SCOPE


def _result(write: Write, answer: Answer | StoreError) -> Result:
    if isinstance(answer, StoreError):
        return _unanswered(write, answer)
    if answer.status in (200, 201, 202, 204):
        return _done(write, answer)
    found = refusal(answer.status, answer.body)
    made = write.id is None
    if answer.status == 404 and not made:
        outcome = Outcome.GONE
    elif made and answer.status in _UNCERTAIN:
        outcome = Outcome.UNKNOWN
    elif answer.status in _LATER or answer.status >= 500:
        outcome = Outcome.TRANSIENT
    else:
        outcome = Outcome.REFUSED
    return Result(outcome, write.id, found.code, found.message, found.fields)


def _done(write: Write, answer: Answer) -> Result:
    if write.id is not None:
        return Result(Outcome.DONE, write.id)
    try:
        record: RecordId = int(_made(answer.body).data.id)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        message = "Outreach's answer to the create does not say which record it made"
        return Result(Outcome.UNKNOWN, None, "NO_ID", message)
    return Result(Outcome.DONE, record)


def _unanswered(write: Write, error: StoreError) -> Result:
    message = str(error)
    match error:
        case BudgetSpent():
            return Result(Outcome.TRANSIENT, write.id, NO_CALLS, message)
        case Unsent() | Unauthorized():
            return Result(Outcome.TRANSIENT, write.id, "NOT_SENT", message)
        case _:
            return Result(Outcome.UNKNOWN, write.id, "NO_ANSWER", message)
