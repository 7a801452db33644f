"""The plan graph runs in every order it allows, and is drawn the same way each time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from dsl.program import FieldRef, Line, Pair, Program
from dsl.schema import Kind, Side
from engine.draw import FORMATS, as_json, as_svg, as_text
from engine.graph import Graph, build, order
from tests.engine.rules import program_of

SHOP = """\
stages lead_status {
    "Open"    <-> "Open"
    "Working" <-> "Working"
    otherwise hold
}

sync Account <-> account {
    match Name = name
    polling
    inbound create
    inbound update
    pushing
    outbound update
    fields {
        Name <-> name
        OwnerId <-> owner
    }
}

sync User <-> user {
    match Email = email
    polling
    inbound update
    fields { Email -> email }
}

sync Contact <-> prospect {
    match Email = emails
    polling
    inbound create
    fields {
        Email -> emails
        AccountId -> account
    }
}

sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    pushing
    outbound update
    fields {
        Email <-> emails
        Status <-> stage via lead_status
        OwnerId -> owner
    }
}
"""


@pytest.fixture(scope="module")
def shop() -> Graph:
    return build(program_of(SHOP))


class _Svg(SingleFileSnapshotExtension):
    """A picture as a file of its own, for people to look at."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"


@pytest.mark.parametrize("form", [name for name in FORMATS if name != "svg"])
def test_drawn(shop: Graph, form: str, snapshot: SnapshotAssertion) -> None:
    assert FORMATS[form](shop) == snapshot


def test_drawn_as_a_picture(shop: Graph, snapshot: SnapshotAssertion) -> None:
    assert as_svg(shop) == snapshot.use_extension(_Svg)


# -- programs of any shape ----------------------------------------------------------------------


@cache
def _shop() -> Program:
    return program_of(SHOP)


def _pair(name: str) -> Pair:
    return next(pair for pair in _shop().pairs if pair.salesforce.name == name)


def _refer(pair: Pair, path: str, other: Pair) -> Pair:
    """The pair with one more line, a reference to the records of another."""
    ends = {
        side: FieldRef(pair.span, side, path, Kind.REFERENCE, (other.type(side).name,))
        for side in Side
    }
    line = Line(pair.span, ends[Side.SALESFORCE], "->", ends[Side.OUTREACH])
    return replace(pair, lines=(*pair.lines, line))


def _program(*pairs: Pair) -> Program:
    return replace(_shop(), pairs=pairs)


NAMES = ("Account", "Contact", "Lead", "User")


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Some pairs in some order, with references at random: to themselves, and in circles."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    chosen = []
    for name in names:
        pair = _pair(name)
        off = draw(st.sets(st.sampled_from(["polling", "pushing"])))
        pair = replace(pair, toggles={k: v for k, v in pair.toggles.items() if k not in off})
        for number, other in enumerate(draw(st.lists(st.sampled_from(names), max_size=3))):
            pair = _refer(pair, f"Ref{number}", _pair(other))
        chosen.append(pair)
    return _program(*chosen)


# -- order --------------------------------------------------------------------------------------


@settings(deadline=None)  # the first example parses the rules
@given(programs())
def test_any_program_gives_an_order_in_which_it_can_run(program: Program) -> None:
    graph = build(program)
    assert nx.is_directed_acyclic_graph(graph)
    place = {step: number for number, step in enumerate(order(graph))}
    assert set(place) == set(graph)
    assert all(place[one] < place[two] for one, two in graph.edges)
    assert all(graph.edges[edge]["why"] for edge in graph.edges)


@settings(deadline=None)
@given(programs())
def test_a_program_whose_pairs_are_written_in_another_order_is_the_same(program: Program) -> None:
    other = replace(program, pairs=tuple(reversed(program.pairs)))
    assert as_json(build(other))["nodes"] == as_json(build(program))["nodes"]


def test_a_type_that_refers_to_itself_comes_back_to_what_had_to_wait() -> None:
    account = _pair("Account")
    graph = build(_program(_refer(account, "ParentId", account)))
    assert order(graph)[-1] == "resolve Account"
    assert "commit Account outbound" in graph.pred["resolve Account"]
    assert not any(why.startswith("reference Account") for *_, why in graph.edges(data="why"))


def test_two_types_that_refer_to_each_other_both_come_back() -> None:
    account = _refer(_pair("Account"), "Main__c", _pair("Contact"))
    contact = _pair("Contact")  # it has AccountId
    graph = build(_program(contact, account))
    assert nx.is_directed_acyclic_graph(graph)
    assert {"resolve Account", "resolve Contact"} <= set(graph)
    ends = {"commit Account outbound", "commit Contact inbound"}
    assert ends <= set(graph.pred["resolve Account"])
    assert ends <= set(graph.pred["resolve Contact"])


