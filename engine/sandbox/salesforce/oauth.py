"""Tokens: every OAuth flow that Salesforce has for a program, and what may be asked about them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.salesforce.assertion import subject_of
from engine.sandbox.salesforce.box import ORG_ID, Box, box_of
from engine.sandbox.salesforce.oauth_error import OAuthError
from engine.sandbox.salesforce.sessions import Session
from engine.sandbox.salesforce.wire import answer, body_of

__all__ = ["USUAL", "base_url", "form_of", "issued", "routes", "scope_of", "user_is"]

#: What an app is given that asks for nothing by name.
USUAL = "api refresh_token offline_access id"
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def routes() -> list[Route]:
    """The OAuth endpoints, but for the page that asks a user."""
    return [
        Route("/.well-known/openid-configuration", _discovered),
        Route("/services/oauth2/token", _token, methods=["POST", "GET"]),
        Route("/services/oauth2/revoke", _revoke, methods=["POST", "GET"]),
        Route("/services/oauth2/introspect", _introspect, methods=["POST"]),
        Route("/services/oauth2/userinfo", _userinfo, methods=["POST", "GET"]),
        Route("/id/{org}/{user}", _identity, methods=["POST", "GET"]),
    ]


async def form_of(request: Request) -> dict[str, str]:
    """The parameters of a form, or of a JSON object, and of the address."""
    given = dict(request.query_params)
    raw = await body_of(request)
    if "json" in request.headers.get("content-type", ""):
        try:
            found = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            raise OAuthError("invalid_request", "the body is no JSON") from None
        return given | {k: str(v) for k, v in found.items()} if isinstance(found, dict) else given
    return given | dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))


def base_url(request: Request) -> str:
    """The org's own address, as the client reached it."""
    return str(request.base_url).rstrip("/")


# -- /token -------------------------------------------------------------------------------------


async def _token(request: Request) -> Response:
    box = box_of(request)
    try:
        given = await form_of(request)
        session, refresh = _granted(box, request, given)
    except OAuthError as error:
        return error.answer()
    return answer(
        issued(box, base_url(request), session, refresh), headers={"Cache-Control": "no-store"}
    )


def _granted(box: Box, request: Request, given: Mapping[str, str]) -> tuple[Session, str | None]:
    """The new session, and a refresh token that goes with it, if it is a new one."""
    match given.get("grant_type", ""):
        case "client_credentials":
            see_client(box, request, given, secret=True)
            return box.sessions.start(scope_of(box, given, "api id")), None
        case "password":
            see_client(box, request, given, secret=True)
            _see_user(box, given)
            return box.sessions.start(scope_of(box, given, "api id")), None
        case "refresh_token":
            see_client(box, request, given)
            refresh = given.get("refresh_token", "")
            if not box.sessions.is_refresh(refresh):
                raise OAuthError("invalid_grant", "expired access/refresh token")
            return box.sessions.start(scope_of(box, given), refresh), None
        case "authorization_code":
            return _redeemed(box, request, given)
        case grant if grant == _JWT:
            subject_of(box, given.get("assertion", ""), base_url(request))
            return box.sessions.start(scope_of(box, given, "api id")), None
    raise OAuthError("unsupported_grant_type", "grant type not supported")


def _redeemed(box: Box, request: Request, given: Mapping[str, str]) -> tuple[Session, str | None]:
    grant = box.sessions.redeem(given.get("code", ""))
    if grant is None:
        raise OAuthError("invalid_grant", "expired authorization code")
    # PKCE stands for a secret that a program on a user's machine cannot keep.
    see_client(box, request, given, secret=grant.challenge is None)
    if given.get("redirect_uri") != grant.redirect:
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    if grant.challenge is not None:
        verifier = given.get("code_verifier", "")
        proof = verifier if grant.method == "plain" else _hashed(verifier)
        if not hmac.compare_digest(proof.encode(), grant.challenge.encode()):
            raise OAuthError("invalid_grant", "invalid code verifier")
    lasting = {"refresh_token", "offline_access"} & set(grant.scope.split())
    refresh = box.sessions.refresh_token() if lasting else None
    return box.sessions.start(grant.scope, refresh), refresh


