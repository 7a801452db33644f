"""Breaks connections and answers of a sandbox server as `Faults` draws it; an ASGI middleware."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.sandbox.faults import Faults

__all__ = ["Mishaps", "Refusal"]

#: Answers a request instead of the server; None where that kind of refusal makes no sense.
Refusal = Callable[[Scope], ASGIApp | None]

_NO_LINGER = struct.pack("ii", 1, 0)  # a close then sends a reset, not the usual end


class Mishaps:
    """Around a whole server.

    `refusals` answer for the kinds `401`, `429`, `500` and `503`, in the vendor's own words. `slow`
    is how many seconds a slow answer takes.
    """

    def __init__(
        self, app: ASGIApp, faults: Faults, refusals: Mapping[str, Refusal], slow: float = 3.0
    ) -> None:
        self._app, self._faults, self._refusals, self._slow = app, faults, refusals, slow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._faults.odds:
            await self._app(scope, receive, send)
            return
        happens = self._faults.happens
        if happens("slow"):
            await asyncio.sleep(self._slow)
        if happens("before"):
            await _close(scope, receive)
            return
        for kind, refusal in self._refusals.items():
            answer = refusal(scope) if happens(kind) else None
            if answer is not None:
                await answer(scope, receive, send)
                return
        if happens("after"):
            await _gathered(self._app, scope, receive)
            await _close(scope, receive)
        elif happens("reset"):
            start, body = await _gathered(self._app, scope, receive)
            await send(start)
            await send(_part(body[: len(body) // 2], more=True))
            await _close(scope, receive, reset=True)
        elif happens("truncated"):
            await self._truncated(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _truncated(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Half a body: sometimes HTTP itself tells that some is missing, sometimes it does not."""
        start, body = await _gathered(self._app, scope, receive)
        half = body[: len(body) // 2]
        told = self._faults.draws.random() < 0.5
        if not told:
            kept = [h for h in start["headers"] if h[0].lower() != b"content-length"]
            start["headers"] = [*kept, (b"content-length", str(len(half)).encode())]
        await send(start)
        await send(_part(half, more=told and bool(body)))
        if told and body:
            await _close(scope, receive)


async def _gathered(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """The start of an answer, and the whole of its body."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


def _part(body: bytes, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _close(scope: Scope, receive: Receive, reset: bool = False) -> None:
    """Close the connection, after what was sent; or break it off."""
    transport = scope["extensions"]["transport"]
    if reset:
        # What was sent is let go out first: a reset may make the client throw it away.
        await asyncio.sleep(0)
        plain = transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
