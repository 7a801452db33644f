"""What the engine works out of an activity's fields: its title, how long it took, what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dsl import program as p
from dsl.activities import ACTIVITY_VARIABLES
from dsl.paths import find_field
from dsl.schema import Kind, Side, shipped_schema
from dsl.source import Span
from dsl.values import instant, is_empty, stamp
from engine.own_rules import field_of, named, resource_of
from engine.titles import shorten, title_of

__all__ = ["minutes_of", "phase_of", "spoken", "title_line", "variable"]


def _duration(answered: Any, completed: Any, _zone: Any) -> int | None:
    begin, end = instant(answered), instant(completed)
    if begin is None or end is None or end < begin:
        return None
    return round((end - begin).total_seconds())


def _minutes(start: Any, end: Any, all_day: Any, _zone: Any) -> int | None:
    begin, until = instant(start), instant(end)
    if begin is None:
        return None
    minutes = 0 if until is None else max(round((until - begin).total_seconds() / 60), 0)
    return max(-(-minutes // _DAY), 1) * _DAY if all_day is True else minutes


_DAY = 24 * 60


def minutes_of(rule: p.ActivityRule) -> p.Computed:
    """How long a meeting takes."""
    fields = (
        field_of(Side.OUTREACH, resource_of(rule), n) for n in ("startTime", "endTime", "allDay")
    )
    return p.Computed(named("", "minutes"), tuple(fields), Kind.NUMBER, _minutes)


def _nothing(*_values: Any) -> None:
    return None


def variable(rule: p.ActivityRule, name: str, span: Span) -> p.Expression:
    """What `duration`, `purpose` and the like stand for in an activity of this kind."""
    resource = resource_of(rule)

    def computed(kind: Kind, compute: Any, *names: str) -> p.Computed:
        fields = tuple(field_of(Side.OUTREACH, resource, each) for each in names)
        return p.Computed(span, fields, kind, compute)

    if resource == "call" and name == "duration":
        return computed(Kind.NUMBER, _duration, "answeredAt", "completedAt")
    paths = {
        ("call", "purpose"): "callPurpose.name",
        ("call", "disposition"): "callDisposition.name",
        ("call", "action"): "sequenceAction",
    }
    path = paths.get((resource, name))
    if path is not None:
        return replace(field_of(Side.OUTREACH, resource, path), span=span)
    return computed(Kind.UNKNOWN, _nothing)


def spoken(rule: p.ActivityRule, node: Any) -> Any:
    """A condition or expression of the rule with the activity's variables in their place."""
    match node:
        case p.FieldRef(path=path, span=span) if (
            path in ACTIVITY_VARIABLES and node.kind is Kind.UNKNOWN
        ):
            return variable(rule, path, span)
        case p.All(terms=terms) | p.Any(terms=terms):
            return replace(node, terms=tuple(spoken(rule, each) for each in terms))
        case p.Negation(term=term):
            return replace(node, term=spoken(rule, term))
        case p.Empty(operand=operand):
            return replace(node, operand=spoken(rule, operand))
        case p.Comparison(left=left, right=right):
            right = (
                tuple(spoken(rule, each) for each in right)
                if isinstance(right, tuple)
                else spoken(rule, right)
            )
            return replace(node, left=spoken(rule, left), right=right)
        case p.Call(arguments=arguments):
            return replace(node, arguments=tuple(spoken(rule, each) for each in arguments))
        case p.Line():
            outreach, when = spoken(rule, node.outreach), spoken(rule, node.when)
            return replace(node, outreach=outreach, when=when)
        case _:
            return node


def title_line(rule: p.ActivityRule, titles: Mapping[str, str], troubles: list[str]) -> p.Computed:
    """The title of activities of a rule. What goes wrong in rendering it is told to `troubles`."""
    resource = resource_of(rule)
    known = shipped_schema().get(Side.OUTREACH, resource)
    text = rule.title if rule.title is not None else titles.get(rule.template, "")
    try:
        title = title_of(text)
    except ValueError as error:
        troubles.append(f"the title of `{rule.kind}` cannot be rendered: {error}")
        title = title_of("")
    readable: list[p.Expression] = []
    for names in title.names:
        field = find_field(shipped_schema(), known, names)
        path = ".".join(names)
        if field is not None and field.kind is not Kind.UNKNOWN:
            readable.append(field_of(Side.OUTREACH, resource, path))
        else:
            readable.append(variable(rule, names[0], named("", path)))
    subject = "subject" if resource in ("mailing", "meeting") else None
    sources = [*readable, *([field_of(Side.OUTREACH, resource, subject)] if subject else [])]
    arguments = tuple(
        ref
        for source in sources
        for ref in (source.arguments if isinstance(source, p.Computed) else (source,))
        if isinstance(ref, p.FieldRef)
    )
    fallback = rule.kind.capitalize()

    def compute(*values: Any) -> str:
        *rest, zone = values
        left = iter(rest)
        shown = []
        for source in readable:
            if isinstance(source, p.Computed):
                shown.append(source.compute(*(next(left) for _ in source.arguments), zone))
            else:
                shown.append(next(left))
        about = next(left) if subject else None
        try:
            made = title.render(shown)
        except Exception as error:  # noqa: BLE001 - whatever a template does, the run goes on
            troubles.append(f"the title of `{rule.kind}` fails: {error}")
            made = ""
        return made or shorten(fallback if is_empty(about) else f"{fallback}: {about}")

    return p.Computed(named(rule.span.source.path, "title"), arguments, Kind.TEXT, compute)


def phase_of(rule: p.ActivityRule, kinds: frozenset[str]) -> p.Computed:
    """What has to change for a record to be written again: that it is another kind by now.

    `kinds` are those that are on. A title that would be another today rewrites no record.
    """
    task = resource_of(rule) == "task"
    names = ("completed", "completedAt", "state")
    if not task:
        names = ("canceledAt", "state", "startTime", "endTime")  # type: ignore[assignment]

    def phase(*values: Any) -> str:
        return _task_phase(*values) if task else _meeting_phase(kinds, *values)

    fields = tuple(field_of(Side.OUTREACH, resource_of(rule), name) for name in names)
    return p.Computed(named(rule.span.source.path, "phase"), fields, Kind.TEXT, phase)


def _task_phase(completed: Any, at: Any, state: Any, _zone: Any) -> str:
    done = completed is True or bool(at) or str(state).casefold() == "completed"
    return "completed" if done else "created"


def _meeting_phase(
    kinds: frozenset[str], at: Any, state: Any, start: Any, end: Any, _zone: Any
) -> str:
    canceled = bool(at) or str(state).casefold() in ("canceled", "cancelled")
    if canceled and "meeting canceled" in kinds:
        return "canceled"
    return f"{_stamp(start)} {_stamp(end)}" if "meeting rescheduled" in kinds else "booked"


def _stamp(value: Any) -> str:
    moment = instant(value)
    return stamp(moment) if moment is not None else ""
