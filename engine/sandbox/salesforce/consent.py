"""The page on which a user lets a connected app in; it works without scripts."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from engine.sandbox.salesforce.box import Box, box_of
from engine.sandbox.salesforce.oauth import USUAL, base_url, form_of, issued, scope_of, user_is
from engine.sandbox.salesforce.oauth_error import OAuthError

__all__ = ["routes"]

#: What the form carries on from the address that it was asked for at.
_KEPT = "response_type client_id redirect_uri state scope code_challenge code_challenge_method"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Allow access? | Salesforce sandbox</title></head>
<body><main>
<h1>Allow access?</h1>
<p><b>{client}</b> asks for: {scope}. You are logged in as {user}.</p>
{problem}<form method="post" action="/services/oauth2/authorize">
{hidden}<p><label>User name <input name="username" value="{user}"></label></p>
<p><label>Password <input name="password" type="password"></label></p>
<p><button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button></p>
</form></main></body></html>
"""


def routes() -> list[Route]:
    """The address that a user's browser is sent to."""
    return [
        Route("/services/oauth2/authorize", _ask, methods=["GET"]),
        Route("/services/oauth2/authorize", _decide, methods=["POST"]),
    ]


async def _ask(request: Request) -> Response:
    try:
        given = _checked(box_of(request), dict(request.query_params))
    except OAuthError as error:
        return _told(error)
    if (refused := _scope_refused(box_of(request), given)) is not None:
        return refused
    if given.get("prompt") == "none":
        return _back(given, error="immediate_unsuccessful", error_description="not logged in")
    return _page(box_of(request), given)


async def _decide(request: Request) -> Response:
    """Allow, for the one user there is: whoever posts without a name and a password is that one."""
    box = box_of(request)
    try:
        given = await form_of(request)
        _checked(box, given)
    except OAuthError as error:
        return _told(error)
    if given.get("decision") == "deny":
        return _back(
            given, error="access_denied", error_description="end-user denied authorization"
        )
    if (refused := _scope_refused(box, given)) is not None:
        return refused
    password = given.get("password")
    if password and not user_is(box, given.get("username", ""), password):
        return _page(box, given, "Please check your username and password.")
    if given["response_type"] == "token":
        return _fragment(request, box, given)
    code = box.sessions.code(
        given["redirect_uri"],
        scope_of(box, given),
        given.get("code_challenge"),
        given.get("code_challenge_method", "S256"),
    )
    return _back(given, code=code)


def _checked(box: Box, given: dict[str, str]) -> dict[str, str]:
    """What is asked for, if the app may ask. Raises `OAuthError`, which is for the user's eyes."""
    if given.get("client_id") != box.identity.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if given.get("response_type") not in ("code", "token"):
        raise OAuthError("unsupported_response_type", "response type not supported")
    try:
        scheme = urlsplit(given.get("redirect_uri", "")).scheme
    except ValueError:
        scheme = ""
    if scheme in ("", "javascript", "data"):
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    return given


def _scope_refused(box: Box, given: dict[str, str]) -> Response | None:
    """What the app is told that asks for a scope which it has not."""
    try:
        scope_of(box, given)
    except OAuthError as error:
        return _back(given, error=error.error, error_description=error.description)
    return None


def _told(error: OAuthError) -> Response:
    text = f"<p>error={escape(error.error)}&amp;error_description={escape(error.description)}</p>"
    return HTMLResponse(f"<!doctype html><title>OAuth error</title>{text}", 400)


def _page(box: Box, given: dict[str, str], problem: str = "") -> Response:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(given[name])}">\n'
        for name in _KEPT.split()
        if name in given
    )
    page = _PAGE.format(
        client=escape(box.identity.client_id),
        scope=escape(given.get("scope") or USUAL),
        user=escape(box.identity.username),
        problem=f'<p role="alert">{escape(problem)}</p>\n' if problem else "",
        hidden=hidden,
    )
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


def _back(given: dict[str, str], **told: str) -> Response:
    """Send the browser back to the app."""
    if "state" in given:
        told["state"] = given["state"]
    where = given["redirect_uri"]
    joint = "&" if urlsplit(where).query else "?"
    return RedirectResponse(f"{where}{joint}{urlencode(told)}", 302)


def _fragment(request: Request, box: Box, given: dict[str, str]) -> Response:
    """The user agent flow: the token itself goes back, where servers do not see it."""
    session = box.sessions.start(scope_of(box, given, "api id"))
    told = issued(box, base_url(request), session, None)
    if "state" in given:
        told["state"] = given["state"]
    return RedirectResponse(f"{given['redirect_uri']}#{urlencode(told)}", 302)
