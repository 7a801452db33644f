"""What lies beyond a sync's sandbox, answered as by an org that has none of it, or no licence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.salesforce.box import box_of, version_of
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.wire import answer, object_of
from engine.stores.local.ids import checked_id, type_of

__all__ = ["outer_routes", "routes"]

_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    return [
        Route("/process/rules", _rules, methods=["GET", "POST"]),
        Route("/process/rules/{type}", _rules, methods=["GET"]),
        Route("/process/approvals", _approvals, methods=["GET", "POST"]),
        Route("/actions", _actions),
        Route("/actions/standard", _none("actions")),
        Route("/actions/custom", _none("actions")),
        Route("/appMenu/{menu}", _none("appMenuItems")),
        Route("/analytics/dashboards", _empty),
        Route("/search/scopeOrder", _empty),
        *(Route(path, _without_chatter, methods=_ANY) for path in _below("/chatter")),
        *(Route(path, _without_chatter, methods=_ANY) for path in _below("/connect")),
    ]


def outer_routes() -> list[Route]:
    """Addresses outside of the versions."""
    return [Route("/services/apexrest/{path:path}", _no_apex, methods=_ANY)]


def _below(path: str) -> tuple[str, str]:
    return path, f"{path}/{{path:path}}"


async def _rules(request: Request) -> Response:
    """An org without workflow rules: none to list, and none that a record sets off."""
    if request.method != "POST":
        return answer({"rules": {}})
    given = (await object_of(request)).get("contextIds")
    listed: list[Any] = given if isinstance(given, list) else [given]
    found = [checked_id(each) for each in listed]
    if not all(record and type_of(record) for record in found):
        raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    return answer({"errors": None, "success": True})


async def _approvals(request: Request) -> Response:
    if request.method != "POST":
        return answer({"approvals": {}})
    await object_of(request)
    message = "Process failed. first error: NO_APPLICABLE_PROCESS, No applicable approval process"
    raise ApiError(400, "NO_APPLICABLE_PROCESS", f"{message} was found.: []")


async def _actions(request: Request) -> Response:
    base = f"/services/data/v{version_of(request)}/actions"
    return answer({"custom": f"{base}/custom", "standard": f"{base}/standard"})


def _none(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def none(_request: Request) -> Response:
        return answer({name: []})

    return none


async def _empty(_request: Request) -> Response:
    return answer([])


async def _without_chatter(_request: Request) -> Response:
    message = "This feature is not currently enabled for this user type or org: [Chatter]"
    raise ApiError(403, "FUNCTIONALITY_NOT_ENABLED", message)


async def _no_apex(request: Request) -> Response:
    """An org without classes of its own has no REST resources of its own."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    known = scheme.lower() in ("bearer", "oauth") and box_of(request).sessions.find(token.strip())
    if not known:
        error = ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
    else:
        error = ApiError(404, "NOT_FOUND", "Could not find a match for URL")
    return answer(error.body(), error.status)
