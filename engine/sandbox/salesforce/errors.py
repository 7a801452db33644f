"""A refusal as Salesforce's REST API words it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["ApiError", "not_found"]


class ApiError(Exception):
    """Answered as `[{"message", "errorCode", "fields"?}]` with this status.

    `more` are keys that only some refusals have, as `duplicateResut`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: tuple[str, ...] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.more = more or {}

    def body(self) -> list[dict[str, Any]]:
        """The answer's JSON."""
        found: dict[str, Any] = {"message": self.message, "errorCode": self.code, **self.more}
        if self.fields is not None:
            found["fields"] = list(self.fields)
        return [found]


def not_found() -> ApiError:
    """What Salesforce says of an address, a type or a record that is not there."""
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")
