"""Conditions in which contradictions are frequent, and the records to try them on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cached_property
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from dsl.evaluate import Context, evaluate, kind_of
from dsl.program import (
    Ago,
    All,
    Call,
    Changed,
    Comparison,
    Condition,
    Constant,
    Empty,
    Expression,
    FieldRef,
    Moment,
    Negation,
)
from dsl.program import Any as AnyOf
from dsl.schema import Kind, Side
from dsl.source import Source, Span

SPAN = Span(Source("rules/x.sync", "x"), 0, 1)


def field(path: str, kind: Kind, side: Side = Side.SALESFORCE) -> FieldRef:
    return FieldRef(SPAN, side, path, kind)


TEXT, OTHER_TEXT = field("Rating", Kind.TEXT), field("Status", Kind.TEXT)
NUMBER, BOOLEAN = field("Amount", Kind.NUMBER), field("DoNotCall", Kind.BOOLEAN)
DATE, DATETIME = field("CloseDate", Kind.DATE), field("CreatedDate", Kind.DATETIME)
REFERENCE = field("OwnerId", Kind.REFERENCE)
CUSTOM, OTHER_CUSTOM = field("Odd__c", Kind.UNKNOWN), field("Even__c", Kind.UNKNOWN)
LIST = field("emails", Kind.LIST, Side.OUTREACH)
VAGUE = field("what", Kind.UNKNOWN, Side.OUTREACH)
FIELDS = (
    *(TEXT, OTHER_TEXT, NUMBER, BOOLEAN, DATE, DATETIME, REFERENCE),
    *(CUSTOM, OTHER_CUSTOM, LIST, VAGUE),
)

# -- expressions --------------------------------------------------------------------------------

_KINDS = {bool: Kind.BOOLEAN, int: Kind.NUMBER, float: Kind.NUMBER, str: Kind.TEXT}
_KINDS |= {date: Kind.DATE, datetime: Kind.DATETIME}


def constant(value: Any) -> Constant:
    return Constant(SPAN, value, _KINDS[type(value)])


TEXTS = ["a", "A", "b", "ab", "abc", "ba", "", "straße", "STRASSE", "k"]
NUMBERS = [0, 1, 1.5, 2, -1]
DAYS = [date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 1)]
INSTANTS = [
    datetime(2026, 11, 23, tzinfo=UTC),
    datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    datetime(2026, 11, 24, 0, 0, 0, 500_400, tzinfo=UTC),
    datetime(2026, 11, 26, tzinfo=UTC),
]
PATTERNS = ["^a", "b$", "a.", "^ß", "ss", r"\bk\b", "(?-i)A", "(", "^strasse$", "^.{6}$"]
MOVING: list[Expression] = [
    Moment(SPAN, "now"),
    Moment(SPAN, "today"),
    *(Ago(SPAN, seconds) for seconds in (0, 3600, 86_400, 90_000, 2 * 86_400, 30 * 86_400)),
]

TIMES = [*map(constant, [*DAYS, *INSTANTS]), *MOVING, *MOVING]
TIME_TEXTS = list(map(constant, ["2026-11-23", "2026-11-23T09:30:00Z", "soon", ""]))
ANYTHING = [*map(constant, [*TEXTS, *NUMBERS, True, False]), *TIMES, *TIME_TEXTS]

ORDER = ["=", "!=", "<", "<=", ">", ">="]
ON_TEXT = ["contains", "starts with", "ends with", "matches"]


def _call(function: str, kind: Kind, *arguments: Expression) -> Call:
    return Call(SPAN, function, arguments, kind)


CALLS = [
    _call("length", Kind.NUMBER, TEXT),
    _call("length", Kind.NUMBER, LIST),
    _call("lower", Kind.TEXT, TEXT),
    _call("concat", Kind.TEXT, TEXT, OTHER_TEXT),
    _call("coalesce", Kind.UNKNOWN, TEXT, NUMBER),
    _call("coalesce", Kind.UNKNOWN, TEXT, LIST),
    _call("number", Kind.NUMBER, CUSTOM),
    _call("date", Kind.DATE, DATETIME),
    _call("lower", Kind.TEXT, constant("A")),
    _call("date", Kind.DATE, constant("2026-11-23T09:30:00Z")),
]


def _operand(kind: Kind, dice: Random) -> Expression:
    """What a value of a kind is compared with."""
    match kind:
        case Kind.TEXT | Kind.LIST:
            return constant(dice.choice(TEXTS))
        case Kind.NUMBER:
            return constant(dice.choice(NUMBERS))
        case Kind.BOOLEAN:
            return constant(dice.choice([True, False]))
        case Kind.DATE | Kind.DATETIME:
            return dice.choice([*TIMES, *TIME_TEXTS])
        case Kind.REFERENCE:
            return constant(dice.choice([*TEXTS, *NUMBERS]))
    return dice.choice(ANYTHING)


# -- conditions ---------------------------------------------------------------------------------


def _comparison(values: list[Expression], dice: Random) -> Comparison:
    left = dice.choice(values)
    kind = kind_of(left)
    form = dice.randrange(10)
    if form <= 1:
        items = [_operand(kind, dice) for _ in range(dice.randrange(1, 4))]
        if dice.randrange(5) == 0:
            items.append(dice.choice(values))
        return Comparison(SPAN, left, "in", dice.choice([False, True]), tuple(items))
    if form <= 4 and kind in (Kind.TEXT, Kind.LIST, Kind.UNKNOWN, Kind.REFERENCE):
        word = dice.choice(ON_TEXT)
        pattern = constant(dice.choice(PATTERNS if word == "matches" else TEXTS))
        return Comparison(SPAN, left, word, dice.choice([False, True]), pattern)
    operator = dice.choice(ORDER)
    right = dice.choice(values) if form == 5 else _operand(kind, dice)
    if form == 6:
        left, right = right, left
    return Comparison(SPAN, left, operator, False, right)


def _condition(values: list[Expression], dice: Random, depth: int) -> Condition:
    form = dice.randrange(12 if depth else 6)
    if form <= 4:
        return _comparison(values, dice)
    if form == 5:
        field_changed = Changed(SPAN, dice.choice([TEXT, NUMBER]))
        empty = Empty(SPAN, dice.choice(values), dice.choice([False, True]))
        return dice.choice([empty, empty, field_changed])
    if form == 6:
        return Negation(SPAN, _condition(values, dice, depth - 1))
    terms = [_condition(values, dice, depth - 1) for _ in range(dice.randrange(1, 5))]
    return (All if form <= 9 else AnyOf)(SPAN, tuple(terms))


def condition(dice: Random) -> Condition:
    """A condition about one or two values, so that its terms have much to do with each other."""
    some = [dice.choice(dice.choice([FIELDS, CALLS])) for _ in range(dice.randrange(1, 3))]
    return _condition(some, dice, 3)


# -- records ------------------------------------------------------------------------------------

TEXT_VALUES = [None, "", "a", "A", "b", "ab", "abc", "ba", "x", "straße", "STRASSE", "k", "\u212a"]
TEXT_VALUES += ["!", "aa", "cab", "ß", "ss", "K", "ac"]
NUMBER_VALUES = [None, 0, 1, 1.5, 2, -1, 1.25, 3, -2]
DATE_VALUES = [None, "2026-11-23", "2026-11-24", "2026-11-22", "2026-11-01", "2027-01-01"]
STAMP_VALUES = [
    *(None, "2026-11-23T00:00:00.000Z", "2026-11-23T09:30:00.000+0000", "2026-11-23T05:00:00Z"),
    *("2026-11-22T23:00:00Z", "2026-11-24T00:00:00.500Z", "2026-11-25T12:00:00Z"),
    *("2026-11-26T00:00:00Z", "2026-11-01T04:30:00Z", "2020-01-01T00:00:00Z"),
    *("2026-11-22T09:30:00Z", "2026-11-23T08:30:00Z", "2026-11-21T09:30:00Z"),
]
SCALARS = [*TEXT_VALUES, *NUMBER_VALUES, True, False, *DATE_VALUES[1:], *STAMP_VALUES[1:], "soon"]


def _value(ref: FieldRef, dice: Random) -> Any:
    match ref.kind:
        case Kind.TEXT:
            return dice.choice(TEXT_VALUES)
        case Kind.NUMBER:
            return dice.choice(NUMBER_VALUES)
        case Kind.BOOLEAN:
            return dice.choice([None, True, False])
        case Kind.DATE:
            return dice.choice(DATE_VALUES)
        case Kind.DATETIME:
            return dice.choice(STAMP_VALUES)
        case Kind.REFERENCE:
            return dice.choice([*TEXT_VALUES, *NUMBER_VALUES])
    if ref is LIST or (ref is VAGUE and dice.random() < 0.5):
        return dice.choices(dice.choice([SCALARS, TEXT_VALUES]), k=dice.randrange(4))
    return dice.choice(dice.choice([SCALARS, TEXT_VALUES, NUMBER_VALUES]))


ZONES: list[tzinfo] = [
    UTC,
    timezone(timedelta(hours=14)),
    timezone(timedelta(hours=-12)),
    ZoneInfo("America/New_York"),
]
NOWS = [
    datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    datetime(2026, 11, 23, tzinfo=UTC),
    datetime(2026, 11, 24, 0, 0, 0, 999, tzinfo=UTC),
    datetime(2026, 11, 2, 4, 59, tzinfo=UTC),  # New York's longest day is nearly over
    datetime(2030, 1, 1, 23, 59, 59, tzinfo=UTC),
]


@dataclass(frozen=True)
class Seen:
    """A record, what has changed in it, and a time and zone to look at it."""

    record: dict[str, Any]
    changed: frozenset[str]
    now: datetime
    zone: tzinfo

    @cached_property
    def context(self) -> Context:
        return Context(
            lambda ref: self.record[ref.path],
            lambda ref: ref.path in self.changed,
            self.now,
            self.zone,
        )

    def fulfils(self, condition: Condition) -> bool:
        return evaluate(condition, self.context)


def _seen(dice: Random) -> Seen:
    record = {ref.path: _value(ref, dice) for ref in FIELDS}
    changed = frozenset(ref.path for ref in (TEXT, NUMBER) if dice.random() < 0.5)
    return Seen(record, changed, dice.choice(NOWS), dice.choice(ZONES))


def many(count: int, seed: int) -> list[Seen]:
    """So many records, always the same for a seed."""
    dice = Random(seed)  # noqa: S311 - the same records each time is the point
    return [_seen(dice) for _ in range(count)]
