"""Which fields a pair reads: the ends of its lines, its conditions, its keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dsl import program as ir
from dsl.evaluate import kind_of
from dsl.schema import Field, Kind, ObjectType, Side
from dsl.types import COUNTERPARTS

__all__ = [
    "CONVERSION",
    "LEAD",
    "End",
    "columns_of",
    "end_of",
    "fields_in",
    "known_fields",
    "line_of",
    "reads_only",
    "watched_fields",
]

LEAD = "Lead"
#: What tells that a lead was converted, and into which contact.
CONVERSION = ("IsConverted", "ConvertedContactId")
_TEXTUAL = (Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.LIST)
#: The one who works a prospect's sequence: as rules name it, and as a store of Outreach has it.
_SEQUENCE_USER_ID = "sequence.user_salesforce_id"
_SEQUENCE_USER = "sequence.user"


@dataclass(frozen=True, slots=True)
class End:
    """One end of a line: how it is read and, if it is a plain field, how it is written.

    `column` is the path to read; where a reference is mapped by name (`stage`), it is the name's.
    `targets` are the types that a reference may point to, `field` is None for an expression or a
    custom field that the schema does not know. `id_column` is the reference itself, where one that
    a map translates by name may be translated through links as well.
    """

    label: str
    kind: Kind
    column: str | None
    name: str | None
    field: Field | None
    by_name: bool = False
    targets: tuple[str, ...] = ()
    id_column: str | None = None

    @property
    def is_many(self) -> bool:
        """Whether it is a relationship to many records, one of which a line gives."""
        return self.field is not None and self.field.many

    @property
    def is_list(self) -> bool:
        return self.kind is Kind.LIST and not self.is_many

    @property
    def is_link(self) -> bool:
        """Whether it holds ids that have to be translated through links."""
        return (self.kind is Kind.REFERENCE or self.is_many) and not self.by_name

    @property
    def link_column(self) -> str | None:
        """Where the id stands that links may translate."""
        return self.column if self.is_link else self.id_column


def end_of(pair: ir.Pair, line: ir.Line, side: Side) -> End:
    expression = line.end(side)
    label = " ".join(expression.span.text.split())
    if not isinstance(expression, ir.FieldRef):
        return End(label, kind_of(expression), None, None, None)
    ref = expression
    object_type = pair.type(side)
    known = object_type.fields.get(ref.path)
    if _is_user_of_sequence(line.end(Side.OUTREACH)):
        # Outreach knows its own user alone: whom that is in Salesforce, the links of users tell.
        column, target = (ref.path, "User") if side is Side.SALESFORCE else (_SEQUENCE_USER, "user")
        name = None if ref.dotted else ref.path
        return End(label, Kind.REFERENCE, column, name, known, False, (target,))
    if known is not None and known.many:
        return End(label, ref.kind, ref.path, ref.path, known, False, ref.references)
    if targets := _lookup_targets(line, ref):
        return End(label, Kind.REFERENCE, ref.path, ref.path, known, False, targets)
    if ref.kind is Kind.REFERENCE and not ref.dotted:
        other = line.end(side.other)
        named = line.via is not None or (kind_of(other) in _TEXTUAL and not _is_many(other))
        if named:
            path = _name_path(object_type, ref.path)
            linked = ref.path if kind_of(other) is Kind.REFERENCE else None
            return End(label, Kind.TEXT, path, ref.path, known, True, ref.references, linked)
        return End(label, ref.kind, ref.path, ref.path, known, False, ref.references)
    return End(label, ref.kind, ref.path, None if ref.dotted else ref.path, known)


def _is_many(expression: ir.Expression) -> bool:
    """Whether it is a relationship to many records."""
    if not isinstance(expression, ir.FieldRef):
        return False
    return expression.kind is Kind.LIST and bool(expression.references)


def _lookup_targets(line: ir.Line, ref: ir.FieldRef) -> tuple[str, ...]:
    """What a custom field of Salesforce points to that no schema knows, and a reference takes.

    Nothing but the id of its like can come from there: `SDR__c -> owner` is a lookup to a user.
    """
    other = line.outreach
    unknown = ref.side is Side.SALESFORCE and ref.kind is Kind.UNKNOWN and not ref.dotted
    if not unknown or not line.inbound or line.via or not isinstance(other, ir.FieldRef):
        return ()
    if other.dotted or other.kind not in (Kind.REFERENCE, Kind.LIST):
        return ()
    return tuple(sorted(left for left, right in COUNTERPARTS if right in other.references))


def _is_user_of_sequence(expression: ir.Expression) -> bool:
    return isinstance(expression, ir.FieldRef) and expression.path == _SEQUENCE_USER_ID


def _name_path(object_type: ObjectType, name: str) -> str:
    """The path to the name of what a reference points to."""
    word = object_type.fields[name].relationship or name
    return f"{word}.{'Name' if object_type.side is Side.SALESFORCE else 'name'}"


def fields_in(node: Any) -> Iterator[ir.FieldRef]:
    """Every field that a condition or expression reads."""
    match node:
        case ir.FieldRef():
            yield node
        case (
            ir.Call(arguments=parts)
            | ir.Computed(arguments=parts)
            | ir.All(terms=parts)
            | ir.Any(terms=parts)
            | tuple(parts)
        ):
            for part in parts:
                yield from fields_in(part)
        case ir.Negation(term=part) | ir.Empty(operand=part) | ir.Changed(operand=part):
            yield from fields_in(part)
        case ir.Comparison(left=left, right=right):
            yield from fields_in(left)
            yield from fields_in(right)


def conditions_of(pair: ir.Pair) -> Iterator[ir.Condition]:
    yield from (t.when for t in pair.toggles.values() if t.when)
    yield from (line.when for line in pair.lines if line.when)


def changed_in(node: Any) -> Iterator[ir.FieldRef]:
    match node:
        case ir.Changed(operand=ref):
            yield ref
        case ir.All(terms=terms) | ir.Any(terms=terms):
            for term in terms:
                yield from changed_in(term)
        case ir.Negation(term=term):
            yield from changed_in(term)


def reads_only(condition: ir.Condition | None, side: Side) -> bool:
    """Whether a condition depends on nothing but one side's record: no other side, base or time."""
    match condition:
        case ir.All(terms=terms) | ir.Any(terms=terms):
            return all(reads_only(term, side) for term in terms)
        case ir.Negation(term=term):
            return reads_only(term, side)
        case ir.Comparison(left=left, right=right):
            return _constant_in_time((left, right)) and all(
                ref.side is side for ref in fields_in((left, right))
            )
        case ir.Empty(operand=operand):
            return _constant_in_time(operand) and all(
                ref.side is side for ref in fields_in(operand)
            )
        case _:
            return False


