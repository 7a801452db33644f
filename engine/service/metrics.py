"""What Prometheus may collect: cycles, records, calls, and how things stand after each cycle."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from engine.budget import State as Budget
from engine.cycle import Summary
from engine.ledger import Ledger
from engine.ledger.looking import cursors, pending_counts
from engine.model import Side
from engine.ports import Store
from engine.whys import HELD

__all__ = ["Metrics"]

#: What waits for a person; what was refused for the moment is tried again by itself.
_HELD = HELD.keys() - {"transient"}


class Metrics:
    """One service's figures; updated by its worker, read by any thread."""

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        name = "crosswalk_"
        self._seconds = Histogram(name + "cycle_seconds", "Time of a cycle", registry=own)
        self._runs = Counter(name + "runs", "Runs by their end", ["status"], registry=own)
        self._records = Counter(
            name + "records", "Records by what was done", ["action"], registry=own
        )
        self._calls = Counter(
            name + "calls", "Calls that the vendor counts", ["side"], registry=own
        )
        self._waiting = Gauge(name + "waiting", "Records that wait", ["pair", "why"], registry=own)
        self._holds = Gauge(
            name + "holds", "Records that wait for a person", ["pair"], registry=own
        )
        lag = "Seconds between a side's clock and up to where it was read"
        self._lag = Gauge(name + "lag_seconds", lag, ["pair", "side"], registry=own)
        names = ["side", "scope", "period"]
        self._used = Gauge(name + "budget_used", "Calls used of a budget", names, registry=own)
        self._most = Gauge(name + "budget_threshold", "Calls of a budget", names, registry=own)

    def count(self, summary: Summary, seconds: float) -> None:
        """Count a run."""
        self._seconds.observe(seconds)
        self._runs.labels(summary.status).inc()
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
        self._holds.clear()
        for row in ledger.rows(pending_counts()):
            self._waiting.labels(row["pair"], row["why"]).set(row["records"])
            if row["why"] in _HELD:
                self._holds.labels(row["pair"]).inc(row["records"])
                held[row["pair"]] += row["records"]
        now = {side: datetime.fromisoformat(store.now()) for side, store in stores.items()}
        for row in ledger.rows(cursors()):
            behind = now[Side(row["side"])] - datetime.fromisoformat(row["stamp"])
            self._lag.labels(row["pair"], row["side"]).set(max(behind.total_seconds(), 0.0))
        for state in budgets:
            labels = state.side.value, state.scope, state.period
            self._used.labels(*labels).set(state.used)
            if state.threshold is not None:
                self._most.labels(*labels).set(state.threshold)
        return dict(held)

    def text(self) -> bytes:
        """All in Prometheus's text format."""
        return generate_latest(self._registry)
