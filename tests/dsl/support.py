"""Two lines of fixture for the tests of rule files."""

from __future__ import annotations

from textwrap import dedent

from dsl.diagnostics import Diagnostic
from dsl.lint import Checked, check
from dsl.program import Pair
from dsl.schema import Schema, shipped_schema
from dsl.source import Source

TEMPLATES = frozenset({"email_sent", "call_logged"})


def checked(*texts: str, live: bool = False) -> Checked:
    """`live`: as with two orgs that have what ships, and nothing else."""
    sources = [Source(f"rules/{n}.sync", dedent(text)) for n, text in enumerate(texts, 1)]
    schema = Schema(shipped_schema().types, complete=True) if live else shipped_schema()
    return check(sources, schema, TEMPLATES)


def findings(*texts: str, live: bool = False) -> list[Diagnostic]:
    return list(checked(*texts, live=live).diagnostics)


def codes(*texts: str) -> list[str]:
    return [d.code for d in findings(*texts)]


def places(text: str) -> list[tuple[str, int, int]]:
    return [(d.code, *d.span.first) for d in findings(text)]


def lead(*, fields: str = "", clauses: str = "", activities: str = "") -> str:
    """A sync of leads with the given insides."""
    inside = [f"fields {{\n{fields}\n}}" if fields else "", clauses]
    inside.append(f"activities {{\n{activities}\n}}" if activities else "")
    return "sync Lead <-> prospect {\n" + "\n".join(inside) + "\n}\n"


def pair(text: str) -> Pair:
    found = checked(text)
    assert found.diagnostics == ()
    (only,) = found.program.pairs
    return only
