"""Makes the nodes of `dsl.syntax` as the parser reduces, so that no second tree is ever built."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from dsl import syntax as s
from dsl.source import Source, Span

__all__ = ["UNIT_SECONDS", "Builder"]

# What the parser hands over: the parts of one reduction, tokens and finished nodes.
Parts = list[Any]

UNIT_SECONDS = {
    "second": 1,
    "seconds": 1,
    "minute": 60,
    "minutes": 60,
    "hour": 3600,
    "hours": 3600,
    "day": 86400,
    "days": 86400,
}

_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|(.))", re.DOTALL)
_SIMPLE_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_LONGEST_NUMBER = 300
_LONGEST_DURATION = 36525 * 86400


class Builder:
    """One method for each rule of the grammar, of the rule's name.

    `problems` collects what only the text of a single token can be wrong in (an escape, a date).
    """

    def __init__(self) -> None:
        self.source = Source("", "")
        self.problems: list[tuple[Span, str, str | None]] = []

    def _span(self, first: Any, last: Any) -> Span:
        return Span(
            self.source,
            first.span.start if hasattr(first, "span") else first.start_pos,
            last.span.end if hasattr(last, "span") else last.end_pos,
        )

    def _of(self, token: Any) -> Span:
        return Span(self.source, token.start_pos, token.end_pos)

    def start(self, parts: Parts) -> Parts:
        return list(parts)

    # -- names, literals, expressions -----------------------------------------------------------

    def word(self, parts: Parts) -> s.Name:
        token = parts[0]
        return s.Name(Span(self.source, token.start_pos, token.end_pos), token.value)

    name = word

    def path(self, parts: Parts) -> s.Path:
        return s.Path(parts[0].span, (parts[0],))

    def dotted_path(self, parts: Parts) -> s.Path:
        return s.Path(self._span(parts[0], parts[-1]), tuple(parts[::2]))

    def string(self, parts: Parts) -> s.Literal:
        token = parts[0]
        text = token.value[1:-1]
        if "\\" in text:
            text = _ESCAPE.sub(lambda found: self._unescape(found, token.start_pos + 1), text)
        return s.Literal(Span(self.source, token.start_pos, token.end_pos), text)

    def _unescape(self, found: re.Match[str], base: int) -> str:
        code, simple = found.groups()
        if code is not None:
            number = int(code, 16)
            if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF:
                return chr(number)
            message = f"`{found[0]}` is not a character of Unicode"
        elif simple in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[simple]
        elif simple == "u":
            message = "`\\u` needs braces around the character's number, as in `\\u{1F600}`"
        else:
            message = f"unknown escape `{found[0]}` in a string"
        span = Span(self.source, base + found.start(), base + found.end())
        known = 'the escapes are `\\"`, `\\\\`, `\\n`, `\\t` and `\\u{…}`'
        self.problems.append((span, message, known))
        return found[0]

    def number(self, parts: Parts) -> s.Literal:
        return self._number(parts[0])

    def _number(self, token: Any) -> s.Literal:
        span = self._of(token)
        text = token.value
        if len(text) > _LONGEST_NUMBER:
            self.problems.append((span, "this number is too long", None))
            return s.Literal(span, 0)
        return s.Literal(span, float(text) if "." in text else int(text))

    def boolean(self, parts: Parts) -> s.Literal:
        return s.Literal(self._of(parts[0]), parts[0].value == "true")

    def date(self, parts: Parts) -> s.Literal:
        return self._dated(parts[0], date.fromisoformat, "date", "2026-11-23")

    def datetime(self, parts: Parts) -> s.Literal:
        return self._dated(parts[0], _instant, "date-time", "2026-11-23T09:30:00Z")

    def _dated(self, token: Any, read: Any, what: str, example: str) -> s.Literal:
        span = self._of(token)
        try:
            return s.Literal(span, read(token.value))
        except (ValueError, OverflowError):
            message = f"`{token.value}` is not a {what} of the calendar"
            self.problems.append((span, message, f"a {what} is written `{example}`"))
            return s.Literal(span, None)

    def moment(self, parts: Parts) -> s.Moment:
        return s.Moment(self._of(parts[0]), parts[0].value)

    def duration(self, parts: Parts) -> s.Ago:
        # An `Ago` for want of a node of its own: `every` and `ago` take the seconds out of it.
        number = self._number(parts[0]).value
        span = self._span(parts[0], parts[1])
        if not isinstance(number, int) or number < 0:
            help_text = "write it in a smaller unit" if isinstance(number, float) else None
            message = f"a duration is a whole number of units, not `{parts[0].value}`"
            self.problems.append((self._of(parts[0]), message, help_text))
            number = 0
        seconds = number * UNIT_SECONDS[parts[1].value]
        if seconds > _LONGEST_DURATION:
            message = f"`{span.text}` is longer than a hundred years"
            self.problems.append((span, message, "write a shorter duration"))
            seconds = 0
        return s.Ago(span, seconds)

    def ago(self, parts: Parts) -> s.Ago:
        return s.Ago(self._span(parts[0], parts[1]), parts[0].seconds)

    def call(self, parts: Parts) -> s.Call:
        function = s.Name(self._of(parts[0]), parts[0].value)
        return s.Call(self._span(parts[0], parts[-1]), function, tuple(parts[2:-1:2]))

    call_empty = call

    # -- conditions -----------------------------------------------------------------------------

    def any_of(self, parts: Parts) -> s.AnyOf:
        return s.AnyOf(self._span(parts[0], parts[-1]), _bare(parts[::2]), False)

    def all_of(self, parts: Parts) -> s.AllOf:
        return s.AllOf(self._span(parts[0], parts[-1]), _bare(parts[::2]), False)

    def any_block(self, parts: Parts) -> s.AnyOf:
        return s.AnyOf(self._span(parts[0], parts[-1]), _bare(parts[2:-1]), True)

    def all_block(self, parts: Parts) -> s.AllOf:
        return s.AllOf(self._span(parts[0], parts[-1]), _bare(parts[2:-1]), True)

    def negated(self, parts: Parts) -> s.Not:
        return s.Not(self._span(parts[0], parts[1]), *_bare(parts[1:]))

    def grouped(self, parts: Parts) -> _Grouped:
        return _Grouped(self._span(parts[0], parts[2]), *_bare(parts[1:2]))

    def compare(self, parts: Parts) -> s.Compare:
        left, (operator, span, negated), right = parts
        return s.Compare(self._span(left, right), left, operator, span, negated, right)

    def compare_in(self, parts: Parts) -> s.Compare:
        operator, span, negated = parts[1]
        whole = self._span(parts[0], parts[-1])
        return s.Compare(whole, parts[0], operator, span, negated, tuple(parts[3:-1:2]))

    def compare_operator(self, parts: Parts) -> tuple[str, Span, bool]:
        return parts[0].value, self._of(parts[0]), False

    def text_operator(self, parts: Parts) -> tuple[str, Span, bool]:
        negated = parts[0].type == "NOT"
        words = " ".join(token.value for token in parts[negated:])
        return words, self._span(parts[0], parts[-1]), negated

    in_operator = text_operator

    def is_empty(self, parts: Parts) -> s.Emptiness:
        return s.Emptiness(self._span(parts[0], parts[-1]), parts[0], False)

    def is_present(self, parts: Parts) -> s.Emptiness:
        return s.Emptiness(self._span(parts[0], parts[-1]), parts[0], True)

    def changed(self, parts: Parts) -> s.Changed:
        return s.Changed(self._span(parts[0], parts[1]), parts[0])

    # -- lines ----------------------------------------------------------------------------------

    def field_line(self, parts: Parts) -> s.FieldLine:
        left, arrow, right = parts[:3]
        whole = self._span(left, parts[-1])
        modifiers = tuple(parts[3:])
        return s.FieldLine(whole, left, arrow.value, self._of(arrow), right, modifiers)

    def prevent(self, parts: Parts) -> s.PreventEmpty:
        direction = parts[2].value if len(parts) > 2 else None
        return s.PreventEmpty(self._span(parts[0], parts[-1]), direction)

    def via(self, parts: Parts) -> s.Via:
        return s.Via(self._span(parts[0], parts[1]), parts[1])

    def prefer(self, parts: Parts) -> s.Prefer:
        return s.Prefer(self._span(parts[0], parts[1]), parts[1].value)

    def once(self, parts: Parts) -> s.Once:
        return s.Once(self._of(parts[0]))

    def when(self, parts: Parts) -> s.When:
        return s.When(self._span(parts[0], parts[1]), *_bare(parts[1:]))

    def use(self, parts: Parts) -> s.Use:
        return s.Use(self._span(parts[0], parts[1]), parts[1])

    def activity_line(self, parts: Parts) -> s.ActivityLine:
        kind, kind_span = parts[0]
        options, lines, last = parts[1:], (), parts[-1] if len(parts) > 1 else None
        if last is not None and not hasattr(last, "span"):
            brace = next(i for i, part in enumerate(parts) if not hasattr(part, "span") and i)
            options, lines = parts[1:brace], tuple(parts[brace + 1 : -1])
        end = last.end_pos if last is not None and not hasattr(last, "span") else None
        end = end or (last.span.end if last is not None else kind_span.end)
        whole = Span(self.source, kind_span.start, end)
        return s.ActivityLine(whole, kind, kind_span, tuple(options), lines)

    def activity_kind(self, parts: Parts) -> tuple[str, Span]:
        return " ".join(token.value for token in parts), self._span(parts[0], parts[-1])

    def origin(self, parts: Parts) -> s.Origin:
        return s.Origin(self._span(parts[0], parts[1]), parts[1].value)

    def target(self, parts: Parts) -> s.Target:
        return s.Target(self._span(parts[0], parts[1]), parts[1])

    def title(self, parts: Parts) -> s.Title:
        return s.Title(self._span(parts[0], parts[1]), parts[1], None)

    def title_from(self, parts: Parts) -> s.Title:
        return s.Title(self._span(parts[0], parts[2]), None, parts[2])

    # -- clauses of sync ------------------------------------------------------------------------

    def match(self, parts: Parts) -> s.Match:
        return s.Match(self._span(parts[0], parts[-1][1]), tuple(parts[1::2]))

    def match_pair(self, parts: Parts) -> tuple[s.Path, s.Path]:
        return parts[0], parts[2]

    def toggle(self, parts: Parts) -> s.Toggle:
        name, span = parts[0]
        whole = Span(self.source, span.start, parts[-1].span.end) if len(parts) > 1 else span
        return s.Toggle(whole, name, span, tuple(parts[1:]))

    timed_name = conditional_name = plain_name = activity_kind

    def switch(self, parts: Parts) -> s.Switch:
        return s.Switch(self._of(parts[0]), parts[0].value == "on")

    def every(self, parts: Parts) -> s.Every:
        return s.Every(self._span(parts[0], parts[1]), parts[1].seconds)

    def conflict(self, parts: Parts) -> s.Conflict:
        return s.Conflict(self._span(parts[0], parts[2]), parts[2].value)

    def fields_block(self, parts: Parts) -> s.FieldsBlock:
        return s.FieldsBlock(self._span(parts[0], parts[-1]), tuple(parts[2:-1]))

    def activities_block(self, parts: Parts) -> s.ActivitiesBlock:
        return s.ActivitiesBlock(self._span(parts[0], parts[-1]), tuple(parts[2:-1]))

    # -- top-level items ------------------------------------------------------------------------

    def version(self, parts: Parts) -> s.Version:
        return s.Version(self._span(parts[0], parts[1]), self._number(parts[1]))

    def limits(self, parts: Parts) -> s.Limits:
        return s.Limits(self._span(parts[0], parts[-1]), tuple(parts[2:-1]))

    def limit(self, parts: Parts) -> s.Limit:
        side, scope, calls, _, period = parts
        whole = self._span(side, period)
        return s.Limit(whole, side.value, scope.value, self._count(calls), period.value)

    def guard(self, parts: Parts) -> s.Guard:
        return s.Guard(self._span(parts[0], parts[-1]), tuple(parts[2:-1]))

    def bound(self, parts: Parts) -> s.Bound:
        read = self._number if parts[0].type == "BLANKING" else self._count
        return s.Bound(self._span(parts[0], parts[-1]), parts[0].value, read(parts[1]))

    def _count(self, token: Any) -> s.Literal:
        number = self._number(token)
        if not isinstance(number.value, int) or number.value < 0:
            message = f"`{token.value}` is not a count: write a whole number"
            self.problems.append((number.span, message, None))
            return s.Literal(number.span, 0)
        return number

    def value_map(self, parts: Parts) -> s.ValueMap:
        pairs = tuple(p for p in parts[3:-1] if isinstance(p, s.ValuePair))
        otherwise = tuple(p for p in parts[3:-1] if isinstance(p, s.Otherwise))
        whole = self._span(parts[0], parts[-1])
        return s.ValueMap(whole, parts[0].value, parts[1], pairs, otherwise)

    def value_pair(self, parts: Parts) -> s.ValuePair:
        left, arrow, right = parts[:3]
        whole = self._span(left, parts[-1])
        color = parts[4] if len(parts) > 4 else None
        return s.ValuePair(whole, left, arrow.value, self._of(arrow), right, color)

    def otherwise(self, parts: Parts) -> s.Otherwise:
        return s.Otherwise(self._span(parts[0], parts[1]), parts[1].value)

    def otherwise_text(self, parts: Parts) -> s.Otherwise:
        return s.Otherwise(self._span(parts[0], parts[1]), parts[1])

    def fields(self, parts: Parts) -> s.Fields:
        return s.Fields(self._span(parts[0], parts[-1]), parts[1], tuple(parts[3:-1]))

    def activities(self, parts: Parts) -> s.Activities:
        return s.Activities(self._span(parts[0], parts[-1]), parts[1], tuple(parts[3:-1]))

    def sync(self, parts: Parts) -> s.Sync:
        whole = self._span(parts[0], parts[-1])
        return s.Sync(whole, parts[1], parts[3], tuple(parts[5:-1]))

    # -- tests ----------------------------------------------------------------------------------

    def test(self, parts: Parts) -> s.Test:
        return s.Test(self._span(parts[0], parts[-1]), parts[1], tuple(parts[3:-1]))

    def given(self, parts: Parts) -> s.Given:
        return s.Given(self._span(parts[0], parts[-1]), tuple(parts[1::2]))

    def change(self, parts: Parts) -> s.Change:
        return s.Change(self._span(parts[0], parts[1]), parts[1])

    def expect_record(self, parts: Parts) -> s.Expectation:
        return s.Expectation(self._span(parts[0], parts[1]), "record", record=parts[1])

    def expect_no(self, parts: Parts) -> s.Expectation:
        whole = self._span(parts[0], parts[2])
        if parts[2].text == "conflict":
            return s.Expectation(whole, "no conflict")
        return s.Expectation(whole, "no record", name=parts[2])

    def expect_conflict(self, parts: Parts) -> s.Expectation:
        return s.Expectation(self._span(parts[0], parts[3]), "conflict", name=parts[3])

    def record(self, parts: Parts) -> s.Record:
        return s.Record(self._span(parts[0], parts[-1]), parts[0], tuple(parts[2:-1]))

    def record_field(self, parts: Parts) -> s.RecordField:
        return s.RecordField(self._span(parts[0], parts[2]), parts[0], parts[2])

    def list(self, parts: Parts) -> s.Literal:
        values = tuple(part.value for part in parts[1:-1:2])
        return s.Literal(self._span(parts[0], parts[-1]), values)


class _Grouped(NamedTuple):
    """A condition in parentheses, which what is around it spans and its own span does not."""

    span: Span
    term: s.Condition


def _bare(parts: Parts) -> tuple[Any, ...]:
    return tuple(part.term if isinstance(part, _Grouped) else part for part in parts)


def _instant(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    aware.astimezone(UTC)  # of no calendar if UTC has no such year
    return aware
