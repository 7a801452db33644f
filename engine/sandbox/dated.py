"""Dates answers by the org's clock, from which clients tell how far theirs is off."""

from __future__ import annotations

from datetime import UTC
from email.utils import format_datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.ports import Clock

__all__ = ["Dated"]


class Dated:
    """An application whose answers bear a `Date`, to the second, as RFC 9110 has it."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                moment = format_datetime(self._clock.now().astimezone(UTC), usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", moment)]}
            await send(message)

        await self._app(scope, receive, dated)
