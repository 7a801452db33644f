"""Why something is not as a test expects: the most likely reason, from what the engine decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dsl.pairs import spoken_pair
from dsl.program import All, Condition, Line, Pair
from dsl.program import Any as AnyOf
from dsl.schema import ObjectType, Side
from dsl.source import Span
from engine.case import Change
from engine.ledger import schema
from engine.model import Action, Direction, RecordId
from engine.rule_tests.conditions import Seen, holds, seen_records
from engine.rule_tests.values import shown
from engine.rule_tests.world import World

__all__ = ["Why", "why_not", "why_so"]


@dataclass(frozen=True)
class Why:
    """A reason in words, with the rules behind it."""

    text: str | None = None
    related: tuple[tuple[Span, str], ...] = ()


def why_so(world: World, type_: ObjectType, record: RecordId, changes: Sequence[Change]) -> Why:
    """Why a record is there that should not be."""
    for change in changes:
        made = change.action is Action.CREATE and change.direction.target is type_.side
        if made and change.types.get(type_.side) == type_.name and change.id(type_.side) == record:
            span = _toggle_span(world, change)
            words = f"made it: {change.reason}"
            return Why(words if span is None else None, ((span, words),) if span else ())
    return Why("the test itself gives it, or something that it refers to")


def why_not(
    world: World,
    type_: ObjectType,
    record: RecordId | None,
    fields: Sequence[str],
    changes: Sequence[Change],
) -> Why:
    """Why a record, or these fields of it, are not as expected."""
    if type_.side is Side.OUTREACH and type_.name == "stage":
        return Why("a cycle makes the stages that a `stages` map names, if a line goes through it")
    if not world.rules.pairs_of(type_.side, type_.name):
        return Why(f"no sync of these rules has anything to do with {type_.name}")
    # The likelier and the more telling a reason is, the earlier it stands.
    return (
        _lost_conflict(type_, record, fields, changes)
        or _refused(world, type_)
        or _decided(world, type_, record, changes, Action.HOLD)
        or _not_mapped(world, type_, record, fields)
        or _decided(world, type_, record, changes, Action.SKIP)
        or _waits(world, type_)
        or _switched_off(world, type_, record)
        or _line_kept_back(world, type_, record, fields)
        or _not_read(world, type_, record)
        or Why()
    )


def _concerns(change: Change, type_: ObjectType, record: RecordId | None) -> bool:
    if change.types.get(type_.side) != type_.name:
        return False
    return record is None or change.id(type_.side) in (None, record)


def _lost_conflict(
    type_: ObjectType, record: RecordId | None, fields: Sequence[str], changes: Sequence[Change]
) -> Why | None:
    for change in changes:
        for f in change.fields if change.action is not Action.SKIP else ():
            if f.conflict is None or not _concerns(change, type_, record):
                continue
            if {f.source, f.target} & set(fields):
                return Why(
                    f"both sides changed it: Salesforce had {shown(f.conflict.salesforce)},"
                    f" Outreach {shown(f.conflict.outreach)}; {f.conflict.winner.title()} won"
                )
    return None


def _refused(world: World, type_: ObjectType) -> Why | None:
    kind = "external" if type_.side is Side.SALESFORCE else "internal"
    query = schema.log.select().order_by(schema.log.c.id.desc())
    for row in world.ledger.rows(query):
        if row["status"].endswith("refused") and row[f"{kind}_type"] == type_.name:
            return Why(f"{row['status']}: {row['message']}")
    return None


def _decided(
    world: World,
    type_: ObjectType,
    record: RecordId | None,
    changes: Sequence[Change],
    action: Action,
) -> Why | None:
    for change in reversed(changes):
        if change.action is not action or not _concerns(change, type_, record):
            continue
        if action is Action.HOLD:
            return Why(f"held for review: {change.reason}")
        span = _toggle_span(world, change)
        if span is None:
            return Why(change.reason)
        return Why(None, ((span, _unmet(world, change)),))
    return None


def _toggle_span(world: World, change: Change) -> Span | None:
    """The clause that a change went through, or was kept back by."""
    pair = _pair(world, change)
    if pair is None:
        return None
    names = [f"{change.direction} create", f"{change.direction} update"]
    if change.action in (Action.CREATE, Action.UPDATE, Action.DELETE):
        names = [f"{change.direction} {change.action}"]
    for name in names:
        span = pair.toggle(name).span
        if span is not None and span.place == change.rule:
            return span
    return None


def _pair(world: World, change: Change) -> Pair | None:
    mapping = world.rules.mappings.get(change.pair)
    return mapping.pair if mapping else None


def _unmet(world: World, change: Change) -> str:
    """The words for a condition that kept a record back, with the terms that did not hold."""
    pair = _pair(world, change)
    source = change.direction.source
    subject = change.types[source]
    if pair is not None:
        for toggle in pair.toggles.values():
            if toggle.span is None or toggle.span.place != change.rule or toggle.when is None:
                continue
            for seen in seen_records(world, world.rules.mappings[pair.name]):
                if seen.id(source) == change.id(source) and not holds(toggle.when, seen):
                    return f"kept the {subject} back: {_missing(toggle.when, seen)}"
    return f"kept the {subject} back: {change.reason}"


def _missing(condition: Condition, seen: Seen) -> str:
    """The terms that do not hold, of a condition that for that reason does not."""
    match condition:
        case All(terms=terms) | AnyOf(terms=terms):
            return ", ".join(_missing(term, seen) for term in terms if not holds(term, seen))
        case _:
            return f"not `{_text(condition.span)}`"


def _text(span: Span) -> str:
    return " ".join(span.text.split())


def _not_mapped(
    world: World, type_: ObjectType, record: RecordId | None, fields: Sequence[str]
) -> Why | None:
    """A field that no line writes, in the syncs of the type."""
    pairs = world.rules.pairs_of(type_.side, type_.name)
    if record is None:
        return None
    for name in fields:
        lines = [line for pair in pairs for line in pair.lines if _writes(line, type_.side, name)]
        if not lines:
            against = next(
                (line for pair in pairs for line in pair.lines if _is_end(line, type_.side, name)),
                None,
            )
            text = f"no line writes `{name}` of {type_.name}"
            return Why(text, ((against.span, "goes the other way"),) if against else ())
        if all(line.once for line in lines):
            return Why(None, ((lines[0].span, "is only written when the record is created"),))
    return None


def _is_end(line: Line, side: Side, name: str) -> bool:
    return getattr(line.end(side), "path", None) == name


def _writes(line: Line, side: Side, name: str) -> bool:
    flows = line.outbound if side is Side.SALESFORCE else line.inbound
    return flows and _is_end(line, side, name)


def _waits(world: World, type_: ObjectType) -> Why | None:
    pairs = [pair.name for pair in world.rules.pairs_of(type_.side, type_.name)]
    for row in world.ledger.rows(schema.pending.select()):
        if row["pair"] in pairs and row["why"] in ("reference", "transient"):
            return Why(row["message"])
    return None


def _switched_off(world: World, type_: ObjectType, record: RecordId | None) -> Why | None:
    """The toggle that would have to be on, if none of the syncs of the type has it on."""
    direction = Direction.out_of(type_.side.other)
    wanted = f"{direction} {'create' if record is None else 'update'}"
    reading = "polling" if direction is Direction.INBOUND else "pushing"
    pairs = world.rules.pairs_of(type_.side, type_.name)
    if any(pair.toggle(reading).on and pair.toggle(wanted).on for pair in pairs):
        return None
    pair = pairs[0]
    sync = spoken_pair(pair.name)
    name = reading if not pair.toggle(reading).on else wanted
    return Why(f"`{name}` of {sync} is off")


def _line_kept_back(
    world: World, type_: ObjectType, record: RecordId | None, fields: Sequence[str]
) -> Why | None:
    """A line whose own condition does not hold, or that keeps an empty value out."""
    if record is None:
        return None
    direction = Direction.out_of(type_.side.other)
    for seen in _seen(world, type_):
        if seen.id(type_.side) != record:
            continue
        for name in fields:
            for line in seen.mapping.pair.lines:
                if not _writes(line, type_.side, name):
                    continue
                if not holds(line.when, seen) and line.when is not None:
                    words = f"kept `{name}` back: not `{_text(line.when.span)}`"
                    return Why(None, ((line.span, words),))
                if direction in line.prevent_empty and _source_is_empty(seen, line, direction):
                    return Why(None, ((line.span, "does not let an empty value through"),))
    return None


def _source_is_empty(seen: Seen, line: Line, direction: Direction) -> bool:
    number = seen.mapping.pair.lines.index(line)
    row = seen.rows.get(direction.source)
    return row is not None and not seen.mapping.view[direction.source](row)[number]


def _not_read(world: World, type_: ObjectType, record: RecordId | None) -> Why | None:
    """A condition of `polling` or `pushing` that keeps the other side from being seen."""
    source = type_.side.other
    reading = "polling" if source is Side.SALESFORCE else "pushing"
    for seen in _seen(world, type_):
        toggle = seen.mapping.pair.toggle(reading)
        if source not in seen.rows or toggle.when is None or toggle.span is None:
            continue
        if record is not None and seen.id(type_.side) not in (None, record):
            continue
        if not holds(toggle.when, seen):
            subject = seen.mapping.type_name(source)
            words = f"does not see the {subject}: {_missing(toggle.when, seen)}"
            return Why(None, ((toggle.span, words),))
    return None


def _seen(world: World, type_: ObjectType) -> Iterator[Seen]:
    for pair in world.rules.pairs_of(type_.side, type_.name):
        yield from seen_records(world, world.rules.mappings[pair.name])
