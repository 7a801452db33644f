"""Compares what a test expects with what is there once nothing moves any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dsl import syntax as s
from dsl.diagnostics import closest
from dsl.schema import Field, Kind, ObjectType
from dsl.values import canonical, is_empty
from engine.case import Change, FieldChange
from engine.model import RecordId, Value
from engine.rule_tests.failures import Failure, Unfit
from engine.rule_tests.names import means, name_shown
from engine.rule_tests.reasons import Why, why_not, why_so
from engine.rule_tests.values import plain, shown, stored
from engine.rule_tests.world import World

__all__ = ["judge"]


def judge(world: World, expectation: s.Expectation, changes: Sequence[Change]) -> Failure | None:
    """The failure of one expectation, if it is not met. Raises `Unfit`.

    `changes` are those of the cycles since the expectations before.
    """
    match expectation:
        case s.Expectation(what="record", record=s.Record() as record):
            return _record(world, expectation, record, changes)
        case s.Expectation(what="no record", name=s.Name() as name):
            return _no_record(world, expectation, name, changes)
        case s.Expectation(what="conflict", name=s.Name() as name):
            return _conflict(world, expectation, name, changes)
        case _:
            return _no_conflict(expectation, changes)


# -- records ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Difference:
    """One field that is not as expected."""

    name: str
    wanted: Value
    was: Value


def _type(world: World, name: s.Name) -> ObjectType:
    type_ = world.rules.type(name.text)
    if type_ is None:
        message = f"tests run on the standard types, and `{name.text}` is a custom one"
        raise Unfit(name.span, message)
    return type_


def _record(
    world: World, expectation: s.Expectation, record: s.Record, changes: Sequence[Change]
) -> Failure | None:
    type_ = _type(world, record.type)
    names = [each.name.text for each in record.fields]
    found: list[tuple[RecordId, list[_Difference]]] = []
    for row in world.rows(type_, names):
        values = dict(zip(names, row[2:], strict=True))
        differences = _differences(world, type_, record, values)
        if not differences:
            return None
        found.append((row[0], differences))
    if not found:
        why = why_not(world, type_, None, (), changes)
        missing = (f"- {_as_written(record)}", f"+ no {type_.name}")
        return _failure(expectation, f"there is no {type_.name}", missing, why)
    nearest, differences = min(found, key=lambda each: len(each[1]))
    fields = [d.name for d in differences]
    why = why_not(world, type_, nearest, fields, changes)
    listed = _listed([f"`{name}`" for name in fields])
    if len(found) == 1:
        message = f"the {type_.name} has another {listed}"
    else:
        message = (
            f"none of {len(found)} {type_.name} records is so; the nearest has another {listed}"
        )
    width = max(len(d.name) for d in differences)
    diff = tuple(
        line
        for d in differences
        for line in (
            f"- {d.name + ':':<{width + 1}} {shown(d.wanted)}",
            f"+ {d.name + ':':<{width + 1}} {shown(d.was)}",
        )
    )
    return _failure(expectation, message, diff, why)


def _differences(
    world: World, type_: ObjectType, record: s.Record, values: dict[str, Value]
) -> list[_Difference]:
    found = []
    now, zone = world.clock.now(), world.rules.zone
    for each in record.fields:
        known = type_.fields.get(each.name.text)
        wanted, was = plain(each.value, now, zone), values[each.name.text]
        wanted_whole = isinstance(wanted, list)
        kept = stored(known, each, wanted, zone)
        if known is not None and known.kind is Kind.REFERENCE:
            if not _refers(world, type_, known, was, kept):
                name = name_shown(world, type_.side, known, was)
                found.append(_Difference(known.name, wanted, name))
        elif known is not None and known.many:
            if not _holds(world, type_, known, was or [], kept, whole=wanted_whole):
                names = [name_shown(world, type_.side, known, each) for each in was or []]
                found.append(_Difference(known.name, wanted, names))
        elif not _same(known, kept, was, whole=wanted_whole):
            first = was[0] if isinstance(was, list) and len(was) == 1 else was
            found.append(_Difference(each.name.text, wanted, was if wanted_whole else first))
    return found


def _refers(
    world: World, type_: ObjectType, known: Field, was: RecordId | None, wanted: Value
) -> bool:
    if isinstance(wanted, str) and wanted:
        return means(world, type_.side, known, was, wanted)
    return was == wanted or (was is None and is_empty(wanted))


def _holds(
    world: World, type_: ObjectType, known: Field, was: list[Any], wanted: list[Any], *, whole: bool
) -> bool:
    """Whether a relationship to many records holds what goes by these names, and nothing else.

    For one name that is no list, others may be there too.
    """
    if (whole or not wanted) and len(was) != len(wanted):
        return False
    side = type_.side
    return all(any(means(world, side, known, each, str(name)) for each in was) for name in wanted)


def _same(known: Field | None, wanted: Value, was: Value, *, whole: bool) -> bool:
    """Whether two values are one in canonical form; of a list its first element, or the whole."""
    kind, is_email = (known.kind, known.is_email) if known else (Kind.UNKNOWN, False)
    form = canonical(kind, is_email)
    if kind is Kind.LIST and whole:
        lists = [list(map(form, map(_alone, v or []))) for v in (wanted, was)]
        return lists[0] == lists[1]
    return bool(form(wanted) == form(was))


def _alone(value: Value) -> Value:
    return [value]


def _as_written(record: s.Record) -> str:
    return " ".join(record.span.text.split())


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _no_record(
    world: World, expectation: s.Expectation, name: s.Name, changes: Sequence[Change]
) -> Failure | None:
    type_ = _type(world, name)
    label = next((n for n in ("Name", "name", "emails") if n in type_.fields), None)
    rows = world.rows(type_, [label] if label else [])
    if not rows:
        return None
    count = "one" if len(rows) == 1 else str(len(rows))
    diff = (
        f"- no {type_.name}",
        *(f"+ {type_.name} {shown(row[2]) if label else row[0]}" for row in rows[:5]),
    )
    why = why_so(world, type_, rows[0][0], changes)
    return _failure(
        expectation,
        f"there is {count} {type_.name}"
        if len(rows) == 1
        else f"there are {count} {type_.name} records",
        diff,
        why,
    )


# -- conflicts ----------------------------------------------------------------------------------


def _conflicts(changes: Sequence[Change]) -> list[tuple[Change, FieldChange]]:
    return [(c, f) for c in changes for f in c.fields if f.conflict is not None]


def _plain_name(label: str) -> str:
    return label.removeprefix("salesforce.").removeprefix("outreach.")


def _conflict(
    world: World, expectation: s.Expectation, name: s.Name, changes: Sequence[Change]
) -> Failure | None:
    found = _conflicts(changes)
    names = [_plain_name(label) for _, f in found for label in (f.source, f.target)]
    if name.text in names:
        return None
    was = [f"+ conflict on {f.target}" for _, f in found] or ["+ no conflict"]
    diff = (f"- conflict on {name.text}", *was)
    message = f"there was no conflict on `{name.text}`"
    mapped = {
        _plain_name(end.label)
        for mapping in world.rules.mappings.values()
        for line in mapping.lines
        for end in line.ends.values()
        if end.name
    }
    if name.text not in mapped:
        near = closest(name.text, mapped)
        hint = f"no sync maps `{name.text}`" + (f": did you mean `{near}`?" if near else "")
        return _failure(expectation, message, diff, Why(hint))
    two_way = any(
        line.line.arrow == "<->"
        and name.text in [_plain_name(end.label) for end in line.ends.values()]
        for mapping in world.rules.mappings.values()
        for line in mapping.lines
    )
    if not two_way:
        hint = (
            f"the line of `{name.text}` goes one way only: what the other side holds never counts"
        )
        return _failure(expectation, message, diff, Why(hint))
    written = [
        c
        for c in changes
        if name.text in {_plain_name(x) for f in c.fields for x in (f.source, f.target)}
    ]
    hint = "only one side changed it" if written else "neither side changed it, or both alike"
    return _failure(expectation, message, diff, Why(hint))


def _no_conflict(expectation: s.Expectation, changes: Sequence[Change]) -> Failure | None:
    found = _conflicts(changes)
    if not found:
        return None
    diff = ["- no conflict"]
    for _, f in found:
        if f.conflict is not None:
            diff.append(
                f"+ conflict on {f.target}: Salesforce had {shown(f.conflict.salesforce)},"
                f" Outreach {shown(f.conflict.outreach)}; {f.conflict.winner.title()} won"
            )
    fields = _listed(list(dict.fromkeys(f"`{f.target}`" for _, f in found)))
    return _failure(expectation, f"there was a conflict on {fields}", tuple(diff), Why())


def _failure(expectation: s.Expectation, message: str, diff: tuple[str, ...], why: Why) -> Failure:
    return Failure(expectation.span, message, diff, why.text, why.related)
