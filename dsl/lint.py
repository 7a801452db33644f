"""Checks rule files: parse, resolve, then every pass in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsl.diagnostics import Diagnostic, in_order
from dsl.duplicates import duplicates
from dsl.parser import parse
from dsl.passes import Pass, Project
from dsl.program import Program
from dsl.resolve import resolve
from dsl.schema import Schema
from dsl.source import Source
from dsl.syntax import Module
from dsl.versions import versions

__all__ = ["PASSES", "Checked", "check"]


PASSES: tuple[Pass, ...] = (
    versions,
    duplicates,
)


@dataclass(frozen=True)
class Checked:
    """The program of some rule files, and what is wrong with them, in order."""

    program: Program
    diagnostics: tuple[Diagnostic, ...]
    modules: tuple[Module, ...] = ()

    @property
    def ok(self) -> bool:
        return not any(d.is_error for d in self.diagnostics)


def check(sources: Sequence[Source], schema: Schema, templates: frozenset[str]) -> Checked:
    """The program that the rule files make, with every finding that one run can report."""
    found: list[Diagnostic] = []
    modules = []
    for source in sources:
        module, wrong = parse(source)
        modules.append(module)
        found += wrong
    program, wrong = resolve(modules, schema, templates)
    found += wrong
    project = Project(tuple(modules), program, schema, templates)
    for each in PASSES:
        found += each(project)
    return Checked(program, in_order(found), project.modules)
