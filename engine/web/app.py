"""The console as an ASGI application: every request passes the same checks, in one place."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from engine.ledger import LedgerError
from engine.ports import StoreError
from engine.secrets import Secrets
from engine.service import Service
from engine.web import words
from engine.web.access import Access, Session, is_loopback
from engine.web.jobs import Jobs
from engine.web.routes import Ask, Entry, Wrong, data, go
from engine.web.table import ROUTES

__all__ = ["app"]

_HERE = Path(__file__).parent
_COOKIE = "crosswalk"
_LARGEST = 64 * 1024  # bytes of a form
_FIGURES = "text/plain; version=0.0.4; charset=utf-8"
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; style-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # With `no-referrer` a browser would send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def app(service: Service, host: str = "127.0.0.1", *, secrets: Secrets | None = None) -> ASGIApp:
    """The console over a running service, which is bound to `host`.

    Raises `engine.web.access.NoUsers` if a network could reach it and nobody could log in, and
    `engine.secrets.SecretError` for a reference of [console] that leads nowhere.
    """
    config = service.config
    access = Access(config.console, secrets or Secrets(config.root), host, time.monotonic)
    gate = _Gate(service, access, host)
    routes: list[Route | Mount] = [
        Route(entry.path, partial(gate.answer, entry), methods=[entry.method], name=_name(entry))
        for entry in ROUTES
    ]
    routes.append(Route("/events", gate.events, methods=["GET"]))
    routes.append(Route("/metrics", gate.metrics, methods=["GET"]))
    routes.append(Mount("/static", StaticFiles(directory=_HERE / "static")))
    failures: dict[Any, Any] = {HTTPException: gate.missing}
    return _Guarded(Starlette(routes=routes, exception_handlers=failures), gate)


def _name(entry: Entry) -> str:
    return f"{entry.method} {entry.path}"


class _Guarded:
    """Checks the host, and gives every answer its headers, whoever makes it."""

    def __init__(self, inner: ASGIApp, gate: _Gate) -> None:
        self._inner, self._gate = inner, gate

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                extra = [
                    (k.encode(), v.encode()) for k, v in _HEADERS.items() if k.encode() not in given
                ]
                if b"cache-control" not in given and not scope["path"].startswith("/static/"):
                    extra.append((b"cache-control", b"no-store"))
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        if not self._gate.knows_host(Request(scope)):
            text = "this host is not known here: see `hosts` in [console] of crosswalk.toml"
            await HTMLResponse(text, 421, media_type="text/plain")(scope, receive, guarded)
            return
        await self._inner(scope, receive, guarded)


class _Gate:
    """Who asks, and whether they may; then the answer, in a thread of its own."""

    def __init__(self, service: Service, access: Access, host: str) -> None:
        self.service, self.access, self.jobs = service, access, Jobs()
        self._loopback = is_loopback(host)
        own = {"localhost", "127.0.0.1", "::1"} if self._loopback else set()
        self._hosts = {host, *own, *service.config.console.hosts}
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(words.FILTERS)

    # -- checks ---------------------------------------------------------------------------------

    def knows_host(self, request: Request) -> bool:
        """Whether the name by which we are asked is one of ours, which another site's is not."""
        with suppress(ValueError):
            return urlsplit(f"//{request.headers.get('host', '')}").hostname in self._hosts
        return False

    def _objection(self, request: Request, session: Session, given: str | None) -> str | None:
        """Why a request may not change anything, None if it may."""
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return "this request comes from another site"
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "this request comes from another site"
        if session.csrf and not (given and _same(given, session.csrf)):
            return "this form is too old: load the page again, then try again"
        return None

    # -- answers --------------------------------------------------------------------------------

    async def answer(self, entry: Entry, request: Request) -> Response:
        """Answer by an entry of the table."""
        header = request.headers.get("authorization")
        bearer = await run_in_threadpool(self.access.bearer, header) if header else None
        session = bearer or self.access.session(request.cookies.get(_COOKIE))
        if header is not None and bearer is None:
            return self._refused(entry, request, session, "the token is not known", 401)
        address = request.client.host if request.client else ""
        ask = Ask(
            self.service, self.access, self.jobs, session, entry, address, self._render,
            request.path_params, request.query_params,
        )  # fmt: skip
        if entry.mutating:
            try:
                ask.form = await _body(request, entry)
            except Wrong as wrong:
                return self._refused(entry, request, session, str(wrong), wrong.status)
            token = ask.form.get("csrf") or request.headers.get("x-csrf-token")
            if entry.role and not session.role:
                return self._refused(entry, request, session, "log in first", 401)
            if words_ := self._objection(request, session, token):
                return self._refused(entry, request, session, words_, 403)
        elif entry.role and not session.role:
            if entry.api:
                return self._refused(entry, request, session, "log in first", 401)
            return self._with_cookie(go("/login"), session)
        if not session.may(entry.role):
            text = f"your role is `{session.role}`, and this takes `{entry.role}`"
            return self._refused(entry, request, session, text, 403)
        response = await run_in_threadpool(self._answered, ask)
        return self._with_cookie(response, ask.session)

    def _answered(self, ask: Ask) -> Response:
        try:
            return ask.entry.answer(ask)
        except Wrong as wrong:
            return self._told(ask, str(wrong), wrong.status)
        except (LedgerError, StoreError) as error:
            return self._told(ask, str(error), 503)
        except CancelledError:
            return self._told(ask, "the service is about to end", 503)

    def _told(self, ask: Ask, text: str, status: int) -> Response:
        if ask.entry.api:
            return data({"error": text}, status)
        return ask.page("wrong.html", status, message=text)

    def _refused(
        self, entry: Entry, request: Request, session: Session, text: str, status: int
    ) -> Response:
        if entry.api:
            headers = {"www-authenticate": "Bearer"} if status == 401 else {}
            response = data({"error": text}, status)
            response.headers.update(headers)
            return response
        template = self._templates.get_template("refused.html")
        del request
        page = template.render(self._around(session, entry.path), message=text)
        return self._with_cookie(HTMLResponse(page, status), session)

    async def metrics(self, request: Request) -> Response:
        """Prometheus's figures: for a token of any role, or for all where nobody logs in."""
        header = request.headers.get("authorization", "")
        bearer = await run_in_threadpool(self.access.bearer, header)
        if not (self.access.open or bearer):
            text = "show a token of [console.tokens], such as one with the role `metrics`\n"
            return PlainTextResponse(text, 401, {"www-authenticate": "Bearer"})
        return Response(self.service.metrics.text(), media_type=_FIGURES)

    async def missing(self, request: Request, error: Exception) -> Response:
        """What is not there."""
        assert isinstance(error, HTTPException)  # noqa: S101 - it was registered for these
        text = {404: "there is no such page", 405: "that cannot be done here"}
        told = text.get(error.status_code, str(error.detail))
        if request.url.path.startswith("/api/"):
            return data({"error": told}, error.status_code)
        template = self._templates.get_template("refused.html")
        session = Session("", "")
        page = template.render(self._around(session, request.url.path), message=told)
        return HTMLResponse(page, error.status_code)

    async def events(self, request: Request) -> Response:
        """What happens, as it happens: server-sent events."""
        session = self.access.session(request.cookies.get(_COOKIE))
        header = request.headers.get("authorization")
        session = (header and self.access.bearer(header)) or session
        if not session.role:
            return data({"error": "log in first"}, 401)

        async def stream() -> Any:
            yield "retry: 5000\n\n"
            async for event in self.service.events():
                kind = str(event.get("event") or event.get("kind") or "state").split()[0]
                yield f"event: {kind}\ndata: {json.dumps(event, default=str)}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    def _around(self, session: Session, path: str) -> dict[str, Any]:
        notices, session.notices = session.notices, []
        return {
            "project": self.service.config.name,
            "session": session,
            "open": self.access.open,
            "here": "/" + path.lstrip("/").partition("/")[0],
            "running": self.service.state().running,
            "notices": notices,
        }

    def _render(self, ask: Ask, name: str, context: Mapping[str, Any], status: int) -> Response:
        around = self._around(ask.session, ask.entry.path)
        zone = self.service.config.timezone
        page = self._templates.get_template(name).render(around, zone=zone, ask=ask, **context)
        return HTMLResponse(page, status)

    def _with_cookie(self, response: Response, session: Session) -> Response:
        if session.id:
            response.set_cookie(
                _COOKIE,
                self.access.cookie(session),
                # Some browsers keep no secure cookie of a server without TLS, loopback or not.
                secure=not self._loopback,
                httponly=True,
                samesite="strict",
                path="/",
            )
        return response


def _same(one: str, two: str) -> bool:

    return hmac.compare_digest(str(one).encode(), two.encode())


async def _body(request: Request, entry: Entry) -> Mapping[str, Any]:
    """The form, or a JSON object, that came. Raises `Wrong`."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _LARGEST:
            raise Wrong("that is too long", 413)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if entry.api:
        if not raw:
            return {}
        if kind != "application/json":
            raise Wrong("send JSON, as `content-type: application/json`", 415)
        try:
            found = json.loads(raw)
        except ValueError:
            raise Wrong("the body is not valid JSON") from None
        if not isinstance(found, dict):
            raise Wrong("the body is a JSON object")
        return found

    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))
    except (UnicodeDecodeError, ValueError):
        raise Wrong("the form cannot be read") from None
