"""The plan graph: the steps of one cycle, and what each has to wait for and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

import networkx as nx

from dsl.program import FieldRef, Line, Pair, Program, Translation
from dsl.schema import Kind, Side
from engine.model import Direction

__all__ = ["Graph", "build", "order", "references", "stage_maps"]

Graph: TypeAlias = "nx.DiGraph[str]"
_CHAIN = ("observe", "decide", "act", "commit")


def build(program: Program) -> Graph:
    """The graph of a program.

    A node is a step: `observe`, `decide`, `act` and `commit` of one pair and direction, `stages`
    (what a stage map needs is there) and `resolve` (what had to wait is decided again). Attributes:
    `kind`, `type` (the pair), `direction` or None, `rule` (file:line). An edge's `why` tells why.
    """
    graph: Graph = nx.DiGraph()
    pairs = _pair_order(program)
    for pair in pairs:
        _add_chains(graph, pair)
    _add_stages(graph, pairs)
    _add_reference_edges(graph, pairs)
    _add_shared_edges(graph, pairs)
    for pair in pairs:
        _add_resolve(graph, pair, pairs)
    return graph


def order(graph: Graph) -> list[str]:
    """The steps in an order in which they can run; the same one each time."""
    rank = {node: number for number, node in enumerate(graph)}
    return list(nx.lexicographical_topological_sort(graph, key=rank.__getitem__))


def references(pair: Pair, pairs: Sequence[Pair]) -> Iterator[tuple[str, Pair]]:
    """The lines of a pair that refer to records which a sync links, each with that sync."""
    for line in pair.lines:
        left, right = line.salesforce, line.outreach
        if not (isinstance(left, FieldRef) and isinstance(right, FieldRef)):
            continue
        if left.kind is not Kind.REFERENCE or right.kind is not Kind.REFERENCE:
            continue
        for other in pairs:
            if other.salesforce.name in left.references and other.outreach.name in right.references:
                yield left.path, other


def stage_maps(pair: Pair) -> Iterator[tuple[Line, Translation]]:
    """The stage maps whose stages a pair may have to write."""
    if not pair.toggle("polling").on:
        return
    if not (pair.toggle("inbound create").on or pair.toggle("inbound update").on):
        return
    for line in pair.lines:
        end = line.outreach
        stages = line.via is not None and line.via.is_stages
        if stages and line.inbound and isinstance(end, FieldRef) and end.kind is Kind.REFERENCE:
            yield line, line.via  # type: ignore[misc]


def _pair_order(program: Program) -> list[Pair]:
    """Pairs by their references, those in a circle (or free) by name."""
    by_name = {pair.name: pair for pair in sorted(program.pairs, key=lambda p: p.name)}
    needs: Graph = nx.DiGraph()
    needs.add_nodes_from(by_name)
    for pair in by_name.values():
        for _, other in references(pair, program.pairs):
            needs.add_edge(other.name, pair.name)
    circles = nx.condensation(needs)
    first = {node: min(circles.nodes[node]["members"]) for node in circles}
    groups = nx.lexicographical_topological_sort(circles, key=first.__getitem__)
    return [by_name[n] for group in groups for n in sorted(circles.nodes[group]["members"])]


def _add_chains(graph: Graph, pair: Pair) -> None:
    """The steps of one pair: what Salesforce has to tell first, then what Outreach has."""
    ends = []
    for direction, toggle in ((Direction.INBOUND, "polling"), (Direction.OUTBOUND, "pushing")):
        rule = pair.toggle(toggle)
        if not rule.on:
            continue
        place = (rule.span or pair.span).place
        names = [f"{kind} {_title(pair)} {direction}" for kind in _CHAIN]
        for kind, name in zip(_CHAIN, names, strict=True):
            graph.add_node(name, kind=kind, type=pair.name, direction=direction.value, rule=place)
        for one, two in pairwise(names):
            graph.add_edge(one, two, why="data")
        ends += [names[0], names[-1]]
    if len(ends) > len(_CHAIN) // 2:
        graph.add_edge(ends[1], ends[2], why="one cycle: Salesforce first, then Outreach")


def _title(pair: Pair) -> str:
    return pair.label or pair.salesforce.name


def _steps(graph: Graph, pair: Pair, kind: str) -> list[str]:
    return [n for n, at in graph.nodes(data=True) if at["type"] == pair.name and at["kind"] == kind]


def _add_stages(graph: Graph, pairs: Sequence[Pair]) -> None:
    for pair in pairs:
        for _, via in stage_maps(pair):
            name = f"stages {via.name}"
            if name not in graph:
                graph.add_node(
                    name, kind="stages", type="stage", direction=None, rule=via.span.place
                )
            for step in _steps(graph, pair, "observe")[:1]:
                graph.add_edge(name, step, why=f"stages of `{via.name}`")


def _add_reference_edges(graph: Graph, pairs: Sequence[Pair]) -> None:
    rank = {pair.name: number for number, pair in enumerate(pairs)}
    for pair in pairs:
        for path, other in references(pair, pairs):
            if rank[other.name] >= rank[pair.name]:
                continue  # a circle, or the type itself: `resolve` comes back to it
            for start in _steps(graph, other, "commit")[-1:]:
                for end in _steps(graph, pair, "observe")[:1]:
                    why = f"reference {pair.salesforce.name}.{path}"
                    if graph.has_edge(start, end):
                        why = f"{graph.edges[start, end]['why']}; {why}"
                    graph.add_edge(start, end, why=why)


def _add_shared_edges(graph: Graph, pairs: Sequence[Pair]) -> None:
    """Pairs that write to one resource go one after the other, or they would match it twice."""
    for side in Side:
        last: dict[str, Pair] = {}
        for pair in pairs:
            name = pair.type(side).name
            if name in last:
                for start in _steps(graph, last[name], "commit")[-1:]:
                    for end in _steps(graph, pair, "observe")[:1]:
                        if not graph.has_edge(start, end):
                            graph.add_edge(start, end, why=f"both write {name}")
            if _steps(graph, pair, "observe"):
                last[name] = pair


def _add_resolve(graph: Graph, pair: Pair, pairs: Sequence[Pair]) -> None:
    if not _steps(graph, pair, "observe"):
        return
    reasons = {other.name: f"reference {path}" for path, other in references(pair, pairs)}
    for other in pairs:
        for side in Side:
            if other is not pair and other.type(side).name == pair.type(side).name:
                reasons.setdefault(other.name, f"both write {pair.type(side).name}")
    name = f"resolve {_title(pair)}"
    graph.add_node(name, kind="resolve", type=pair.name, direction=None, rule=pair.span.place)
    reasons.setdefault(pair.name, "what had to wait or was refused")
    for other in pairs:
        if other.name in reasons:
            for step in _steps(graph, other, "commit")[-1:]:
                graph.add_edge(step, name, why=reasons[other.name])
