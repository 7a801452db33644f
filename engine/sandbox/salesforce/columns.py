"""The columns of a query (`query?q=…&columns=true`), by which the vendor's own tools lay tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dsl.schema import Kind, ObjectType
from engine.sandbox.salesforce.box import Box
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.soql.parse import parse
from engine.sandbox.soql.tree import Call, Children, Path, Plain, Query
from engine.stores.local.ids import PREFIXES

__all__ = ["columns_of"]


def columns_of(box: Box, text: str) -> dict[str, Any]:
    """What the columns of a query are called and hold. Raises `ApiError`, or `SoqlError`."""
    query = parse(text)
    type_ = box.visible.find(query.type)
    if type_ is None:
        message = f"sObject type '{query.type}' is not supported."
        raise ApiError(400, "INVALID_TYPE", message)
    columns = _columns(type_, query)
    return {
        "columnMetadata": columns,
        "entityName": type_.name,
        "groupBy": bool(query.group),
        "idSelected": any(column["columnName"] == "Id" for column in columns),
        "keyPrefix": PREFIXES[type_.name],
    }


def _columns(type_: ObjectType | None, query: Query) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    paths: list[Sequence[str]] = []
    unnamed = 0
    for item in query.items:
        match item:
            case Plain(operand=Path(names=names)):
                paths.append(names[1:] if names[0] == query.alias else names)
            case Plain(operand=Call() as call, alias=alias):
                name = alias or f"expr{unnamed}"
                unnamed += alias is None
                found.append(_column(name, call.name.lower(), aggregate=True))
            case Children(query=inner):
                kept = _columns(None, inner)
                found.append(_column(inner.type, inner.type, aggregate=True, joined=kept))
    return [*_nested(type_, paths), *found]


def _nested(type_: ObjectType | None, paths: Iterable[Sequence[str]]) -> list[dict[str, Any]]:
    """Columns in order; those through one relationship are joined under its name."""
    groups: dict[str, list[Sequence[str]]] = {}
    for path in paths:
        groups.setdefault(path[0], []).append(path[1:])
    found = []
    for name, rests in groups.items():
        below = [rest for rest in rests if rest]
        if below:
            found.append(_column(name, name, joined=_nested(None, below)))
        else:
            field = None if type_ is None else type_.fields.get(name)
            kind = Kind.TEXT if field is None else field.kind
            found.append(_column(name, name, kind=kind))
    return found


def _column(
    name: str,
    shown: str,
    *,
    aggregate: bool = False,
    kind: Kind = Kind.UNKNOWN,
    joined: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    return {
        "aggregate": aggregate,
        "booleanType": kind is Kind.BOOLEAN,
        "columnName": name,
        "custom": name.endswith("__c"),
        "displayName": shown,
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": list(joined),
        "numberType": kind is Kind.NUMBER,
        "textType": kind is Kind.TEXT,
        "updatable": False,
    }
