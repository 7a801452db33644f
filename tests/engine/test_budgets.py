"""Budgets: no window is overrun, and what waits comes to the same as if it had not waited."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.budgeted import budgeted
from engine.ledger import Ledger
from engine.ledger.callbook import Window
from engine.model import SIDES
from engine.ports import BudgetSpent
from engine.stores.local import open_org
from tests.engine.rules import program_of
from tests.engine.test_convergence import RULES, acts, play
from tests.engine.world import Clock, O, S, World, world

LIMITS = "limits {{ salesforce own {0} per hour  outreach own {1} per hour }}"


def limited(at: World, limits: str, **options: Any) -> None:
    """Put the world's stores within budgets."""
    rules = program_of(limits).limits
    at.stores = budgeted(at.orgs, rules, at.ledger, UTC, at.clock, **options)


def state(at: World) -> tuple[Any, ...]:
    """Both sides and what is linked, without the ids that the order of creates gives."""
    prospects = at.all(O, "prospect", "lastName", "emails", "title", "custom1", "occupation")
    links = at.links("Lead<->prospect")
    leads = at.all(S, "Lead", "LastName", "Email", "Title", "Rating", "Company", "City")
    pairs = {lead: (row, prospects.get(links.get(lead, 0))) for lead, row in leads.items()}
    return pairs, Counter(map(repr, prospects.values())), at.all(S, "Contact", "Title")


@settings(max_examples=12, deadline=None)
@given(
    st.lists(acts, max_size=8),
    st.lists(acts.filter(lambda act: act != ("run",)), max_size=8),
    st.tuples(st.integers(10, 16), st.integers(10, 16)),
)
def test_what_waits_for_calls_comes_to_the_same_and_overruns_no_window(
    before: list[tuple[Any, ...]], edits: list[tuple[Any, ...]], sizes: tuple[int, int]
) -> None:
    with world(RULES) as free, world(RULES) as at:
        for each in (free, at):
            for act in (*before, ("run",), ("run",), *edits):
                play(each, act)
        for _ in range(4):
            free.run()
        limited(at, LIMITS.format(*sizes))
        used: Counter[tuple[Any, int]] = Counter()
        quiet = 0
        for _ in range(80):
            earlier = {side: at.orgs[side].calls for side in SIDES}
            at.clock.pass_(minutes=29)
            summary = at.run()
            window = at.clock.now().replace(minute=0)
            for side in SIDES:
                used[side, window] += at.orgs[side].calls - earlier[side]
            quiet = 0 if summary.waits or any(at.written()) else quiet + 1
            if quiet == 2:
                break
        assert quiet == 2
        for (side, _), calls in used.items():
            assert calls <= sizes[SIDES.index(side)]
        assert at.ledger.calls.waiting() == 0
        assert state(at) == state(free)


TWO = "sync Lead <-> prospect { match Email = emails  polling  inbound create  inbound update"
LEADS = TWO + "  pushing  outbound update fields { LastName <-> lastName  Email <-> emails } }"


def leads(at: World, count: int) -> None:
    for number in range(count):
        at.create(S, "Lead", LastName=f"L{number}", Company="C", Email=f"{number}@x.co")


@pytest.mark.parametrize("size", [1, 2, 3])
def test_even_one_call_at_a_time_does_it_where_a_run_may_wait(size: int) -> None:
    with world(LEADS) as free, world(LEADS) as at:
        told: list[dict[Any, int]] = []

        def wait(spent: BudgetSpent) -> bool:
            assert spent.until > at.clock.now()
            at.clock.moment = spent.until
            told.append({side: at.orgs[side].calls for side in SIDES})
            return True

        for each in (free, at):
            leads(each, 5)
        free.run()
        told.append({side: at.orgs[side].calls for side in SIDES})
        limited(at, LIMITS.format(size, size), wait=wait)
        summary = at.run()
        told.append({side: at.orgs[side].calls for side in SIDES})
        assert (summary.status, summary.counts["created"]) == ("done", 5)
        assert state(at) == state(free)
        hours = [after[side] - before[side] for before, after in pairwise(told) for side in SIDES]
        assert len(told) > 3
        assert max(hours) == size


def test_a_budget_that_is_spent_in_a_page_sends_what_fits_and_keeps_the_rest() -> None:
    with world(LEADS) as at:
        leads(at, 9)
        limited(at, "limits { outreach own 6 per hour }")
        summary = at.run()
        created = summary.counts["created"]
        assert summary.status == "held"
        assert (summary.counts["failed"], 0 < created < 9) == (0, True)
        (spent,) = summary.waits
        assert "waits for the Outreach budget until" in str(spent)
        assert at.ledger.calls.waiting() == 9 - created
        assert len(at.links("Lead<->prospect")) == created
        again = at.run()
        assert again.calls["outreach"] == 0
        at.clock.pass_(hours=2)
        limited(at, "limits { outreach own 60 per hour }")
        last = at.run()
        assert (last.status, last.counts["created"]) == ("done", 9 - created)
        assert at.ledger.calls.waiting() == 0
        assert at.ledger.calls.stalled() == []


