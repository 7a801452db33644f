"""The API itself: who asks, how often, for which resource, and who answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.ports import Clock, StoreError
from engine.sandbox.faults import Faults
from engine.sandbox.outreach.changing import change_of, changed, destroyed, made
from engine.sandbox.outreach.errors import ApiError, not_found
from engine.sandbox.outreach.listing import Reader
from engine.sandbox.outreach.parameters import Parameters, parameters
from engine.sandbox.outreach.resources import Resource, by_plural
from engine.sandbox.outreach.tokens import Grant, Tokens
from engine.stores.local.calls import count_calls, usage
from engine.stores.local.org import OrgFile

__all__ = ["MEDIA_TYPE", "PREFIX", "Api", "Asked"]

PREFIX = "/api/v2"
MEDIA_TYPE = "application/vnd.api+json"
_MOST_BYTES = 10 << 20
_LEVELS = {"GET": "read", "POST": "write", "PATCH": "write", "DELETE": "delete"}


@dataclass(frozen=True)
class Asked:
    """One request: its path below the API's, split; the address of the API; its parameters."""

    method: str
    path: tuple[str, ...]
    base: str
    given: Parameters
    body: bytes
    grant: Grant

    def need(self, plural: str, level: str) -> None:
        """Raises `ApiError` if the token may not do so."""
        if not self.grant.allows(plural, level):
            scope = f"{plural}.{level}"
            detail = f"Your authorization does not include the required scope '{scope}'."
            raise ApiError(403, "unauthorizedOauthScope", [(detail, None)])

    def document(self) -> Any:
        """The request's JSON. Raises `ApiError`."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ApiError(400, "badRequest", [("The body is no JSON document.", None)]) from None


@dataclass
class Api:
    """An ASGI application for all below `/api/v2`."""

    org: OrgFile
    tokens: Tokens
    clock: Clock
    hourly_limit: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        limits: dict[str, str] = {}
        try:
            grant = self._grant(headers)
            limits = self._count()
            asked = await _asked(scope, headers, receive, grant)
            status, document = self.answer(asked)
            response = _response(status, document, limits)
        except ApiError as error:
            response = _response(error.status, error.body(), limits | error.headers)
        except StoreError:
            detail = "The org cannot be used as it is."
            broken = ApiError(500, "internalServerError", [(detail, None)])
            response = _response(500, broken.body(), limits)
        await response(scope, receive, send)

    # -- who, and how often ---------------------------------------------------------------------

    def _grant(self, headers: Mapping[bytes, bytes]) -> Grant:
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        grant = self.tokens.grant(token) if kind.lower() == "bearer" else None
        if grant is None:
            detail = "The access token is missing, invalid, or has expired."
            raise ApiError(401, "unauthorized", [(detail, None)], {"WWW-Authenticate": "Bearer"})
        return grant

    def _count(self) -> dict[str, str]:
        """Count the request; what is told of it. Raises `ApiError` if there are too many."""
        used = usage(self.org)
        left = self.hourly_limit - used.used
        limits = {
            "X-RateLimit-Limit": str(self.hourly_limit),
            "X-RateLimit-Remaining": str(max(0, left - 1)),
            "X-RateLimit-Reset": str(int(used.resets_at.timestamp())),
        }
        if left <= 0:
            wait = max(1, round((used.resets_at - self.clock.now()).total_seconds()))
            raise too_many(self.hourly_limit, used.resets_at, limits | {"Retry-After": str(wait)})
        count_calls(self.org, 1)
        return limits

    # -- what -----------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """The status and document of an answer; None is an empty one. Raises `ApiError`."""
        path = asked.path
        resource = by_plural(path[0]) if path else None
        if resource is None or len(path) > 2:
            raise not_found("resource", "/".join(path))
        if len(path) == 1:
            return self._collection(asked, resource)
        return self._member(asked, resource, record_in(resource, path[1]))

    def _collection(self, asked: Asked, resource: Resource) -> tuple[int, Any]:
        _allowed(asked.method, ("GET", "POST") if resource.writable else ("GET",))
        asked.need(resource.plural, _LEVELS[asked.method])
        if asked.method == "GET":
            return 200, Reader(self.org, asked.base, asked.given).page(resource)
        _see_no_include(asked.given)
        record = made(self.org, resource, change_of(resource, asked.document(), None))
        return 201, Reader(self.org, asked.base, asked.given).one(resource, record)

    def _member(self, asked: Asked, resource: Resource, record: int) -> tuple[int, Any]:
        methods = ("GET", "PATCH", "DELETE") if resource.writable else ("GET",)
        _allowed(asked.method, methods)
        asked.need(resource.plural, _LEVELS[asked.method])
        if asked.method == "DELETE":
            destroyed(self.org, resource, record)
            return 204, None
        if asked.method == "PATCH":
            _see_no_include(asked.given)
            changed(self.org, resource, record, change_of(resource, asked.document(), record))
        return 200, Reader(self.org, asked.base, asked.given).one(resource, record)


def record_in(resource: Resource, text: str) -> int:
    """The id in a path. Raises `ApiError` for what can be none."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 63):
        raise not_found(resource.type, text[:80])
    return int(text)


def too_many(limit: int, until: datetime, headers: Mapping[str, str]) -> ApiError:
    """The refusal of a request that is one too many."""
    at = f"{until:%Y-%m-%dT%H:%M:%S}"
    detail = f"You have exceeded your permitted rate limit of {limit:,}; please try again at {at}."
    return ApiError(429, "rateLimitExceeded", [(detail, None)], headers)


def _allowed(method: str, methods: tuple[str, ...]) -> None:
    if method not in methods:
        detail = f"{method} is not a method of this address."
        raise ApiError(405, "methodNotAllowed", [(detail, None)], {"Allow": ", ".join(methods)})


def _see_no_include(given: Parameters) -> None:
    if given.one("include") is not None:
        detail = "'include' is not supported when a record is created or updated."
        raise ApiError(422, "validationError", [(detail, {"parameter": "include"})])


# -- HTTP ---------------------------------------------------------------------------------------


def _headers(scope: Scope) -> dict[bytes, bytes]:
    return dict(scope["headers"])


async def _asked(
    scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, grant: Grant
) -> Asked:
    """The request, its body read whole. Raises `ApiError`."""
    body = await _body(receive)
    if body:
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if kind != MEDIA_TYPE.encode():
            detail = f"Expected Content-Type header to be '{MEDIA_TYPE}'."
            raise ApiError(415, "unsupportedMediaType", [(detail, None)])
    host = headers.get(b"host", b"127.0.0.1").decode("latin-1")
    path = tuple(part for part in scope["path"].removeprefix(PREFIX).split("/") if part)
    base = f"{scope['scheme']}://{host}{PREFIX}"
    given = parameters(scope["query_string"])
    return Asked(scope["method"], path, base, given, body, grant)


async def _body(receive: Receive) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > _MOST_BYTES:
            detail = f"A body has at most {_MOST_BYTES:,} bytes."
            raise ApiError(413, "requestEntityTooLarge", [(detail, None)])
        chunks.append(chunk)
        if not message.get("more_body"):
            break
    return b"".join(chunks)


def _response(status: int, document: Any, headers: Mapping[str, str]) -> Response:
    if document is None:
        return Response(None, status, dict(headers))
    return Response(msgspec.json.encode(document), status, dict(headers), MEDIA_TYPE)
