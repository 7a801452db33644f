"""What happens, told to whoever listens: a bounded queue each, and the slow are dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from threading import RLock
from typing import Any

__all__ = ["Events"]

_MOST = 200  # events that a listener may be behind


class Events:
    """Tells from any thread to listeners on any event loop."""

    def __init__(self) -> None:
        self._lock = RLock()  # a signal that ends all may come to the thread that holds it
        self._listeners: dict[asyncio.Queue[dict[str, Any] | None], asyncio.AbstractEventLoop] = {}

    def tell(self, kind: str, **more: Any) -> None:
        """Tell of one event, `{"event": kind, …}`."""
        self._each({"event": kind, **more})

    def close(self) -> None:
        """End all listening."""
        self._each(None)

    def _each(self, event: dict[str, Any] | None) -> None:
        with self._lock:
            listeners = list(self._listeners.items())
        for queue, loop in listeners:
            with suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(self._put, queue, event)

    def _put(
        self, queue: asyncio.Queue[dict[str, Any] | None], event: dict[str, Any] | None
    ) -> None:
        if queue.full():  # its reader is too slow: it starts afresh when it comes again
            while not queue.empty():
                queue.get_nowait()
            event = None
        queue.put_nowait(event)

    async def listen(self) -> AsyncIterator[dict[str, Any]]:
        """Events from now on, until the service ends or the listener is too slow."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(_MOST)
        with self._lock:
            self._listeners[queue] = asyncio.get_running_loop()
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            with self._lock:
                self._listeners.pop(queue, None)
