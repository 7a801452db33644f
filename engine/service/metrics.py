"""What Prometheus may collect: cycles, records, calls, and how things stand after each cycle."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import metadata
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from engine.budget import State as Budget
from engine.cycle import Summary
from engine.ledger import Ledger
from engine.ledger.looking import cursors, pending_counts
from engine.model import Side
from engine.ports import Store
from engine.whys import REVIEWED

__all__ = ["Metrics"]

#: What waits for a person; what was refused for the moment is tried again by itself.
_HELD = REVIEWED.keys() - {"transient"}
_SUCCESS = ("done", "held")  # what is held waits for a person, and the rest was synced
# They would be a series more for each of the others, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]
_T = TypeVar("_T", Counter, Gauge, Histogram)


class Metrics:
    """One service's figures; updated by its worker, read by any thread."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        pair, budget = ["pair"], ["side", "scope", "period"]
        self._seconds = self._made(Histogram, "cycle_duration_seconds", "Time that cycles took")
        self._runs = self._made(Counter, "runs", "Runs by how they ended", ["status"])
        self._records = self._made(Counter, "records", "Records by what was done", ["action"])
        self._calls = self._made(Counter, "calls", "Calls that the vendor counts", ["side"])
        self._success = self._made(
            Gauge, "last_success_timestamp_seconds", "When a run last ended as it should"
        )
        self._waiting = self._made(Gauge, "records_waiting", "Records that wait", [*pair, "why"])
        self._held = self._made(Gauge, "records_held", "Records that wait for a person", pair)
        lag = "Between a side's clock and up to where it was read"
        self._lag = self._made(Gauge, "lag_seconds", lag, [*pair, "side"])
        self._used = self._made(Gauge, "budget_used_calls", "Calls used of a budget", budget)
        self._limit = self._made(
            Gauge, "budget_limit_calls", "Calls that the rules let a budget use", budget
        )
        self._max = self._made(Gauge, "budget_max_calls", "Calls that the vendor allows", budget)
        build = self._made(Gauge, "build_info", "Which version this is", ["version"])
        build.labels(metadata.version("crosswalk")).set(1)

    def _made(self, kind: type[_T], name: str, about: str, labels: Sequence[str] = ()) -> _T:
        return kind(f"crosswalk_{name}", about, labels, registry=self._registry)

    def count(self, summary: Summary, seconds: float) -> None:
        """Count a run."""
        self._seconds.observe(seconds)
        self._runs.labels(summary.status).inc()
        if summary.status in _SUCCESS:
            self._success.set_to_current_time()
        for action, number in summary.counts.items():
            self._records.labels(action).inc(number)
        for side, number in summary.calls.items():
            self._calls.labels(side).inc(number)

    def look(
        self, ledger: Ledger, stores: Mapping[Side, Store], budgets: Sequence[Budget]
    ) -> dict[str, int]:
        """See how things stand; how many records of each pair are held."""
        held: Counted[str] = Counted()
        self._waiting.clear()
        self._held.clear()
        for row in ledger.rows(pending_counts()):
            self._waiting.labels(row["pair"], row["why"]).set(row["records"])
            if row["why"] in _HELD:
                self._held.labels(row["pair"]).inc(row["records"])
                held[row["pair"]] += row["records"]
        now = {side: datetime.fromisoformat(store.now()) for side, store in stores.items()}
        for row in ledger.rows(cursors()):
            behind = now[Side(row["side"])] - datetime.fromisoformat(row["stamp"])
            self._lag.labels(row["pair"], row["side"]).set(max(behind.total_seconds(), 0.0))
        for state in budgets:
            labels = state.side.value, state.scope, state.period
            self._used.labels(*labels).set(state.used)
            if state.threshold is not None:
                self._limit.labels(*labels).set(state.threshold)
            if state.max is not None:
                self._max.labels(*labels).set(state.max)
        return dict(held)

    def text(self) -> bytes:
        """All in Prometheus's text format."""
        return generate_latest(self._registry)
