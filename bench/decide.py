"""A compiled condition and a generated merge, each beside the same thing written by hand.

Prints ratios of the fastest of several interleaved runs, since what else a machine does only slows
them down: `python bench/decide.py`.
"""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from dsl.lint import check
from dsl.schema import Side, shipped_schema
from dsl.source import Source
from engine.case import Case
from engine.decide import decide_linked
from engine.mapping import Mapping, compile_pair
from engine.references import References

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create when all {
        Email is present
        any { HasOptedOutOfEmail = false  Rating in ("Hot", "Warm") }
        AnnualRevenue >= 1000000
        not (Company contains "test")
    }
    inbound update
    pushing
    outbound update
    fields {
        FirstName <-> firstName
        LastName <-> lastName
        Title <-> title
        Company <-> company
        City <-> addressCity
        State <-> addressState
        PostalCode <-> addressZip
        Country <-> addressCountry
        LeadSource <-> source
        Rating <-> custom1
        Industry <-> custom2
        Website <-> websiteUrl1
    }
}
"""
ROUNDS = 25
ROWS = 20_000
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def side_by_side(one: Callable[[], object], two: Callable[[], object]) -> tuple[float, float]:
    """The fewest seconds of both, run in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for kept, work in zip(times, (one, two), strict=True):
            start = perf_counter()
            work()
            kept.append(perf_counter() - start)
    return min(times[0]), min(times[1])


def print_ratio(name: str, ours: float, floor: float, bound: float) -> None:
    print(
        f"{name:<44} {ours / ROWS * 1e9:8.0f} ns   by hand {floor / ROWS * 1e9:8.0f} ns"
        f"   ratio {ours / floor:5.2f}   (at most {bound})"
    )


