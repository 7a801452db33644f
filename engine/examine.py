"""Decides on records and does nothing about it, for those who want to know."""

from __future__ import annotations

from datetime import tzinfo

from dsl.program import Program
from dsl.schema import Side
from dsl.values import stamp
from engine.batch import Batches, batches_of
from engine.compiled import Compiled
from engine.context import Context, Tally
from engine.ledger import Ledger
from engine.ports import Clock, Store
from engine.stages import ensure_stages

__all__ = ["examiner"]


def examiner(
    program: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    zone: tzinfo,
    clock: Clock,
) -> dict[str, Batches]:
    """Each pair's decisions, told line by line, on rehearsal stores and a copy of the ledger.

    Stages that a run would make first are made there, so that what is decided is what a run would.
    """
    started = stamp(clock.now())
    context = Context(
        "examination", started, program.digest, stores, ledger, clock, Tally(), telling=True
    )
    compiled = Compiled(program, zone)
    for via in compiled.stages.values():
        ensure_stages(via, context)
    return batches_of(compiled, context)
