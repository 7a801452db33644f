"""Lists where rule files define and use names: maps, groups, title templates and types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from dsl import syntax as s
from dsl.at import children
from dsl.source import Span

__all__ = ["Use", "What", "uses"]


class What(StrEnum):
    """What a name is the name of, as a message says it."""

    MAP = "map"
    FIELDS = "group of fields"
    ACTIVITIES = "group of activities"
    TEMPLATE = "title template"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a name stands. `item` is all of what it defines there, if it does."""

    what: What
    name: s.Name
    item: Span | None = None


def uses(modules: Iterable[s.Module]) -> Iterator[Use]:
    """All of them, in the order of the files."""
    for module in modules:
        for item in module.items:
            yield from _in_item(item)


def _in_item(item: s.Item) -> Iterator[Use]:
    match item:
        case s.ValueMap():
            yield Use(What.MAP, item.name, item.span)
        case s.Fields():
            yield Use(What.FIELDS, item.name, item.span)
        case s.Activities():
            yield Use(What.ACTIVITIES, item.name, item.span)
        case s.Sync():
            yield Use(What.TYPE, item.salesforce, item.span)
            yield Use(What.TYPE, item.outreach, item.span)
    yield from _below(item)


def _below(node: object) -> Iterator[Use]:
    for child in children(node):
        match child:
            case s.Via():
                yield Use(What.MAP, child.name)
            case s.Title(name=s.Name() as name):
                yield Use(What.TEMPLATE, name)
            case s.Target() | s.Record():
                yield Use(What.TYPE, child.name if isinstance(child, s.Target) else child.type)
            case s.Expectation(what="no record", name=s.Name() as name):
                yield Use(What.TYPE, name)
            case s.FieldsBlock() | s.ActivitiesBlock():
                yield from _groups(child)
        if not isinstance(child, s.Name | s.Path | s.Literal | s.Match):
            yield from _below(child)


def _groups(block: s.FieldsBlock | s.ActivitiesBlock) -> Iterator[Use]:
    what = What.FIELDS if isinstance(block, s.FieldsBlock) else What.ACTIVITIES
    for line in block.lines:
        if isinstance(line, s.Use):
            yield Use(what, line.name)
