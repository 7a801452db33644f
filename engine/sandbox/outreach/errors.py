"""A refusal as Outreach's API words it: JSON:API error objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

__all__ = ["MEDIA_TYPE", "ApiError", "invalid", "not_found", "unsuitable"]

#: That of every document, asked or answered.
MEDIA_TYPE = "application/vnd.api+json"
_TITLES = MappingProxyType(
    {
        "badRequest": "Bad Request",
        "conflict": "Conflict",
        "internalServerError": "Internal Server Error",
        "methodNotAllowed": "Method Not Allowed",
        "notAcceptable": "Not Acceptable",
        "rateLimitExceeded": "Rate Limit Exceeded",
        "requestEntityTooLarge": "Request Entity Too Large",
        "resourceNotFound": "Resource Not Found",
        "scheduledServerMaintenance": "Scheduled Server Maintenance",
        "unauthorized": "Unauthorized",
        "unauthorizedOauthScope": "Unauthorized OAuth Scope",
        "unsupportedMediaType": "Unsupported Media Type",
        "validationError": "Validation Error",
    }
)

Source = Mapping[str, str]


class ApiError(Exception):
    """Answered as `{"errors": [{"id", "title", "detail", "source"?}]}` with this status.

    `troubles` are pairs of a sentence and what it is about, as `{"pointer": "/data"}`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        troubles: Sequence[tuple[str, Source | None]],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(troubles[0][0])
        self.status, self.code, self.troubles = status, code, troubles
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        found = []
        for detail, source in self.troubles:
            error: dict[str, Any] = {"id": self.code, "title": _TITLES[self.code], "detail": detail}
            if self.code == "unsupportedMediaType":
                error["details"] = detail  # the vendor's own docs have it so
            if source is not None:
                error["source"] = dict(source)
            found.append(error)
        return {"errors": found}


def not_found(type_name: str, record: object) -> ApiError:
    """No such record, or no longer."""
    return ApiError(
        404, "resourceNotFound", [(f"Could not find '{type_name}' with ID '{record}'.", None)]
    )


def invalid(detail: str, pointer: str = "/data") -> ApiError:
    """A document that cannot be taken; `pointer` is the place in it."""
    return ApiError(422, "validationError", [(detail, {"pointer": pointer})])


def unsuitable(detail: str, parameter: str) -> ApiError:
    """A query parameter that cannot be taken."""
    return ApiError(422, "validationError", [(detail, {"parameter": parameter})])
