"""Gives answers the `Date` of the org's own clock, by which its clients tell the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Dated"]


class Dated:
    """An ASGI middleware; an answer that has a `Date` keeps it."""

    def __init__(self, app: ASGIApp, now: Callable[[], datetime]) -> None:
        self._app, self._now = app, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self._now().astimezone(UTC), usegmt=True)
                MutableHeaders(scope=message).setdefault("Date", date)
            await send(message)

        await self._app(scope, receive, dated)
