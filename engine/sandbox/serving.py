"""Serves an ASGI application on a loopback port, in a thread of its own."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from engine.sandbox.dated import Dated

__all__ = ["NotLoopback", "Serving"]

_BACKLOG = 2048
_IDLE = 75  # seconds that a connection without requests stays open
_GRACE = 5  # seconds that open requests have when a server stops


class NotLoopback(ValueError):
    """A sandbox server would be reachable from other machines, which it never may be."""


class Serving:
    """A server at work: `url` is `http://127.0.0.1:PORT`. Also a context manager that stops it.

    `make` is called in the server's own thread, since a local org belongs to the thread that opened
    it. Port 0 takes a free one. Raises `OSError` if the port is taken, `NotLoopback` if `host` is
    no loopback address.
    """

    def __init__(self, make: Callable[[], ASGIApp], port: int = 0, host: str = "127.0.0.1") -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise NotLoopback(f"{host} is no loopback address")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Only where the protocol is named does asyncio send without delay, and 40 ms is a lot.
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
            self._socket.listen(_BACKLOG)  # who connects while the server starts just waits
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._failure: BaseException | None = None
        self._started = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=self._serve, args=(make,), daemon=True)
        self._thread.start()
        self._started.wait()
        self._raise_failure()

    def _serve(self, make: Callable[[], ASGIApp]) -> None:
        try:
            app = Dated(make(), lambda: datetime.now(UTC))
            config = uvicorn.Config(
                _Told(app, self._started),
                http=_Open,
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,  # an org's answers are dated by its own clock
                lifespan="on",
                timeout_keep_alive=_IDLE,
                timeout_graceful_shutdown=_GRACE,
            )
            self._server = uvicorn.Server(config)
            self._server.run(sockets=[self._socket])
        except BaseException as error:  # noqa: BLE001 - told to whoever started the thread
            self._failure = error
        finally:
            self._started.set()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            self.stop()
            raise self._failure

    def stop(self) -> None:
        """Finish what is asked, for a few seconds at most, and let go of the port."""
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> Serving:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Open(HttpToolsProtocol):
    """Lets an application reach the connection (`extensions["transport"]`), to break it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[Any, Any] = {"transport": self.transport}
        self.scope["extensions"] = extensions


class _Told:
    """An application that says when its start-up is complete."""

    def __init__(self, app: ASGIApp, started: threading.Event) -> None:
        self._app = app
        self._started = started

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def told(message) -> None:  # type: ignore[no-untyped-def]
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._started.set()

        await self._app(scope, receive, told)