def test_a_total_counts_what_others_call_and_goes_on_when_the_vendor_says() -> None:
    with world(LEADS) as at:
        leads(at, 2)
        for _ in range(20):
            at.all(S, "Lead", "Email")
        limited(at, "limits { salesforce total 22 per day }")
        summary = at.run()
        assert summary.waits
        assert summary.calls == {"salesforce": 0, "outreach": 0}
        at.clock.moment = summary.waits[0].until
        assert at.run().counts["created"] == 2


def test_what_two_share_a_ledger_for_is_never_overrun(tmp_path: Path) -> None:
    clock = Clock()
    rules = program_of("limits { outreach own 50 per hour }").limits
    org = open_org(O, tmp_path / "outreach.db", clock)
    ledgers = [Ledger(tmp_path / "ledger.db") for _ in range(2)]
    stores = [budgeted({O: org}, rules, ledger, UTC, clock)[O] for ledger in ledgers]
    refused = 0
    for turn in range(70):
        try:
            stores[turn % 2].fetch("prospect", ["title"], [1])
        except BudgetSpent:
            refused += 1
    assert (org.calls, refused) == (50, 20)
    for each in (*ledgers, org):
        each.close()


SPENDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from dsl.program import LimitRule
from dsl.source import Source, Span
from engine.budget import Budget
from engine.ledger import Ledger
from engine.model import Side

class Clock:
    def now(self):
        return datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

rule = LimitRule(Span(Source("", ""), 0, 0), Side.OUTREACH, "own", 2_200, "hour")
ledger = Ledger(Path(sys.argv[1]))
budget = Budget(Side.OUTREACH, [rule], ledger, Clock(), UTC, lambda: None)
print("ready", flush=True)
sys.stdin.readline()
sent = 0
while budget.ask(50, 1) is None or budget.reserved:
    calls = min(budget.reserved, 50)
    budget.spend(calls)
    sent += calls
print(sent)
"""


def test_processes_that_share_a_ledger_never_overrun_a_budget(tmp_path: Path) -> None:
    path, root = tmp_path / "ledger.db", str(Path(__file__).parents[2])
    hour = Window("hour", "2026-11-23T09:00:00.000Z")
    with closing(Ledger(path)) as ledger:
        # From here on calls are first reserved ahead in blocks, and near the threshold no longer.
        ledger.calls.reserve(O, [hour], 0, lambda _spent: 100)
        both = [
            subprocess.Popen(
                [sys.executable, "-c", SPENDER, str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": root},
            )
            for _ in range(2)
        ]
        for process in both:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in both:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        sent = [int(process.communicate()[0]) for process in both]
        assert sum(sent) == 2_100
        assert ledger.calls.spent(O, [hour])[0].used == 2_200


def test_a_crash_between_reservation_and_call_costs_calls_and_never_gives_more() -> None:
    with world(LEADS) as at:
        limited(at, "limits { outreach own 10 per hour }")
        at.stores[O].budget.ask(4, 4)  # and the process dies
        limited(at, "limits { outreach own 10 per hour }")
        calls = at.orgs[O].calls
        for _ in range(6):
            at.stores[O].fetch("prospect", ["title"], [1])
        with pytest.raises(BudgetSpent):
            at.stores[O].fetch("prospect", ["title"], [1])
        assert at.orgs[O].calls - calls == 6


def test_calls_reserved_ahead_are_given_back() -> None:
    with world(LEADS) as at:
        leads(at, 3)
        limited(at, "limits { salesforce own 8000 per day }")
        calls = at.run().calls
        for side in SIDES:
            own = at.stores[side].budget.states()[1]
            assert (own.side, own.scope, own.used) == (side, "own", calls[side.value])


def test_a_plan_counts_the_calls_that_it_makes() -> None:
    with world(LEADS) as at:
        leads(at, 3)
        limited(at, "limits { outreach own 3 per hour }")
        earlier = at.orgs[O].calls
        for _ in range(4):
            summary, _ = at.plan()
        assert summary.waits
        assert at.orgs[O].calls - earlier == 3


def test_the_step_that_had_no_calls_is_the_first_of_the_next_run() -> None:
    with world(RULES) as at:
        at.create(S, "Contact", LastName="C", Email="c@x.co")
        leads(at, 1)
        limited(at, "limits { salesforce own 1 per hour }")
        seen = set()
        for _ in range(6):
            at.run()
            seen.add(at.ledger.calls.stalled()[0].step)
            at.clock.pass_(hours=1)
        assert len(seen) > 1
