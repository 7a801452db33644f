"""The HTTP API in OpenAPI's words, made from the table that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.web.routes import Entry, Parameter

__all__ = ["described"]

_FAILED = {
    "400": "the request is wrong; `error` says how",
    "401": "a token is needed, or it is not known",
    "403": "the role does not reach, or the request comes from elsewhere",
}
_JSON = "application/json"


def described(entries: Sequence[Entry]) -> dict[str, Any]:
    """An OpenAPI 3.1 document of the entries under `/api/`."""
    paths: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.api:
            paths.setdefault(entry.path, {})[entry.method.lower()] = _operation(entry)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Crosswalk", "version": "1", "description": "What the console shows."},
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _object({"error": {"type": "string"}}, ["error"])},
        },
        "security": [{"token": []}, {}],
    }


def _operation(entry: Entry) -> dict[str, Any]:
    name = entry.path.removeprefix("/api/v1/").replace("/", "_").replace("{", "").replace("}", "")
    told: dict[str, Any] = {
        "operationId": f"{entry.method.lower()}_{name.partition('.')[0]}",
        "summary": entry.about,
        "description": f"Needs the role `{entry.role}`." if entry.role else "Open to everybody.",
        "parameters": [_parameter(p) for p in entry.parameters if p.where != "body"],
        "responses": {
            **_answers(entry),
            **{code: _failure(text) for code, text in _FAILED.items()},
        },
    }
    body = [p for p in entry.parameters if p.where == "body"]
    if entry.mutating:
        values = {p.name: {"type": _kind(p), "description": p.about} for p in body}
        schema = _object(values, [p.name for p in body if p.required])
        told["requestBody"] = {"content": {_JSON: {"schema": schema}}}
    return told


def _answers(entry: Entry) -> dict[str, Any]:
    schema = {"content": {_JSON: {"schema": {"type": "object"}}}}
    done = {"200": {"description": "done", **schema}}
    if entry.mutating:
        later = "the worker is at it: see `job` under /api/v1/jobs/"
        return done | {"202": {"description": later, **schema}}
    return done


def _failure(text: str) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Error"}
    return {"description": text, "content": {_JSON: {"schema": reference}}}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.about,
        "schema": {"type": _kind(parameter)},
    }


def _kind(parameter: Parameter) -> str:
    return {"limit": "integer", "relink": "boolean"}.get(parameter.name, "string")


def _object(values: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": values, "required": required}
