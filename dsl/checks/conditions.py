"""CW303 and CW304: conditions that never hold, by themselves or beside others, or always do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsl.checks.flows import flows, words
from dsl.checks.holding import reads
from dsl.diagnostics import Diagnostic
from dsl.logic import Contradiction, Tautology, findings, never
from dsl.passes import SyncView
from dsl.paths import title_of
from dsl.program import Condition, Empty, Line, Pair
from dsl.schema import Side

__all__ = ["conditions"]


def conditions(view: SyncView) -> Iterator[Diagnostic]:
    """What can be proved of each condition of a sync, and of those that must hold together."""
    pair = view.pair
    dead: set[int] = set()
    for condition in _written(pair):
        for part, verdict in findings(condition):
            if isinstance(verdict, Contradiction):
                dead.add(id(part))
            yield _alone(condition, part, verdict)
    for clause in _creates(pair):
        if id(clause.when) not in dead:
            yield from _reads_what_is_not_there(pair, clause)
    for one, other in _together(view):
        if not dead & {id(one.when), id(other.when)} and _share(one.when, other.when):
            yield from _beside(one, other, dead)


def _written(pair: Pair) -> Iterator[Condition]:
    """Every condition that stands in a sync and its groups."""
    found = [toggle.when for toggle in pair.toggles.values()]
    found += [line.when for line in pair.lines]
    for rule in pair.activities:
        found += [rule.when, *(line.when for line in rule.lines)]
    yield from (each for each in found if each is not None)


# -- alone --------------------------------------------------------------------------------------


def _alone(condition: Condition, part: Condition, verdict: Contradiction | Tautology) -> Diagnostic:
    whole = part is condition
    if isinstance(verdict, Contradiction):
        *others, last = verdict.terms
        subject = "this condition" if whole else "this part"
        message = f"{subject} never holds: {verdict.why}" if others else verdict.why
        related = tuple((term.span, "excludes this") for term in others)
        help_text = "change one of them" if others else "change it, or leave it out"
        return Diagnostic("CW303", message, last.span, help_text, related=related)
    one = verdict.terms[0].span if len(verdict.terms) == 1 else part.span
    help_text = "leave the condition out, if that is meant" if whole else "leave this part out"
    return Diagnostic("CW304", verdict.why, one, help_text)


# -- before there is another side ---------------------------------------------------------------


def _creates(pair: Pair) -> Iterator[_Clause]:
    clauses = (_clause(pair, name) for name in ("inbound create", "outbound create"))
    yield from (clause for clause in clauses if clause is not None)


def _reads_what_is_not_there(pair: Pair, clause: _Clause) -> Iterator[Diagnostic]:
    """A create that asks something of the record that it is to make."""
    side = Side.OUTREACH if clause.name == "`inbound create`" else Side.SALESFORCE
    absent = [ref for ref in reads(clause.when) if ref.side is side]
    if absent and never(clause.when, *(Empty(ref.span, ref, False) for ref in absent)):
        made, source = pair.type(side).name, pair.type(side.other).name
        message = (
            f"{clause.name} never happens: `{words(absent[0].span)}` is empty "
            f"before the `{made}` is created"
        )
        help_text = f"ask for something of {title_of(side.other)}'s `{source}`"
        yield Diagnostic("CW303", message, absent[0].span, help_text)


# -- together -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Clause:
    """A condition, and the word for what asks for it."""

    name: str
    when: Condition


def _together(view: SyncView) -> Iterator[tuple[_Clause, _Clause]]:
    """Conditions that must both hold for something to happen."""
    pair = view.pair
    for watch, way, other_watch in (
        ("polling", "inbound", "pushing"),
        ("pushing", "outbound", "polling"),
    ):
        seen = _clause(pair, watch)
        for action in ("create", "update"):
            allowed = _clause(pair, f"{way} {action}")
            # A linked record is updated as well when the other side of it is what was seen.
            if action == "update" and pair.toggle(other_watch).on:
                continue
            if seen and allowed and not _asks_for_its_end(allowed.when):
                yield seen, allowed
    for line in _own_lines(view):
        yield from _line_beside_toggles(pair, line)


def _clause(pair: Pair, name: str) -> _Clause | None:
    toggle = pair.toggle(name)
    return _Clause(f"`{name}`", toggle.when) if toggle.on and toggle.when else None


# A conversion, a merge and a deletion are seen whatever a polling condition says.
_ENDS = ("IsConverted", "Converted", "IsDeleted", "MasterRecordId")


def _asks_for_its_end(condition: Condition) -> bool:
    return any(ref.path.startswith(_ENDS) for ref in reads(condition))


def _own_lines(view: SyncView) -> Iterator[Line]:
    """Lines that are not of a group, where they may be of use to another sync."""
    span = view.node.span
    for line in view.pair.lines:
        own = line.span.source is span.source and span.start <= line.span.start < span.end
        if own and line.when is not None:
            yield line


def _line_beside_toggles(pair: Pair, line: Line) -> Iterator[tuple[_Clause, _Clause]]:
    """A line with the one toggle by which alone its values go."""
    names = [
        f"{flow.way} {action}"
        for flow in flows(line)
        for action in (("create",) if line.once else ("create", "update"))
    ]
    on = [name for name in names if pair.toggle(name).on]
    toggles = [_clause(pair, name) for name in on]
    if line.when is not None and len(toggles) == 1 and toggles[0] is not None:
        yield toggles[0], _Clause("the line's `when`", line.when)


def _share(one: Condition, other: Condition) -> bool:
    """Whether two conditions ask about one field, without which neither can exclude the other."""
    fields = {(ref.side, ref.path) for ref in reads(one)}
    return any((ref.side, ref.path) in fields for ref in reads(other))


def _beside(one: _Clause, other: _Clause, dead: set[int]) -> Iterator[Diagnostic]:
    """What of the other condition never holds where the one does, and does so by itself."""
    for part, verdict in findings(one.when, other.when):
        if isinstance(verdict, Tautology) or id(part) in dead or not _within(part, other.when):
            continue
        own = [term for term in verdict.terms if _within(term, other.when)]
        outside = [term for term in verdict.terms if not _within(term, other.when)]
        if not own or not outside:
            continue
        message = f"{one.name} and {other.name} exclude each other: {verdict.why}"
        if part is not other.when:
            message = f"this part never holds beside {one.name}: {verdict.why}"
        related = tuple((term.span, "excludes this") for term in (*outside, *own[:-1]))
        yield Diagnostic("CW303", message, own[-1].span, "change one of them", related=related)


def _within(part: Condition, whole: Condition) -> bool:
    """Whether a part stands in a condition of the same sync."""
    return whole.span.start <= part.span.start and part.span.end <= whole.span.end
