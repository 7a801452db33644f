"""The SOAP API: logging in with a password, and the calls that clients still make by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.ports import StoreError
from engine.sandbox.salesforce import metadata, soap_records
from engine.sandbox.salesforce.box import ORG_ID, Box, box_of
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.meter import checked_session, counted
from engine.sandbox.salesforce.oauth import base_url, user_is
from engine.sandbox.salesforce.soap_xml import Call, Fault, call_of, envelope, fault, xml
from engine.sandbox.salesforce.tabs import app_tabs
from engine.sandbox.salesforce.wire import body_of
from engine.stores.local.calls import usage
from engine.stores.local.refusals import Refused

__all__ = ["routes"]

_NAMESPACES = {"u": "partner", "c": "enterprise", "m": "metadata"}
_WRONG = "Invalid username, password, security token; or user locked out."


def routes() -> list[Route]:
    """The endpoints of all flavours, with an org's id behind them or not."""
    paths = ("/services/Soap/{kind}/{version}", "/services/Soap/{kind}/{version}/{org}")
    return [Route(path, _answer, methods=["POST"]) for path in paths]


async def _answer(request: Request) -> Response:
    namespace = _NAMESPACES.get(request.path_params["kind"])
    if namespace is None:
        return Response(fault(Fault("UNSUPPORTED_API", "no such endpoint"), "partner"), 500)
    try:
        call = call_of(await body_of(request))
        body, header = _called(request, call)
    except (Fault, ApiError, Refused, StoreError) as error:
        return _xml(fault(_as_fault(error), namespace), 500)
    return _xml(envelope(body, namespace, header))


def _xml(content: bytes, status: int = 200) -> Response:
    return Response(content, status, media_type="text/xml; charset=utf-8")


def _as_fault(error: Exception) -> Fault:
    match error:
        case Fault():
            return error
        case ApiError() if error.code in ("MALFORMED_QUERY", "INVALID_FIELD", "INVALID_TYPE"):
            kinds = {"MALFORMED_QUERY": "MalformedQueryFault", "INVALID_FIELD": "InvalidFieldFault"}
            return Fault(error.code, error.message, kinds.get(error.code, "InvalidSObjectFault"))
        case ApiError(code="INVALID_SESSION_ID"):
            message = "Invalid Session ID found in SessionHeader: Illegal Session"
            return Fault(error.code, message, "UnexpectedErrorFault")
        case ApiError() | Refused():
            return Fault(error.code, error.message)
    return Fault("UNKNOWN_EXCEPTION", str(error), "UnexpectedErrorFault")


def _called(request: Request, call: Call) -> tuple[str, str]:
    """The answer's body and its header."""
    box = box_of(request)
    if call.name == "login":
        return f"<loginResponse>{_login(request, box, call)}</loginResponse>", ""
    session = call.header.get("SessionHeader")
    token = session.get("sessionId", "") if isinstance(session, dict) else ""
    checked_session(box, str(token).strip())
    if call.name == "logout":
        box.sessions.end(token)
        return "<logoutResponse/>", ""
    work = (metadata.WORK if request.path_params["kind"] == "m" else _WORK).get(call.name)
    if work is None:
        raise Fault("soapenv:Client", f"Operation '{call.name}' is not offered")
    counted(box)
    result = work(request, box, call)
    limit = {"current": usage(box.file).used, "limit": box.daily_limit, "type": "API REQUESTS"}
    header = xml("LimitInfoHeader", {"limitInfo": limit})
    return f"<{call.name}Response>{result}</{call.name}Response>", header


# -- the session --------------------------------------------------------------------------------


def _login(request: Request, box: Box, call: Call) -> str:
    given = call.arguments()
    if not user_is(box, str(given.get("username")), str(given.get("password"))):
        raise Fault("INVALID_LOGIN", _WRONG, "LoginFault")
    if not box.setup.api:
        message = "API is not enabled for this Organization or Partner"
        raise Fault("API_DISABLED_FOR_ORG", message, "LoginFault")
    session = box.sessions.start("api id")
    kind, version = request.path_params["kind"], request.path_params["version"]
    soap = f"{base_url(request)}/services/Soap"
    result = {
        "metadataServerUrl": f"{soap}/m/{version}/{ORG_ID}",
        "passwordExpired": False,
        "sandbox": True,
        "serverUrl": f"{soap}/{kind}/{version}/{ORG_ID}",
        "sessionId": session.token,
        "userId": box.user_id(),
        "userInfo": _info(box),
    }
    return xml("result", result)


def _info(box: Box) -> dict[str, Any]:
    row = box.org.get("User", box.user_id()) or {}
    return {
        "accessibilityMode": False,
        "chatterExternal": False,
        "currencySymbol": "$",
        "orgDefaultCurrencyIsoCode": "USD",
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": False,
        "organizationId": ORG_ID,
        "organizationMultiCurrency": False,
        "organizationName": "Sandbox",
        "profileId": row.get("ProfileId"),
        "roleId": row.get("UserRoleId"),
        "sessionSecondsValid": int(box.setup.session.total_seconds()),
        "userDefaultCurrencyIsoCode": None,
        "userEmail": row.get("Email") or box.identity.username,
        "userFullName": row.get("Name") or "Sandbox Administrator",
        "userId": box.user_id(),
        "userLanguage": "en_US",
        "userLocale": "en_US",
        "userName": box.identity.username,
        "userTimeZone": "GMT",
        "userType": "Standard",
        "userUiSkin": "Theme3",
    }


def _user_info(_request: Request, box: Box, _call: Call) -> str:
    return xml("result", _info(box))


def _timestamp(_request: Request, box: Box, _call: Call) -> str:
    return xml("result", {"timestamp": box.file.now()})


def _tabs(request: Request, box: Box, _call: Call) -> str:
    return xml("result", app_tabs(box, base_url(request), request.path_params["version"]))


_Work = Callable[[Request, Box, Call], str]
_WORK: Mapping[str, _Work] = {
    "describeTabs": _tabs,
    "getUserInfo": _user_info,
    "getServerTimestamp": _timestamp,
    **soap_records.WORK,
}
