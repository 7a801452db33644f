"""OAuth as Outreach has it: a page to consent on, codes, and tokens."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from engine.sandbox.outreach.tokens import OauthError, Tokens

__all__ = ["routes"]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Outreach sandbox</title>
<style>body {{ font-family: sans-serif; max-width: 32em; margin: 4em auto; }}</style>
<h1>{title}</h1>
{body}
</html>
"""
_CONSENT = """<p><strong>{app}</strong> asks for access to this sandbox org as its user, for:</p>
<ul>{scopes}</ul>
<form method="post" action="/oauth/authorize">
{fields}
<button name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Deny</button>
</form>"""
_FIELDS = ("client_id", "redirect_uri", "response_type", "scope", "state")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
}


def routes(tokens: Tokens) -> list[Route]:
    """The routes under `/oauth`."""

    async def ask(request: Request) -> Response:
        return _answered_as_page(lambda: _consent(tokens, request.query_params))

    async def answered(request: Request) -> Response:
        form = await _form(request)
        return _answered_as_page(lambda: _redirected(tokens, form))

    async def token(request: Request) -> Response:
        try:
            return _token(tokens, request.headers.get("authorization", ""), await _form(request))
        except OauthError as error:
            found = {"error": error.error, "error_description": error.description}
            headers = {"WWW-Authenticate": "Basic"} if error.status == 401 else {}
            if error.status == 429:
                headers["Retry-After"] = "60"
            return JSONResponse(found, error.status, headers)

    return [
        Route("/oauth/authorize", ask, methods=["GET"]),
        Route("/oauth/authorize", answered, methods=["POST"]),
        Route("/oauth/token", token, methods=["POST"]),
    ]


async def _form(request: Request) -> Mapping[str, str]:
    """A request's parameters, from its form, its JSON or its query."""
    found = dict(request.query_params)
    raw = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            document = msgspec.json.decode(raw, type=dict[str, str | None])
        except (msgspec.DecodeError, UnicodeDecodeError):
            document = {}
        return found | {name: text for name, text in document.items() if text is not None}
    return found | dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))


# -- the page -----------------------------------------------------------------------------------


def _answered_as_page(answer: Callable[[], Response]) -> Response:
    try:
        return answer()
    except OauthError as error:
        body = f"<p>{html.escape(error.description)}</p>"
        page = _PAGE.format(title=html.escape(error.error), body=body)
        return HTMLResponse(page, error.status, _HEADERS)


def _check(tokens: Tokens, asked: Mapping[str, str]) -> tuple[str, ...]:
    """The scopes that a request for consent asks for. Raises `OauthError`."""
    if asked.get("client_id") != tokens.identity.client_id:
        raise OauthError(401, "invalid_client", "No app has this client_id.")
    if not _suits(asked.get("redirect_uri", "")):
        raise OauthError(400, "invalid_request", "The redirect_uri must be https, or on loopback.")
    if asked.get("response_type") != "code":
        raise OauthError(400, "unsupported_response_type", "The response_type must be code.")
    return tokens.scopes_of(asked.get("scope", ""))


def _suits(redirect: str) -> bool:
    try:
        target = urlsplit(redirect)
        known = target.scheme == "http" and target.hostname in _LOOPBACK
    except ValueError:
        return False
    return known or (target.scheme == "https" and bool(target.hostname))


def _consent(tokens: Tokens, asked: Mapping[str, str]) -> Response:
    scopes = _check(tokens, asked)
    fields = "\n".join(
        f'<input type="hidden" name="{name}" value="{html.escape(asked[name])}">'
        for name in _FIELDS
        if name in asked
    )
    listed = "".join(f"<li>{html.escape(scope)}</li>" for scope in scopes)
    app = html.escape(tokens.identity.client_id)
    body = _CONSENT.format(app=app, scopes=listed, fields=fields)
    return HTMLResponse(_PAGE.format(title="Allow access?", body=body), headers=_HEADERS)


def _redirected(tokens: Tokens, asked: Mapping[str, str]) -> Response:
    scopes = _check(tokens, asked)
    redirect = asked["redirect_uri"]
    if asked.get("answer") == "deny":
        found = {"error": "access_denied"}
    else:
        found = {"code": tokens.code(redirect, scopes)}
    if "state" in asked:
        found["state"] = asked["state"]
    joint = "&" if urlsplit(redirect).query else "?"
    return RedirectResponse(
        f"{redirect}{joint}{urlencode(found)}", 303, {"Cache-Control": "no-store"}
    )


# -- tokens -------------------------------------------------------------------------------------


def _token(tokens: Tokens, authorization: str, asked: Mapping[str, str]) -> Response:
    client, secret = _basic(authorization) or (
        asked.get("client_id", ""),
        asked.get("client_secret", ""),
    )
    tokens.check_client(client, secret)
    match asked.get("grant_type"):
        case "authorization_code":
            issued = tokens.exchange(asked.get("code", ""), asked.get("redirect_uri", ""))
        case "refresh_token":
            issued = tokens.refresh(asked.get("refresh_token", ""))
        case _:
            raise OauthError(
                400,
                "unsupported_grant_type",
                "The authorization grant type is not supported by the authorization server.",
            )
    found = {
        "access_token": issued.access,
        "token_type": "Bearer",
        "expires_in": int(tokens.setup.access.total_seconds()),
        "refresh_token": issued.refresh,
        "scope": " ".join(issued.scopes),
        "created_at": issued.created,
    }
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, text = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(text).decode().partition(":")
    except ValueError:
        return "", ""
    return client, secret
