"""The API itself: who asks, how often, for which resource, and who answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.ports import Clock, StoreError
from engine.sandbox.outreach.actions import act
from engine.sandbox.outreach.bare import BARE, empty_page
from engine.sandbox.outreach.budget import Budget
from engine.sandbox.outreach.changing import change_of, changed, destroyed, made
from engine.sandbox.outreach.errors import MEDIA_TYPE, ApiError, invalid, not_found
from engine.sandbox.outreach.hiding import Hiding
from engine.sandbox.outreach.imports import Imports
from engine.sandbox.outreach.labels import types
from engine.sandbox.outreach.listing import Reader
from engine.sandbox.outreach.own import own_one, own_page
from engine.sandbox.outreach.parameters import Parameters, parameters
from engine.sandbox.outreach.resources import Resource, by_plural, resources
from engine.sandbox.outreach.tokens import Grant, Tokens
from engine.sandbox.outreach.webhooks import Webhooks
from engine.stores.local.org import OrgFile
from engine.stores.local.refusals import Refused

__all__ = ["PREFIX", "Api", "Asked"]

PREFIX = "/api/v2"
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
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ApiError(400, "badRequest", [("The body is no JSON document.", None)]) from None


@dataclass
class Api:
    """An ASGI application for all below `/api/v2`.

    `changed` hears that records may have changed; `settled` is waited for when webhooks were.
    """

    org: OrgFile
    tokens: Tokens
    clock: Clock
    budget: Budget
    webhooks: Webhooks
    imports: Imports
    hiding: Hiding
    changed: Callable[[], None]
    settled: Callable[[], Awaitable[None]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        limits: dict[str, str] = {}
        try:
            grant = self._grant(headers)
            limits = self.budget.count()
            self.org.refresh()
            asked = await _asked(scope, headers, receive, grant)
            status, document = self.answer(asked)
            if asked.path[:1] == ("webhooks",):
                await self.settled()
            response = _response(status, document, limits)
        except ApiError as error:
            response = _response(error.status, error.body(), limits | error.headers)
        except Refused as refused:
            response = _response(422, invalid(f"{refused.message}.").body(), limits)
        except StoreError:
            detail = "The org cannot be used as it is."
            broken = ApiError(500, "internalServerError", [(detail, None)])
            response = _response(500, broken.body(), limits)
        await response(scope, receive, send)

    def _grant(self, headers: Mapping[bytes, bytes]) -> Grant:
        grant = self.tokens.grant(_token(headers))
        if grant is None:
            raise _unauthorized()
        return grant

    def forgotten(self, scope: Scope) -> ApiError:
        """Let a request's token expire; the refusal that follows."""
        self.tokens.forget(_token(dict(scope["headers"])))
        return _unauthorized()

    # -- what is asked --------------------------------------------------------------------------

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """The status and document of an answer; None is an empty one. Raises `ApiError`."""
        match asked.path:
            case ():
                _allowed(asked.method, ("GET",))
                return 200, self._root(asked.base)
            case ("types",):
                _allowed(asked.method, ("GET",))
                return 200, types(self.org)
            case ("webhooks", *rest) if len(rest) < 2:
                return self._of_webhooks(asked, *rest)
            case ("imports", "actions", "bulkUpsert"):
                return self._bulk_upsert(asked)
            case ("imports", *rest) if len(rest) < 2:
                return self._of_imports(asked, *rest)
            case (name, *rest) if (resource := by_plural(name)) is not None:
                return self._of_resource(asked, resource, rest)
            case (name, *rest) if name in BARE and len(rest) < 2:
                _allowed(asked.method, ("GET",))
                asked.need(name, "read")
                if rest:
                    raise not_found(BARE[name], rest[0][:80])
                return 200, empty_page(name, asked.given, asked.base)
        raise not_found("resource", "/".join(asked.path)[:80])

    def _root(self, base: str) -> dict[str, Any]:
        """Who asks: the first user, as whom the sandbox's app acts."""
        found: list[tuple[Any, ...]] = []
        if self.org.made("user"):
            sql = "SELECT id, email, firstName, lastName FROM user ORDER BY id LIMIT 1"
            found = self.org.rows(sql)
        names = ("id", "email", "firstName", "lastName")
        user = dict(zip(names, found[0], strict=True)) if found else None
        links = {r.plural: f"{base}/{r.plural}" for r in resources().values()}
        return {"data": None, "meta": {"user": user}, "links": {"self": base, **links}}

    def _of_resource(self, asked: Asked, resource: Resource, rest: list[str]) -> tuple[int, Any]:
        match rest:
            case []:
                return self._collection(asked, resource)
            case [record]:
                return self._member(asked, resource, record_in(resource.type, record))
            case [record, "actions", name]:
                _allowed(asked.method, ("POST",))
                asked.need(resource.plural, "write")
                number = record_in(resource.type, record)
                act(self.org, resource, number, name, asked.given)
                return 200, self._written(asked, resource, number)
        raise not_found("resource", "/".join(asked.path)[:80])

    def _collection(self, asked: Asked, resource: Resource) -> tuple[int, Any]:
        _allowed(asked.method, ("GET", "POST") if resource.writable else ("GET",))
        asked.need(resource.plural, _LEVELS[asked.method])
        if asked.method == "GET":
            hidden = self.hiding.now()
            return 200, Reader(self.org, asked.base, asked.given, hidden).page(resource)
        _see_no_include(asked.given)
        record = made(self.org, resource, change_of(resource, asked.document(), None))
        return 201, self._written(asked, resource, record)

    def _member(self, asked: Asked, resource: Resource, record: int) -> tuple[int, Any]:
        methods = ("GET", "PATCH", "DELETE") if resource.writable else ("GET",)
        _allowed(asked.method, methods)
        asked.need(resource.plural, _LEVELS[asked.method])
        if asked.method == "GET":
            return 200, Reader(self.org, asked.base, asked.given).one(resource, record)
        if asked.method == "DELETE":
            destroyed(self.org, resource, record)
            self.changed()
            return 204, None
        _see_no_include(asked.given)
        changed(self.org, resource, record, change_of(resource, asked.document(), record))
        return 200, self._written(asked, resource, record)

    def _written(self, asked: Asked, resource: Resource, record: int) -> dict[str, Any]:
        self.hiding.written(resource.type, record)
        self.changed()
        return Reader(self.org, asked.base, asked.given).one(resource, record)

    # -- the server's own -----------------------------------------------------------------------

    def _of_webhooks(self, asked: Asked, record: str | None = None) -> tuple[int, Any]:
        hooks = self.webhooks
        if record is None:
            _allowed(asked.method, ("GET", "POST"))
            asked.need("webhooks", _LEVELS[asked.method])
            if asked.method == "GET":
                return 200, own_page("webhook", hooks.kept, asked.given, asked.base)
            number = hooks.create(asked.document())
            return 201, own_one("webhook", hooks.kept, number, asked.base)
        _allowed(asked.method, ("GET", "PATCH", "DELETE"))
        asked.need("webhooks", _LEVELS[asked.method])
        number = record_in("webhook", record)
        if asked.method == "DELETE":
            hooks.delete(number)
            return 204, None
        if asked.method == "PATCH":
            hooks.update(number, asked.document())
        return 200, own_one("webhook", hooks.kept, number, asked.base)

    def _of_imports(self, asked: Asked, record: str | None = None) -> tuple[int, Any]:
        _allowed(asked.method, ("GET",))
        asked.need("imports", "read")
        if record is None:
            return 200, own_page("import", self.imports.kept, asked.given, asked.base)
        number = record_in("import", record)
        return 200, own_one("import", self.imports.kept, number, asked.base)

    def _bulk_upsert(self, asked: Asked) -> tuple[int, Any]:
        _allowed(asked.method, ("POST",))
        asked.need("imports", "write")
        number = self.imports.start(asked.document())
        return 200, own_one("import", self.imports.kept, number, asked.base)


