"""Requests that are only to be done if a record has changed, or has not: by its time, or its tag.

What Salesforce supports, by its REST guide: times for every record, tags (ETag) for Accounts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from engine.sandbox.salesforce.box import box_of
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.wire import answer
from engine.stores.local.reading import rows_of_ids

__all__ = ["conditional", "see_unmodified", "time_in"]

_TAGGED = ("Account",)
_FAILED = "The precondition of the request does not hold: the record has changed."


def time_in(request: Request, name: str, *, strict: bool) -> datetime | None:
    """The time in a header; if it is none, it is refused if `strict`, and else as if not there."""
    given = request.headers.get(name)
    if given is None:
        return None
    try:
        found = parsedate_to_datetime(given)
    except ValueError:
        if not strict:
            return None
        message = f"{name.title()} is no HTTP date: {given[:80]}"
        raise ApiError(400, "INVALID_REQUEST", message) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def conditional(request: Request, type_name: str, record: str, body: Mapping[str, Any]) -> Response:
    """A record's answer, or that it is as the caller knows it. Raises `ApiError`."""
    changed = _changed(request, type_name, record)
    headers = {}
    if changed is not None:
        headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    if type_name in _TAGGED:
        headers["ETag"] = tag = _tag(body)
        if (known := request.headers.get("if-none-match")) is not None and _among(tag, known):
            return answer(None, 304, headers)
        if (only := request.headers.get("if-match")) is not None and not _among(tag, only):
            raise _failed()
    since = time_in(request, "if-modified-since", strict=False)
    if since is not None and changed is not None and changed <= since:
        return answer(None, 304, headers)
    until = time_in(request, "if-unmodified-since", strict=False)
    if until is not None and changed is not None and changed > until:
        raise _failed()
    return answer(body, headers=headers)


def see_unmodified(request: Request, type_name: str, record: str) -> None:
    """See that a record to be changed is as the caller knows it. Raises `ApiError`."""
    until = time_in(request, "if-unmodified-since", strict=True)
    since = time_in(request, "if-modified-since", strict=False)
    if until is None and since is None:
        return
    changed = _changed(request, type_name, record)
    if changed is None:
        return
    if (until is not None and changed > until) or (since is not None and changed <= since):
        raise _failed()


def _changed(request: Request, type_name: str, record: str) -> datetime | None:
    """When a record was last changed, to the second, if it is there and bears a time."""
    file = box_of(request).file
    table = file.table(type_name)
    if "LastModifiedDate" not in table.columns:
        return None
    rows = rows_of_ids(file, table, ["LastModifiedDate"], [record])
    value = rows[0][2] if rows else None
    return None if value is None else datetime.fromisoformat(value).replace(microsecond=0)


def _tag(body: Mapping[str, Any]) -> str:
    return f'"{hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:32]}"'


def _among(tag: str, given: str) -> bool:
    """Whether a tag is in a header; what a proxy says of compression is not part of it."""
    tags = [each.strip().removeprefix("W/") for each in given.split(",")]
    return "*" in tags or tag in [each.replace('-gzip"', '"') for each in tags]


def _failed() -> ApiError:
    return ApiError(412, "PRECONDITION_FAILED", _FAILED)
