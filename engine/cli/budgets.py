"""The budgets of `limits` as commands tell of them: where they stand, and what a run will need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from dsl.schema import Side

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.budget import State
    from engine.cycle import Summary
    from engine.ports import Store

__all__ = [
    "forecast",
    "forecast_lines",
    "moment",
    "states",
    "wait_lines",
]


def states(stores: Mapping[Side, Store]) -> list[State]:
    """Where the budgets of these stores stand."""
    from engine.budgeted import Budgeted

    found = [store for store in stores.values() if isinstance(store, Budgeted)]
    return [state for store in found for state in store.budget.states()]


def moment(at: datetime, zone: tzinfo) -> str:
    """An instant as people of the project read it, to the minute."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def forecast(stores: Mapping[Side, Store], calls: Mapping[str, int]) -> tuple[dict[str, Any], ...]:
    """Each budget of the rules, with what it has left and what a run would use of it."""
    from engine.told import budget_told

    return tuple(
        budget_told(state) | {"left": state.left, "calls": calls[state.side.value]}
        for state in states(stores)
        if state.threshold is not None
    )


def forecast_lines(summary: Summary, zone: tzinfo) -> Iterator[str]:
    """A plan's forecast in words."""
    if summary.guard_calls:
        yield _guard_line(summary.guard_calls)
    for each in summary.budgets:
        budget = f"{each['scope']} {each['threshold']:,} per {each['period']}"
        line = f"would use {each['calls']:,} {each['side'].title()} calls of {each['left']:,} left"
        rest = ""
        if each["calls"] > each["left"]:
            until = moment(datetime.fromisoformat(each["resets_at"]), zone)
            rest = f"; the rest waits until {until}"
        yield f"{line} ({budget}){rest}"


def _guard_line(calls: Mapping[str, int]) -> str:
    counts = ", ".join(f"{side.title()} {count:,}" for side, count in calls.items())
    return f"of them for the guard, which counts first ({counts}); `run --yes` does without"


def wait_lines(summary: Summary) -> Iterator[str]:
    """What a run had to leave for want of calls."""
    yield from map(str, summary.waits)
    if summary.waits:
        yield "later runs carry on; what was asked for by hand, ask for again then"
