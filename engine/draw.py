"""The plan graph drawn: the same steps and reasons as text, JSON, DOT, Mermaid or SVG."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from dsl.pairs import spoken_pair
from engine.graph import Graph, order
from engine.svg import as_svg

__all__ = ["FORMATS", "as_dot", "as_json", "as_mermaid", "as_svg", "as_text"]

_DOES = {
    ("observe", "inbound"): "read what changed in Salesforce",
    ("observe", "outbound"): "read what changed in Outreach",
    ("decide", "inbound"): "compare it with what both sides last agreed on",
    ("decide", "outbound"): "compare it with what both sides last agreed on",
    ("act", "inbound"): "write to Outreach",
    ("act", "outbound"): "write to Salesforce",
    ("commit", "inbound"): "keep links, bases and the cursor in the ledger",
    ("commit", "outbound"): "keep links, bases and the cursor in the ledger",
    ("stages", None): "make the stages that Outreach does not have",
    ("resolve", None): "come back to records that had to wait",
}


def as_text(graph: Graph) -> str:
    """The steps in order under their pairs, each with what it does, its rule and what it waits for.

    That a step takes over from the one before it in its chain goes without saying.
    """
    steps = order(graph)
    if not steps:
        return "nothing to do: the rules sync no type\n"
    number = {step: place for place, step in enumerate(steps, 1)}
    digits, names = len(str(len(steps))), max(map(len, steps))
    does = max(len(_does(graph, step)) for step in steps)
    lines = ["One cycle, step by step."]
    for pair, group in groupby(steps, key=lambda step: _heading(graph, step)):
        lines += ["", pair]
        for step in group:
            words = f"{step:<{names}}  {_does(graph, step):<{does}}  {graph.nodes[step]['rule']}"
            lines.append(f"  {number[step]:>{digits}}  {words}")
            for before, why in _waits(graph, step, number):
                lines.append(f"  {'':{digits}}    after {number[before]} {before}: {why}")
    return "\n".join(lines) + "\n"


def _does(graph: Graph, step: str) -> str:
    at = graph.nodes[step]
    return _DOES.get((at["kind"], at["direction"]), str(at["kind"]))


def _heading(graph: Graph, step: str) -> str:
    """What a step stands under; a pair that is come back to stands under its name again."""
    at = graph.nodes[step]
    name = "stages" if at["kind"] == "stages" else _pair(at["type"])
    return f"{name}, once more" if at["kind"] == "resolve" else name


def _pair(name: str) -> str:
    return spoken_pair(name)


def _waits(graph: Graph, step: str, number: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """What a step waits for besides the step before it in its chain, each with the reason."""
    for before in sorted(graph.pred[step], key=number.__getitem__):
        why = graph.edges[before, step]["why"]
        if why != "data":
            yield before, why


def as_json(graph: Graph) -> dict[str, Any]:
    """The documented form: `version`, `nodes` in an order in which they can run, and `edges`.

    A node has `id`, `kind`, `type`, `rule` (and `direction`), an edge `from`, `to` and `why`.
    """
    steps = order(graph)
    return {
        "version": 1,
        "nodes": [
            {"id": step, **{k: graph.nodes[step][k] for k in ("kind", "type", "rule", "direction")}}
            for step in steps
        ],
        "edges": [{"from": one, "to": two, "why": why} for one, two, why in _edges(graph, steps)],
    }


def _edges(graph: Graph, steps: list[str]) -> Iterator[tuple[str, str, str]]:
    """All edges, by the place of their ends in the order."""
    number = {step: place for place, step in enumerate(steps)}
    for two in steps:
        for one in sorted(graph.pred[two], key=number.__getitem__):
            yield one, two, graph.edges[one, two]["why"]


def as_dot(graph: Graph) -> str:
    """Graphviz's language, one cluster for each pair."""
    steps = order(graph)
    lines = [
        "digraph crosswalk {",
        "  rankdir=LR;",
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
        '  edge [fontname="sans-serif", fontsize=9];',
    ]
    for place, (pair, group) in enumerate(_by_pair(graph, steps).items()):
        lines += [f"  subgraph cluster_{place} {{", f"    label={_dot(_pair(pair))};"]
        lines += [
            f"    {_dot(s)} [tooltip={_dot(graph.nodes[s]['rule'])}{_dot_style(graph, s)}];"
            for s in group
        ]
        lines.append("  }")
    for one, two, why in _edges(graph, steps):
        label = "" if why == "data" else f" [label={_dot(why)}]"
        lines.append(f"  {_dot(one)} -> {_dot(two)}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _dot_style(graph: Graph, step: str) -> str:
    # Only `act` touches the world, so it is the one to find at a glance.
    return ', style="rounded,bold"' if graph.nodes[step]["kind"] == "act" else ""


def as_mermaid(graph: Graph) -> str:
    """A Mermaid flowchart, one subgraph for each pair."""
    steps = order(graph)
    name = {step: f"n{place}" for place, step in enumerate(steps, 1)}
    lines = ["flowchart LR"]
    for place, (pair, group) in enumerate(_by_pair(graph, steps).items(), 1):
        lines.append(f"  subgraph p{place}[{_mermaid(_pair(pair))}]")
        lines += [f"    {name[step]}[{_mermaid(step)}]" for step in group]
        lines.append("  end")
    for one, two, why in _edges(graph, steps):
        label = "" if why == "data" else f"|{_mermaid(why)}|"
        lines.append(f"  {name[one]} -->{label} {name[two]}")
    acts = [name[step] for step in steps if graph.nodes[step]["kind"] == "act"]
    if acts:
        lines += ["  classDef act stroke-width:3px", f"  class {','.join(acts)} act"]
    return "\n".join(lines) + "\n"


def _mermaid(text: str) -> str:
    """A quoted label; what Mermaid or HTML would read as its own goes in as an entity."""
    special = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;"}
    return '"' + "".join(special.get(letter, letter) for letter in text) + '"'


def _by_pair(graph: Graph, steps: list[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for step in steps:
        groups.setdefault(graph.nodes[step]["type"], []).append(step)
    return groups


def _json_text(graph: Graph) -> str:
    return json.dumps(as_json(graph), indent=2, ensure_ascii=False) + "\n"


#: What `crosswalk graph --format` offers.
FORMATS: Mapping[str, Callable[[Graph], str]] = {
    "text": as_text,
    "json": _json_text,
    "dot": as_dot,
    "mermaid": as_mermaid,
    "svg": as_svg,
}
