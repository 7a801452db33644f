"""Bodies that come in and go out: JSON, compressed or not."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from engine.sandbox.salesforce.errors import ApiError

__all__ = ["answer", "body_of", "csv_answer", "json_of", "object_of"]

_MOST = 150_000_000  # bytes; Bulk API 2.0's bound, which is the largest of all
_JSON = "application/json;charset=UTF-8"


def answer(
    content: Any = None, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer; one without content where there is none."""
    if content is None:
        return Response(None, status, headers)
    return Response(msgspec.json.encode(content), status, headers, _JSON)


def csv_answer(text: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in CSV, of which the vendor does not say the encoding, as clients rely on."""
    return Response(text.encode(), 200, {**(headers or {}), "Content-Type": "text/csv"})


async def body_of(request: Request) -> bytes:
    """The body as it was before it was compressed. Raises `ApiError`."""
    raw = await request.body()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return raw
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise _unsupported(f"Content-Encoding {encoding} is not supported")
    unpacked = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: zlib's and gzip's headers alike
    try:
        body = unpacked.decompress(raw, _MOST)
    except zlib.error:
        raise ApiError(400, "INVALID_REQUEST", "The body is not compressed as it says") from None
    if unpacked.unconsumed_tail:
        raise ApiError(413, "REQUEST_ENTITY_TOO_LARGE", "The request's body is too large")
    return body


def _unsupported(message: str) -> ApiError:
    return ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message)


async def json_of(request: Request) -> Any:
    """The body's JSON. Raises `ApiError`."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise _unsupported(
            f"Content-Type header specified in HTTP request is not supported: {kind}"
        )
    try:
        return msgspec.json.decode(await body_of(request))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"{error} at [line:1, column:1]") from None


async def object_of(request: Request) -> dict[str, Any]:
    """The body's JSON object. Raises `ApiError`."""
    found = await json_of(request)
    if not isinstance(found, dict):
        raise ApiError(
            400,
            "JSON_PARSER_ERROR",
            "The HTTP entity body is required to be a JSON object at [line:1, column:1]",
        )
    return found
