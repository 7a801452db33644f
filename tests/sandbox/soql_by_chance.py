"""SOQL conditions by chance: as trees, as text, and what they mean in plain Python."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from dsl.ids import full_id
from engine.sandbox.soql.days import range_of
from engine.sandbox.soql.tree import (
    Among,
    Comparison,
    Condition,
    Every,
    Includes,
    Like,
    Literal,
    Negation,
    Path,
    Some,
)

__all__ = ["FIELDS", "TODAY", "USERS", "conditions", "holds", "printed", "records"]

TODAY = date(2026, 11, 24)
Record = dict[str, Any]

_TEXTS = ["hot", "HOT", "warm", "50%", "5_0", "it's", 'a\\"b\n', "ü", "Ü", "x;y"]
_DAYS = ["2026-11-24", "2026-11-23", "2026-10-24", "2025-02-28", "2024-02-29"]
_TIMES = [
    "2026-11-24T00:00:00",
    "2026-11-23T23:59:59",
    "2026-10-24T09:30:00",
    "2025-12-31T23:00:00",
]
#: Ids that differ in case only.
USERS = [full_id("005Cw000000000a"), full_id("005Cw000000000A")]
_WORDS = ["TODAY", "yesterday", "TOMORROW", "THIS_MONTH", "LAST_QUARTER", "NEXT_WEEK", "THIS_YEAR"]
_WORDS += ["LAST_N_DAYS:30", "N_DAYS_AGO:1", "LAST_N_MONTHS:2", "NEXT_N_DAYS:3", "THIS_FISCAL_YEAR"]

#: Fields by kind; `Owner.Name` is read through the reference.
FIELDS = {
    "text": ("Rating", "Company", "Owner.Name"),
    "number": ("NumberOfEmployees", "AnnualRevenue"),
    "flag": ("DoNotCall",),
    "day": ("ConvertedDate",),
    "time": ("CreatedDate",),
    "id": ("OwnerId",),
    "many": ("Topics__c",),
}
_KIND = {name: kind for kind, names in FIELDS.items() for name in names}
_VALUES: dict[str, list[Any]] = {
    "text": [None, "", *_TEXTS],
    "number": [None, 0, 1, -3, 1.5, 100, 5_000_000],
    "flag": [True, False],
    "day": [None, *_DAYS],
    "time": [f"{t}.000+0000" for t in _TIMES],
    "id": USERS,
    "many": [None, "a", "a;b", "B;c", "a;b;c"],
}


def _records() -> st.SearchStrategy[Record]:
    names = [name for name in _KIND if name != "Owner.Name"]
    return st.fixed_dictionaries({name: st.sampled_from(_VALUES[_KIND[name]]) for name in names})


records = st.lists(_records(), min_size=1, max_size=12)

# -- conditions -------------------------------------------------------------------------------


def _string(text: str) -> Literal:
    escapes = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "Ü": "\\u00dc"}
    return Literal("STRING", "'" + "".join(escapes.get(c, c) for c in text) + "'", 0)


_NULL = Literal("NAME", "null", 0)
_LITERALS: dict[str, st.SearchStrategy[Literal]] = {
    "text": st.sampled_from(["", *_TEXTS]).map(_string) | st.just(_NULL),
    "number": st.sampled_from(["0", "1", "-3", "1.5", "100", "5e6"]).map(
        lambda text: Literal("NUMBER", text, 0)
    ),
    "flag": st.sampled_from(["true", "FALSE"]).map(lambda text: Literal("NAME", text, 0)),
    "day": st.sampled_from(_DAYS).map(lambda text: Literal("DATE", text, 0)),
    "time": st.sampled_from([f"{t}Z" for t in _TIMES] + ["2026-11-24T01:00:00+02:00"]).map(
        lambda text: Literal("DATETIME", text, 0)
    ),
    "id": st.sampled_from([*USERS, USERS[0][:15], ""]).map(_string),
    "many": st.sampled_from(["a", "a;b", "B;c"]).map(_string),
}
_MOVING = st.sampled_from(_WORDS).map(
    lambda text: Literal("COUNTED" if ":" in text else "NAME", text, 0)
)
_LITERALS["day"] |= _MOVING | st.just(_NULL)
_LITERALS["time"] |= _MOVING
_LITERALS["number"] |= st.just(_NULL)

_PATTERNS = st.sampled_from(
    ["h%", "%T", "%o%", "_OT", "50\\%", "5\\_0", "%", "", "%\\'s", "\\u00fc"]
)


def _leaf(name: str) -> st.SearchStrategy[Condition]:
    kind, path = _KIND[name], st.just(Path(tuple(name.split(".")), 0))
    literal = _LITERALS[kind]
    equal = kind in ("flag", "many")
    operators = ("=", "!=") if equal else ("=", "!=", "<", "<=", ">", ">=")
    several = st.lists(literal, min_size=1, max_size=3).map(tuple)
    ways: list[st.SearchStrategy[Any]] = [
        st.builds(Comparison, path, st.sampled_from(operators), literal),
        st.builds(Among, path, several, st.booleans()),
    ]
    if kind == "text":
        pattern = _PATTERNS.map(lambda text: Literal("STRING", f"'{text}'", 0))
        ways.append(st.builds(Like, path, pattern))
    if kind == "many":
        ways.append(st.builds(Includes, path, several, st.booleans()))
    return st.one_of(ways)


def _nested(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Every, several) | st.builds(Some, several) | st.builds(Negation, inner)


conditions = st.recursive(st.one_of([_leaf(name) for name in sorted(_KIND)]), _nested, max_leaves=6)

# -- as text ----------------------------------------------------------------------------------


def printed(condition: Condition) -> str:
    """A condition as SOQL, with parentheses wherever one may be needed."""
    match condition:
        case Every(conditions=parts):
            return "(" + " AND ".join(map(printed, parts)) + ")"
        case Some(conditions=parts):
            return "(" + " OR ".join(map(printed, parts)) + ")"
        case Negation(condition=inner):
            return f"(NOT {printed(inner)})"
        case Comparison(operand=path, operator=operator, value=value):
            return f"{path} {operator} {value.text}"
        case Like(operand=path, value=value):
            return f"{path} LIKE {value.text}"
        case Among(operand=path, values=values, holds=wanted):
            return f"{path} {'' if wanted else 'NOT '}IN ({', '.join(v.text for v in values)})"
        case Includes(operand=path, values=values, holds=wanted):
            word = "INCLUDES" if wanted else "EXCLUDES"
            return f"{path} {word} ({', '.join(v.text for v in values)})"
    raise AssertionError(condition)


# -- what it means ----------------------------------------------------------------------------


def holds(condition: Condition, record: Record) -> bool:
    """Whether a condition holds for a record, `Owner.Name` among its keys."""
    match condition:
        case Every(conditions=parts):
            return all(holds(part, record) for part in parts)
        case Some(conditions=parts):
            return any(holds(part, record) for part in parts)
        case Negation(condition=inner):
            return not holds(inner, record)
        case Comparison(operand=path, operator=operator, value=value):
            return _compares(_KIND[str(path)], record[str(path)], operator, value)
        case Among(operand=path, values=values, holds=wanted):
            kind, mine = _KIND[str(path)], record[str(path)]
            return any(_compares(kind, mine, "=", value) for value in values) == wanted
        case Like(operand=path, value=value):
            mine = record[str(path)]
            return bool(mine) and _like(mine, value.text)
        case Includes(operand=path, values=values, holds=wanted):
            mine = set((record[str(path)] or "").casefold().split(";"))
            ways = [set(_text(value.text).casefold().split(";")) for value in values]
            return any(way <= mine for way in ways) == wanted
    raise AssertionError(condition)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


def _compares(kind: str, mine: Any, operator: str, literal: Literal) -> bool:
    if operator == "!=":
        return not _compares(kind, mine, "=", literal)
    empty = mine is None or mine == ""
    if literal is _NULL or literal.text == "''":
        return empty and operator == "="
    if empty:
        return False
    days = range_of(literal.text, TODAY) if literal.kind in ("NAME", "COUNTED") else None
    if days is not None:
        return _in_days(date.fromisoformat(mine[:10]), operator, *days)
    return _ORDER[operator](*_pair(kind, mine, literal.text))


def _in_days(day: date, operator: str, start: date, end: date) -> bool:
    match operator:
        case "=":
            return start <= day < end
        case "<":
            return day < start
        case "<=":
            return day < end
        case ">":
            return day >= end
    return day >= start


def _pair(kind: str, mine: Any, text: str) -> tuple[Any, Any]:
    match kind:
        case "number":
            return mine, float(text)
        case "flag":
            return mine, text.lower() == "true"
        case "day":
            return mine, text
        case "time":
            return datetime.fromisoformat(mine), datetime.fromisoformat(text).astimezone(UTC)
        case "id":
            return mine[:15], _text(text)[:15]
    return mine.casefold(), _text(text).casefold()


def _text(literal: str) -> str:
    known = {"n": "\n", "'": "'", '"': '"', "\\": "\\", "%": "%", "_": "_"}
    return re.sub(
        r"\\u(....)|\\(.)",
        lambda m: chr(int(m[1], 16)) if m[1] else known[m[2]],
        literal[1:-1],
    )


def _like(mine: str, literal: str) -> bool:
    parts = re.findall(r"\\u....|\\.|.", literal[1:-1], re.DOTALL)
    wild = {"%": ".*", "_": "."}
    pattern = "".join(wild.get(p) or re.escape(_text(f"'{p}'").casefold()) for p in parts)
    return re.fullmatch(pattern, mine.casefold(), re.DOTALL) is not None
