"""Logging in to Salesforce, and again when a session has ended: each way that there is."""

from __future__ import annotations

import time
from collections.abc import Iterable
from html import escape
from typing import Any
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

import jwt
import msgspec
import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import SalesforceLogin

from engine.connections import is_loopback
from engine.ports import StoreError, Tokens, Unauthorized, Unreachable
from engine.stores.salesforce.problems import NO_API
from engine.stores.salesforce.session import as_store_error, redirect_of
from engine.stores.salesforce.settings import Settings

__all__ = ["VERSION", "log_in"]

#: The version of the API that all requests name.
VERSION = "60.0"

_LIVES = 180  # seconds that a JWT assertion is good for
_PRODUCTION, _SANDBOX = "https://login.salesforce.com", "https://test.salesforce.com"
_CONNECT = "run `crosswalk connect salesforce`"
_APP = "the connected app (Setup, App Manager)"

# OAuth's `error`, or SOAP's exception code, with a word of its description; the first that fits.
_ADVICE = (
    (
        "invalid_grant",
        "user hasn't approved",
        "pre-authorize the user: Setup, Manage Connected Apps, OAuth Policies, and Profiles",
    ),
    ("invalid_grant", "refresh token", f"its refresh token has ended or was revoked: {_CONNECT}"),
    (
        "invalid_grant",
        "assertion",
        f"check `private_key`, `client_id`, `username`, the certificate in {_APP} and the clock",
    ),
    ("invalid_grant", "audience", "check `login_url`: test.salesforce.com for a sandbox org"),
    ("invalid_grant", "ip ", "let this machine's address in: Setup, Network Access"),
    (
        "invalid_grant",
        "",
        "check the user, who must be active, and `login_url`",
    ),
    ("invalid_client_id", "", f"check `client_id` against the Consumer Key of {_APP}"),
    ("invalid_client", "", f"check `client_secret` against the Consumer Secret of {_APP}"),
    ("unauthorized_client", "", f"allow this flow in {_APP}"),
    ("unsupported_grant_type", "", f"enable this flow in {_APP}"),
    ("invalid_scope", "", f"give {_APP} the scope `Manage user data via APIs (api)`"),
    ("inactive_org", "", "the org is locked or has expired"),
    ("inactive_user", "", "activate the user in Setup, Users"),
    (
        "INVALID_LOGIN",
        "",
        "check `username`, `password`, `security_token` and `login_url` (test.salesforce.com?)",
    ),
    (
        "LOGIN_MUST_USE_SECURITY_TOKEN",
        "",
        "set `security_token`, or let this machine's address in (Setup, Network Access)",
    ),
    ("API_DISABLED_FOR_ORG", "", NO_API),
    ("API_CURRENTLY_DISABLED", "", NO_API),
    ("PASSWORD_LOCKOUT", "", "the user is locked out: unlock them in Setup, Users"),
    ("", "", "check the settings in [salesforce]"),
)


class _Granted(msgspec.Struct):
    """What a token endpoint answers."""

    access_token: str
    instance_url: str | None = None
    refresh_token: str | None = None


def log_in(settings: Settings, session: requests.Session, last: Tokens | None) -> Tokens:
    """New tokens, by the way that `auth` names; `last` has the refresh token, if any was kept.

    Raises `Unauthorized` where the credentials are refused, `Unreachable` and `StoreError`.
    """
    match settings.auth:
        case "token":
            return Tokens(settings.get("token").reveal(), None, None, settings.instance_url)
        case "password":
            return _by_password(settings, session)
        case "jwt":
            return _by_oauth(settings, session, _jwt_form(settings), None)
        case "client_credentials":
            return _by_oauth(settings, session, _client_form(settings), None)
        case _:
            refresh = last.refresh if last is not None else None
            if refresh is None and settings.has("refresh_token"):
                refresh = settings.get("refresh_token").reveal()
            if refresh is None and last is not None:
                raise Unauthorized(
                    "the session of `crosswalk connect salesforce` has ended, and no refresh token"
                    f" came with it: give {_APP} the scope `Perform requests at any time"
                    f" (refresh_token, offline_access)`, then {_CONNECT} again"
                )
            if refresh is None:
                raise Unauthorized(f"nobody has connected Salesforce yet: {_CONNECT}")
            return _by_oauth(settings, session, _refresh_form(settings, refresh), refresh)


