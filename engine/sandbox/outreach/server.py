"""The whole server of a local Outreach org: OAuth, the API, and what it does by itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dsl.schema import Side
from engine.clock import SystemClock
from engine.ports import Clock
from engine.sandbox.dated import Dated
from engine.sandbox.faults import Faults
from engine.sandbox.identity import OUTREACH, OutreachIdentity
from engine.sandbox.mishaps import Mishaps
from engine.sandbox.outreach.api import PREFIX, Api
from engine.sandbox.outreach.budget import Budget
from engine.sandbox.outreach.delivery import Delivery
from engine.sandbox.outreach.errors import MEDIA_TYPE, not_found
from engine.sandbox.outreach.hiding import Hiding
from engine.sandbox.outreach.imports import Imports
from engine.sandbox.outreach.kept import Kept
from engine.sandbox.outreach.oauth import routes
from engine.sandbox.outreach.openapi import openapi
from engine.sandbox.outreach.refusals import refusals
from engine.sandbox.outreach.setup import Setup
from engine.sandbox.outreach.tokens import Tokens
from engine.sandbox.outreach.watching import Watcher
from engine.sandbox.outreach.webhooks import Webhooks
from engine.stores.local.org import OrgFile

__all__ = ["app"]

#: Where the vendor describes its API, to anybody.
_SCHEMA = f"{PREFIX}/schema/openapi.json"


def app(
    org: Path,
    identity: OutreachIdentity = OUTREACH,
    faults: Faults | None = None,
    *,
    clock: Clock | None = None,
    hourly_limit: int = 10_000,
    setup: Setup | None = None,
) -> ASGIApp:
    """The sandbox over the local org in a file, which it opens in the calling thread.

    `hourly_limit` is how many requests an hour it answers. Raises `StoreError`.
    """
    clock, setup = clock or SystemClock(), setup or Setup()
    faults = faults or Faults({}, random.Random(0))  # noqa: S311 - draws nothing
    file = OrgFile(Side.OUTREACH, org, clock)
    tokens = Tokens(identity, Kept(file, "token"), clock, setup)
    webhooks = Webhooks(file, identity)
    delivery = Delivery(webhooks, Watcher(file), faults, clock.now)
    budget = Budget(file, clock, hourly_limit)
    imports = Imports(file, delivery.tell, delivery.wake)
    api = Api(
        file,
        tokens,
        clock,
        budget,
        webhooks,
        imports,
        Hiding(faults, clock, setup.late),
        delivery.wake,
        delivery.step,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await delivery.step()  # what happens from now on is told
        telling = asyncio.create_task(delivery.run())
        try:
            yield
        finally:
            imports.close()
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
            budget.flush()
            file.close()

    described = [Route(path, _described) for path in ("/openapi.json", _SCHEMA)]
    rest = Starlette(
        routes=[*routes(tokens), *described],
        lifespan=lifespan,
        exception_handlers={404: _nothing},
    )
    return Dated(Mishaps(_Parted(api, rest), faults, refusals(api), setup.slow), file.glance)


async def _nothing(request: Request, _error: Exception) -> Response:
    error = not_found("resource", request.url.path[:80])
    return JSONResponse(error.body(), error.status, media_type=MEDIA_TYPE)


async def _described(_: Request) -> Response:
    return JSONResponse(openapi())


class _Parted:
    """The API by itself, since it is asked most, and all else."""

    def __init__(self, api: Api, rest: Starlette) -> None:
        self._api, self._rest = api, rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        below = path == PREFIX or path.startswith(f"{PREFIX}/")
        if scope["type"] == "http" and below and path != _SCHEMA:
            await self._api(scope, receive, send)
        else:
            await self._rest(scope, receive, send)