def _hashed(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def scope_of(box: Box, given: Mapping[str, str], usual: str = USUAL) -> str:
    """What an app asks for, or those of the usual scopes that it has. Raises `OAuthError`."""
    asked, allowed = given.get("scope", "").split(), box.setup.scopes
    if allowed is None:
        return " ".join(asked) or usual
    if not allowed.issuperset(asked):
        raise OAuthError("invalid_scope", "the requested scope is not allowed")
    return " ".join(asked or [each for each in usual.split() if each in allowed])


def see_client(box: Box, request: Request, given: Mapping[str, str], secret: bool = False) -> None:
    """See that the connected app is the one that there is. Raises `OAuthError`.

    A secret that is given must be right; one must be given if `secret`.
    """
    name, word = given.get("client_id", ""), given.get("client_secret")
    scheme, _, basic = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic" and not name:
        name, _, word = _decoded(basic).partition(":")
    if not hmac.compare_digest(name.encode(), box.identity.client_id.encode()):
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if word is None and not secret:
        return
    if not hmac.compare_digest((word or "").encode(), box.identity.client_secret.encode()):
        raise OAuthError("invalid_client", "invalid client credentials")


def _decoded(basic: str) -> str:
    try:
        return base64.b64decode(basic, validate=True).decode()
    except ValueError:
        return ""


def _see_user(box: Box, given: Mapping[str, str]) -> None:
    if not user_is(box, given.get("username", ""), given.get("password", "")):
        raise OAuthError("invalid_grant", "authentication failure")


def user_is(box: Box, username: str, password: str) -> bool:
    """Whether a name and a password, with the security token behind it or not, are the user's."""
    own = box.identity
    words = (own.password, own.password + own.security_token)
    right = [hmac.compare_digest(password.encode(), word.encode()) for word in words]
    return username == own.username and any(right)


def issued(box: Box, base: str, session: Session, refresh: str | None) -> dict[str, Any]:
    """What an app is told of its new session; `base` is the org's address."""
    identity = f"{base}/id/{ORG_ID}/{box.user_id()}"
    at = str(round(box.sessions.clock.now().timestamp() * 1000))
    key = box.identity.client_secret.encode()
    seal = hmac.new(key, f"{identity}{at}".encode(), hashlib.sha256).digest()
    found = {
        "access_token": session.token,
        "signature": base64.b64encode(seal).decode(),
        "scope": session.scope,
        "instance_url": base,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": at,
    }
    return found if refresh is None else {**found, "refresh_token": refresh}


async def _discovered(request: Request) -> Response:
    """Where a client finds what it needs to sign in, by OpenID Connect Discovery."""
    base = base_url(request)
    oauth = f"{base}/services/oauth2"
    return answer(
        {
            "issuer": base,
            "authorization_endpoint": f"{oauth}/authorize",
            "token_endpoint": f"{oauth}/token",
            "revocation_endpoint": f"{oauth}/revoke",
            "introspection_endpoint": f"{oauth}/introspect",
            "userinfo_endpoint": f"{oauth}/userinfo",
            "scopes_supported": USUAL.split(),
            "response_types_supported": ["code", "token"],
            "subject_types_supported": ["public"],
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "client_secret_basic",
                "private_key_jwt",
            ],
        }
    )


# -- about tokens and their user ----------------------------------------------------------------


async def _revoke(request: Request) -> Response:
    try:
        given = await form_of(request)
    except OAuthError as error:
        return error.answer()
    if not box_of(request).sessions.revoke(given.get("token", "")):
        return OAuthError("invalid_token", "invalid token").answer()
    return Response(status_code=200)


