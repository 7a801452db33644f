"""Finds what stands at a place of a rule file's tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from dsl import syntax as s
from dsl.source import Position, Span

__all__ = ["children", "covers", "nodes_at"]


def nodes_at(module: s.Module, place: Position) -> tuple[Any, ...]:
    """The nodes around a place, from the item inwards. Right behind a node is still in it."""
    found: list[Any] = []
    level: Iterator[Any] = iter(module.items)
    while True:
        inner = None
        for node in level:
            if covers(node.span, place):
                inner = node
        if inner is None:
            return tuple(found)
        found.append(inner)
        level = children(inner)


def covers(span: Span, place: Position) -> bool:
    return span.first <= place <= span.last


def children(node: Any) -> Iterator[Any]:
    """The nodes right below one, in no particular order."""
    for each in fields(node):
        yield from _nodes(getattr(node, each.name))


def _nodes(value: Any) -> Iterator[Any]:
    if isinstance(value, Span):
        return
    if isinstance(value, tuple):
        for each in value:
            yield from _nodes(each)
    elif is_dataclass(value) and hasattr(value, "span"):
        yield value
