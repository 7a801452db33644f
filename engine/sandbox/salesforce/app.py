"""The Salesforce sandbox as one ASGI application: its routes, and what lies around them."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from dsl.schema import Side
from engine.ports import Clock, StoreError
from engine.sandbox.faults import Faults
from engine.sandbox.identity import SALESFORCE, SalesforceIdentity
from engine.sandbox.mishaps import Mishaps
from engine.sandbox.salesforce import oauth, queries, records, resources
from engine.sandbox.salesforce.box import ORG_ID, Ahead, Box
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.late import Late
from engine.sandbox.salesforce.meter import Metered
from engine.sandbox.salesforce.misfortunes import refusals
from engine.sandbox.salesforce.records import Ambiguous
from engine.sandbox.salesforce.sessions import Sessions
from engine.sandbox.salesforce.setup import Setup
from engine.sandbox.salesforce.visible import Visible
from engine.sandbox.salesforce.wire import answer
from engine.stores.local import open_org
from engine.stores.local.stamps import SystemClock

__all__ = ["app"]

_SMALLEST = 1_000  # bytes of an answer that is worth compressing


def app(
    org: Path,
    identity: SalesforceIdentity = SALESFORCE,
    faults: Faults | None = None,
    *,
    clock: Clock | None = None,
    daily_limit: int = 100_000,
    setup: Setup | None = None,
) -> Starlette:
    """The sandbox over the local org in a file, which it opens in the calling thread.

    Raises `StoreError`.
    """
    setup = setup or Setup()
    faults = faults or Faults({}, random.Random(0))  # noqa: S311 - draws nothing
    box = _box(org, identity, faults, setup, Ahead(clock or SystemClock(), setup.skew), daily_limit)
    around = [
        Middleware(Mishaps, faults=faults, refusals=refusals(box), slow=setup.slow),
        Middleware(GZipMiddleware, minimum_size=_SMALLEST, compresslevel=1),
    ]
    made = Starlette(
        routes=_routes(),
        middleware=around,
        exception_handlers=_HANDLERS,
        lifespan=_closing,
    )
    made.router.redirect_slashes = False
    made.state.box, made.state.org = box, box.org
    return made


def _box(
    path: Path,
    identity: SalesforceIdentity,
    faults: Faults,
    setup: Setup,
    clock: Clock,
    daily_limit: int,
) -> Box:
    org = open_org(Side.SALESFORCE, path, clock)
    return Box(
        org,
        identity,
        faults,
        setup,
        Sessions(identity, ORG_ID, setup.session, clock),
        Visible(org, setup),
        Late(org.file, faults, setup),
        daily_limit,
    )


@contextlib.asynccontextmanager
async def _closing(server: Starlette) -> AsyncIterator[None]:
    yield
    server.state.org.close()


def _routes() -> list[BaseRoute]:
    # The most particular first: `/sobjects/{type}/{id}` would take what stands before it.
    inside: list[BaseRoute] = [*resources.routes(), *queries.routes(), *records.routes()]
    data = _Tolerant(Router(inside, redirect_slashes=False, default=_nothing))
    return [
        Route("/services/data", resources.versions),
        Route("/services/data/", resources.versions),
        Mount("/services/data/v{version}", Metered(data)),
        *oauth.routes(),
    ]


class _Tolerant:
    """Takes addresses as clients write them: a slash or `.json` too many, a method in the query."""

    def __init__(self, inside: ASGIApp) -> None:
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root)
        version = scope["path_params"]["version"]
        number, dot, rest = version.partition(".")
        if not (number.isdecimal() and dot and rest == "0"):
            raise not_found()
        if int(number) < resources.FIRST_VERSION:
            raise not_found()
        path = path.removesuffix("/").removesuffix(".json") or "/"
        method = scope["method"]
        if method == "POST":
            method = Request(scope).query_params.get("_HttpMethod", method).upper()
        changed: dict[str, Any] = {**scope, "path": root + path, "method": method}
        await self._inside(changed, receive, send)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    error = not_found()
    await answer(error.body(), error.status)(scope, receive, send)


# -- refusals -----------------------------------------------------------------------------------


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - as it was registered
    return answer(error.body(), error.status)


async def _ambiguous(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Ambiguous)  # noqa: S101 - likewise
    return answer(error.urls, 300)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - likewise
    if error.status_code == 405:
        message = f"HTTP Method '{request.method}' not allowed. Allowed are "
        message += error.headers.get("Allow", "") if error.headers else ""
        refusal = ApiError(405, "METHOD_NOT_ALLOWED", message)
        return answer(refusal.body(), 405, error.headers)
    return answer(not_found().body(), 404)


async def _store(_request: Request, error: Exception) -> Response:
    refusal = ApiError(500, "UNKNOWN_EXCEPTION", f"An unexpected error occurred: {error}")
    return answer(refusal.body(), 500)


_HANDLERS: Any = {
    ApiError: _refused,
    Ambiguous: _ambiguous,
    HTTPException: _http,
    StoreError: _store,
}
