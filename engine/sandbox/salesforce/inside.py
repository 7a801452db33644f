"""What lies behind the door: the resources of one API version, for requests and subrequests."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.ports import StoreError
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.records import Ambiguous
from engine.sandbox.salesforce.wire import answer

__all__ = ["FIRST_VERSION", "Answered", "Inside", "dispatched"]

FIRST_VERSION = 20
_METHODS = ("HEAD", "GET", "POST", "PUT", "PATCH", "DELETE")
_ROOT = "/services/data/v"


class Inside:
    """Finds the resource, in an address as clients write it, and words every refusal.

    A slash or `.json` too many is let be, and `?_HttpMethod=` stands for a method that the client
    cannot send.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = list(routes)
        self._inside: ASGIApp = Router(self._routes, redirect_slashes=False, default=_nothing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plain = _plain(scope)
        try:
            _see_version(scope["path_params"]["version"])
            await self._inside(plain, receive, send)
        except (ApiError, Ambiguous, HTTPException, StoreError) as error:
            await self._refusal(plain, error)(scope, receive, send)

    def _refusal(self, scope: Scope, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            return _not_allowed(scope, self._routes)
        return _refusal(error)


def _not_allowed(scope: Scope, routes: Sequence[BaseRoute]) -> Response:
    """The refusal of a method, with those of all that stands at the address."""
    known: set[str] = set()
    for route in routes:
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
            known |= route.methods or set()
    allowed = ",".join(method for method in _METHODS if method in known)
    message = f"HTTP Method '{scope['method']}' not allowed. Allowed are {allowed}"
    refusal = ApiError(405, "METHOD_NOT_ALLOWED", message)
    return answer(refusal.body(), 405, {"Allow": allowed})


async def _nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise not_found()


def _see_version(version: str) -> None:
    number, _, rest = version.partition(".")
    if not (number.isascii() and number.isdecimal() and rest == "0"):
        raise not_found()
    if not FIRST_VERSION <= int(number) < 1000:
        raise not_found()


def _plain(scope: Scope) -> Scope:
    root = scope.get("root_path", "")
    path = str(scope["path"]).removeprefix(root).removesuffix("/").removesuffix(".json") or "/"
    method = scope["method"]
    if method == "POST" and b"_HttpMethod=" in scope["query_string"]:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("_HttpMethod")
        method = given[0].upper() if given else method
    return {**scope, "path": root + path, "method": method}


def _refusal(error: Exception) -> Response:
    match error:
        case ApiError():
            return answer(error.body(), error.status)
        case Ambiguous():
            return answer(error.urls, 300)
        case StoreError():
            message = f"An unexpected error occurred: {error}"
            return answer(ApiError(500, "UNKNOWN_EXCEPTION", message).body(), 500)
        case _:
            return answer(not_found().body(), 404)


# -- subrequests --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """What a subrequest was answered."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def good(self) -> bool:
        return self.status < 300


def dispatched(
    request: Request,
    method: str,
    url: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    all_or_none: bool = False,
) -> Answered:
    """Answer a subrequest to `/services/data/vNN.0/…`, at once: nothing else runs meanwhile."""
    path, _, query = url.partition("?")
    path = unquote(path)
    version, _, rest = path.removeprefix(_ROOT).partition("/")
    if not path.startswith(_ROOT):
        return _unknown()
    raw = b"" if body is None else msgspec.json.encode(body)
    given = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    given.append((b"content-type", b"application/json"))
    scope = {
        **request.scope,
        "method": method.upper(),
        "path": f"{_ROOT}{version}/{rest}",
        "root_path": _ROOT + version,
        "query_string": query.encode(),
        "headers": given,
        "path_params": {"version": version},
        "all_or_none": all_or_none,
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": raw, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    _at_once(request.app.state.inside(scope, receive, send))
    return _answered(sent)


def _unknown() -> Answered:
    error = not_found()
    return Answered(error.status, {}, error.body())


def _at_once(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end what waits for nothing, so that a transaction around it is its own."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("a resource waited for something within a subrequest")


def _answered(sent: Sequence[Message]) -> Answered:
    start = sent[0]
    raw = b"".join(message.get("body", b"") for message in sent[1:])
    headers = {k.decode().title(): v.decode() for k, v in start["headers"]}
    kept = {k: v for k, v in headers.items() if k == "Location"}
    kind = headers.get("Content-Type", "")
    body = msgspec.json.decode(raw) if raw and "json" in kind else raw.decode() or None
    return Answered(start["status"], kept, body)
