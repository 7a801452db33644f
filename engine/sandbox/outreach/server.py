"""The whole server of a local Outreach org: OAuth, the API, and what it does by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from dsl.schema import Side
from engine.ports import Clock
from engine.sandbox.faults import Faults, faults
from engine.sandbox.identity import OUTREACH, OutreachIdentity
from engine.sandbox.mishaps import Mishaps
from engine.sandbox.outreach.api import PREFIX, Api
from engine.sandbox.outreach.kept import Kept
from engine.sandbox.outreach.oauth import routes
from engine.sandbox.outreach.tokens import Tokens
from engine.stores.local.org import OrgFile
from engine.stores.local.stamps import SystemClock

__all__ = ["app"]


def app(
    org: Path,
    identity: OutreachIdentity = OUTREACH,
    going_wrong: Faults | None = None,
    *,
    clock: Clock | None = None,
    hourly_limit: int = 10_000,
    pause: float = 0,
    strict: bool = False,
) -> ASGIApp:
    """The server of a local org's file, to be called in the thread that it runs in.

    `hourly_limit` is how many requests an hour it answers. `pause` is how many seconds lie at least
    between two access tokens; the vendor's minute if it is 60. If `strict`, the identity's refresh
    token dies once it has been changed for another. Raises `StoreError`.
    """
    clock = clock or SystemClock()
    file = OrgFile(Side.OUTREACH, org, clock)
    tokens = Tokens(identity, Kept(file, "token"), clock, strict, pause)
    api = Api(file, tokens, clock, hourly_limit)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            file.close()

    rest = Starlette(routes=routes(tokens), lifespan=lifespan)
    return Mishaps(_Parted(api, rest), going_wrong or faults(), {})


class _Parted:
    """The API by itself, since it is asked most, and all else."""

    def __init__(self, api: Api, rest: Starlette) -> None:
        self._api, self._rest = api, rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and (path == PREFIX or path.startswith(f"{PREFIX}/")):
            await self._api(scope, receive, send)
        else:
            await self._rest(scope, receive, send)
