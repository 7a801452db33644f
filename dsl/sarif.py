"""Findings as SARIF 2.1.0, the form in which code scanning takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from dsl.codes import CODES, Code
from dsl.diagnostics import Diagnostic
from dsl.fixes import Fix
from dsl.page_of_code import load_page
from dsl.source import Span

__all__ = ["as_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(diagnostics: Sequence[Diagnostic], version: str) -> dict[str, Any]:
    """The document of `lint --format sarif`; `version` is the program's.

    Source: SARIF 2.1.0 (OASIS), sections 3.13 log, 3.19 tool component, 3.27 result, 3.55 fix.
    """
    used = sorted({d.code for d in diagnostics})
    driver = {"name": "Crosswalk", "version": version, "rules": [_rule(CODES[c]) for c in used]}
    results = [_result(d, used.index(d.code)) for d in diagnostics]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: Code) -> dict[str, Any]:
    page = load_page(code.code)
    return {
        "id": code.code,
        "name": "".join(word.capitalize() for word in code.name.split("-")),
        "shortDescription": {"text": code.summary},
        "fullDescription": {"text": page.what},
        "help": {"text": page.why, "markdown": page.text(code)},
        "defaultConfiguration": {"level": str(code.severity)},
    }


def _result(d: Diagnostic, index: int) -> dict[str, Any]:
    message = f"{d.message}. {d.help}" if d.help else d.message
    found: dict[str, Any] = {
        "ruleId": d.code,
        "ruleIndex": index,
        "level": str(d.severity),
        "message": {"text": message},
        "locations": [_location(d.span)],
    }
    if d.related:
        found["relatedLocations"] = [
            {"id": number, **_location(span), "message": {"text": words}}
            for number, (span, words) in enumerate(d.related, 1)
        ]
    if d.fixes:
        found["fixes"] = [_fix(fix) for fix in d.fixes]
    return found


def _location(span: Span) -> dict[str, Any]:
    place = {"artifactLocation": _artifact(span), "region": _region(span)}
    return {"physicalLocation": place}


def _artifact(span: Span) -> dict[str, str]:
    """A relative path is relative to where the command ran: the reader's own root, as a rule."""
    return {"uri": quote(span.source.path)}


def _region(span: Span) -> dict[str, int]:
    (line, column), (end_line, end_column) = span.first, span.last
    return {
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        replacement = {
            "deletedRegion": _region(edit.span),
            "insertedContent": {"text": edit.text},
        }
        changes.setdefault(quote(edit.span.source.path), []).append(replacement)
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {"artifactLocation": {"uri": uri}, "replacements": each}
            for uri, each in changes.items()
        ],
    }
