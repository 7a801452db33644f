"""Python functions made from one pair's rules: conditions, views of rows, the merge with bases.

What they mean is defined by `dsl.evaluate`, to which they fall back when a store delivers a value
of another type than its schema says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from dsl import program as ir
from dsl.codegen import Emitter, define
from dsl.evaluate import Context, evaluate, value_of
from dsl.schema import Kind, Side
from dsl.values import canonical, first
from engine.columns import End, line_of, reads_only
from engine.model import Row, Value

__all__ = [
    "FIXED",
    "UNSET",
    "Compiler",
    "Holds",
    "Merge",
    "View",
    "is_unheard",
    "is_unset",
    "merge_function",
    "sent_unheard",
    "unheard",
    "waiting",
    "waits_with",
]

#: A compiled condition: rows of both sides (the other may be None), their bases, the time.
Holds = Callable[
    [Row | None, Row | None, Sequence[Any] | None, Sequence[Any] | None, datetime], bool
]
View = Callable[[Row], tuple[Any, ...]]
Merge = Callable[
    [Sequence[Any], Sequence[Any], Sequence[Any], Sequence[Any]], list[tuple[int, bool, bool]]
]

#: What a base or a view holds for a line that has no value: the sides never agreed on it, or its
#: condition does not hold. Equal to no value that a field can have.
UNSET: dict[str, Any] = {}

_WAITS = "waits"
_SENT = "sent"


def waiting(value: Any) -> dict[str, Any]:
    """What a base holds for a line whose reference waits: as `UNSET`, with the value it was for.

    So the record is not looked at again and again until either the value or the link changes.
    """
    return {_WAITS: value}


def waits_with(base: Any, value: Any) -> bool:
    """Whether a base holds a line that waits, and still waits with this value."""
    return type(base) is dict and _WAITS in base and bool(base[_WAITS] == value)


def unheard(value: Any) -> dict[str, Any]:
    """What the base of a source holds whose write went through unheard: what was sent of it.

    Its own value then is not known. It equals no value, so it is told again.
    """
    return {_SENT: value}


def is_unheard(base: Any) -> bool:
    """Whether of this base only that is known which was sent of it."""
    return type(base) is dict and _SENT in base


def sent_unheard(base: dict[str, Any]) -> Any:
    """What was sent, in the target's canonical form."""
    return base[_SENT]


def is_unset(base: Any) -> bool:
    """Whether the sides never agreed on the line of this base."""
    return type(base) is dict and (not base or _WAITS in base)


FIXED = 2
"""Where the fields start in a row, which is (id, stamp, *values)."""

_NO_FIELD = End("", Kind.UNKNOWN, None, None, None)

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

_VIEWS = {
    Kind.TEXT: "(x.strip() or None if (x := {}) else None)",
    Kind.NUMBER: "(int(x) if type(x := {}) is float and x.is_integer() else x)",
    Kind.BOOLEAN: "({} is True)",
    Kind.DATE: "(x[:10] if (x := {}) else None)",
}
_EMAIL_VIEW = "(x.strip().casefold() or None if (x := {}) else None)"


