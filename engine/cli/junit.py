"""Test results as JUnit XML, which continuous integration services read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from dsl.diagnostics import Diagnostic, as_text

if TYPE_CHECKING:
    from engine.rule_tests import Failure, Result

__all__ = ["as_junit", "errors_as_junit"]

#: What no XML document may hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(results: Sequence[Result]) -> str:
    """One test suite for each rule file."""
    root = ET.Element("testsuites", {"name": "crosswalk"})
    for path, group in groupby(results, key=lambda result: result.span.source.path):
        tests = list(group)
        suite = _counted(ET.SubElement(root, "testsuite", {"name": _clean(path)}), tests)
        for result in tests:
            attributes = {
                "classname": _clean(path),
                "name": _clean(result.name),
                "file": _clean(path),
                "line": str(result.span.first.line),
                "time": f"{result.seconds:.3f}",
            }
            case = ET.SubElement(suite, "testcase", attributes)
            for failed in result.failures:
                told = ET.SubElement(case, "failure", {"message": _clean(failed.message)})
                told.text = _clean("\n".join(_details(failed)))
    return _document(_counted(root, results))


def _details(failed: Failure) -> list[str]:
    rows = [f"{failed.span.place}: {failed.message}", *failed.diff]
    if failed.reason:
        rows.append(failed.reason)
    return [*rows, *(f"{span.place}: {words}" for span, words in failed.related)]


def errors_as_junit(wrong: Sequence[Diagnostic]) -> str:
    """Rules that cannot be run, as one test case with an error for each."""
    root = ET.Element("testsuites", {"name": "crosswalk", "tests": "1", "errors": "1"})
    suite = ET.SubElement(root, "testsuite", {"name": "rules", "tests": "1", "errors": "1"})
    case = ET.SubElement(suite, "testcase", {"classname": "rules", "name": "the rules are valid"})
    for finding in wrong:
        told = ET.SubElement(case, "error", {"message": _clean(finding.message)})
        told.text = _clean(as_text([finding]))
    return _document(root)


def _counted(element: ET.Element, results: Sequence[Result]) -> ET.Element:
    element.set("tests", str(len(results)))
    element.set("failures", str(sum(not result.passed for result in results)))
    element.set("errors", "0")
    element.set("time", f"{sum(result.seconds for result in results):.3f}")
    return element


def _document(root: ET.Element) -> str:
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
