"""`# lint: allow CODE why`: what it silences, and what is said of one that is wrong."""

from __future__ import annotations

import pytest

from dsl.codes import CODES
from tests.dsl.support import findings

SYNC = """\
sync Lead <-> prospect {{
    match Email = emails
    polling
    {above}
    inbound update{behind}
}}
"""

# Each: what stands above a toggle without effect (an update, and no line), and what is found then.
ABOVE = [
    ("# lint: allow CW305 lines follow next week", []),
    ("#lint:allow CW305 lines follow", []),
    ("# lint: allow CW305 lines follow\n\n    # and another word on it\n", []),
    ("# LINT: allow CW305 lines follow", []),
    ("# lint: allow CW305", ["CW104", "CW305"]),
    ("# lint: allow CW305   ", ["CW104", "CW305"]),
    ("# lint: allow", ["CW104", "CW305"]),
    ("# lint: ignore CW305 lines follow", ["CW104", "CW305"]),
    ("# lint: allow CW999 lines follow", ["CW104", "CW305"]),
    ("# lint: allow cw305 lines follow", ["CW104", "CW305"]),
    ("# lint: allow CW402 lines follow", ["CW104", "CW305"]),
    ("# lint: allow CW202 lines follow", ["CW104", "CW305"]),
    ("# we allow CW305 to lint", ["CW305"]),
    ("# lint: allow CW305 once\n    # lint: allow CW305 twice", ["CW104"]),
]


@pytest.mark.parametrize(("above", "codes"), ABOVE)
def test_a_suppression_silences_what_it_names_on_the_next_line(
    above: str, codes: list[str]
) -> None:
    assert [d.code for d in findings(SYNC.format(above=above, behind=""))] == codes


def test_one_that_stands_behind_something_silences_nothing() -> None:
    text = SYNC.format(above="", behind="  # lint: allow CW305 lines follow")
    assert sorted(d.code for d in findings(text)) == ["CW104", "CW305"]


def test_one_above_an_item_silences_what_is_found_at_its_head() -> None:
    text = "# lint: allow CW303 to see\nsync Lead <-> prospect { }\n"
    (found,) = findings(text)
    assert "on line 2" in found.message


def test_one_that_silences_nothing_is_removed_with_its_line() -> None:
    (found,) = findings("fields a { }\n# lint: allow CW402 nobody knows\nfields b { }\n")
    (fix,) = found.fixes
    (edit,) = fix.edits
    assert (edit.span.text, edit.text) == ("# lint: allow CW402 nobody knows\n", "")
    assert found.fixable


def test_where_a_mistake_may_hide_what_it_is_for_an_idle_one_is_let_be() -> None:
    text = "sync Laed <-> prospect {\n    # lint: allow CW305 lines follow\n    inbound update\n}\n"
    assert [d.code for d in findings(text)] == ["CW201"]


@pytest.mark.parametrize("code", [c.code for c in CODES.values() if not c.silenceable])
def test_what_would_be_left_out_of_what_runs_cannot_be_silenced(code: str) -> None:
    (found,) = findings(f"# lint: allow {code} just so\nfields a {{ }}\n")
    assert found.code == "CW104"
    assert "cannot be allowed" in found.message
