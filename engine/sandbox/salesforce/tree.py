"""Records with their children, made in one call, all or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dsl.schema import Field, ObjectType
from engine.sandbox.salesforce.box import Box, box_of
from engine.sandbox.salesforce.describes import children_by_word
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.records import saves_duplicates
from engine.sandbox.salesforce.values import values_of
from engine.sandbox.salesforce.wire import answer, object_of
from engine.sandbox.salesforce.writes import Verdict, Wanted, carry_out
from engine.stores.local.org import TakeBack

__all__ = ["routes"]

_MOST, _DEEPEST = 200, 5


def routes() -> list[Route]:
    """The address, relative to the version."""
    return [Route("/composite/tree/{type}", _tree, methods=["POST"])]


@dataclass(frozen=True, slots=True)
class _Node:
    """A record of the tree; `through` is its reference to the parent's id."""

    name: str
    type: ObjectType
    fields: dict[str, Any]
    parent: str | None
    through: Field | None


async def _tree(request: Request) -> Response:
    box = box_of(request)
    type_ = box.visible.type(request.path_params["type"])
    nodes = list(_nodes(box, type_, await object_of(request), None, None, 1))
    if not nodes or len(nodes) > _MOST:
        message = f"A tree has 1 to {_MOST} records, not {len(nodes)}"
        raise ApiError(400, "INVALID_INPUT", message)
    if len({node.name for node in nodes}) < len(nodes):
        raise ApiError(400, "INVALID_INPUT", "Each record needs a referenceId of its own")
    made: dict[str, str] = {}
    failed: list[dict[str, Any]] = []
    with box.file.transaction():
        for node in nodes:
            verdict = _written(request, box, node, made)
            if not verdict.done:
                failed.append({"referenceId": node.name, "errors": verdict.as_json()["errors"]})
                raise TakeBack
            made[node.name] = str(verdict.id)
    if failed:
        return answer({"hasErrors": True, "results": failed}, 400)
    results = [{"referenceId": name, "id": record} for name, record in made.items()]
    return answer({"hasErrors": False, "results": results}, 201)


def _nodes(
    box: Box,
    type_: ObjectType,
    body: dict[str, Any],
    parent: str | None,
    through: Field | None,
    depth: int,
) -> Iterator[_Node]:
    """The records, each before its children. Raises `ApiError`."""
    records = body.get("records")
    if not isinstance(records, list) or depth > _DEEPEST:
        message = f"A tree needs `records`, a list, and is at most {_DEEPEST} levels deep"
        raise ApiError(400, "INVALID_INPUT", message)
    children = children_by_word(box, type_)
    for record in records:
        head = record.get("attributes") if isinstance(record, dict) else None
        name = head.get("referenceId") if isinstance(head, dict) else None
        if name is None:
            raise ApiError(400, "INVALID_INPUT", "Each record needs a referenceId")
        own = {k: v for k, v in record.items() if not _is_children(v)}
        yield _Node(str(name), type_, own, parent, through)
        for word, below in record.items():
            if not _is_children(below):
                continue
            known = children.get(word)
            child = None if known is None else box.visible.find(known[0])
            if known is None or child is None:
                message = f"Didn't understand relationship '{word}' of {type_.name}"
                raise ApiError(400, "INVALID_FIELD", message)
            field = child.fields[known[1]]
            yield from _nodes(box, child, below, str(name), field, depth + 1)


def _is_children(value: Any) -> bool:
    return isinstance(value, dict) and "records" in value


def _written(request: Request, box: Box, node: _Node, made: dict[str, str]) -> Verdict:
    try:
        values = values_of(box, node.type, node.fields, creating=True)
    except ApiError as error:
        return Verdict.of(error)
    if node.parent is not None and node.through is not None:
        values[node.through.name] = made[node.parent]
    wanted = Wanted(node.type.name, None, values)
    [verdict] = carry_out(box, [wanted], save_duplicates=saves_duplicates(request))
    return verdict
