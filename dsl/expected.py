"""Words syntax errors: what stood there, and what could have, as an administrator would say it."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

from dsl.diagnostics import closest

__all__ = ["Wording", "expected", "hint_for_junk", "unexpected"]

_PUNCTUATION = {
    "LBRACE": "{",
    "RBRACE": "}",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": ",",
    "COLON": ":",
    "DOT": ".",
    "PERCENT": "%",
    "EQ": "=",
}
_ARROWS = {"BOTH", "TO", "FROM_OUTREACH"}
_OPERATORS = {"NE", "LT", "LE", "GT", "GE", "CONTAINS", "STARTS", "ENDS", "MATCHES", "IN", "IS"}
_ITEMS = {"CROSSWALK", "LIMITS", "GUARD", "STAGES", "VALUES"}
_UNITS = {"SECOND", "SECONDS", "MINUTE", "MINUTES", "HOUR", "HOURS", "DAY", "DAYS"}
_VALUES = {"STRING", "NUMBER", "TRUE", "FALSE", "DATE", "DATETIME", "FUNCTION", "NOW", "TODAY"}
_KINDS = {"EMAIL", "CALL", "TEXT", "TASK", "MEETING"}
_SIGNS = {"NE", "LT", "LE", "GT", "GE"}
_NAMELESS = {
    *(*_PUNCTUATION, *_ARROWS, *_SIGNS, "NAME", "$END"),
    *("STRING", "NUMBER", "DATE", "DATETIME", "FUNCTION"),
}

# What people write who come from other languages.
_FOREIGN = {
    "&&": "write `and`",
    "&": "write `and`",
    "||": "write `or`",
    "|": "write `or`",
    "'": 'text stands in double quotes: `"…"`',
    "\u2018": 'text stands in straight double quotes: `"…"`',
    "\u2019": 'text stands in straight double quotes: `"…"`',
    "“": 'text stands in straight double quotes: `"…"`',
    "”": 'text stands in straight double quotes: `"…"`',
    "//": "a comment starts with `#`",
    "/*": "a comment starts with `#`, on each of its lines",
    ";": "nothing separates statements but white space",
    "→": "an arrow is written `->`",
    "←": "an arrow is written `<-`",
    "↔": "an arrow is written `<->`",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """A finding's message, help and suggestion."""

    message: str
    help: str | None = None
    suggestion: str | None = None


def hint_for_junk(run: str) -> str | None:
    return _FOREIGN.get(run) or _FOREIGN.get(run[0])


def unexpected(text: str, accepts: Set[str], *, is_name: bool, before: str = "") -> Wording:
    """For a word that cannot stand where it does; an empty one is the end of the file."""
    what = f"unexpected {_quoted(text)}" if text else "the file ends too early"
    wanted = expected(accepts)
    message = f"{what}, expected {wanted}" if wanted else what
    if is_name:
        near = closest(text, keywords(accepts))
        if near:
            return Wording(message, f"did you mean `{near}`?", near)
    if text == "=" and {"BOTH", "TO"} <= accepts:
        return Wording(message, "an arrow says which way the data flows")
    if text == "=" and before in ("=", "!="):
        return Wording(message, "equality is a single `=`")
    return Wording(message)


def _quoted(text: str) -> str:
    line = text.partition("\n")[0]
    return f"`{line[:40]}…`" if len(line) > 40 else f"`{line}`"


def keywords(accepts: Iterable[str]) -> list[str]:
    """The keywords among some terminals, as they are written."""
    return sorted(name.lower() for name in accepts if name not in _NAMELESS)


def expected(accepts: Set[str]) -> str:
    """What could have stood there, in words."""
    rest = set(accepts) - {"$END"}
    found: list[str] = []

    def take(names: Set[str], words: str) -> None:
        found.append(words)
        rest.difference_update(names)

    if rest >= _ITEMS and "NAME" not in rest:
        take(rest - {"RBRACE"}, "an item (`sync`, `fields`, `activities`, `test`, …)")
    if {"MATCH", "POLLING"} <= rest and "NAME" not in rest:
        _take_options(rest, found)
        clauses = {"MATCH", "POLLING", "PUSHING", "INBOUND", "OUTBOUND", "SYNC", "CONFLICT"}
        take(
            {*clauses, "FALLBACK", "FIELDS", "ACTIVITIES"},
            "a clause (`match`, `polling`, `fields`, …)",
        )
    if rest >= _KINDS and "NAME" not in rest:
        _take_options(rest, found)
        take({*_KINDS, "USE"}, "an activity (`email sent`, `call logged`, …)")
    if "NAME" in rest:
        _take_names(rest, found)
    if rest >= _OPERATORS:
        words = "an operator (`=`, `in`, `contains`, `is empty`, …)"
        take({*_OPERATORS, "EQ", "NOT", "CHANGED", "DOT"}, words)
    if rest >= _ARROWS:
        take({*_ARROWS, "DOT"}, "`->`, `<-` or `<->`")
    if rest >= _UNITS:
        take(_UNITS, "a unit (`seconds`, `minutes`, `hours`, `days`)")
    if {"STRING", "NUMBER", "TRUE"} <= rest:
        take(_VALUES, "a value")
    return _listed(found, rest)


def _take_options(rest: set[str], found: list[str]) -> None:
    """`on`, `off`, `every`, `when` … come before what else could follow."""
    options = ("ON", "OFF", "EVERY", "WHEN", "FROM", "TO", "TITLE")
    found += [f"`{_spelt(name)}`" for name in options if name in rest]
    rest.difference_update({*options, "AND", "OR", "DOT"})


def _take_names(rest: set[str], found: list[str]) -> None:
    """A place for a name: keywords can stand there too, so they say nothing."""
    values = {"STRING", "NUMBER", "FUNCTION"} <= rest
    if values and "LPAR" in rest:
        found.append("a condition")
    elif values:
        found.append("a field or a value")
    else:
        found.append("a name")
    kept = {"RBRACE", "COLON", "COMMA", "LBRACE", "RPAR"} & rest
    rest.clear()
    rest |= kept


def _spelt(name: str) -> str:
    if name in _PUNCTUATION:
        return _PUNCTUATION[name]
    return {"TO": "->", "BOTH": "<->", "FROM_OUTREACH": "<-"}.get(name, name.lower())


_TERMINALS = {"STRING": "text in quotes", "NUMBER": "a number", "NAME": "a name"}


def _listed(found: list[str], rest: set[str]) -> str:
    closing = "RBRACE" in rest and len(found) + len(rest) < 3
    if found and "DOT" in rest:
        rest.discard("DOT")
    singles = [_TERMINALS.get(n) or f"`{_spelt(n)}`" for n in sorted(rest - {"RBRACE"})]
    if len(singles) > 6:
        singles = [*singles[:5], "…"]
    parts = [*found, *singles, *(["`}`"] if closing else [])]
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " or " + parts[-1]
