"""Salesforce's error codes: what each means for a record, for a call and for a login, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.model import Outcome
from engine.ports import StoreError

__all__ = [
    "LIMIT",
    "LOCKED",
    "NO_API",
    "UNSEEN",
    "VendorProblem",
    "duplicates_in",
    "forbidden",
    "outcome_of",
    "problem_in",
]

#: The org has used up its calls of 24 hours.
LIMIT = "REQUEST_LIMIT_EXCEEDED"
LOCKED = "UNABLE_TO_LOCK_ROW"
#: What a query answers that names a field or a type which the connected user cannot see.
UNSEEN = ("INVALID_FIELD", "INVALID_TYPE")

NO_API = (
    "the org or the user has no API access: it takes Enterprise, Unlimited, Performance or"
    " Developer Edition, or Professional with the API add-on, and `API Enabled` in the user's"
    " profile"
)

_LONGEST = 500  # characters of the vendor's own words

# REST API Developer Guide, "Status Codes and Error Responses"; SOAP API, "ExceptionCode".
_TRANSIENT = {
    LOCKED,
    LIMIT,
    "SERVER_UNAVAILABLE",
    "SERVICE_UNAVAILABLE",
    "QUERY_TIMEOUT",
}
#: Several records bear the external id of an upsert by now: the next run finds them all.
_SEVERAL = "DUPLICATE_EXTERNAL_ID"
_GONE = {"ENTITY_IS_DELETED", "NOT_FOUND"}
_DISABLED = {"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"}


class VendorProblem(StoreError):
    """A request that Salesforce refused as a whole: its HTTP status, code, words and fields."""

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] = ()) -> None:
        message = " ".join(message.split())
        words = message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"
        super().__init__(f"Salesforce refuses the request: {code}: {words}")
        self.status, self.code, self.message = status, code, words
        self.fields = tuple(fields)

    @property
    def spends(self) -> bool:
        """Whether the org's calls of 24 hours are used up; too many at once are not that."""
        return self.code == LIMIT and "Concurrent" not in self.message

    @property
    def passes(self) -> bool:
        """Whether the same request may go through later."""
        return self.code in _TRANSIENT or self.status in (429, 502, 503, 504)

    @property
    def is_certain(self) -> bool:
        """Whether nothing of the request happened; after a 500, 502 or 504 nobody knows."""
        return self.status < 500 or self.code in _TRANSIENT


def problem_in(status: int, content: Any) -> VendorProblem:
    """The problem that an error's body tells: a list of errors, an OAuth error, or anything."""
    first = content[0] if isinstance(content, list) and content else content
    if isinstance(first, Mapping):
        code = str(first.get("errorCode") or first.get("error") or f"HTTP {status}")
        message = str(first.get("message") or first.get("error_description") or "")
        fields = first.get("fields")
        return VendorProblem(status, code, message, fields if isinstance(fields, list) else ())
    return VendorProblem(status, f"HTTP {status}", "")


def forbidden(problem: VendorProblem) -> str | None:
    """What to change where a 403 is about what the connection may do; None if it is not."""
    if problem.code in _DISABLED:
        return NO_API
    if "REST API" in problem.message or "scope" in problem.message.lower():
        return (
            "the connected app may not use Salesforce's REST API: give it the OAuth scope"
            " `Manage user data via APIs (api)`, then connect again"
        )
    return None


def outcome_of(code: str, fields: Sequence[str], *, exists: bool) -> Outcome:
    """What a record's error code means; `exists` is whether the write named a record.

    An id that leads nowhere is INVALID_CROSS_REFERENCE_KEY, as is a reference that does; only the
    latter names its field.
    """
    if code in _TRANSIENT or code == _SEVERAL:
        return Outcome.TRANSIENT
    unknown = code == "INVALID_CROSS_REFERENCE_KEY" and not fields
    if exists and (code in _GONE or unknown):
        return Outcome.GONE
    return Outcome.REFUSED


def duplicates_in(result: Mapping[str, Any]) -> list[str]:
    """The ids of the records that a duplicate rule found, by its `duplicateResult`."""
    return [
        str(match["record"]["Id"])
        for found in result.get("matchResults") or ()
        for match in found.get("matchRecords") or ()
        if isinstance(match.get("record"), Mapping) and match["record"].get("Id")
    ]
