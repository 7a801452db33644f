"""CW306: maps in which one label leads to two, so that the way back is not one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from dsl import syntax as s
from dsl.diagnostics import Diagnostic

__all__ = ["maps"]


def maps(item: s.Item) -> Iterator[Diagnostic]:
    """Pairs of a map that begin alike, read in one direction; labels compare exactly."""
    if not isinstance(item, s.ValueMap):
        return
    inbound: dict[Hashable, s.ValuePair] = {}
    outbound: dict[Hashable, s.ValuePair] = {}
    for pair in item.pairs:
        forth = inbound.setdefault(_key(pair.left), pair) if pair.arrow != "<-" else pair
        back = outbound.setdefault(_key(pair.right), pair) if pair.arrow != "->" else pair
        first = forth if forth is not pair else back
        if first is pair:
            continue
        if _key(first.left) == _key(pair.left) and _key(first.right) == _key(pair.right):
            yield _repeated(first, pair)
        elif forth is not pair:
            yield _ambiguous(forth.left, forth.right, pair.left, pair.right, "<-")
        else:
            yield _ambiguous(back.right, back.left, pair.right, pair.left, "->")


def _key(literal: s.Literal) -> Hashable:
    return isinstance(literal.value, bool), literal.value


def _repeated(first: s.ValuePair, pair: s.ValuePair) -> Diagnostic:
    message = f"{_said(pair.left)} and {_said(pair.right)} are paired twice"
    span = pair.left.span.to(pair.right.span)
    place = first.left.span.to(first.right.span)
    return Diagnostic("CW306", message, span, "leave one out", related=((place, "first here"),))


def _ambiguous(
    first: s.Literal, one: s.Literal, label: s.Literal, other: s.Literal, arrow: s.Arrow
) -> Diagnostic:
    """`label` is `first` again, and leads to `other` where that led to `one`."""
    message = f"{_said(label)} leads to two: {_said(one)} and {_said(other)}"
    help_text = f"let it lead to one, and write `{arrow}` in the other pair, or leave that out"
    related = ((first.span, f"it leads to {_said(one)} here"),)
    return Diagnostic("CW306", message, label.span, help_text, related=related)


def _said(literal: s.Literal) -> str:
    return f"`{literal.value}`" if isinstance(literal.value, str) else f"`{literal.span.text}`"