async def _introspect(request: Request) -> Response:
    box = box_of(request)
    try:
        given = await form_of(request)
        see_client(box, request, given, secret=True)
    except OAuthError as error:
        return error.answer()
    token = given.get("token", "")
    session = box.sessions.find(token)
    common = {"client_id": box.identity.client_id, "username": box.identity.username}
    common |= {"sub": f"{base_url(request)}/id/{ORG_ID}/{box.user_id()}"}
    if session is not None:
        until = int(session.expires.timestamp())
        start = until - int(box.setup.session.total_seconds())
        found = {"active": True, "scope": session.scope, "token_type": "access_token", **common}
        return answer({**found, "exp": until, "iat": start, "nbf": start})
    if box.sessions.is_refresh(token):
        kind = "refresh_token"
        return answer({"active": True, "scope": USUAL, "token_type": kind, **common})
    return answer({"active": False})


def _session(request: Request) -> Session | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "oauth"):
        token = request.query_params.get("oauth_token", "")
    return box_of(request).sessions.find(token.strip())


async def _userinfo(request: Request) -> Response:
    if _session(request) is None:
        return Response("Bad_OAuth_Token", 403, media_type="text/html")
    box, base = box_of(request), base_url(request)
    found = _who(box, base)
    return answer(
        {
            "sub": found["id"],
            "user_id": found["user_id"],
            "organization_id": ORG_ID,
            "preferred_username": found["username"],
            "nickname": found["nick_name"],
            "name": found["display_name"],
            "email": found["email"],
            "email_verified": True,
            "given_name": found["first_name"],
            "family_name": found["last_name"],
            "zoneinfo": "GMT",
            "photos": found["photos"],
            "profile": f"{base}/{found['user_id']}",
            "address": {},
            "urls": found["urls"],
            "active": True,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": 0,
            "is_app_installed": True,
        }
    )


async def _identity(request: Request) -> Response:
    box = box_of(request)
    if _session(request) is None:
        return Response("Bad_OAuth_Token", 403, media_type="text/html")
    wanted = (request.path_params["org"], request.path_params["user"])
    if wanted != (ORG_ID, box.user_id()):
        return Response("Wrong_Org", 403, media_type="text/html")
    found = _who(box, base_url(request))
    status = {"created_date": None, "body": None}
    more = {"asserted_user": True, "organization_id": ORG_ID, "status": status}
    more |= {"user_type": "STANDARD", "email_verified": True, "timezone": "GMT"}
    rest = {"language": "en_US", "locale": "en_US", "utcOffset": 0, "active": True}
    return answer({**found, **more, **rest, "is_lightning_login_user": False})


def _who(box: Box, base: str) -> dict[str, Any]:
    """The user, in the words of the identity service."""
    user = box.user_id()
    row = box.org.get("User", user) or {}
    data = f"{base}/services/data/v{{version}}/"
    soap = f"{base}/services/Soap"
    return {
        "id": f"{base}/id/{ORG_ID}/{user}",
        "user_id": user,
        "username": box.identity.username,
        "nick_name": row.get("Alias") or "admin",
        "display_name": row.get("Name") or "Sandbox Administrator",
        "email": row.get("Email") or box.identity.username,
        "first_name": row.get("FirstName"),
        "last_name": row.get("LastName") or "Administrator",
        "photos": {
            "picture": f"{base}/profilephoto/005/F",
            "thumbnail": f"{base}/profilephoto/005/T",
        },
        "urls": {
            "enterprise": f"{soap}/c/{{version}}/{ORG_ID[:15]}",
            "metadata": f"{soap}/m/{{version}}/{ORG_ID[:15]}",
            "partner": f"{soap}/u/{{version}}/{ORG_ID[:15]}",
            "rest": data,
            "sobjects": f"{data}sobjects/",
            "search": f"{data}search/",
            "query": f"{data}query/",
            "recent": f"{data}recent/",
            "profile": f"{base}/{user}",
        },
    }
