"""`crosswalk limits`: the budgets with their thresholds, what is used of them, and what waits."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from typing import TYPE_CHECKING

from engine.cli.looking import add_format
from engine.cli.project import Project
from engine.cli.table import print_csv, print_json, print_table

if TYPE_CHECKING:  # `--help` must not wait for a database
    from datetime import tzinfo

    from engine.budget import State

__all__ = ["register", "run"]

_WIDTH = 20
_NEARLY = 80  # percent of a threshold from which a warning is due


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_format(parser)
    parser.epilog = (
        "API calls will be preserved when a limit is hit, and go on by themselves once they are\n"
        "below the threshold again: nothing is lost.\n\n"
        "examples:\n"
        "  crosswalk limits\n"
        "  crosswalk limits --format json | jq '.budgets[] | {side, scope, used, threshold}'"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the budgets; exit code 0."""
    from engine.cli.budgets import states
    from engine.told import LIMIT_COLUMNS, budget_told

    program = project.program()
    with ExitStack() as stack:
        ledger = project.open_ledger_to_look(stack, program)
        found = states(project.open_budgeted(stack, program, ledger))
        waiting = ledger.calls.waiting()
        steps = len([each for each in ledger.calls.stalled() if each.step])
    rows = [budget_told(state) for state in found]
    match args.format:
        case "json":
            print_json({"waiting": waiting}, "budgets", rows)
        case "csv":
            print_csv(LIMIT_COLUMNS, ([row[name] for name in LIMIT_COLUMNS] for row in rows))
        case _:
            _print_text(found, project.config.timezone, waiting, steps)
    return 0


def _print_text(states: list[State], zone: tzinfo, waiting: int, steps: int) -> None:
    columns = ("budget", "used#", "threshold#", "max#", "", "until it resets")
    print_table(columns, (_row(state, zone) for state in states))
    print()
    for state in states:
        if state.threshold is not None and 100 * state.used >= _NEARLY * state.threshold:
            share = f"{100 * state.used // max(state.threshold, 1)}%"
            print(f"warning: {_name(state)}: {share} of the threshold are used")
    if waiting or steps:
        print(f"waiting for calls: {waiting:,} records to be written, {steps:,} steps to be read")
        print("they go on by themselves once the calls are below the threshold again")
    else:
        print("nothing waits for calls")


def _name(state: State) -> str:
    return f"{state.side.title()} {state.scope} per {state.period}"


def _row(state: State, zone: tzinfo) -> tuple[object, ...]:
    from engine.cli.budgets import moment

    most = state.threshold if state.threshold is not None else state.max
    return (
        _name(state),
        f"{state.used:,}",
        "none" if state.threshold is None else f"{state.threshold:,}",
        "" if state.max is None else f"{state.max:,}",
        "" if most is None else _bar(state.used, most),
        moment(state.resets_at, zone),
    )


def _bar(used: int, most: int) -> str:
    full = min(_WIDTH * used // max(most, 1), _WIDTH)
    return "█" * full + "░" * (_WIDTH - full)
