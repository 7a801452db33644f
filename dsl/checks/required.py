"""CW206: creates that the other system refuses, for want of a field that it requires."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import program as p
from dsl.checks.toggles import clause_of
from dsl.diagnostics import Diagnostic
from dsl.passes import SyncView
from dsl.paths import title_of
from dsl.schema import Side

__all__ = ["required"]

_CREATES = (("inbound create", Side.OUTREACH), ("outbound create", Side.SALESFORCE))


def required(view: SyncView) -> Iterator[Diagnostic]:
    """Fields that a create cannot do without, and no line writes."""
    for name, side in _CREATES if view.whole else ():
        clause = clause_of(view, name)
        if clause is None or not view.pair.toggle(name).on:
            continue
        written = set(_written(view.pair, side))
        fields = view.pair.type(side).fields.values()
        missing = [field.name for field in fields if field.required and field.name not in written]
        if missing:
            message = (
                f"`{name}` is on, and {_and(missing)} of `{view.pair.type(side).name}` is not"
                f" mapped, without which {title_of(side)} refuses the record"
            )
            if len(missing) > 1:
                message = message.replace(" is not mapped", " are not mapped")
            yield Diagnostic("CW206", message, clause.name_span, _help(view.pair, side, missing))


def _written(pair: p.Pair, side: Side) -> Iterator[str]:
    """The fields that a create on this side fills in."""
    for line in pair.lines:
        end = line.end(side)
        if isinstance(end, p.FieldRef) and (
            line.inbound if side is Side.OUTREACH else line.outbound
        ):
            yield end.path


def _help(pair: p.Pair, side: Side, missing: list[str]) -> str:
    lines = ", ".join(f"`{_line(pair, side, name)}`" for name in missing)
    one = "a line that writes it" if len(missing) == 1 else "lines that write them"
    return f"add {one} to `fields`, such as {lines}"


def _line(pair: p.Pair, side: Side, name: str) -> str:
    by_name = {field.casefold(): field for field in pair.type(side.other).fields}
    source = by_name.get(name.casefold(), "…")
    return f"{source} -> {name}" if side is Side.OUTREACH else f"{name} <- {source}"


def _and(names: list[str]) -> str:
    *others, last = [f"`{name}`" for name in names]
    return f"{', '.join(others)} and {last}" if others else last