def _token(headers: Mapping[bytes, bytes]) -> str:
    kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _unauthorized() -> ApiError:
    detail = "The access token is missing, invalid, or has expired."
    return ApiError(401, "unauthorized", [(detail, None)], {"WWW-Authenticate": "Bearer"})


def record_in(type_name: str, text: str) -> int:
    """The id in a path. Raises `ApiError` for what can be none."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) < 1 << 63):
        raise not_found(type_name, text[:80])
    return int(text)


def _allowed(method: str, methods: tuple[str, ...]) -> None:
    if method not in methods:
        detail = f"{method} is not a method of this address."
        raise ApiError(405, "methodNotAllowed", [(detail, None)], {"Allow": ", ".join(methods)})


def _see_no_include(given: Parameters) -> None:
    if given.one("include") is not None:
        detail = "'include' is not supported when a record is created or updated."
        raise ApiError(422, "validationError", [(detail, {"parameter": "include"})])


# -- HTTP ---------------------------------------------------------------------------------------


async def _asked(
    scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, grant: Grant
) -> Asked:
    """The request, its body read whole. Raises `ApiError`."""
    _see_acceptable(headers.get(b"accept", b"").decode("latin-1"))
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


def _see_acceptable(accept: str) -> None:
    """JSON:API has no variants: who only takes one with parameters is refused, as it demands."""
    given = [[part.strip() for part in each.split(";")] for each in accept.split(",")]
    known = [parts[1:] for parts in given if parts[0].lower() == MEDIA_TYPE]
    if known and all(any(not p.startswith("q=") for p in more) for more in known):
        detail = f"The Accept header takes '{MEDIA_TYPE}' with parameters only."
        raise ApiError(406, "notAcceptable", [(detail, None)])


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
