"""Up to 200 records in one call: created, updated, upserted, deleted or read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dsl.schema import ObjectType
from engine.sandbox.salesforce.box import Box, box_of, version_of
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.keys import key_field
from engine.sandbox.salesforce.records import fields_asked, saves_duplicates
from engine.sandbox.salesforce.rows import rows_of
from engine.sandbox.salesforce.upserting import upserted
from engine.sandbox.salesforce.values import checked_record_id, values_of
from engine.sandbox.salesforce.wire import answer, object_of
from engine.sandbox.salesforce.writes import Verdict, Wanted, carry_out
from engine.stores.local.ids import checked_id, type_of

__all__ = ["routes"]

_MOST, _MOST_READ, _MOST_CHUNKS = 200, 2000, 10
_Payload = dict[str, Any]
_Given = TypeVar("_Given")


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    many, one = "/composite/sobjects", "/composite/sobjects/{type}"
    return [
        Route(many, _create, methods=["POST"]),
        Route(many, _update, methods=["PATCH"]),
        Route(many, _delete, methods=["DELETE"]),
        Route(one, _read, methods=["GET"]),
        Route(one, _read_listed, methods=["POST"]),
        Route("/composite/sobjects/{type}/{key}", _upsert, methods=["PATCH"]),
    ]


# -- writing ------------------------------------------------------------------------------------


async def _create(request: Request) -> Response:
    box = box_of(request)

    def wanted(payload: _Payload) -> Wanted:
        type_ = _type_of(box, payload)
        return Wanted(type_.name, None, values_of(box, type_, payload, creating=True))

    body, records = await _records(request)
    return _done(request, body, _each(records, wanted))


async def _update(request: Request) -> Response:
    box = box_of(request)

    def wanted(payload: _Payload) -> Wanted:
        type_ = _type_of(box, payload)
        record, rest = _without_id(payload)
        if record is None:
            raise ApiError(400, "MISSING_ARGUMENT", "Id not specified in an update call")
        full = checked_record_id(type_.name, record)
        return Wanted(type_.name, full, values_of(box, type_, rest, creating=False))

    body, records = await _records(request)
    return _done(request, body, _each(records, wanted))


async def _upsert(request: Request) -> Response:
    box = box_of(request)
    type_ = box.visible.type(request.path_params["type"])
    key = key_field(box, type_, request.path_params["key"])
    body, records = await _records(request)
    given = [_value(record, key.name) for record in records]
    counts = Counter(str(v).strip().casefold() for v in given if v is not None)

    def wanted(payload: _Payload) -> Wanted:
        value = _value(payload, key.name)
        if value == "" or (value is None and key.name != "Id"):
            raise ApiError(400, "MISSING_ARGUMENT", f"{key.name} not specified")
        if value is not None and counts[str(value).strip().casefold()] > 1:
            message = f"Duplicate external id specified: {value}"
            raise ApiError(400, "DUPLICATE_VALUE", message, (key.name,))
        return upserted(box, type_, key, value, payload)

    return _done(request, body, _each(records, wanted), upserted=True)


async def _delete(request: Request) -> Response:
    def wanted(record: str) -> Wanted:
        full = checked_id(record)
        type_name = None if full is None else type_of(full)
        if full is None or type_name is None:
            raise ApiError(400, "MALFORMED_ID", f"malformed id {record}")
        return Wanted(type_name, full, {}, delete=True)

    given = request.query_params.get("ids", "")
    ids = [each.strip() for each in given.split(",") if each.strip()]
    _see_count(len(ids), _MOST)
    body = {"allOrNone": request.query_params.get("allOrNone", "").lower() == "true"}
    return _done(request, body, _each(ids, wanted))


async def _records(request: Request) -> tuple[_Payload, list[_Payload]]:
    body = await object_of(request)
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        message = "The request needs `records`, a list of objects at [line:1, column:1]"
        raise ApiError(400, "JSON_PARSER_ERROR", message)
    _see_count(len(records), _MOST)
    return body, records


def _see_count(count: int, most: int) -> None:
    if count > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", message)
    if count == 0:
        raise ApiError(400, "INVALID_INPUT", "There are no records in the request")


def _type_of(box: Box, payload: _Payload) -> ObjectType:
    head = payload.get("attributes")
    name = head.get("type") if isinstance(head, dict) else None
    if name is None:
        raise ApiError(400, "INVALID_TYPE", "Must send a concrete entity type.")
    type_ = box.visible.find(str(name))
    if type_ is None:
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return type_


def _without_id(payload: _Payload) -> tuple[Any, _Payload]:
    rest = {k: v for k, v in payload.items() if k.casefold() != "id"}
    return _value(payload, "Id"), rest


def _value(payload: _Payload, name: str) -> Any:
    folded = name.casefold()
    return next((v for k, v in payload.items() if k.casefold() == folded), None)


def _each(given: Sequence[_Given], wanted: Callable[[_Given], Wanted]) -> list[Wanted | Verdict]:
    """What each record asks for, or why it is refused; JSON that cannot be read refuses all."""
    found: list[Wanted | Verdict] = []
    for each in given:
        try:
            found.append(wanted(each))
        except ApiError as error:
            if error.code == "JSON_PARSER_ERROR":
                raise
            found.append(Verdict.of(error))
    return found


def _done(
    request: Request, body: _Payload, wanted: Sequence[Wanted | Verdict], upserted: bool = False
) -> Response:
    chunks = [t for t, _ in groupby(w.type for w in wanted if isinstance(w, Wanted))]
    if len(chunks) > _MOST_CHUNKS:
        message = f"Cannot have more than {_MOST_CHUNKS} chunks in a single operation."
        message += " Please rearrange the data to reduce chunking."
        raise ApiError(400, "LIMIT_EXCEEDED", message)
    # A composite request that is all or none overrides what its collections say.
    all_or_none = body.get("allOrNone") is True or bool(request.scope.get("all_or_none"))
    verdicts = carry_out(box_of(request), wanted, all_or_none, saves_duplicates(request))
    return answer([verdict.as_json(upserted) for verdict in verdicts])


# -- reading ------------------------------------------------------------------------------------


async def _read(request: Request) -> Response:
    asked = request.query_params
    return _found(request, asked.get("ids", "").split(","), asked.get("fields", ""))


async def _read_listed(request: Request) -> Response:
    body = await object_of(request)
    ids, fields = body.get("ids"), body.get("fields")
    if not isinstance(ids, list) or not isinstance(fields, list):
        message = "The request needs `ids` and `fields`, two lists at [line:1, column:1]"
        raise ApiError(400, "JSON_PARSER_ERROR", message)
    return _found(request, [str(each) for each in ids], ",".join(map(str, fields)))


def _found(request: Request, ids: Sequence[str], fields: str) -> Response:
    box = box_of(request)
    type_ = box.visible.type(request.path_params["type"])
    if not fields:
        raise ApiError(400, "MISSING_ARGUMENT", "The fields parameter is required")
    _see_count(len(ids), _MOST_READ)
    asked = fields_asked(box, type_, fields)
    wanted = [checked_record_id(type_.name, each.strip()) for each in ids]
    rows = rows_of(box, type_, wanted, asked, version_of(request))
    return answer([rows.get(each) for each in wanted])
