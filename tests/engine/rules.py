"""Rules written in a test, checked against the shipped schema."""

from __future__ import annotations

from dsl.codes import CODES
from dsl.lint import check
from dsl.program import Pair, Program
from dsl.schema import shipped_schema
from dsl.source import Source
from engine.activities import carried_out
from engine.shipped import title_names, title_texts


def program_of(text: str) -> Program:
    """The program of a rule text that must have no error but what can be run as it is written."""
    checked = check([Source("rules/test.sync", text)], shipped_schema(), title_names())
    errors = [d for d in checked.diagnostics if d.is_error]
    assert all(CODES[d.code].silenceable for d in errors), [(d.code, d.message) for d in errors]
    return carried_out(checked.program, title_texts())


def pair_of(text: str) -> Pair:
    """The first sync of a rule text."""
    return program_of(text).pairs[0]
