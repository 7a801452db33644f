"""The refusals that befall a request for no fault of its own, in Salesforce's words."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Scope

from engine.sandbox.mishaps import Refusal
from engine.sandbox.salesforce.box import Box
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.meter import limit_info
from engine.sandbox.salesforce.wire import answer

__all__ = ["refusals"]


def refusals(box: Box) -> Mapping[str, Refusal]:
    """What `Mishaps` answers with, by kind."""

    def refused(status: int, code: str, message: str) -> ASGIApp:
        error = ApiError(status, code, message)
        return answer(error.body(), status, {"Sforce-Limit-Info": limit_info(box)})

    def expired(scope: Scope) -> ASGIApp | None:
        token = Headers(scope=scope).get("authorization", "").partition(" ")[2].strip()
        if not _is_call(scope) or box.sessions.find(token) is None:
            return None
        box.sessions.end(token)
        return refused(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def limited(scope: Scope) -> ASGIApp | None:
        # Salesforce has no 429: a limit is a 403, here one of requests that run at once.
        message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
        return refused(403, "REQUEST_LIMIT_EXCEEDED", message) if _is_call(scope) else None

    def broken(_scope: Scope) -> ASGIApp:
        message = "An unexpected error occurred. Please include this ErrorId if you contact support"
        return refused(500, "UNKNOWN_EXCEPTION", f"{message}: 1-1 (0)")

    def away(_scope: Scope) -> ASGIApp:
        return refused(503, "SERVER_UNAVAILABLE", "The server is temporarily unavailable")

    return {"401": expired, "429": limited, "500": broken, "503": away}


def _is_call(scope: Scope) -> bool:
    return str(scope["path"]).startswith("/services/data/v")
