"""A refusal as Salesforce's REST API words it."""

from __future__ import annotations

from typing import Any

__all__ = ["ApiError"]


class ApiError(Exception):
    """Answered as `[{"message", "errorCode", "fields"?}]` with this status."""

    def __init__(
        self, status: int, code: str, message: str, fields: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> list[dict[str, Any]]:
        """The answer's JSON."""
        found: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            found["fields"] = list(self.fields)
        return [found]
