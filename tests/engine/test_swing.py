"""A field that swings between two values, as each side's automation puts its own back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC

import pytest

from engine.again import held_records
from engine.chosen import Chosen
from engine.explain import explain
from engine.ledger.looking import waiting
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

    def until_paused(self) -> int:
        """How many turns were written before."""
        for turns in range(8):
            self.turn()
            planned, _ = self.at.plan()
            summary = self.at.run()
            assert planned.counts == summary.counts
            if summary.counts["held"]:
                return turns
        raise AssertionError("it was never paused")

    def let_go(self) -> int:
        """Do what the messages say, and tell how many records were written."""
        messages = "\n".join(c.reason for c in self.at.changes if "swings" in c.reason)
        command = r"`crosswalk resume --type (\w+) --id (\w+)` lets it go on"
        ((type_name, record),) = set(re.findall(command, messages))
        side = S if type_name == "Lead" else O
        held = held_records(self.at.ledger, {"paused"}, record=record)
        assert list(held) == [(PAIR, side)]
        return self.at.run(chosen=Chosen(held), unpaused=True).counts["updated"]


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


def test_it_stays_paused_however_long_that_takes(swinging: Swinging) -> None:
    swinging.until_paused()
    at, before = swinging.at, swinging.titles
    for days in (2, 40):
        at.clock.pass_(days=days)
        at.edit(S, "Lead", swinging.lead, LastName=f"After {days} days")
        at.edit(O, "prospect", swinging.prospect, lastName=f"After {days} days")
        assert at.run().counts["held"] == 1
        assert swinging.titles == before


def test_letting_it_go_on_writes_it_and_counts_anew(swinging: Swinging) -> None:
    turns = swinging.until_paused()
    assert swinging.let_go() == 1
    assert len(set(swinging.titles)) == 1
    assert held_records(swinging.at.ledger, {"paused"}) == {}
    assert swinging.until_paused() == turns


def test_counting_begins_anew_once_both_sides_have_agreed(swinging: Swinging) -> None:
    turns = swinging.until_paused()
    at = swinging.at
    at.edit(O, "prospect", swinging.prospect, title="CFO")
    at.edit(S, "Lead", swinging.lead, Title="CFO")
    at.run()
    assert swinging.until_paused() == turns


def test_two_fields_that_swing_have_a_message_each(swinging: Swinging) -> None:
    at = swinging.at
    for number in range(4):
        swinging.turn()
        if number % 2:
            at.edit(S, "Lead", swinging.lead, LastName="Gonzalez")
        else:
            at.edit(O, "prospect", swinging.prospect, lastName="Gonzales")
        at.run()
    told = sorted(c.reason.casefold() for c in at.changes)
    assert [words.split(" swings ")[0] for words in told] == ["`lastname`", "`title`"]
    listed = {row["message"] for row in at.ledger.rows(waiting(None))}
    assert sorted(words.casefold() for words in listed) == told
    assert swinging.let_go() == 1
    assert held_records(at.ledger, {"paused"}) == {}


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
