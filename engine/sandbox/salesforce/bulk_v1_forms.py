"""What the first Bulk API reads and writes: XML or JSON about jobs; XML, JSON or CSV of records."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from engine.sandbox.salesforce.bulk_csv import BadData, shown
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.soap_xml import Fault, parts_of, root_of
from engine.sandbox.salesforce.wire import body_of

__all__ = [
    "asked",
    "chunk_size",
    "formed",
    "record_key",
    "records_as_xml",
    "records_in_xml",
    "refusal",
    "results_as_csv_rows",
    "results_as_json",
    "results_as_xml",
    "wants_json",
]

_SPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
#: Records of one chunk, unless the header says how many, and at most.
_CHUNK, _LARGEST_CHUNK = 100_000, 250_000


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


# -- records in XML -----------------------------------------------------------------------------


def records_in_xml(raw: bytes) -> list[dict[str, Any]]:
    """The records of `<sObjects><sObject>…`. Raises `BadData`."""
    try:
        root = root_of(raw)
    except Fault as error:
        raise BadData(f"InvalidBatch : Failed to parse XML: {error.message}") from None
    return [_record_in(element) for name, element in parts_of(root) if name == "sObject"]


def _record_in(element: Any) -> dict[str, Any]:
    """A record's fields; an empty one is not given, one that is nil is to be emptied."""
    found: dict[str, Any] = {}
    for name, each in parts_of(element):
        if name in ("type", "attributes"):
            continue
        if each.get(f"{{{_XSI}}}nil") in ("true", "1"):
            found[name] = None
        elif len(each):
            inner = _record_in(each)
            found[name] = inner.get("sObject", inner)  # a record that a key names may stand in one
        elif each.text:
            found[name] = each.text
    return found


def results_as_xml(results: list[dict[str, Any]]) -> bytes:
    """Verdicts as XML batches tell them."""
    rows = []
    for each in results:
        errors = [
            {"fields": e["fields"], "message": e["message"], "statusCode": e["statusCode"]}
            for e in each["errors"]
        ]
        done, made = each["success"], each.get("created", False)
        rows.append({"errors": errors, "id": each.get("id"), "success": done, "created": made})
    return _document("results", _inner({"result": rows}))


def records_as_xml(records: list[dict[str, Any]]) -> bytes:
    """What a query found."""
    return _document("queryResult", "".join(_record_out("records", each) for each in records))


def _document(name: str, inner: str) -> bytes:
    head = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{_SPACE}" xmlns:xsi="{_XSI}">'
    return f"{head}{inner}</{name}>".encode()


def _record_out(name: str, record: dict[str, Any]) -> str:
    head = record.get("attributes") or {}
    inner = f"<type>{escape(str(head.get('type', '')))}</type>"
    for key, value in record.items():
        if key == "attributes":
            continue
        if isinstance(value, dict) and "attributes" in value:
            inner += _record_out(key, value)
        elif isinstance(value, dict):
            inner += f"<{key}>{_inner(value)}</{key}>"
        elif value is None:
            inner += f'<{key} xsi:nil="true"/>'
        else:
            inner += f"<{key}>{escape(shown(value))}</{key}>"
    return f'<{name} xsi:type="sObject">{inner}</{name}>'


# -- chunks -------------------------------------------------------------------------------------


def chunk_size(header: str | None) -> int | None:
    """How many records a chunk has, by `Sforce-Enable-PKChunking`; None if there are no chunks.

    Raises `ApiError`.
    """
    text = (header or "").strip().lower()
    if text in ("", "false"):
        return None
    options = dict(part.strip().partition("=")[::2] for part in text.split(";"))
    size = options.get("chunksize", str(_CHUNK)).strip()
    if not size.isdecimal() or not 1 <= int(size) <= _LARGEST_CHUNK:
        message = f"chunkSize is a number from 1 to {_LARGEST_CHUNK}: {size}"
        raise ApiError(400, "InvalidJob", message)
    return int(size)


def record_key(record: dict[str, Any]) -> str:
    """The id of a record that a query found, selected or not."""
    head: dict[str, Any] = record.get("attributes") or {}
    return str(head.get("url", "")).rpartition("/")[2]
