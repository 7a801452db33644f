"""Rules that the engine writes itself, in the rule language, for what a user's rule leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from dsl import program as p
from dsl.activities import RESOURCES
from dsl.memo import Memo
from dsl.parser import parse
from dsl.paths import find_field
from dsl.resolve import Surroundings, resolve
from dsl.schema import Kind, Side, shipped_schema
from dsl.source import Source, Span

__all__ = [
    "all_of",
    "any_of",
    "condition",
    "field_of",
    "lines",
    "named",
    "resolved",
    "resource_of",
    "write",
]


@lru_cache(maxsize=512)
def resolved(target: str, resource: str, text: str, path: str, line: int) -> p.Pair:
    """A sync of the two types with this in it, as if it stood in the line of the user's rule."""
    source = Source(path, f"sync {target} <-> {resource} {{ {text} }}", line)
    module, _ = parse(source)
    found = resolve([module], Surroundings(shipped_schema(), frozenset(), {}), Memo())
    if wrong := [each.message for each in found.found if each.is_error]:
        raise RuntimeError(f"an activity's own lines do not fit its types: {wrong}")
    return found.program.pairs[0]


def condition(rule: p.ActivityRule, text: str) -> p.Condition:
    place = rule.span
    pair = resolved(
        rule.target, resource_of(rule), f"pushing when {text}", place.source.path, place.first.line
    )
    when = pair.toggle("pushing").when
    return when if when is not None else p.All(place, ())


def lines(rule: p.ActivityRule, texts: Sequence[str]) -> tuple[p.Line, ...]:
    place = rule.span
    text = f"fields {{ {'  '.join(texts)} }}"
    return resolved(rule.target, resource_of(rule), text, place.source.path, place.first.line).lines


def resource_of(rule: p.ActivityRule) -> str:
    return RESOURCES[rule.kind.partition(" ")[0]]


def all_of(*conditions: p.Condition | None) -> p.Condition | None:
    terms = tuple(c for c in conditions if c is not None)
    if len(terms) < 2:
        return terms[0] if terms else None
    return p.All(_joined(terms, " and "), terms)


def any_of(conditions: Iterable[p.Condition]) -> p.Condition:
    terms = tuple({c.span.text: c for c in conditions}.values())
    return terms[0] if len(terms) == 1 else p.Any(_joined(terms, " or "), terms)


def _joined(terms: Sequence[p.Condition], word: str) -> Span:
    """The text of a condition that no user wrote as a whole, at the place of its first part."""
    text, first = word.join(map(_text, terms)), terms[0].span
    return Span(Source(first.source.path, text, first.first.line), 0, len(text))


def _text(term: p.Condition) -> str:
    """The text of a part, in parentheses if it has parts itself that stand side by side."""
    text = term.span.text
    alone = not isinstance(term, p.All | p.Any) or text.rstrip().endswith("}")
    return text if alone else f"({text})"


def named(path: str, name: str) -> Span:
    """The span of a field that no user wrote."""
    return Span(Source(path, name), 0, len(name))


def field_of(side: Side, type_name: str, name: str) -> p.FieldRef:
    known = shipped_schema().get(side, type_name)
    names = tuple(name.split("."))
    field = find_field(shipped_schema(), known, names)
    kind = field.kind if field is not None else Kind.UNKNOWN
    return p.FieldRef(named("", name), side, name, kind)


def write(rule: p.ActivityRule, target: str, source: p.Expression) -> p.Line:
    return p.Line(rule.span, field_of(Side.SALESFORCE, rule.target, target), "<-", source)
