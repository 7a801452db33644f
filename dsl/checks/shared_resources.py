"""CW410 and CW411: what two syncs of one Outreach resource must agree on."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from dsl.checks.flows import clause_of, ends, plain, words
from dsl.checks.holding import reads
from dsl.diagnostics import Diagnostic
from dsl.logic import overlap
from dsl.passes import Project, SyncView
from dsl.program import All, Condition, Line
from dsl.schema import Kind, Side
from dsl.source import Span
from dsl.types import kind_of

__all__ = ["disagreeing_syncs", "double_create"]


def _by_resource(views: Iterable[SyncView]) -> Iterator[list[SyncView]]:
    """The syncs of each resource that has several."""
    found: dict[str, list[SyncView]] = {}
    for view in views:
        found.setdefault(view.pair.outreach.name, []).append(view)
    yield from (each for each in found.values() if len(each) > 1)


def _said(view: SyncView) -> str:
    return f"`sync {view.pair.salesforce.name} <-> {view.pair.outreach.name}`"


# -- one attribute, two ways --------------------------------------------------------------------

_WORDS = {
    Kind.TEXT: "text",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "a boolean",
    Kind.DATE: "a date",
    Kind.DATETIME: "a date-time",
    Kind.REFERENCE: "a reference",
}
_ALSO_TEXT = frozenset({Kind.ID, Kind.LIST})


@dataclass(frozen=True, slots=True)
class _Mapped:
    """How one sync maps an attribute: `kind` is None where the field's is not known for sure."""

    path: str
    line: Line
    view: SyncView
    kind: Kind | None
    pairs: Hashable

    def agrees(self, other: _Mapped) -> bool:
        if self.pairs != other.pairs:
            return False
        kinds = (self.kind, other.kind)
        return self.kind is other.kind or self.pairs is not None or None in kinds


def disagreeing_syncs(project: Project) -> Iterator[Diagnostic]:
    """An attribute that two syncs map to fields of different type, or through different maps."""
    for views in _by_resource(project.views):
        first: dict[str, _Mapped] = {}
        for view in views:
            for one in project.memo.of("attributes", view, partial(_attributes, view)):
                other = first.setdefault(one.path, one)
                if other is not one and not one.agrees(other):
                    yield from _disagreement(one, other)


def _attributes(view: SyncView) -> list[_Mapped]:
    """The first line of each attribute that a sync maps."""
    lines: dict[str, Line] = {}
    for line in view.pair.lines:
        attribute = plain(line.outreach)
        if attribute is not None:
            lines.setdefault(attribute.path, line)
    return [_Mapped(path, line, view, _kind(line), _pairs(line)) for path, line in lines.items()]


def _kind(line: Line) -> Kind | None:
    kind = kind_of(line.salesforce)
    kind = Kind.TEXT if kind in _ALSO_TEXT else kind
    return kind if kind in _WORDS else None


def _pairs(line: Line) -> Hashable:
    """What a line's map says, whatever it is called."""
    via = line.via
    if via is None:
        return None
    pairs = frozenset((entry.left, entry.arrow, entry.right) for entry in via.entries)
    return pairs, via.otherwise, via.otherwise_text


def _disagreement(one: _Mapped, other: _Mapped) -> Iterator[Diagnostic]:
    # What both only read, nothing can come back changed from.
    if not (one.line.inbound or other.line.inbound) or one.view is other.view:
        return
    if one.pairs == other.pairs:
        yield _of_other_types(one, other)
    elif not _is_loose_stage(one.line, other.line):
        yield _through_other_maps(one, other)


def _is_loose_stage(line: Line, other: Line) -> bool:
    """Whether one of the two is reported already, as a stage without `via`."""
    loose = next((each for each in (line, other) if each.via is None), None)
    end = plain(loose.outreach) if loose else None
    return end is not None and not {"stage", "opportunityStage"}.isdisjoint(end.references)


