"""A compiled condition means what the plain evaluator says it means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.evaluate import Context, evaluate
from dsl.program import FieldRef
from engine.mapping import compile_pair
from engine.model import Side
from tests.engine.rules import pair_of

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TEXTS = ["Rating", "LastName", "Company"]
TEXT_VALUES = st.sampled_from([None, "", "hot", "HOT", "Straße", "STRASSE", "warm ", "a\\b", "x"])
MOMENTS = ["2026-11-23", "2026-11-23T09:30:00Z", "now", "today", "30 days ago", "1 day ago"]
DATES = st.sampled_from(
    [None, "2026-11-23T09:30:00.000+0000", "2026-10-24T09:30:00.000Z", "2026-11-23T00:00:00Z"]
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


texts = TEXT_VALUES.filter(bool).map(lambda t: quoted(str(t)))
numbers = st.sampled_from(["0", "1", "-3", "1.5", "100"])
order = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
maybe_not = st.sampled_from(["", "not "])


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    """One comparison of a Lead's field, of each kind."""
    match draw(st.integers(0, 7)):
        case 0:
            return f"{draw(st.sampled_from(TEXTS))} {draw(order)} {draw(texts)}"
        case 1:
            items = ", ".join(draw(st.lists(texts, min_size=1, max_size=3)))
            return f"{draw(st.sampled_from(TEXTS))} {draw(maybe_not)}in ({items})"
        case 2:
            word = draw(st.sampled_from(["contains", "starts with", "ends with", "matches"]))
            text = draw(st.sampled_from(['"h"', '"t"', '"^ho."', '"T$"']))
            return f"{draw(st.sampled_from(TEXTS))} {draw(maybe_not)}{word} {text}"
        case 3:
            return f"AnnualRevenue {draw(order)} {draw(numbers)}"
        case 4:
            value = draw(st.sampled_from(["true", "false"]))
            return f"DoNotCall {draw(st.sampled_from(['=', '!=']))} {value}"
        case 5:
            return f"CreatedDate {draw(order)} {draw(st.sampled_from(MOMENTS))}"
        case 6:
            field = draw(st.sampled_from([*TEXTS, "AnnualRevenue", "DoNotCall", "Odd__c"]))
            return f"{field} is {draw(st.sampled_from(['empty', 'present', 'not empty']))}"
        case _:
            if draw(st.booleans()):
                return f"Odd__c {draw(st.sampled_from(['=', '!=']))} true"
            right = draw(st.one_of(texts, numbers, st.just("2026-11-23")))
            return f"Odd__c {draw(order)} {right}"


conditions = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda t: f"({t[0]}) {t[1]} ({t[2]})"
        ),
        inner.map(lambda c: f"not ({c})"),
        st.lists(inner, min_size=1, max_size=3).map(lambda cs: "any { " + "\n".join(cs) + " }"),
    ),
    max_leaves=5,
)

records = st.fixed_dictionaries(
    {
        "Rating": TEXT_VALUES,
        "LastName": TEXT_VALUES,
        "Company": TEXT_VALUES,
        "AnnualRevenue": st.sampled_from([None, 0, 1, -3, 1.5, 100, 2.0]),
        "DoNotCall": st.sampled_from([None, True, False]),
        "CreatedDate": DATES,
        "Odd__c": st.sampled_from([None, "", "hot", 1, 1.5, True, [], ["hot", "x"], "2026-11-23"]),
    }
)


@settings(max_examples=400, deadline=None)
@given(conditions, st.lists(records, min_size=1, max_size=5))
def test_a_compiled_condition_equals_the_plain_evaluator(
    condition: str, found: list[dict[str, Any]]
) -> None:
    pair = pair_of(
        "sync Lead <-> prospect {\n polling\n inbound create when "
        + condition
        + "\n match Email = emails\n}"
    )
    mapping = compile_pair(pair, UTC)
    compiled = mapping.conditions["inbound create"]
    plain = pair.toggles["inbound create"].when
    assert compiled is not None
    assert plain is not None
    for record in found:
        row = ("00Q", "", *(record.get(name) for name in mapping.columns[Side.SALESFORCE]))

        def read(ref: FieldRef, record: dict[str, Any] = record) -> Any:
            return record.get(ref.path)

        meant = evaluate(plain, Context(read, lambda _: True, NOW, UTC))
        assert compiled(row, None, None, None, NOW) is meant


def test_a_value_of_another_type_than_the_schema_says_falls_back_to_the_evaluator() -> None:
    pair = pair_of(
        'sync Lead <-> prospect { match Email = emails  polling  inbound create when Rating = "1" }'
    )
    holds = compile_pair(pair, UTC).conditions["inbound create"]
    assert holds is not None
    assert holds(("00Q", "", 1, None), None, None, None, NOW) is False
