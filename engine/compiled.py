"""A program made ready to run, once for as many cycles as there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property

from dsl.program import Program, Translation
from engine.graph import Graph, build, stage_maps
from engine.mapping import Mapping, compile_pair

__all__ = ["Compiled"]


@dataclass(frozen=True)
class Compiled:
    """A program's plan graph, stage maps by name and compiled syncs by name."""

    program: Program
    zone: tzinfo

    @cached_property
    def graph(self) -> Graph:
        return build(self.program)

    @cached_property
    def stages(self) -> dict[str, Translation]:
        return {via.name: via for pair in self.program.pairs for _, via in stage_maps(pair)}

    @cached_property
    def mappings(self) -> dict[str, Mapping]:
        pairs = self.program.pairs
        return {pair.name: compile_pair(pair, self.zone, pairs) for pair in pairs}
