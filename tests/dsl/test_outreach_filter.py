"""Conditions as filters of Outreach's API."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.evaluate import Context, evaluate
from dsl.outreach_filter import Filtered, outreach_filter
from dsl.values import instant
from tests.dsl.conditions_by_chance import ZONES, conditions, key, moments, records, resolved

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SCORE, TIME = "filter[engagedScore]", "filter[updatedAt]"


def filtered(condition: str) -> Filtered | None:
    return outreach_filter(resolved(condition), zone=UTC, now=NOW)


@pytest.mark.parametrize(
    ("condition", "parameters", "exact"),
    [
        ("outreach.engagedScore >= 5", {SCORE: "5..inf"}, True),
        ("outreach.engagedScore > 5", {SCORE: "5..inf"}, False),
        ("not (outreach.engagedScore is present)", {SCORE: "__null__"}, True),
        ("outreach.engagedScore in (1, 2.5)", {SCORE: "1,2.5"}, True),
        ("5 <= outreach.engagedScore and outreach.engagedScore <= 9", {SCORE: "5..9"}, True),
        (
            "outreach.updatedAt >= 30 days ago and outreach.updatedAt < today",
            {TIME: "2026-10-24T09:30:00Z..2026-11-23T00:00:00Z"},
            False,
        ),
        (
            'outreach.updatedAt <= 2026-11-23 and Rating = "Hot"',
            {TIME: "neginf..2026-11-23T00:00:00Z"},
            False,
        ),
        ("outreach.engagedScore = 1 and outreach.engagedScore = 2", {SCORE: "1"}, False),
        ("outreach.engagedScore = 1 and outreach.engagedScore >= 1", {SCORE: "1"}, False),
    ],
)
def test_what_a_filter_can_say_is_pushed_down(
    condition: str, parameters: dict[str, str], exact: bool
) -> None:
    assert filtered(condition) == Filtered(parameters, exact)


@pytest.mark.parametrize(
    "condition",
    [
        'outreach.firstName = "Ann"',
        "outreach.firstName is empty",
        "outreach.engagedScore != 5",
        "not (outreach.engagedScore >= 5)",
        "outreach.engagedScore is present",
        "outreach.engagedScore = 1 or outreach.engagedScore = 3",
        "outreach.score = 5",
        "outreach.updatedAt > outreach.createdAt",
        "outreach.stage.order = 1",
        "outreach.custom999 = 1",
        "AnnualRevenue = 5",
        "1 = 1",
    ],
)
def test_what_no_filter_says_is_left_to_the_engine(condition: str) -> None:
    assert filtered(condition) is None


def lets_through(value: Any, text: str, zone: tzinfo) -> bool:
    """Outreach's side of it, by its documentation."""
    if value in (None, ""):
        return text == "__null__"
    if text == "__null__":
        return False
    if ".." not in text:
        return any(_order(value, zone) == _order(_read(each), zone) for each in text.split(","))
    low, high = text.split("..")
    order = _order(value, zone)
    after = low == "neginf" or _order(_read(low), zone) <= order
    return after and (high == "inf" or order <= _order(_read(high), zone))


def _read(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return text if "T" in text else float(text)


def _order(value: Any, zone: tzinfo) -> Any:
    return instant(value, zone) if isinstance(value, str) else value


@settings(max_examples=300, deadline=None)
@given(conditions, st.lists(records, min_size=1, max_size=8), moments, ZONES)
def test_a_filter_lets_through_what_the_condition_means_or_more(
    text: str, found: list[dict[str, Any]], now: datetime, zone: tzinfo
) -> None:
    condition = resolved(text)
    pushed = outreach_filter(condition, zone=zone, now=now)
    if pushed is None:
        return
    for record in found:
        context = Context(lambda ref, r=record: r[key(ref)], lambda _: True, now, zone)
        meant = evaluate(condition, context)
        through = all(
            lets_through(record[f"outreach.{name[7:-1]}"], value, zone)
            for name, value in pushed.parameters.items()
        )
        assert through or not meant
        assert not pushed.exact or through is meant
