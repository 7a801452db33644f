"""The server's own description as OpenAPI 3.1, from the describes that its routes come from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dsl.schema import Field, Kind
from engine.sandbox.outreach.actions import ACTIONS
from engine.sandbox.outreach.errors import MEDIA_TYPE
from engine.sandbox.outreach.imports import DUPE_METHODS
from engine.sandbox.outreach.resources import MOST, PAGE, Resource, resources
from engine.sandbox.outreach.webhooks import EXTRA, WATCHED

__all__ = ["openapi"]

_Schema = dict[str, Any]
_ID: _Schema = {"type": "integer", "minimum": 1, "maximum": (1 << 63) - 1}
_TYPES: Mapping[Kind, _Schema] = {
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
    Kind.LIST: {"type": "array"},
    Kind.NUMBER: {"type": "number"},
    Kind.OBJECT: {"type": ["object", "array"]},
}


@cache
def openapi() -> dict[str, Any]:
    """The description; paths are relative to the API's address."""
    paths: dict[str, Any] = {
        "/types": {"get": _operation("types", [], _ok({"$ref": "#/components/schemas/types"}))},
    }
    schemas: dict[str, Any] = dict(_COMMON)
    for resource in resources().values():
        paths |= _paths_of(resource)
        schemas |= _schemas_of(resource)
    paths |= _own_paths()
    schemas |= _own_schemas()
    return {
        "openapi": "3.1.0",
        "info": {"title": "Outreach sandbox", "version": "2"},
        "servers": [{"url": "/api/v2"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


# -- operations ---------------------------------------------------------------------------------


def _operation(
    name: str, parameters: list[_Schema], answers: Mapping[str, Any], body: _Schema | None = None
) -> dict[str, Any]:
    errors = {"description": "A refusal", "content": _content(_ref("errors"))}
    found: dict[str, Any] = {
        "operationId": name,
        "parameters": parameters,
        "responses": {**answers, "default": errors},
    }
    if body is not None:
        found["requestBody"] = {"required": True, "content": _content(body)}
    return found


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(schema: _Schema) -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": schema}}


def _ok(schema: _Schema, status: str = "200") -> dict[str, Any]:
    return {status: {"description": "Done", "content": _content(schema)}}


_GONE = {"204": {"description": "Deleted"}}


def _query(name: str, schema: _Schema) -> _Schema:
    return {"name": name, "in": "query", "schema": schema}


_RECORD = {"name": "id", "in": "path", "required": True, "schema": _ID}


def _paths_of(resource: Resource) -> dict[str, Any]:
    name, fields = resource.type, _fields_parameter(resource)
    one = _one(_ref(name))
    listed = {"get": _operation(f"{name}.list", _list_parameters(resource), _ok(_many(name)))}
    single = {"get": _operation(f"{name}.get", [_RECORD, fields], _ok(one))}
    if resource.writable:
        new, old = _one(_ref(f"{name}.new")), _one(_ref(f"{name}.change"))
        listed["post"] = _operation(f"{name}.create", [fields], _ok(one, "201"), new)
        single["patch"] = _operation(f"{name}.update", [_RECORD, fields], _ok(one), old)
        single["delete"] = _operation(f"{name}.delete", [_RECORD], _GONE)
    path = f"/{resource.plural}"
    found: dict[str, Any] = {path: listed, f"{path}/{{id}}": single}
    for (type_name, action), known in ACTIONS.items():
        if type_name == name:
            words = [_word(w, at < known.needed) for at, w in enumerate(known.parameters)]
            operation = _operation(f"{name}.{action}", [_RECORD, *words], _ok(one))
            found[f"{path}/{{id}}/actions/{action}"] = {"post": operation}
    return found


def _word(name: str, needed: bool) -> _Schema:
    found = _query(f"actionParams[{name}]", {"type": "string", "minLength": int(needed)})
    return found | {"required": needed}


def _fields_parameter(resource: Resource) -> _Schema:
    names = sorted((*resource.attributes, *resource.relationships))
    listed = {"type": "array", "items": {"enum": names}}
    return _query(f"fields[{resource.type}]", listed) | {"style": "form", "explode": False}


def _list_parameters(resource: Resource) -> list[_Schema]:
    sorts = [n for n, f in resource.object.fields.items() if f.sortable]
    terms = [*sorts, *(f"-{name}" for name in sorts)]
    sort = {"type": "array", "items": {"enum": terms}}
    size = {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE}
    found = [
        _query("page[size]", size),
        _query("count", {"type": "boolean"}),
        _query("newFilterSyntax", {"type": "boolean"}),
        _query("sort", sort) | {"style": "form", "explode": False},
        _fields_parameter(resource),
    ]
    for name, field in resource.object.fields.items():
        if field.vendor_type == "relationship":
            if field.kind is Kind.REFERENCE and not field.linked:
                found.append(_query(f"filter[{name}][id]", {"type": "string"}))
        elif field.filterable:
            found.append(_query(f"filter[{name}]", {"type": "string"}))
    return found


# -- schemas ------------------------------------------------------------------------------------


def _object(properties: Mapping[str, Any], *required: str, more: bool = False) -> _Schema:
    found: _Schema = {"type": "object", "properties": dict(properties)}
    if required:
        found["required"] = list(required)
    return found if more else found | {"additionalProperties": False}


def _one(schema: _Schema) -> _Schema:
    return _object({"data": schema}, "data", more=True)


def _many(name: str) -> _Schema:
    parts = {
        "data": {"type": "array", "items": _ref(name)},
        "included": {"type": "array", "items": {"type": "object"}},
        "links": _ref("links"),
        "meta": _ref("meta"),
    }
    return _object(parts, "data", "links", "meta")


def _schemas_of(resource: Resource) -> dict[str, Any]:
    name, related = resource.type, resource.relationships
    # A record that was loaded may have attributes that no published schema tells of.
    attributes = {n: _nullable(_told(f)) for n, f in resource.attributes.items()}
    shown = _object(
        {
            "type": {"const": name},
            "id": _ID,
            "attributes": _object(attributes, more=True),
            "relationships": _object({n: _ref("relationship") for n in related}, more=True),
            "links": _object({"self": {"type": "string"}}, "self"),
        },
        *("type", "id", "attributes", "relationships", "links"),
    )
    if not resource.writable:
        return {name: shown}
    new, old = _written(resource, new=True), _written(resource, new=False)
    return {name: shown, f"{name}.new": new, f"{name}.change": old}


def _told(field: Field) -> _Schema:
    return dict(_TYPES.get(field.kind, {"type": "string"}))


def _nullable(schema: _Schema) -> _Schema:
    kind = schema["type"]
    return schema | {"type": [*([kind] if isinstance(kind, str) else kind), "null"]}


def _written(resource: Resource, *, new: bool) -> _Schema:
    writable = {n: f for n, f in resource.attributes.items() if f.createable}
    related = {n: f for n, f in resource.singles.items() if f.createable}
    needed = [n for n, f in writable.items() if f.required and new]
    needed_others = [n for n, f in related.items() if f.required and new]
    attributes = {n: _taken(f) for n, f in writable.items()}
    parts: dict[str, Any] = {"type": {"const": resource.type}}
    required = ["type"]
    if not new:
        parts["id"] = _ID
        required.append("id")
    parts["attributes"] = _object(attributes, *needed)
    parts["relationships"] = _object(
        {n: _identifier(f) for n, f in related.items()}, *needed_others
    )
    required += ["attributes"] if needed else []
    required += ["relationships"] if needed_others else []
    return _object(parts, *required)


def _taken(field: Field) -> _Schema:
    schema = _told(field)
    if field.kind is Kind.TEXT and field.length:
        schema["maxLength"] = field.length
    if field.kind is Kind.NUMBER:
        whole = field.vendor_type == "integer"
        bound = (1 << 53) - 1
        schema |= {"type": "integer" if whole else "number", "minimum": -bound, "maximum": bound}
    if field.is_email and field.kind is Kind.TEXT:
        schema["format"] = "email"
    if field.kind is Kind.LIST:
        schema["items"] = {"type": "string"} | ({"format": "email"} if field.is_email else {})
    if field.required and field.kind is Kind.TEXT:
        schema["minLength"] = 1
    return schema if field.required else _nullable(schema)


def _identifier(field: Field) -> _Schema:
    parts = {"type": {"enum": list(field.references)}, "id": _ID}
    data = _object(parts, "type", "id", more=True)
    wanted = data if field.required else {"oneOf": [data, {"type": "null"}]}
    return _object({"data": wanted}, "data", more=True)


_ERROR = _object(
    {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "details": {"type": "string"},
        "source": {"type": "object"},
    },
    *("id", "title", "detail"),
)
_COMMON: Mapping[str, Any] = {
    "errors": _object({"errors": {"type": "array", "minItems": 1, "items": _ERROR}}, "errors"),
    "links": _object({n: {"type": "string"} for n in ("first", "last", "next", "prev")}, "first"),
    "meta": _object(
        {"count": {"type": "integer"}, "count_truncated": {"type": "boolean"}},
        *("count", "count_truncated"),
    ),
    "relationship": _object(
        {
            "data": {"type": ["object", "array", "null"]},
            "links": _object({"related": {"type": "string"}}, more=True),
            "meta": _object({"count": {"type": "integer"}}, more=True),
        }
    ),
    "types": _object({"data": {"type": "array", "items": {"type": "object"}}}, "data"),
}


# -- the server's own ---------------------------------------------------------------------------


def _own_paths() -> dict[str, Any]:
    hook, one = _one(_ref("webhook")), _one(_ref("import"))
    size = _query("page[size]", {"type": "integer", "minimum": 1, "maximum": 1000})
    upsert = _operation("import.bulkUpsert", [], _ok(one), _one(_ref("import.new")))
    create = _operation("webhook.create", [], _ok(hook, "201"), _one(_ref("webhook.new")))
    update = _operation("webhook.update", [_RECORD], _ok(hook), _one(_ref("webhook.change")))
    return {
        "/webhooks": {
            "get": _operation("webhook.list", [size], _ok(_many("webhook"))),
            "post": create,
        },
        "/webhooks/{id}": {
            "get": _operation("webhook.get", [_RECORD], _ok(hook)),
            "patch": update,
            "delete": _operation("webhook.delete", [_RECORD], _GONE),
        },
        "/imports": {"get": _operation("import.list", [size], _ok(_many("import")))},
        "/imports/{id}": {"get": _operation("import.get", [_RECORD], _ok(one))},
        "/imports/actions/bulkUpsert": {"post": upsert},
    }


def _own_schemas() -> dict[str, Any]:
    actions = sorted(
        {"*", "created", "updated", "destroyed", *(a for e in EXTRA.values() for a in e)}
    )
    parts: dict[str, Any] = {
        "action": {"enum": actions},
        "active": {"type": "boolean"},
        "payloadVersion": {"enum": [1, 2]},
        "resource": {"enum": ["*", "import", *WATCHED]},
        "secret": {"type": ["string", "null"], "minLength": 1, "maxLength": 255},
        "url": {"type": "string", "pattern": r"^http://127\.0\.0\.1:[1-9][0-9]{3}/[a-z]{0,9}$"},
    }
    shown = _object(
        {
            "type": {"type": "string"},
            "id": _ID,
            "attributes": {"type": "object"},
            "relationships": {"type": "object"},
            "links": {"type": "object"},
        },
        *("type", "id", "attributes"),
    )
    change = _object(
        {"type": {"const": "webhook"}, "id": _ID, "attributes": _object(parts)}, "type", "id"
    )
    record = {"type": "object"}
    upsert = {
        "dupeMethod": {"enum": list(DUPE_METHODS)},
        "fileName": {"type": ["string", "null"]},
        "records": {"type": "array", "minItems": 1, "maxItems": 10_000, "items": record},
    }
    return {
        "import": shown,
        "import.new": _object({"attributes": _object(upsert, "records")}, "attributes", more=True),
        "webhook": shown,
        "webhook.change": change,
        "webhook.new": _object(
            {"type": {"const": "webhook"}, "attributes": _object(parts, "url")},
            *("type", "attributes"),
        ),
    }
