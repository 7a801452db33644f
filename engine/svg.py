"""The plan graph as a picture: a lane for each pair, time to the right, no line through a box.

The layout needs no graph program. The steps of one direction of a pair make one card, since they
only ever follow one another. A card's column is its topological generation. Lines keep to channels
of their own: upright ones to the gutters between columns, level ones to the strip at the top of
the lane that they lead to, each at its own height, so that labels meet nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import networkx as nx

from dsl.pairs import spoken_pair
from engine.graph import Graph, order

__all__ = ["as_svg"]

_TEMPLATES = Path(__file__).parent / "templates"

# Type is monospaced, so that a text's width is known without measuring it.
_GLYPH = 7.0  # no less than the advance of 11 px
_TITLE_GLYPH = 8.2  # and of 13 px
_MARGIN = 16.0
_PADDING = 10.0
_STEP = 20.0
_HEAD = 26.0
_FOOT = 23.0
_TRACK = 16.0
_GUTTER = 14.0
_LANE_GAP = 8.0
_ARROW = 14.0

_WAYS = {"inbound": "Salesforce → Outreach", "outbound": "Outreach → Salesforce", None: ""}


@dataclass
class _Step:
    """One step within its card; `y` is the middle of its line."""

    text: str
    number: int
    acts: bool
    y: float = 0.0


@dataclass
class _Card:
    """The steps that follow one another without a choice, with their place."""

    lane: str
    title: str
    rule: str
    steps: list[_Step]
    column: int = 0
    row: int = 0
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0

    @property
    def height(self) -> float:
        return _HEAD + _STEP * len(self.steps) + _FOOT

    @property
    def needs(self) -> float:
        letters = max(len(self.title), len(self.rule), *(len(s.text) + 4 for s in self.steps))
        return letters * _GLYPH + 2 * _PADDING


@dataclass
class _Wire:
    """What one card waits for; `strip` is the line's place in the lane's strip, if it has one."""

    source: int
    target: int
    why: str
    strip: int | None = None
    path: str = ""
    label: str = ""
    x: float = 0.0
    y: float = 0.0

    @property
    def dashed(self) -> bool:
        return not self.why.startswith(("reference", "stages"))


@dataclass
class _Lane:
    """One pair; `strips` counts the level lines above its cards."""

    name: str
    title: str
    y: float = 0.0
    height: float = 0.0
    strips: int = 0
    rows: list[float] = field(default_factory=list)


@dataclass
class _Column:
    """One generation; `exits` and `entries` are the upright lines in the gutters at its sides."""

    x: float = 0.0
    width: float = 0.0
    exits: dict[int, float] = field(default_factory=dict)
    entries: dict[int, float] = field(default_factory=dict)


def as_svg(graph: Graph) -> str:
    """A standalone SVG document that can be read on a light and on a dark page."""
    # Jinja takes a tenth of a second to import, and only pictures need it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    cards, wires = _cards(graph)
    lanes = _lanes(cards)
    columns = _columns(cards, wires, lanes)
    height = _place_lanes(cards, lanes)
    width = _place_columns(cards, columns, lanes)
    for wire in wires:
        _route(wire, cards, columns, lanes)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["px"] = _px
    return environment.get_template("graph.svg.j2").render(
        width=width,
        height=height,
        margin=_MARGIN,
        padding=_PADDING,
        lanes=list(lanes.values()),
        cards=cards,
        wires=wires,
        glyph=_GLYPH,
        steps=sum(len(card.steps) for card in cards),
    )


def _px(value: float) -> str:
    """A coordinate in tenths, without zeros that say nothing."""
    return f"{value:.1f}".removesuffix(".0")


# -- what there is to draw ----------------------------------------------------------------------


def _cards(graph: Graph) -> tuple[list[_Card], list[_Wire]]:
    """The cards in the order of their first steps, with their columns, and what is between."""
    steps = order(graph)
    number = {step: place for place, step in enumerate(steps, 1)}
    chains: Graph = nx.DiGraph()
    chains.add_nodes_from(steps)
    chains.add_edges_from(e for e in graph.edges if graph.edges[e]["why"] == "data")
    groups = sorted(
        (sorted(group, key=number.__getitem__) for group in nx.weakly_connected_components(chains)),
        key=lambda group: number[group[0]],
    )
    cards = [_card(graph, group, number) for group in groups]
    home = {step: place for place, group in enumerate(groups) for step in group}
    wires = {
        (home[a], home[b], graph.edges[a, b]["why"]): _Wire(
            home[a], home[b], graph.edges[a, b]["why"]
        )
        for b in steps
        for a in sorted(graph.pred[b], key=number.__getitem__)
        if home[a] != home[b]
    }
    links: nx.DiGraph[int] = nx.DiGraph()
    links.add_nodes_from(range(len(cards)))
    links.add_edges_from((wire.source, wire.target) for wire in wires.values())
    for column, generation in enumerate(nx.topological_generations(links)):
        for place in generation:
            cards[place].column = column
    return cards, list(wires.values())


def _card(graph: Graph, group: Sequence[str], number: dict[str, int]) -> _Card:
    at = graph.nodes[group[0]]
    title = _WAYS.get(at["direction"]) or at["kind"]
    if at["kind"] == "stages":
        title = group[0].removeprefix("stages ")
    steps = [
        _Step(graph.nodes[step]["kind"], number[step], graph.nodes[step]["kind"] == "act")
        for step in group
    ]
    return _Card(at["type"], title, at["rule"], steps)


def _lanes(cards: list[_Card]) -> dict[str, _Lane]:
    """A lane for each pair, from above in the order of their first steps; cards get their rows."""
    lanes: dict[str, _Lane] = {}
    taken: dict[tuple[str, int], int] = defaultdict(int)
    for card in cards:
        title = "stages" if card.lane == "stage" else spoken_pair(card.lane).replace("<->", "↔")
        lane = lanes.setdefault(card.lane, _Lane(card.lane, title))
        card.row = taken[card.lane, card.column]
        taken[card.lane, card.column] += 1
        if card.row == len(lane.rows):
            lane.rows.append(0.0)
        lane.rows[card.row] = max(lane.rows[card.row], card.height)
    # A map's stages are made before the pair that uses them, so their lane reads best on top.
    return dict(sorted(lanes.items(), key=lambda item: item[0] != "stage"))


# -- where it stands ----------------------------------------------------------------------------


def _columns(cards: list[_Card], wires: list[_Wire], lanes: dict[str, _Lane]) -> list[_Column]:
    """The columns, wide enough for their cards and for the labels that stand above them."""
    columns = [_Column() for _ in range(1 + max((card.column for card in cards), default=-1))]
    for card in cards:
        columns[card.column].width = max(columns[card.column].width, card.needs)
    for wire in wires:
        source, target = cards[wire.source], cards[wire.target]
        columns[source.column].exits.setdefault(wire.source, 0.0)
        if _direct(source, target, cards):
            continue
        wire.strip = lanes[target.lane].strips
        lanes[target.lane].strips += 1
        columns[target.column].entries.setdefault(wire.target, 0.0)
        label = len(wire.why) * _GLYPH + _PADDING
        columns[target.column].width = max(columns[target.column].width, label)
    return columns


def _direct(source: _Card, target: _Card, cards: list[_Card]) -> bool:
    """Whether a level line from one card to the other meets no third."""
    return source.lane == target.lane and not any(
        card.lane == source.lane and source.column < card.column < target.column for card in cards
    )


def _place_lanes(cards: list[_Card], lanes: dict[str, _Lane]) -> float:
    """Give lanes and cards their heights; the height of the whole."""
    y = _MARGIN
    tops: dict[tuple[str, int], float] = {}
    for lane in lanes.values():
        lane.y = y
        inner = y + _PADDING + _TRACK * lane.strips
        for row, tall in enumerate(lane.rows):
            tops[lane.name, row] = inner
            inner += tall + _PADDING
        lane.height = inner - y
        y += lane.height + _LANE_GAP
    for card in cards:
        card.y = tops[card.lane, card.row]
        for place, step in enumerate(card.steps):
            step.y = card.y + _HEAD + _STEP * (place + 0.5)
    return y - _LANE_GAP + _MARGIN


def _place_columns(cards: list[_Card], columns: list[_Column], lanes: dict[str, _Lane]) -> float:
    """Give columns, their upright lines and cards their places; the width of the whole."""
    titles = max((len(lane.title) for lane in lanes.values()), default=0)
    x = _MARGIN + _PADDING + titles * _TITLE_GLYPH + _GUTTER
    for column in columns:
        for place in column.entries:
            column.entries[place] = x
            x += _PADDING
        column.x = x + _ARROW
        x = column.x + column.width + _GUTTER
        for place in column.exits:
            column.exits[place] = x
            x += _PADDING
    for card in cards:
        card.x, card.width = columns[card.column].x, card.needs
    return x + _MARGIN


def _route(
    wire: _Wire, cards: list[_Card], columns: list[_Column], lanes: dict[str, _Lane]
) -> None:
    """Draw a wire from the last step of one card to the first of another, and place its label."""
    source, target = cards[wire.source], cards[wire.target]
    start, end = source.steps[-1].y, target.steps[0].y
    out = columns[source.column].exits[wire.source]
    points = [(source.x + source.width, start), (out, start)]
    if wire.strip is None:
        points.append((out, end))
        room = target.x - out if target.column == source.column + 1 else 0.0
        wire.x, wire.y = out + _PADDING, end - 5
        if target.column > source.column + 1:
            # Only above a column is a level line free of upright ones.
            wire.x = columns[source.column + 1].x
            room = columns[source.column + 1].width
        wire.label = wire.why if len(wire.why) * _GLYPH <= room - _PADDING else ""
    else:
        level = lanes[target.lane].y + _PADDING / 2 + _TRACK * (wire.strip + 0.5)
        into = columns[target.column].entries[wire.target]
        points += [(out, level), (into, level), (into, end)]
        # Right of every upright line of the gutter, where the lines of this strip have ended.
        wire.label, wire.x, wire.y = wire.why, columns[target.column].x - _ARROW + 4, level + 4
    points.append((target.x, end))
    wire.path = "M" + " L".join(f"{_px(x)} {_px(y)}" for x, y in points)
