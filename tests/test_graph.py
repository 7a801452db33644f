"""The plan graph runs in every order it allows, and is drawn the same way each time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from textwrap import dedent
from xml.etree import ElementTree

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from dsl.program import Program
from engine.draw import FORMATS, as_dot, as_json, as_mermaid, as_svg, as_text
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

# An account refers to its parent account, and to a contact; a contact refers to its account.
CIRCLE = """\
sync Account <-> account {
    match Name = name
    polling
    inbound create
    fields {
        Name -> name
        ParentId -> parent
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
