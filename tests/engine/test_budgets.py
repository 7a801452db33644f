"""Budgets: no window is overrun, and what waits comes to the same as if it had not waited."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.budget import budgeted
from engine.model import SIDES
from tests.engine.rules import program_of
from tests.engine.test_convergence import RULES, acts, play
from tests.engine.world import O, S, World, world

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


@settings(max_examples=60, deadline=None)
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
