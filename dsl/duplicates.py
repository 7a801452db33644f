"""CW103 and CW301: what may stand once and stands twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from dsl import syntax as s
from dsl.diagnostics import Diagnostic
from dsl.passes import Project
from dsl.source import Span

__all__ = ["duplicates", "duplicates_inside"]

# What is compared, what it is called, and where it stands.
_Entry = tuple[Hashable, str, Span]


def duplicates(project: Project) -> Iterator[Diagnostic]:
    """What two items define both."""
    items = [item for module in project.modules for item in module.items]
    yield from _twice(_definitions(items), "is defined twice")
    yield from _twice(_budgets(items), "is given twice")
    yield from _syncs(items)


def duplicates_inside(item: s.Item) -> Iterator[Diagnostic]:
    """What one item has twice."""
    match item:
        case s.ValueMap():
            yield from _twice((("", "otherwise", o.span) for o in item.otherwise), _STANDS)
        case s.Fields():
            yield from _in_field_lines(item.lines)
        case s.Activities():
            yield from _in_activity_lines(item.lines)
        case s.Sync():
            yield from _in_sync(item)


_STANDS = "is given twice"


def _twice(entries: Iterable[_Entry], words: str) -> Iterator[Diagnostic]:
    seen: dict[Hashable, Span] = {}
    for key, name, span in entries:
        first = seen.setdefault(key, span)
        if first is not span:
            related = ((first, "first here"),)
            yield Diagnostic("CW103", f"`{name}` {words}", span, related=related)


def _definitions(items: Sequence[s.Item]) -> Iterator[_Entry]:
    for item in items:
        match item:
            case s.ValueMap():
                yield ("map", item.name.text), item.name.text, item.name.span
            case s.Fields():
                yield ("fields", item.name.text), item.name.text, item.name.span
            case s.Activities():
                yield ("activities", item.name.text), item.name.text, item.name.span


def _budgets(items: Sequence[s.Item]) -> Iterator[_Entry]:
    for item in items:
        match item:
            case s.Limits():
                for limit in item.limits:
                    key = (limit.side, limit.scope, limit.period)
                    yield key, f"{limit.side} {limit.scope} … per {limit.period}", limit.span
            case s.Guard():
                for bound in item.bounds:
                    yield bound.what, bound.what, bound.span


def _syncs(items: Sequence[s.Item]) -> Iterator[Diagnostic]:
    seen: dict[tuple[str, str], Span] = {}
    for item in items:
        if isinstance(item, s.Sync):
            types = (item.salesforce.text, item.outreach.text)
            span = item.salesforce.span.to(item.outreach.span)
            first = seen.setdefault(types, span)
            if first is not span:
                message = f"there are two `sync` blocks for `{types[0]} <-> {types[1]}`"
                help_text = "put all of it into one block"
                related = ((first, "the first is here"),)
                yield Diagnostic("CW301", message, span, help_text, related=related)


def _in_sync(sync: s.Sync) -> Iterator[Diagnostic]:
    yield from _twice(_clauses(sync), _STANDS)
    for clause in sync.clauses:
        match clause:
            case s.Toggle():
                yield from _twice(_options(clause.options), _STANDS)
            case s.FieldsBlock():
                yield from _uses(clause.lines)
                lines = [each for each in clause.lines if isinstance(each, s.FieldLine)]
                yield from _in_field_lines(lines)
            case s.ActivitiesBlock():
                yield from _uses(clause.lines)
                kinds = [each for each in clause.lines if isinstance(each, s.ActivityLine)]
                yield from _in_activity_lines(kinds)


def _clauses(sync: s.Sync) -> Iterator[_Entry]:
    for clause in sync.clauses:
        match clause:
            case s.Toggle():
                yield clause.name, clause.name, clause.name_span
            case s.Conflict():
                yield "conflict", "conflict", _start(clause.span, "conflict")
            case s.FieldsBlock():
                yield "fields", "fields", _start(clause.span, "fields")
            case s.ActivitiesBlock():
                yield "activities", "activities", _start(clause.span, "activities")


def _start(span: Span, word: str) -> Span:
    return span._replace(end=span.start + len(word))


def _uses(lines: Iterable[object]) -> Iterator[Diagnostic]:
    names = [line.name for line in lines if isinstance(line, s.Use)]
    yield from _twice(((n.text, f"use {n.text}", n.span) for n in names), _STANDS)


def _in_field_lines(lines: Iterable[s.FieldLine]) -> Iterator[Diagnostic]:
    for line in lines:
        if len(line.modifiers) > 1:
            yield from _twice(_modifiers(line), _STANDS)


def _modifiers(line: s.FieldLine) -> Iterator[_Entry]:
    prevented: set[str] = set()
    for modifier in line.modifiers:
        if isinstance(modifier, s.PreventEmpty):
            # `prevent empty inbound  prevent empty outbound` says two things.
            both = ("inbound", "outbound")
            directions = set(both if modifier.direction is None else (modifier.direction,))
            key = "prevent" if not prevented or prevented & directions else "prevent, other way"
            prevented |= directions
            yield key, "prevent empty", modifier.span
            continue
        word = type(modifier).__name__.lower()
        yield word, word, _start(modifier.span, word)


def _in_activity_lines(lines: Sequence[s.ActivityLine]) -> Iterator[Diagnostic]:
    yield from _twice(((line.kind, line.kind, line.kind_span) for line in lines), _STANDS)
    for line in lines:
        yield from _twice(_options(line.options), _STANDS)
        yield from _in_field_lines(line.lines)


_OPTION_NAMES: dict[type, str] = {
    s.Origin: "from",
    s.Target: "->",
    s.Title: "title",
    s.When: "when",
    s.Every: "every",
}


def _options(options: Iterable[s.ToggleOption | s.ActivityOption]) -> Iterator[_Entry]:
    for option in options:
        if isinstance(option, s.Switch):
            yield "on", option.span.text, option.span
        else:
            word = _OPTION_NAMES[type(option)]
            yield word, word, _start(option.span, word)