def _of_other_types(one: _Mapped, other: _Mapped) -> Diagnostic:
    where = _said(other.view)
    message = f"`{one.path}` is mapped to {_typed(one)}, and in {where} to {_typed(other)}"
    help_text = "map one attribute to fields of one type, or two attributes"
    related = ((ends(other.line), "it is mapped to another type here"),)
    return Diagnostic("CW410", message, ends(one.line), help_text, related=related)


def _typed(one: _Mapped) -> str:
    return f"{_WORDS[one.kind or Kind.TEXT]}, `{words(one.line.salesforce.span)}`"


def _through_other_maps(one: _Mapped, other: _Mapped) -> Diagnostic:
    where = _said(other.view)
    message = (
        f"`{one.path}` goes through {_map(one.line)}, and in {where} through {_map(other.line)}"
    )
    help_text = "let both go through one map that lists the labels of both"
    related = ((_via(other.line), "the other way is here"),)
    return Diagnostic("CW410", message, _via(one.line), help_text, related=related)


def _map(line: Line) -> str:
    return f"`{line.via.name}`" if line.via else "no map"


def _via(line: Line) -> Span:
    """The name behind `via`, or else the whole mapping."""
    if line.via is None:
        return ends(line)
    start = line.outreach.span.end
    text = line.span.source.text[start : line.span.end]
    found = re.search(rf"\bvia\s+({re.escape(line.via.name)})", text)
    return (
        Span(line.span.source, start + found.start(1), start + found.end(1)) if found else line.span
    )


# -- one record, two creates --------------------------------------------------------------------


# More syncs of one resource than anybody has; to compare each with each of very many takes long.
_COMPARED = 16


def double_create(project: Project) -> Iterator[Diagnostic]:
    """Outbound creates of two syncs that one record of their resource can set off both."""
    for views in _by_resource(project.views):
        creating = [view for view in views if _creates(view)][:_COMPARED]
        for number, view in enumerate(creating):
            other = next((o for o in creating[:number] if _overlap(project, view, o)), None)
            if other is not None:
                yield _twice(view, other)


def _creates(view: SyncView) -> bool:
    return view.pair.toggle("outbound create").on and view.pair.toggle("pushing").on


def _overlap(project: Project, view: SyncView, other: SyncView) -> bool:
    make = partial(_can_both, view, other)
    return project.memo.of(f"overlap with {id(other)}", view, make, (other,))


def _can_both(view: SyncView, other: SyncView) -> bool:
    a, b = _creating(view), _creating(other)
    if a is None and b is None:
        return True
    # What is read of Salesforce is the one sync's lead and the other's contact, and not there yet.
    refs = (ref for each in (a, b) if each is not None for ref in reads(each))
    return all(ref.side is Side.OUTREACH for ref in refs) and overlap(a, b) is True


def _creating(view: SyncView) -> Condition | None:
    """What must hold before a sync creates a record."""
    toggles = (view.pair.toggle("pushing"), view.pair.toggle("outbound create"))
    conditions = tuple(toggle.when for toggle in toggles if toggle.when is not None)
    return All(view.pair.span, conditions) if conditions else None


def _twice(view: SyncView, other: SyncView) -> Diagnostic:
    resource = view.pair.outreach.name
    names = (other.pair.salesforce.name, view.pair.salesforce.name)
    unbound = _creating(view) is None and _creating(other) is None
    why = "neither create has a condition" if unbound else "both creates can go ahead for it"
    message = f"one `{resource}` can become both a `{names[0]}` and a `{names[1]}`: {why}"
    help_text = "give both a condition, such that one excludes the other"
    return Diagnostic(
        "CW411", message, _place(view), help_text, related=((_place(other), "the other create"),)
    )


def _place(view: SyncView) -> Span:
    clause = clause_of(view, "outbound create")
    return clause.name_span if clause else view.node.salesforce.span
