"""`crosswalk plan`: what a run would do, record by record, and what it would cost."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dsl.program import Program
from dsl.schema import Side
from engine.cli.project import Failure, Project, able

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.case import Case, Change
    from engine.cycle import Summary
    from engine.ports import Store

__all__ = ["register", "run"]

_SHOWN = 100


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--out", metavar="FILE", help="save the plan for `crosswalk run --plan`")
    parser.add_argument("--type", metavar="T", help="only syncs of this type (Lead, prospect, …)")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--all", action="store_true", help=f"show more than {_SHOWN} changes")
    parser.add_argument(
        "--detailed-exitcode",
        action="store_true",
        help="exit with 0 if there is nothing to do, 2 if there are changes",
    )
    parser.epilog = (
        "A plan reads both sides and writes to neither; the run that follows does the same. Its\n"
        "calls are those of that run; with --out those of `run --plan`, which first reads again\n"
        "what the plan rests on. Where the rules have a `guard`, a run reads twice: the guard\n"
        "counts what the run would do before its first write.\n\n"
        "examples:\n"
        "  crosswalk plan\n"
        "  crosswalk plan --out plan.toml && crosswalk run --plan plan.toml\n"
        "  crosswalk plan --type Lead --format json | jq '.changes[] | .reason'"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the plan; exit code 0, or as `--detailed-exitcode` has it."""
    from engine.approved import calls_of
    from engine.cli.budgets import forecast, forecast_lines, wait_lines
    from engine.cli.output import ChangeSpool
    from engine.cli.progress import shown_progress
    from engine.cycle import rehearse, run_cycle
    from engine.guard import Blast
    from engine.planfile import PlanFile, schema_digest

    gc.set_threshold(200_000, 50, 100)  # as in a run
    program = project.program()
    only = chosen(program, args.type)
    as_json = args.format == "json"
    limit = None if args.all or as_json else _SHOWN
    with ExitStack() as stack:
        ledger = project.open_ledger_to_look(stack, program)
        stores = project.open_budgeted(stack, program, ledger)
        program = able(program, stores)
        blast = Blast()
        saved = stack.enter_context(PlanFile(Path(args.out))) if args.out else None

        def keep(change: Change, case: Case | None) -> None:
            blast.add(change)
            if saved is not None:
                saved.add(change, case)

        spool = stack.enter_context(ChangeSpool(as_json, limit))
        earlier = {side: store.calls for side, store in stores.items()}
        with shown_progress() as progress, rehearse(stores, ledger) as (rehearsal, copy):
            summary = run_cycle(
                program,
                rehearsal,
                copy,
                project.config.timezone,
                only=only,
                report=spool.add,
                keep=keep,
                progress=progress,
            )
        objections = blast.objections(program, ledger, project.config.timezone)
        if program.guards and not objections and saved is None:
            summary = _guarded(summary, stores, earlier)
        budgets = forecast(stores, summary.calls)
        summary = replace(summary, objections=tuple(objections), budgets=budgets)
        if saved is not None:
            schema, types = schema_digest(program, stores), only or ()
            digest, now = program.digest, datetime.now(UTC)
            costs = partial(calls_of, program, stores, ledger, project.config.timezone)
            calls = saved.write(summary, digest, schema, types, now, costs)
            budgets = forecast(stores, calls)
            summary = replace(summary, calls=calls, budgets=budgets)
            print(f"saved; `crosswalk run --plan {args.out}` does this", file=sys.stderr)
        spool.print(summary, foretold=True)
        for line in () if as_json else forecast_lines(summary, project.config.timezone):
            print(line)
    for line in (*wait_lines(summary), *_objection_lines(summary)):
        print(line, file=sys.stderr)
    return 2 if args.detailed_exitcode and spool.writes else 0


def _guarded(summary: Summary, stores: dict[Side, Store], earlier: dict[Side, int]) -> Summary:
    """With the calls of the guard: the run will first read, as this plan did, to count."""
    read = {side.value: store.calls - earlier[side] for side, store in stores.items()}
    calls = {side: count + read[side] for side, count in summary.calls.items()}
    return replace(summary, calls=calls, guard_calls=read)


def _objection_lines(summary: Summary) -> Iterable[str]:
    from engine.cli.objections import objection_lines

    return objection_lines(summary, foretold=True) if summary.objections else ()


def chosen(program: Program, name: str | None) -> frozenset[str] | None:
    """The pairs that `--type` names: by the Salesforce or the Outreach type."""

    if name is None:
        return None
    found = frozenset(
        pair.name for pair in program.pairs if name in (pair.type(side).name for side in Side)
    )
    if not found:
        known = sorted({pair.type(side).name for pair in program.pairs for side in Side})
        raise Failure(f"no sync of a type `{name}`: the rules sync {', '.join(known)}")
    return found