def _constant_in_time(node: Any) -> bool:
    match node:
        case ir.Moment() | ir.Ago():
            return False
        case ir.Call(arguments=parts) | tuple(parts):
            return all(map(_constant_in_time, parts))
        case _:
            return True


def line_of(pair: ir.Pair, ref: ir.FieldRef) -> int | None:
    """The line whose base tells what was last synced of a field."""
    for number, line in enumerate(pair.lines):
        end = line.end(ref.side)
        mapped = isinstance(end, ir.FieldRef) and end.path == ref.path
        if mapped and line.compares(ref.side):
            return number
    return None


def watched_fields(pair: ir.Pair) -> tuple[ir.FieldRef, ...]:
    """Fields under `changed` that no line maps, and whose last value must be kept besides."""
    refs = {
        (ref.side, ref.path): ref
        for condition in conditions_of(pair)
        for ref in changed_in(condition)
        if line_of(pair, ref) is None
    }
    return tuple(refs.values())


def known_fields(pair: ir.Pair) -> tuple[ir.FieldRef, ...]:
    """Fields that a condition of a delete reads: their last values outlive the record."""
    conditions = [pair.toggle(f"{way} delete").when for way in ("inbound", "outbound")]
    return tuple({(r.side, r.path): r for c in conditions for r in fields_in(c)}.values())


def columns_of(
    pair: ir.Pair,
    ends: list[dict[Side, End]],
    watched: tuple[ir.FieldRef, ...],
    side: Side,
) -> tuple[str, ...]:
    """The fields to ask a store for; of a lead also what tells of its conversion."""
    wanted: dict[str, None] = {}
    for line, at in zip(pair.lines, ends, strict=True):
        column = at[side].column
        if column is not None:
            wanted[column] = None
            if at[side].id_column is not None:
                wanted[at[side].id_column or ""] = None
        else:
            wanted.update((r.path, None) for r in fields_in(line.end(side)) if r.side is side)
        wanted.update((r.path, None) for r in fields_in(line.compared) if r.side is side)
    refs = [r for c in conditions_of(pair) for r in fields_in(c)]
    refs += [ref for rule in pair.matches for key in rule.keys for ref in key]
    refs += watched
    wanted.update((r.path, None) for r in refs if r.side is side)
    if side is Side.OUTREACH and pair.fallback:
        wanted["prospect.account"] = None
    if side is Side.SALESFORCE and pair.salesforce.name == LEAD:
        wanted.update(dict.fromkeys(CONVERSION))
    return tuple(wanted)
