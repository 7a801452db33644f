"""One record at its address: read, created, updated, deleted, or named by an external id."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dsl.schema import Field, ObjectType
from engine.sandbox.salesforce.box import Box, box_of, version_of
from engine.sandbox.salesforce.conditional import conditional, see_unmodified
from engine.sandbox.salesforce.describes import children_by_word
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.keys import found_by, key_field
from engine.sandbox.salesforce.queries import first_page
from engine.sandbox.salesforce.rows import row_of
from engine.sandbox.salesforce.values import checked_record_id, values_of
from engine.sandbox.salesforce.wire import answer, object_of
from engine.sandbox.salesforce.writes import Verdict, Wanted, carry_out
from engine.sandbox.soql.virtual import virtual_type
from engine.stores.local.ids import checked_id, type_of

__all__ = ["fields_asked", "routes", "saves_duplicates"]

#: From this version on an upsert that updates answers with a body.
_UPSERT_TELLS = 46.0


def routes() -> list[Route]:
    """The addresses of records, relative to the version."""
    return [
        Route("/sobjects/{type}", _create, methods=["POST"]),
        Route("/sobjects/{type}/{id}", _get, methods=["GET"]),
        Route("/sobjects/{type}/{id}", _patch, methods=["PATCH"]),
        Route("/sobjects/{type}/{id}", _delete, methods=["DELETE"]),
        Route("/sobjects/{type}/{key}/{value:path}", _get_by_key, methods=["GET"]),
        Route("/sobjects/{type}/{key}/{value:path}", _upsert, methods=["PATCH", "POST"]),
        Route("/sobjects/{type}/{key}/{value:path}", _delete_by_key, methods=["DELETE"]),
    ]


def saves_duplicates(request: Request) -> bool:
    """Whether the caller wants duplicates saved where a rule lets that."""
    given = request.headers.get("sforce-duplicate-rule-header", "")
    return "allowsave=true" in given.lower().replace(" ", "")


def _type(request: Request) -> ObjectType:
    return box_of(request).visible.type(request.path_params["type"])


def _one(request: Request, wanted: Wanted) -> Verdict:
    [verdict] = carry_out(box_of(request), [wanted], save_duplicates=saves_duplicates(request))
    if not verdict.done:
        raise verdict.error()
    return verdict


# -- by id --------------------------------------------------------------------------------------


async def _create(request: Request) -> Response:
    box, type_ = box_of(request), _type(request)
    values = values_of(box, type_, await object_of(request), creating=True)
    verdict = _one(request, Wanted(type_.name, None, values))
    where = f"/services/data/v{version_of(request)}/sobjects/{type_.name}/{verdict.id}"
    return answer(verdict.as_json(), 201, {"Location": where})


async def _get(request: Request) -> Response:
    box, listed = box_of(request), virtual_type(request.path_params["type"])
    if listed is not None:
        return answer(_listed(request, listed))
    type_ = _type(request)
    record = checked_record_id(type_.name, request.path_params["id"])
    return conditional(request, type_.name, record, _read(request, box, type_, record))


def _listed(request: Request, type_: ObjectType) -> dict[str, Any]:
    """A record of a type without a table, as a query finds it."""
    record = checked_id(request.path_params["id"])
    if record is None:
        raise not_found()
    names = (request.query_params.get("fields") or ",".join(type_.fields)).split(",")
    text = f"SELECT {', '.join(names)} FROM {type_.name} WHERE Id = '{record}'"
    found: list[dict[str, Any]] = first_page(request, text)["records"]
    if not found:
        raise not_found()
    return found[0]


def _read(request: Request, box: Box, type_: ObjectType, record: str) -> dict[str, Any]:
    fields = fields_asked(box, type_, request.query_params.get("fields"))
    found = row_of(box, type_, record, fields, version_of(request))
    if found is None:
        raise not_found()
    return found


def fields_asked(box: Box, type_: ObjectType, given: str | None) -> list[Field]:
    """The fields that a caller names with commas, or all of them. Raises `ApiError`."""
    if not given:
        return list(type_.fields.values())
    names = [name.strip() for name in given.split(",")]
    return [box.visible.column(type_.name, name) for name in names if name]


async def _patch(request: Request) -> Response:
    box, type_ = box_of(request), _type(request)
    record = checked_record_id(type_.name, request.path_params["id"])
    values = values_of(box, type_, await object_of(request), creating=False)
    see_unmodified(request, type_.name, record)
    _one(request, Wanted(type_.name, record, values))
    return answer(None, 204)


async def _delete(request: Request) -> Response:
    type_ = _type(request)
    record = checked_record_id(type_.name, request.path_params["id"])
    _one(request, Wanted(type_.name, record, {}, delete=True))
    return answer(None, 204)


# -- by an external id, or through a relationship ------------------------------------------------


def _by_id(request: Request, type_: ObjectType) -> bool:
    """Whether what stands behind the type is a record's id, and not the name of a key field."""
    key = request.path_params["key"]
    known = box_of(request).visible.field(type_.name, key)
    return known is None and checked_id(key) is not None