def test_a_reference_goes_before_what_refers_to_it(shop: Graph) -> None:
    why = {(one, two): why for one, two, why in shop.edges(data="why")}
    edge = ("commit Account outbound", "observe Contact inbound")
    assert why[edge] == "reference Contact.AccountId"


# -- drawings -----------------------------------------------------------------------------------


def test_json_is_as_documented(shop: Graph) -> None:
    found = json.loads(FORMATS["json"](shop))
    assert found["version"] == 1
    assert [node["id"] for node in found["nodes"]] == order(shop)
    assert all({"id", "kind", "type", "rule"} <= node.keys() for node in found["nodes"])
    assert {(e["from"], e["to"]) for e in found["edges"]} == set(shop.edges)
    assert all(edge.keys() == {"from", "to", "why"} for edge in found["edges"])


def test_rules_without_a_sync_are_drawn_too() -> None:
    empty = build(_program())
    assert as_text(empty) == "nothing to do: the rules sync no type\n"
    assert as_json(empty) == {"version": 1, "nodes": [], "edges": []}
    for draw in FORMATS.values():
        assert draw(empty)
    _read(as_svg(empty))


def test_the_drawing_does_not_depend_on_the_process() -> None:
    program = (
        "from engine.draw import FORMATS\n"
        "from engine.graph import build\n"
        "from tests.test_graph import SHOP, program_of\n"
        "graph = build(program_of(SHOP))\n"
        "print(*(draw(graph) for draw in FORMATS.values()))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[1],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_what_a_name_holds_cannot_break_out_of_a_drawing() -> None:
    graph: Graph = nx.DiGraph()
    nasty = '"]; <script>`a`</script> & \\'
    for step in (nasty, f"{nasty} 2"):
        graph.add_node(step, kind="observe", type=nasty, direction="inbound", rule=nasty)
    graph.add_edge(nasty, f"{nasty} 2", why=f"reference {nasty}")
    picture = as_svg(graph)
    _read(picture)
    assert "<script" not in picture + FORMATS["mermaid"](graph)
    assert json.loads(FORMATS["json"](graph))["nodes"][0]["id"] == nasty
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', FORMATS["dot"](graph))
    unescaped = {re.sub(r"\\(.)", r"\1", text) for text in strings}
    assert {nasty, f"{nasty} 2", f"reference {nasty}"} <= unescaped


Box = tuple[float, float, float, float]
_SVG = "{http://www.w3.org/2000/svg}"


@settings(deadline=None)
@given(programs())
def test_a_picture_has_no_line_through_a_box_and_no_text_on_another(program: Program) -> None:
    root = _read(as_svg(build(program)))
    cards = [_box(rect) for rect in root.iter(f"{_SVG}rect") if rect.get("rx") == "5"]
    assert not [pair for pair in combinations(cards, 2) if _meet(*pair)]
    lines = [box for path in root.findall(f"{_SVG}path") for box in _segments(path)]
    assert not [(line, card) for line in lines for card in cards if _meet(line, card)]
    texts = [_text_box(text) for text in root.iter(f"{_SVG}text")]
    assert not [pair for pair in combinations(texts, 2) if _meet(*pair)]
    labels = [_text_box(text) for text in root.findall(f"{_SVG}text")]
    assert not [(label, box) for label in labels for box in (*cards, *lines) if _meet(label, box)]
    page = (0.0, 0.0, float(root.get("width", 0)), float(root.get("height", 0)))
    assert all(_inside(box, page) for box in (*cards, *lines, *texts))


def _read(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - our own drawing


def _box(rect: ET.Element) -> Box:
    x, y, width, height = (float(rect.get(key, 0)) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def _segments(path: ET.Element) -> Iterable[Box]:
    points = [tuple(map(float, p.split())) for p in path.get("d", "")[1:].split(" L")]
    for (a, b), (c, d) in pairwise(points):
        yield min(a, c), min(b, d), max(a, c), max(b, d)


def _text_box(text: ET.Element) -> Box:
    """Where a text is, with monospaced letters; descenders may touch a line, letters may not."""
    size = float(text.get("font-size", 11))
    x, y = float(text.get("x", 0)), float(text.get("y", 0))
    return x, y - 0.75 * size, x + 0.61 * size * len("".join(text.itertext())), y


def _meet(one: Box, two: Box) -> bool:
    """Whether the insides of two boxes meet; a line is a box with one side of nothing."""
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _inside(box: Box, page: Box) -> bool:
    return page[0] <= box[0] and page[1] <= box[1] and box[2] <= page[2] and box[3] <= page[3]