def main() -> None:
    gc.set_threshold(200_000, 50, 100)  # as in a run
    checked = check([Source("bench.sync", RULES)], shipped_schema(), frozenset())
    assert checked.ok, checked.diagnostics
    mapping = compile_pair(checked.program.pairs[0])
    holds = mapping.conditions["inbound create"]
    assert holds is not None
    random.seed(1)
    columns = mapping.columns[Side.SALESFORCE]
    choices: dict[str, list[Any]] = {
        "Email": [None, "a@b.co", "c@d.co"],
        "HasOptedOutOfEmail": [True, False],
        "Rating": ["Hot", "Cold", None],
        "AnnualRevenue": [None, 5, 2_000_000],
        "Company": ["Acme", "Test Inc", None],
    }
    rows = [
        ("00Q", "", *(random.choice(choices.get(c, ["x", None])) for c in columns))
        for _ in range(ROWS)
    ]
    at = {name: mapping.slot(Side.SALESFORCE, name) for name in choices}
    email, opted, rating, revenue, company = (at[name] for name in choices)
    wanted = frozenset(("hot", "warm"))

    def by_hand(s: Any, o: Any, s_base: Any, o_base: Any, now: Any) -> bool:
        return bool(
            s[email]
            and (s[opted] is False or (s[rating] is not None and s[rating].casefold() in wanted))
            and s[revenue] is not None
            and s[revenue] >= 1_000_000
            and not (s[company] is not None and "test" in s[company].casefold())
        )

    assert [holds(r, None, None, None, NOW) for r in rows] == [
        by_hand(r, None, None, None, NOW) for r in rows
    ]
    ours, floor = side_by_side(
        lambda: [holds(r, None, None, None, NOW) for r in rows],
        lambda: [by_hand(r, None, None, None, NOW) for r in rows],
    )
    print_ratio("a condition of five terms", ours, floor, 1.2)

    values = [tuple(random.choice("abc") for _ in range(12)) for _ in range(ROWS)]
    cases = [(v, v, v, v) for v in values[: ROWS * 9 // 10]]
    cases += [(v, w, v, v) for v, w in pairwise(values)][: ROWS // 10]

    def merge_by_hand(
        s: Sequence[Any], o: Sequence[Any], s_base: Sequence[Any], o_base: Sequence[Any]
    ) -> list[tuple[int, bool, bool]]:
        if s == s_base and o == o_base:
            return []
        return [
            (n, a != b, c != d)
            for n, (a, b, c, d) in enumerate(zip(s, s_base, o, o_base, strict=True))
            if a != b or c != d
        ]

    assert [mapping.merge(*c) for c in cases] == [merge_by_hand(*c) for c in cases]
    ours, floor = side_by_side(
        lambda: [mapping.merge(*c) for c in cases],
        lambda: [merge_by_hand(*c) for c in cases],
    )
    print_ratio("a merge of 12 fields, one record in ten changed", ours, floor, 1.3)
    changed = [(v, w, v, v) for v, w in pairwise(values)]
    ours, floor = side_by_side(
        lambda: [mapping.merge(*c) for c in changed],
        lambda: [merge_by_hand(*c) for c in changed],
    )
    print_ratio("a merge of 12 fields, every record changed", ours, floor, 1.3)
    measure_decisions(mapping)


def measure_decisions(mapping: Mapping) -> None:
    """Whole decisions with their reasons, where one record in ten had one field edited."""
    lines = [(code.ends[Side.SALESFORCE], code.ends[Side.OUTREACH]) for code in mapping.lines]
    columns = [mapping.columns[side].index for side in Side]
    places = [(2 + columns[0](str(s.column)), 2 + columns[1](str(o.column))) for s, o in lines]
    rule = mapping.rules["inbound update"]
    observed = []
    for n in range(ROWS):
        left: list[Any] = ["00Q", "2026", *(None for _ in mapping.columns[Side.SALESFORCE])]
        right: list[Any] = [17, "2026", *(None for _ in mapping.columns[Side.OUTREACH])]
        for at_left, at_right in places:
            left[at_left] = right[at_right] = random.choice("abc")
        bases = mapping.view[Side.SALESFORCE](left), mapping.view[Side.OUTREACH](right)
        if n % 10 == 0:
            left[places[n % 12][0]] = "d"
        views = mapping.view[Side.SALESFORCE](left), mapping.view[Side.OUTREACH](right)
        observed.append((tuple(left), tuple(right), *views, *bases))
    salesforce, outreach, nothing = Side.SALESFORCE, Side.OUTREACH, References({})

    def decide(row: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        s, o, s_view, o_view, s_base, o_base = row
        if s_view == s_base and o_view == o_base:
            return []
        rows, views = {salesforce: s, outreach: o}, {salesforce: s_view, outreach: o_view}
        bases = {salesforce: s_base, outreach: o_base}
        verdict = decide_linked(Case(mapping, nothing, NOW, rows, views, bases))
        return [
            (f.line, f.source, f.target, f.before, f.after, change.reason)
            for change in verdict.changes
            for f in change.fields
        ]

    def decide_by_hand(row: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        s, o, s_view, o_view, s_base, o_base = row
        found = []
        for n, (at_left, at_right) in enumerate(places):
            s_changed, o_changed = s_view[n] != s_base[n], o_view[n] != o_base[n]
            if not (s_changed or o_changed) or s_view[n] == o_view[n]:
                continue
            source, target, before, after = *lines[n], o[at_right], s[at_left]
            if not s_changed or (o_changed and o[1] > s[1]):
                source, target, before, after = target, source, after, before
            found.append((n, source.label, target.label, before, after, rule.reason))
        return found

    assert [decide(row) for row in observed] == [decide_by_hand(row) for row in observed]
    ours, floor = side_by_side(
        lambda: [decide(row) for row in observed],
        lambda: [decide_by_hand(row) for row in observed],
    )
    print_ratio("decisions with reasons, one in ten changed", ours, floor, 2.0)


if __name__ == "__main__":
    main()