async def _get_by_key(request: Request) -> Response:
    box, type_ = box_of(request), _type(request)
    if _by_id(request, type_):
        return _get_through(request, box, type_)
    return answer(_read(request, box, type_, _only(request, box, type_)))


def _get_through(request: Request, box: Box, type_: ObjectType) -> Response:
    path, _, last = request.path_params["value"].strip("/").rpartition("/")
    type_, record = _followed(request, type_, path)
    child = children_by_word(box, type_).get(last)
    if child is not None:
        return answer(_children(request, record, *child))
    return answer(_read(request, box, *_next(request, type_, record, last)))


def _followed(request: Request, type_: ObjectType, path: str) -> tuple[ObjectType, str]:
    """The record that relationships lead to, one word of the path at a time. Raises `ApiError`."""
    box, given = box_of(request), request.path_params["key"]
    record = checked_record_id(type_.name, given)
    if row_of(box, type_, record, [], version_of(request)) is None:
        raise not_found()
    for word in filter(None, path.split("/")):
        type_, record = _next(request, type_, record, word)
    return type_, record


def _next(request: Request, type_: ObjectType, record: str, word: str) -> tuple[ObjectType, str]:
    box, through = box_of(request), type_.by_relationship(word)
    if through is None:
        raise not_found()
    row = row_of(box, type_, record, [through], version_of(request))
    target = None if row is None else row[through.name]
    if target is None:
        raise not_found()
    return box.visible.type(type_of(target) or through.references[0]), str(target)


def _children(request: Request, record: str, child: str, by: str) -> dict[str, Any]:
    """The records that refer to one, as a query finds them."""
    box = box_of(request)
    fields = fields_asked(box, box.visible.type(child), request.query_params.get("fields"))
    names = ", ".join(field.name for field in fields)
    return first_page(request, f"SELECT {names} FROM {child} WHERE {by} = '{record}'")


def _matches(request: Request, box: Box, type_: ObjectType) -> tuple[Field, str, list[str]]:
    field = key_field(box, type_, request.path_params["key"])
    value = request.path_params["value"]
    return field, value, found_by(box, type_, field, value)


def _only(request: Request, box: Box, type_: ObjectType) -> str:
    """The one record that an external id names. Raises `ApiError`, or `Ambiguous`."""
    _, _, found = _matches(request, box, type_)
    if not found:
        raise not_found()
    if len(found) > 1:
        raise Ambiguous(type_.name, found, version_of(request))
    return found[0]


class Ambiguous(Exception):
    """Several records have the same external id; answered with their addresses."""

    def __init__(self, type_name: str, ids: list[str], version: str) -> None:
        super().__init__(type_name)
        self.urls = [f"/services/data/v{version}/sobjects/{type_name}/{i}" for i in ids]


async def _upsert(request: Request) -> Response:
    box, type_ = box_of(request), _type(request)
    payload = await object_of(request)
    if _by_id(request, type_):
        type_, record = _followed(request, type_, request.path_params["value"])
        values = values_of(box, type_, payload, creating=False)
        _one(request, Wanted(type_.name, record, values))
        return answer(None, 204)
    field, value, found = _matches(request, box, type_)
    if any(name.casefold() == field.name.casefold() for name in payload):
        message = f"The {field.name} field should not be specified in the sobject data."
        raise ApiError(400, "INVALID_FIELD", message)
    if len(found) > 1:
        raise Ambiguous(type_.name, found, version_of(request))
    values = values_of(box, type_, payload, creating=not found)
    if found:
        verdict = _one(request, Wanted(type_.name, found[0], values))
    elif field.name == "Id":
        raise not_found()
    else:
        values |= values_of(box, type_, {field.name: value}, creating=True)
        verdict = _one(request, Wanted(type_.name, None, values))
    if found and float(version_of(request)) < _UPSERT_TELLS:
        return answer(None, 204)
    return answer(verdict.as_json(upserted=True), 200 if found else 201)


async def _delete_by_key(request: Request) -> Response:
    box, type_ = box_of(request), _type(request)
    if _by_id(request, type_):
        type_, record = _followed(request, type_, request.path_params["value"])
    else:
        record = _only(request, box, type_)
    _one(request, Wanted(type_.name, record, {}, delete=True))
    return answer(None, 204)