def _jwt_form(settings: Settings) -> dict[str, str]:
    """OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration (Salesforce Help)."""
    host = urlsplit(settings.login_url).hostname or ""
    sandbox = host.startswith("test.") or ".sandbox." in host
    claims = {
        "iss": settings.get("client_id").reveal(),
        "sub": settings.get("username").reveal(),
        "aud": _SANDBOX if sandbox else _PRODUCTION,
        "exp": int(time.time()) + _LIVES,
    }
    try:
        assertion = jwt.encode(claims, settings.get("private_key").reveal(), algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise Unauthorized(
            "`private_key` in [salesforce] is no RSA private key in PEM form: refer to the file"
            " that belongs to the certificate in the connected app"
        ) from None
    return {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": assertion,
    }


def _client_form(settings: Settings) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": settings.get("client_id").reveal(),
        "client_secret": settings.get("client_secret").reveal(),
    }


def _refresh_form(settings: Settings, refresh: str) -> dict[str, str]:
    form = {
        "grant_type": "refresh_token",
        "client_id": settings.get("client_id").reveal(),
        "refresh_token": refresh,
    }
    if settings.has("client_secret"):
        form["client_secret"] = settings.get("client_secret").reveal()
    return form


def _by_oauth(
    settings: Settings, session: requests.Session, form: dict[str, str], refresh: str | None
) -> Tokens:
    url = _https(settings.login_url) + "/services/oauth2/token"
    try:
        answer = session.post(url, data=form, allow_redirects=False)
    except requests.RequestException as error:
        raise as_store_error(error, url) from None
    if (other := redirect_of(answer)) is not None:
        raise Unauthorized(f"the login is at {other}: check `login_url` in [salesforce]")
    if answer.status_code >= 500:
        raise _broken(answer.status_code, url)
    try:
        if answer.status_code != 200:
            told = msgspec.json.decode(answer.content, type=dict[str, Any])
            code, words = str(told.get("error", "")), str(told.get("error_description", ""))
            raise _refused(code, words, form.values())
        granted = msgspec.json.decode(answer.content, type=_Granted)
    except msgspec.DecodeError:
        cut = "json" in answer.headers.get("Content-Type", "")
        raise _cut_off(url) if cut else _broken(answer.status_code, url) from None
    return Tokens(
        granted.access_token, granted.refresh_token or refresh, None, granted.instance_url
    )


def _by_password(settings: Settings, session: requests.Session) -> Tokens:
    """SOAP's `login`."""
    password = settings.get("password").reveal()
    token = settings.get("security_token").reveal() if settings.has("security_token") else ""
    url = _https(settings.login_url)
    try:
        access, host = SalesforceLogin(
            username=settings.get("username").reveal(),
            password=password,
            security_token=escape(token),  # which it does for the other two alone
            sf_version=VERSION,
            session=session,
            scratch_url=url,
        )
    except SalesforceAuthenticationFailed as error:
        if isinstance(error.code, int):
            raise _broken(error.code, url) from None
        raise _refused(
            str(error.code or "").rpartition(":")[2], error.auth_message or "", (password, token)
        ) from None
    except requests.RequestException as error:
        raise as_store_error(error, url) from None
    except ExpatError:
        raise _cut_off(url) from None
    plain = is_loopback(settings.login_url) and is_loopback(f"http://{host}")
    return Tokens(access, None, None, f"{'http' if plain else 'https'}://{host}")


def _broken(status: int, url: str) -> StoreError:
    host = urlsplit(url).netloc
    if status >= 500:
        return Unreachable(f"the login at {host} answers {status}: try again later")
    return StoreError(f"{host} does not answer as Salesforce's login does: check `login_url`")


def _cut_off(url: str) -> Unreachable:
    return Unreachable(f"the answer of the login at {urlsplit(url).netloc} broke off")


def _https(url: str) -> str:
    """The address as simple-salesforce has it; the session knows loopback's own."""
    return f"https://{url.partition('://')[2]}"


def _refused(code: str, words: str, secret: Iterable[str]) -> Unauthorized:
    """A refused login in Salesforce's words and ours, without what was sent."""
    for text in sorted(filter(None, secret), key=len, reverse=True):
        words = words.replace(text, "…")
    lower = words.lower()
    advice = next(a for c, word, a in _ADVICE if c in ("", code) and word in lower)
    said = f"{code}: {words}" if words else code
    return Unauthorized(f"Salesforce refuses the login ({said}): {advice}")
