"""CW307: loops of field lines through which a change comes back altered, again and again.

A change does not go back over the line that it came by, whose two sides then agree. It can come
back over another: a loop is a way round on which each line differs from the one before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

from dsl import program as p
from dsl.checks.rounds import Flow, Node, runs_on
from dsl.checks.walk import refs, refs_in
from dsl.diagnostics import Diagnostic
from dsl.logic import never
from dsl.passes import Project, SyncView
from dsl.schema import Side
from dsl.source import Span

__all__ = ["loops"]

_LONGEST = 8
_MOST = 200

_Graph = dict[Node, list[Flow]]


def loops(project: Project) -> Iterator[Diagnostic]:
    """Loops in what all syncs do to records that are linked with each other."""
    used = Counter(view.pair.salesforce.name for view in project.views)
    flows = (_flows(view, used[view.pair.salesforce.name] == 1) for view in project.views)
    graph = _pruned(chain.from_iterable(flows))
    reported: set[frozenset[int]] = set()
    for start in [flow for out in graph.values() for flow in out if flow.alters]:
        for loop in _ways_round(start, graph):
            lines = frozenset(id(flow.line) for flow in loop)
            if lines not in reported and _possible(loop) and runs_on(loop):
                reported.add(lines)
                yield _loop(loop)
                break


# -- the graph ----------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _flows(view: SyncView, alone: bool) -> tuple[Flow, ...]:
    """The flows of a sync; of one `alone` with its Salesforce type those that another may follow.

    Kept from one keystroke in an editor to the next, which makes few syncs anew.
    """
    flows = tuple(_all_flows(view))
    if not alone:
        return flows
    touching = _lines((_salesforce(flow), flow.line) for flow in flows)
    return tuple(flow for flow in flows if touching[_salesforce(flow)] is None)


def _salesforce(flow: Flow) -> Node:
    return flow.source if flow.source[0] is Side.SALESFORCE else flow.target


def _all_flows(view: SyncView) -> Iterator[Flow]:
    """What updates do: a line written only once, or held back by its toggle, passes nothing on."""
    pair = view.pair
    ways = []
    for source, watch, update in (
        (Side.SALESFORCE, "polling", "inbound update"),
        (Side.OUTREACH, "pushing", "outbound update"),
    ):
        toggles = (pair.toggle(watch), pair.toggle(update))
        if all(toggle.on for toggle in toggles):
            conditions = tuple(t.when for t in toggles if t.when is not None)
            names = {side: pair.type(side).name for side in Side}
            ways.append((source, names, conditions))
    for line in pair.lines if ways else ():
        if not line.once:
            for source, names, conditions in ways:
                if line.arrow != ("<-" if source is Side.SALESFORCE else "->"):
                    yield from _over(line, source, names, conditions)


def _over(
    line: p.Line, source: Side, names: dict[Side, str], conditions: tuple[p.Condition, ...]
) -> Iterator[Flow]:
    start, target = line.end(source), line.end(source.other)
    if isinstance(target, p.FieldRef):
        end = (source.other, names[source.other], target.path)
        reads = (start,) if isinstance(start, p.FieldRef) else refs(start)
        for ref in reads:
            if not ref.dotted and ref.side is source:
                yield Flow((source, names[source], ref.path), end, ref, line, conditions)


def _pruned(flows: Iterable[Flow]) -> _Graph:
    """The flows by their source, without those that no other line leads on from, or to."""
    left = list(flows)
    while left:
        leaving = _lines((flow.source, flow.line) for flow in left)
        coming = _lines((flow.target, flow.line) for flow in left)
        kept = [
            flow
            for flow in left
            if leaving.get(flow.target, flow.line) is not flow.line
            and coming.get(flow.source, flow.line) is not flow.line
        ]
        if len(kept) == len(left):
            break
        left = kept
    graph: _Graph = {}
    for flow in left:
        graph.setdefault(flow.source, []).append(flow)
    return graph


def _lines(ends: Iterable[tuple[Node, p.Line]]) -> dict[Node, p.Line | None]:
    """The one line at each field; None where there are several."""
    found: dict[Node, p.Line | None] = {}
    for node, line in ends:
        if found.setdefault(node, line) is not line:
            found[node] = None
    return found


def _ways_round(start: Flow, graph: _Graph) -> Iterator[tuple[Flow, ...]]:
    """The simple loops that begin with a flow; only so many, and none that is very long."""
    stack: list[tuple[Flow, ...]] = [(start,)]
    for _ in range(_MOST):
        if not stack:
            return
        way = stack.pop()
        for flow in graph.get(way[-1].target, ()):
            if flow.line is way[-1].line:
                continue
            if flow.target == start.source and flow.line is not start.line:
                yield (*way, flow)
            elif len(way) < _LONGEST and all(flow.target != each.source for each in way):
                stack.append((*way, flow))


# -- which of them can go on --------------------------------------------------------------------


def _possible(loop: Sequence[Flow]) -> bool:
    """Whether all conditions can hold all along: for sure only if the loop changes none of them."""
    nodes = {flow.source for flow in loop}
    conditions = [c for flow in loop for c in flow.conditions]
    for flow in loop:
        names = {flow.source[0]: flow.source[1], flow.target[0]: flow.target[1]}
        for condition in flow.conditions:
            if any((r.side, names[r.side], r.path) in nodes for r in refs_in(condition)):
                return False
    return never(*(condition for condition in conditions if condition is not None)) is None


def _loop(loop: Sequence[Flow]) -> Diagnostic:
    last = loop[-1]
    fields = " → ".join(f"`{flow.source[1]}.{flow.source[2]}`" for flow in (*loop, loop[0]))
    message = f"a change comes back altered and runs on forever: {fields}"
    related = tuple((_ends(flow), "by way of this line") for flow in loop[:-1])
    help_text = "leave one of these lines out, or let it write `once`"
    return Diagnostic("CW307", message, _ends(last), help_text, related=related)


def _ends(flow: Flow) -> Span:
    return flow.line.salesforce.span.to(flow.line.outreach.span)