class Compiler:
    """Generates the functions of one pair; rows of Salesforce are `s`, of Outreach `o`."""

    def __init__(
        self,
        pair: ir.Pair,
        ends: list[dict[Side, End]],
        columns: dict[Side, tuple[str, ...]],
        watched: tuple[ir.FieldRef, ...],
        zone: tzinfo,
    ) -> None:
        self._pair = pair
        self._ends = ends
        self._watched = watched
        self._zone = zone
        self._slots = {
            (side, path): FIXED + number
            for side in Side
            for number, path in enumerate(columns[side])
        }

    def _position(self, ref: ir.FieldRef) -> int:
        """Where in a base the last synced value of a field stands."""
        line = line_of(self._pair, ref)
        if line is not None:
            return line
        places = [(w.side, w.path) for w in self._watched]
        return len(self._pair.lines) + places.index((ref.side, ref.path))

    def value(self, line: ir.Line, end: End, side: Side) -> Callable[[Row, datetime], Value]:
        """A line's value on one side as the store has it, before any translation."""
        expression = line.end(side)
        if end.column is not None:
            slot = self._slots[side, end.column]
            return lambda row, _now: row[slot]
        slots = self._slots

        def compute(row: Row, now: datetime) -> Value:
            def read(ref: ir.FieldRef) -> Value:
                return first(row[slots[ref.side, ref.path]])

            return value_of(expression, Context(read, lambda _: False, now, self._zone))

        return compute

    def reference(self, end: End, side: Side) -> Callable[[Row, datetime], Value] | None:
        """The id behind a name that a map translates, if links may translate it as well."""
        if end.id_column is None:
            return None
        slot = self._slots[side, end.id_column]
        return lambda row, _now: row[slot]

    def holds(self, condition: ir.Condition | None, name: str) -> Holds | None:
        """A condition as a function of (s, o, s_base, o_base, now)."""
        if condition is None:
            return None

        def slot(ref: ir.FieldRef) -> str:
            row = "s" if ref.side is Side.SALESFORCE else "o"
            return f"({row}[{self._slots[ref.side, ref.path]}] if {row} is not None else None)"

        def changed(ref: ir.FieldRef) -> str:
            base = "s_base" if ref.side is Side.SALESFORCE else "o_base"
            same = f"{base}[{self._position(ref)}] == {form(ref)}({slot(ref)})"
            return f"({base} is None or not ({same}))"

        def form(ref: ir.FieldRef) -> str:
            return emitter.constant(canonical(ref.kind, ref.is_email))

        emitter = Emitter(slot, changed, self._zone)
        plain = emitter.constant(self._plain(condition))
        body = [
            "try:",
            f"    return {emitter.condition(condition)}",
            "except (AttributeError, TypeError):",
            f"    return {plain}(s, o, s_base, o_base, now)",
        ]
        holds: Holds = define(name, "s, o, s_base, o_base, now", body, emitter.namespace)
        return holds

    def _plain(self, condition: ir.Condition) -> Holds:
        def holds(
            s: Row | None,
            o: Row | None,
            s_base: Sequence[Any] | None,
            o_base: Sequence[Any] | None,
            now: datetime,
        ) -> bool:
            def read(ref: ir.FieldRef) -> Value:
                row = s if ref.side is Side.SALESFORCE else o
                return None if row is None else row[self._slots[ref.side, ref.path]]

            def changed(ref: ir.FieldRef) -> bool:
                base = s_base if ref.side is Side.SALESFORCE else o_base
                form = canonical(ref.kind, ref.is_email)
                return base is None or bool(base[self._position(ref)] != form(read(ref)))

            return evaluate(condition, Context(read, changed, now, self._zone))

        return holds

    def view(self, side: Side) -> View:
        """The function from a row to the values that are compared with its base."""
        emitter = Emitter(lambda _: "", lambda _: "", self._zone)
        forms: list[Callable[[Row], Any]] = []
        parts: list[str] = []
        for line, ends in zip(self._pair.lines, self._ends, strict=True):
            part, form = self._viewed(line, ends[side], side, emitter)
            parts.append(part)
            forms.append(form)
        for ref in self._watched:
            if ref.side is side:
                end = End(ref.path, ref.kind, ref.path, ref.path, None)
                part, form = self._plain_view(end, ref.is_email, side, emitter)
            else:
                part, form = "None", lambda _row: None
            parts.append(part)
            forms.append(form)
        plain = emitter.constant(lambda row: tuple(form(row) for form in forms))
        body = [
            "try:",
            f"    return ({''.join(f'{p}, ' for p in parts)})",
            "except (AttributeError, TypeError):",
            f"    return {plain}(row)",
        ]
        view: View = define(f"view of {side}", "row", body, emitter.namespace)
        return view

    def _viewed(
        self, line: ir.Line, end: End, side: Side, emitter: Emitter
    ) -> tuple[str, Callable[[Row], Any]]:
        if not line.compares(side):
            return "None", lambda _row: None
        if line.compared is not None:
            line, end = replace(line, outreach=line.compared), _NO_FIELD
        if end.column is None:
            compute, form = self.value(line, end, side), canonical(end.kind)

            def viewed(row: Row) -> Any:
                return form(compute(row, NEVER))  # a source that moves with time never "changes"

            code = f"{emitter.constant(viewed)}(row)"
            return self._silenced(line, side, emitter, code, viewed)
        ref = line.end(side)
        is_email = isinstance(ref, ir.FieldRef) and ref.is_email
        if end.id_column is not None:  # two may bear one name, and somebody may get another one
            end = replace(end, kind=Kind.REFERENCE, column=end.id_column)
        code, plain = self._plain_view(end, is_email, side, emitter)
        return self._silenced(line, side, emitter, code, plain)

    def _silenced(
        self,
        line: ir.Line,
        side: Side,
        emitter: Emitter,
        code: str,
        plain: Callable[[Row], Any],
    ) -> tuple[str, Callable[[Row], Any]]:
        """A line whose `when` does not hold has nothing to say, which is no value at all.

        So a record is not looked at again and again for a line that is held back, and yet the line
        counts as changed as soon as its condition holds.
        """
        holds = self.holds(line.when, f"line {line.key}")
        if holds is None or not reads_only(line.when, side):
            return code, plain
        rows = "row, None" if side is Side.SALESFORCE else "None, row"

        def silenced(row: Row) -> Any:
            left, right = (row, None) if side is Side.SALESFORCE else (None, row)
            return plain(row) if holds(left, right, None, None, NEVER) else UNSET

        condition = f"{emitter.constant(holds)}({rows}, None, None, None)"
        return f"({code} if {condition} else {emitter.constant(UNSET)})", silenced

    def _plain_view(
        self, end: End, is_email: bool, side: Side, emitter: Emitter
    ) -> tuple[str, Callable[[Row], Any]]:
        slot = self._slots[side, end.column or ""]
        form = canonical(end.kind, is_email)
        template = _VIEWS.get(end.kind)
        if is_email:
            template = _EMAIL_VIEW if end.kind is Kind.TEXT else None
        code = template or emitter.constant(form) + "({})"
        return code.format(f"row[{slot}]"), lambda row: form(row[slot])


def merge_function(lines: int) -> Merge:
    """The comparison of both sides with their bases, unrolled over the lines."""
    body = ["if s == s_base and o == o_base:", "    return []", "found = []"]
    for n in range(lines):
        body += [
            f"if s[{n}] != s_base[{n}]:",
            f"    found.append(({n}, True, o[{n}] != o_base[{n}]))",
            f"elif o[{n}] != o_base[{n}]:",
            f"    found.append(({n}, False, True))",
        ]
    merge: Merge = define("merge", "s, o, s_base, o_base", [*body, "return found"], {})
    return merge
