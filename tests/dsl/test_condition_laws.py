"""Whatever form a condition takes, the plain evaluator says what it means."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.codegen import Emitter, define
from dsl.evaluate import Context, evaluate
from dsl.program import Condition
from dsl.pushdown import pushdown
from dsl.schema import Side
from dsl.soql import soql
from tests.dsl.conditions_by_chance import (
    CHANGES,
    SALESFORCE,
    ZONES,
    conditions,
    key,
    moments,
    records,
    resolved,
)
from tests.dsl.sqlite_dialect import Table

Record = dict[str, Any]


def meaning(
    condition: Condition, record: Record, changes: frozenset[str], now: datetime, zone: tzinfo
) -> bool:
    context = Context(lambda ref: record[key(ref)], lambda ref: key(ref) in changes, now, zone)
    return evaluate(condition, context)


@settings(max_examples=400, deadline=None)
@given(conditions, st.lists(records, min_size=1, max_size=8), CHANGES, moments, ZONES)
def test_the_compiled_form_of_a_condition_equals_the_plain_evaluator(
    text: str, found: list[Record], changes: frozenset[str], now: datetime, zone: tzinfo
) -> None:
    condition = resolved(text)
    emitter = Emitter(
        lambda ref: f"record[{key(ref)!r}]", lambda ref: f"({key(ref)!r} in changes)", zone
    )
    body = [f"return {emitter.condition(condition)}"]
    compiled = define("condition", "record, changes, now", body, emitter.namespace)
    for record in found:
        assert compiled(record, changes, now) is meaning(condition, record, changes, now, zone)


@settings(max_examples=600, deadline=None)
@given(conditions, st.lists(records, min_size=1, max_size=12), CHANGES, moments, ZONES)
def test_a_pushed_down_condition_selects_what_it_means_or_more(
    text: str, found: list[Record], changes: frozenset[str], now: datetime, zone: tzinfo
) -> None:
    condition = resolved(text)
    query = pushdown(condition, Side.SALESFORCE, zone=zone, now=now)
    table = Table(SALESFORCE, zone)
    try:
        table.fill(found)
        selected = table.selects(query)
    finally:
        table.close()
    wanted = {n for n, record in enumerate(found) if meaning(condition, record, changes, now, zone)}
    assert selected >= wanted
    assert not query.exact or selected == wanted


@settings(max_examples=200, deadline=None)
@given(conditions, moments, ZONES)
def test_soql_is_said_of_what_was_pushed_down_and_holds_no_other_field(
    text: str, now: datetime, zone: tzinfo
) -> None:
    condition = resolved(text)
    query = pushdown(condition, Side.SALESFORCE, zone=zone, now=now)
    pushed = soql(condition, zone=zone, now=now)
    if pushed is not None:
        assert pushed.exact is query.exact
        assert not {"Description", "Odd__c", "outreach"} & set(pushed.text.split())
        bare = re.sub(r"'(?:[^'\\]|\\.)*'", "", pushed.text)
        assert bare.count("(") == bare.count(")")
        assert "\n" not in pushed.text


def test_a_midnight_that_comes_twice_equals_itself() -> None:
    zone = ZoneInfo("America/Havana")
    record = {"CreatedDate": "2026-11-01T04:00:00.000Z"}
    condition = resolved("CreatedDate = 2026-11-01")
    assert meaning(condition, record, frozenset(), datetime(2026, 11, 23, tzinfo=UTC), zone)
