"""What a lint pass is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dsl.diagnostics import Diagnostic
from dsl.program import Program
from dsl.schema import Schema
from dsl.syntax import Module

__all__ = ["Pass", "Project"]


@dataclass(frozen=True)
class Project:
    """All that a pass may look at."""

    modules: tuple[Module, ...]
    program: Program
    schema: Schema
    templates: frozenset[str]


Pass = Callable[[Project], Iterable[Diagnostic]]
