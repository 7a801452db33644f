"""What the first Bulk API reads and writes: XML or JSON about jobs, JSON or CSV of records."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.soap_xml import Fault, root_of
from engine.sandbox.salesforce.wire import body_of

__all__ = ["asked", "formed", "refusal", "results_as_csv_rows", "results_as_json", "wants_json"]

_SPACE = "http://www.force.com/2009/06/asyncapi/dataload"


def wants_json(request: Request) -> bool:
    """Whether a request is answered in JSON instead of XML."""
    return "json" in request.headers.get("content-type", "")


async def asked(request: Request) -> dict[str, Any]:
    """What a request says of a job: its body's keys. Raises `ApiError`."""
    raw = await body_of(request)
    try:
        if wants_json(request):
            return msgspec.json.decode(raw, type=dict)
        return {str(child.tag).rpartition("}")[2]: child.text for child in root_of(raw)}
    except (msgspec.DecodeError, msgspec.ValidationError, Fault):
        raise ApiError(400, "InvalidJob", "The request cannot be read") from None


def formed(request: Request, name: str, content: Any, status: int = 200) -> Response:
    """An answer about a job or a batch: `name` is the element that XML has around it."""
    if wants_json(request):
        return Response(msgspec.json.encode(content), status, media_type="application/json")
    head = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{_SPACE}">'
    text = f"{head}{_inner(content)}</{name}>"
    return Response(text.encode(), status, media_type="application/xml")


def _inner(content: Any) -> str:
    if isinstance(content, dict):
        parts = ((key, each) for key, value in content.items() for each in _several(value))
        return "".join(f"<{key}>{_inner(each)}</{key}>" for key, each in parts)
    return escape(str(content).lower() if isinstance(content, bool) else str(content))


def _several(value: Any) -> list[Any]:
    """A value as often as it stands in XML: a list's one by one, none not at all."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def refusal(request: Request, error: ApiError) -> Response:
    """A refusal in the words that this API has of its own."""
    code, status = error.code, error.status
    if code == "INVALID_SESSION_ID":
        code, status = "InvalidSessionId", 400
    content = {"exceptionCode": code, "exceptionMessage": error.message}
    return formed(request, "error", content, status)


def results_as_json(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Verdicts as JSON batches tell them."""
    found = []
    for each in results:
        errors = [
            {
                "message": error["message"],
                "fields": error["fields"],
                "code": None,
                "statusCode": error["statusCode"],
                "extendedErrorDetails": None,
            }
            for error in each["errors"]
        ]
        done = each["success"]
        made = {"success": done, "created": each.get("created", False), "id": each.get("id")}
        found.append({**made, "errors": errors})
    return found


def results_as_csv_rows(results: list[dict[str, Any]]) -> list[list[str]]:
    """Verdicts as CSV batches tell them, with their header."""
    rows = [["Id", "Success", "Created", "Error"]]
    for each in results:
        error = "".join(
            f"{e['statusCode']}:{e['message']}:{','.join(e['fields'])} --" for e in each["errors"]
        )
        words = [str(each["success"]).lower(), str(each.get("created", False)).lower()]
        rows.append([each.get("id") or "", *words, error])
    return rows
