"""A field that swings between two values, as each side's automation puts its own back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

import pytest

from engine.again import held_records
from engine.chosen import Chosen
from engine.explain import explain
from engine.model import Side
from tests.engine.test_cycle import LEADS, ROSE
from tests.engine.world import O, S, World, world

PAIR = "Lead<->prospect"


class Swinging:
    """A linked lead and prospect whose titles two workflows cannot agree on."""

    def __init__(self, at: World) -> None:
        self.at = at
        self.lead = at.create(S, "Lead", **ROSE, Title="CFO")
        at.run()
        self.prospect = at.links(PAIR)[self.lead]

    def turn(self) -> None:
        """Each side's workflow looks at what was written to it, and has it otherwise."""
        if self.titles[1] == "CFO":
            self.at.edit(O, "prospect", self.prospect, title="Chief Financial Officer")
        elif self.titles[0] != "CFO":
            self.at.edit(S, "Lead", self.lead, Title="CFO")

    @property
    def titles(self) -> tuple[str, str]:
        lead = self.at.one(S, "Lead", self.lead, "Title")
        return lead, self.at.one(O, "prospect", self.prospect, "title")

    def until_paused(self) -> None:
        for _ in range(8):
            self.turn()
            planned, _ = self.at.plan()
            summary = self.at.run()
            assert planned.counts == summary.counts
            if summary.counts["held"]:
                return
        raise AssertionError("it was never paused")


@pytest.fixture
def swinging() -> Iterator[Swinging]:
    with world(LEADS) as at:
        yield Swinging(at)


def test_a_field_that_swings_is_paused_with_both_values_and_nothing_is_written(
    swinging: Swinging,
) -> None:
    at = swinging.at
    swinging.until_paused()
    assert "`title` swings between `CFO` and" in at.changes[-1].reason.replace("Title", "title")
    assert len(held_records(at.ledger, {"paused"})) == 1
    for _ in range(3):
        before = swinging.titles
        swinging.turn()
        assert at.run().counts["updated"] == 0
    assert before == swinging.titles


@pytest.mark.parametrize("side", [S, O])
def test_the_account_of_either_record_tells_of_the_pause(swinging: Swinging, side: Side) -> None:
    swinging.until_paused()
    at = swinging.at
    name = (S, "Lead", swinging.lead) if side is S else (O, "prospect", swinging.prospect)
    told = explain(at.program, at.stores, at.ledger, UTC, at.clock, name)
    (decided,) = (step for step in told["steps"] if step["step"] == "decide")
    assert any("swings between" in field["decision"] for field in decided["fields"])
    waits = [step["outcome"] for step in told["steps"] if step["step"] == "paused"]
    held = held_records(at.ledger, {"paused"})
    assert len(waits) == ((PAIR, side) in held)
    assert all("crosswalk resume" in words for words in waits)


def test_the_other_fields_of_the_record_go_on(swinging: Swinging) -> None:
    swinging.until_paused()
    at = swinging.at
    at.edit(S, "Lead", swinging.lead, LastName="Gonzales")
    summary = at.run()
    assert (summary.counts["updated"], summary.counts["held"]) == (1, 1)
    assert at.one(O, "prospect", swinging.prospect, "lastName") == "Gonzales"


def test_a_third_value_goes_through_and_ends_the_pause(swinging: Swinging) -> None:
    swinging.until_paused()
    at = swinging.at
    at.edit(S, "Lead", swinging.lead, Title="Treasurer")
    assert at.run().counts["held"] == 0
    assert swinging.titles == ("Treasurer", "Treasurer")
    assert held_records(at.ledger, {"paused"}) == {}
    assert not any(at.run().counts.values())


def test_both_sides_agreeing_ends_the_pause(swinging: Swinging) -> None:
    swinging.until_paused()
    at = swinging.at
    at.edit(S, "Lead", swinging.lead, Title="CFO")
    at.edit(O, "prospect", swinging.prospect, title="CFO")
    assert not at.run().counts["held"]
    assert held_records(at.ledger, {"paused"}) == {}


def test_letting_it_go_on_writes_once_and_pauses_again_if_it_swings_again(
    swinging: Swinging,
) -> None:
    swinging.until_paused()
    at = swinging.at
    records = Chosen(held_records(at.ledger, {"paused"}))
    assert at.run(chosen=records, unpaused=True).counts["updated"] == 1
    assert len(set(swinging.titles)) == 1
    swinging.turn()
    assert at.run().counts["held"] == 1


def test_somebody_who_changes_a_value_to_and_fro_on_one_side_is_not_paused(
    swinging: Swinging,
) -> None:
    at = swinging.at
    for number in range(8):
        at.edit(S, "Lead", swinging.lead, Title="CEO" if number % 2 else "CFO")
        assert at.run().counts["held"] == 0
    assert swinging.titles == ("CEO", "CEO")


def test_days_between_are_no_swing(swinging: Swinging) -> None:
    at = swinging.at
    for _ in range(8):
        swinging.turn()
        assert at.run().counts["held"] == 0
        at.clock.pass_(minutes=13 * 60)
