"""What the reasoning about conditions finds is true by the plain evaluator."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.logic import Contradiction, always, findings, never, overlap
from dsl.program import All, Condition, Negation
from dsl.program import Any as AnyOf
from tests.dsl.logic_cases import SPAN, Seen, condition, many

conditions = st.randoms(use_true_random=False).map(condition)
law = settings(max_examples=150, deadline=None)
RECORDS = many(300, seed=1)


def counterexample(condition: Condition, holds: bool) -> Seen | None:
    """A record that the condition holds for, or does not."""
    return next((each for each in RECORDS if each.fulfils(condition) is holds), None)


@law
@given(conditions)
def test_what_can_never_hold_holds_for_no_record(term: Condition) -> None:
    reason = never(term)
    if reason:
        assert counterexample(term, holds=True) is None
        assert counterexample(All(SPAN, reason.terms), holds=True) is None
        assert reason.why


@law
@given(conditions)
def test_what_always_holds_holds_for_every_record(term: Condition) -> None:
    reason = always(term)
    if reason:
        assert counterexample(term, holds=False) is None
        assert counterexample(AnyOf(SPAN, reason.terms), holds=False) is None
        assert reason.why


@law
@given(conditions, conditions)
def test_conditions_that_do_not_overlap_share_no_record(one: Condition, other: Condition) -> None:
    verdict = overlap(one, other)
    assert (verdict is False) == (never(one, other) is not None)
    if verdict is False:
        assert counterexample(All(SPAN, (one, other)), holds=True) is None


@law
@given(conditions, conditions)
def test_each_finding_is_true_of_its_part(one: Condition, other: Condition) -> None:
    for part, reason in findings(one, other):
        assert any(part is each for each in (*within(one), *within(other)))
        if isinstance(reason, Contradiction):
            assert counterexample(All(SPAN, reason.terms), holds=True) is None
        else:
            assert counterexample(part, holds=False) is None


def within(condition: Condition) -> Iterator[Condition]:
    yield condition
    match condition:
        case All(terms=terms) | AnyOf(terms=terms):
            for term in terms:
                yield from within(term)
        case Negation(term=term):
            yield from within(term)


@law
@given(conditions)
def test_a_negation_turns_never_into_always(term: Condition) -> None:
    opposite = Negation(SPAN, term)
    assert (never(term) is None) == (always(opposite) is None)
    assert (always(term) is None) == (never(opposite) is None)


@pytest.mark.long
def test_no_generated_condition_is_misjudged() -> None:
    dice = Random(20261123)  # noqa: S311 - the same conditions each time is the point
    seen = many(1000, seed=2)
    for _ in range(5000):
        one, other = condition(dice), condition(dice)
        holds = [each for each in seen if each.fulfils(one)]
        assert not (holds and never(one)), one
        assert len(holds) == len(seen) or not always(one), one
        assert overlap(one, other) is not False or not any(e.fulfils(other) for e in holds)
