"""Lets requests in: with a session, to an org that has API access, while there are calls left."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.sandbox.salesforce.box import Box
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.wire import answer
from engine.stores.local.calls import count_calls, usage

__all__ = ["Metered", "checked_session", "counted", "limit_info"]

_FOR_REST = {"api", "full", "web"}
_LONGEST = 16_384  # bytes of an address with its query


class Metered:
    """Around all that counts as an API call; `scope["app"]` is the server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        box: Box = scope["app"].state.box

        async def metered(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Sforce-Limit-Info"] = limit_info(box)
            await send(message)

        try:
            _see_length(scope)
            checked_session(box, _token(Headers(scope=scope)))
            counted(box)
        except ApiError as error:
            refusal = answer(error.body(), error.status)
            await refusal(scope, receive, metered)
            return
        await self._app(scope, receive, metered)


def _see_length(scope: Scope) -> None:
    length = len(scope["raw_path"]) + len(scope["query_string"])
    if length > _LONGEST:
        raise ApiError(414, "URI_TOO_LONG", f"The URI is too long: {length} bytes")


def _token(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else ""


def checked_session(box: Box, token: str) -> None:
    """See that a session may use the API. Raises `ApiError`."""
    session = box.sessions.find(token)
    if session is None:
        raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
    if box.setup.scopes is not None and _FOR_REST.isdisjoint(session.scope.split()):
        message = "This session is not valid for use with the REST API"
        raise ApiError(401, "INVALID_SESSION_ID", message)
    if not box.setup.api:
        message = "The REST API is not enabled for this Organization."
        raise ApiError(403, "API_DISABLED_FOR_ORG", message)


def counted(box: Box) -> None:
    """Count a call, if there is one left. Raises `ApiError`."""
    if usage(box.file).used >= box.daily_limit:
        raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    count_calls(box.file, 1)
    box.file.refresh()


def limit_info(box: Box) -> str:
    """The header that says how many calls of how many are used."""
    return f"api-usage={usage(box.file).used}/{box.daily_limit}"
