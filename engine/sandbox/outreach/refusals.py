"""The refusals that befall a request for no fault of its own, in Outreach's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from engine.sandbox.mishaps import Refusal
from engine.sandbox.outreach.api import PREFIX, Api
from engine.sandbox.outreach.budget import too_many
from engine.sandbox.outreach.errors import MEDIA_TYPE, ApiError

__all__ = ["refusals"]

_WAIT = timedelta(seconds=1)


def refusals(api: Api) -> Mapping[str, Refusal]:
    """What `Mishaps` answers with, by kind."""

    def expired(scope: Scope) -> ASGIApp | None:
        return _answer(api.forgotten(scope)) if _is_call(scope) else None

    def limited(scope: Scope) -> ASGIApp | None:
        now = api.clock.now()
        error = too_many(api.budget.limit, now + _WAIT, now, {"X-RateLimit-Remaining": "0"})
        return _answer(error) if _is_call(scope) else None

    def broken(_scope: Scope) -> ASGIApp:
        detail = "Something went wrong on our side."
        return _answer(ApiError(500, "internalServerError", [(detail, None)]))

    def away(_scope: Scope) -> ASGIApp:
        return _answer(_maintenance(api.clock.now() + _WAIT))

    return {"401": expired, "429": limited, "500": broken, "503": away}


def _maintenance(until: datetime) -> ApiError:
    """The vendor tells the end as an instant, not in seconds."""
    at = f"{until:%Y-%m-%dT%H:%M:%S}"
    detail = f"Scheduled server maintenance is under way; please try again at {at}."
    return ApiError(503, "scheduledServerMaintenance", [(detail, None)], {"Retry-After": at})


def _answer(error: ApiError) -> Response:
    return Response(msgspec.json.encode(error.body()), error.status, error.headers, MEDIA_TYPE)


def _is_call(scope: Scope) -> bool:
    return str(scope["path"]).startswith(PREFIX)
