"""The Salesforce sandbox as one ASGI application: its routes, and what lies around them."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dsl.schema import Side
from engine.clock import SystemClock
from engine.ports import Clock
from engine.sandbox.dated import Dated
from engine.sandbox.faults import Faults
from engine.sandbox.identity import SALESFORCE, SalesforceIdentity
from engine.sandbox.mishaps import Mishaps
from engine.sandbox.salesforce import (
    beyond,
    bulk,
    bulk_v1,
    changes,
    collection,
    composite,
    consent,
    layouts,
    lists,
    oauth,
    queries,
    quick_actions,
    recent,
    records,
    reports,
    resources,
    search,
    soap,
    tabs,
    tree,
)
from engine.sandbox.salesforce.box import ORG_ID, Ahead, Box
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.inside import Inside
from engine.sandbox.salesforce.late import Late
from engine.sandbox.salesforce.meter import Metered
from engine.sandbox.salesforce.misfortunes import refusals
from engine.sandbox.salesforce.sessions import Sessions
from engine.sandbox.salesforce.setup import Setup
from engine.sandbox.salesforce.visible import SeenFile, Visible
from engine.sandbox.salesforce.wire import answer
from engine.sandbox.soql.locators import Locators
from engine.stores.local import LocalOrg, open_org

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
    ahead = Ahead(clock or SystemClock(), setup.skew)
    box = _box(org, identity, faults, setup, ahead, daily_limit)
    box.name_user()
    around = [
        Middleware(Dated, now=box.file.glance),
        Middleware(Mishaps, faults=faults, refusals=refusals(box), slow=setup.slow),
        Middleware(GZipMiddleware, minimum_size=_SMALLEST, compresslevel=1),
        Middleware(_Forgiving),
    ]
    inside = _inside()
    made = Starlette(
        routes=_routes(inside),
        middleware=around,
        exception_handlers={HTTPException: _http, Exception: _unforeseen},
        lifespan=_closing,
    )
    made.router.redirect_slashes = False
    made.state.box, made.state.inside = box, inside
    # What looks types up for itself must not find what the user may not see.
    hidden = setup.hidden
    made.state.org = LocalOrg(SeenFile(box.file, hidden)) if hidden else box.org
    return made


_VERSION = re.compile(r"/services/data/v[^/]+")


class _Forgiving:
    """Takes addresses as clients write them: with two slashes at first, or none at the end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = "/" + scope["path"].lstrip("/")
            scope = {**scope, "path": f"{path}/" if _VERSION.fullmatch(path) else path}
        await self._app(scope, receive, send)


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
        Locators(clock.now),
        daily_limit,
    )


@contextlib.asynccontextmanager
async def _closing(server: Starlette) -> AsyncIterator[None]:
    yield
    server.state.box.org.close()


def _inside() -> Inside:
    # The most particular first: `/sobjects/{type}/{id}` would take what stands before it.
    modules = (
        resources,
        tabs,
        layouts,
        quick_actions,
        recent,
        changes,
        queries,
        collection,
        tree,
        composite,
        bulk,
        lists,
        reports,
        search,
        beyond,
        records,
    )
    return Inside([route for module in modules for route in module.routes()])


def _routes(inside: Inside) -> list[BaseRoute]:
    return [
        Route("/services/data", resources.versions),
        Route("/services/data/", resources.versions),
        Mount("/services/data/v{version}", Metered(inside)),
        *oauth.routes(),
        *consent.routes(),
        *soap.routes(),
        *beyond.outer_routes(),
        *bulk_v1.routes(),
    ]


async def _http(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    refusal = not_found()
    if status == 405:
        refusal = ApiError(405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed.")
    return answer(refusal.body(), refusal.status)


async def _unforeseen(_request: Request, _error: Exception) -> Response:
    """A mistake of the sandbox's own, which is then raised for whoever runs it."""
    refusal = ApiError(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")
    return answer(refusal.body(), refusal.status)
