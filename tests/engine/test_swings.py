"""Fields that swing between the two sides: paused alone, told of, and let go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.again import held_records, let_swing
from engine.chosen import Chosen
from engine.cycle import Summary
from engine.explain import explain
from engine.ledger.looking import Filters, log_rows, waiting
from engine.model import Action, RecordId
from tests.engine.world import UTC, O, S, World, world

PAIR = "Lead<->prospect"
RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound update
    fields {
        Company <-> company
        LastName <-> lastName
        Email <-> emails
        Title <-> title
        City <-> addressCity
    }
}
"""


class Orgs(World):
    """Each side has a workflow that puts its own value back a minute after somebody else's."""

    lead: RecordId
    prospect: RecordId
    fought: dict[str, tuple[Any, Any]]

    def workflows(self) -> None:
        for field, (left, right) in self.fought.items():
            name = {"Title": "title", "City": "addressCity"}[field]
            if self.one(S, "Lead", self.lead, field) != left:
                self.edit(S, "Lead", self.lead, **{field: left})
            if self.one(O, "prospect", self.prospect, name) != right:
                self.edit(O, "prospect", self.prospect, **{name: right})

    def cycle(self) -> Summary:
        """The workflows, and then a run, which does what a plan says."""
        self.workflows()
        _, foretold = self.plan()
        summary = self.run()
        assert foretold == self.changes
        return summary

    def fields(self) -> list[str]:
        return [f.target for change in self.changes for f in change.fields]


@pytest.fixture
def orgs() -> Iterator[Orgs]:
    with world(RULES) as made:
        at = Orgs(made.program, made.clock, {}, made.ledger)
        at.lead = at.create(
            S, "Lead", LastName="Gonzalez", Company="Edge", Email="r@e.co", Title="VP"
        )
        at.run()
        at.prospect = at.links(PAIR)[at.lead]
        at.fought = {"Title": ("Buyer", "Head of Sales")}
        yield at
        for org in at.orgs.values():
            org.close()


def paused(at: World) -> list[dict[str, Any]]:
    return [row for row in at.ledger.rows(waiting(None)) if row["why"] == "swing"]


def swing(at: Orgs) -> None:
    """Let the workflows fight until the field is paused."""
    for _ in range(4):
        at.cycle()
    assert len(paused(at)) == 1


def resume(at: World) -> Summary:
    held = held_records(at.ledger, {"swing"})
    let_swing(at.ledger, held, at.clock.now())
    return at.run(chosen=Chosen(held))


def test_the_fourth_write_of_a_swing_is_not_made_and_then_nothing_is(orgs: Orgs) -> None:
    counts = [orgs.cycle().counts for _ in range(4)]
    assert [(c["updated"], c["held"]) for c in counts] == [(1, 0), (1, 0), (1, 0), (0, 1)]
    for _ in range(6):
        assert orgs.cycle().counts["updated"] == 0
    assert orgs.one(S, "Lead", orgs.lead, "Title") == "Buyer"
    assert orgs.one(O, "prospect", orgs.prospect, "title") == "Head of Sales"


def test_a_pause_tells_both_values_wherever_one_looks(orgs: Orgs) -> None:
    swing(orgs)
    (row,) = paused(orgs)
    logged = [r["message"] for r in orgs.ledger.rows(log_rows(Filters(status="paused")))]
    told = explain(
        orgs.program, orgs.stores, orgs.ledger, UTC, orgs.clock, (O, "prospect", orgs.prospect)
    )
    fields = next(step["fields"] for step in told["steps"] if step["step"] == "decide")
    decision = next(f["decision"] for f in fields if f["target"] in ("Title", "title"))
    held = [c.reason for c in orgs.changes if c.action is Action.HOLD]
    assert logged == [row["message"]] == held
    for words in (row["message"], decision):
        assert "`Buyer`" in words
        assert "`Head of Sales`" in words
        assert "crosswalk resume" in words


def test_the_other_fields_of_a_record_go_on_and_the_pause_outlasts_days(orgs: Orgs) -> None:
    swing(orgs)
    orgs.clock.pass_(days=5)
    orgs.edit(O, "prospect", orgs.prospect, addressCity="Austin")
    orgs.edit(S, "Lead", orgs.lead, LastName="Diaz")
    orgs.cycle()
    assert sorted(orgs.fields()) == ["City", "lastName"]
    assert len(paused(orgs)) == 1


def test_resuming_writes_the_field_and_counts_anew(orgs: Orgs) -> None:
    swing(orgs)
    orgs.fought = {}
    resume(orgs)
    assert orgs.fields() == ["title"]
    assert paused(orgs) == []
    assert orgs.cycle().counts["updated"] == 0
    orgs.edit(O, "prospect", orgs.prospect, title="Head of Sales")
    orgs.cycle()
    assert orgs.fields() == ["Title"]


def test_a_resumed_field_that_swings_on_is_paused_again(orgs: Orgs) -> None:
    swing(orgs)
    resume(orgs)
    assert sum(orgs.cycle().counts["updated"] for _ in range(8)) == 2
    assert len(paused(orgs)) == 1


@pytest.mark.parametrize("side", [S, O])
def test_a_third_value_on_either_side_ends_the_pause(orgs: Orgs, side: Any) -> None:
    swing(orgs)
    orgs.fought = {}
    name, record, field = (
        ("Lead", orgs.lead, "Title") if side is S else ("prospect", orgs.prospect, "title")
    )
    orgs.edit(side, name, record, **{field: "Owner"})
    orgs.cycle()
    assert len(orgs.fields()) == 1
    assert orgs.one(S, "Lead", orgs.lead, "Title") == "Owner"
    assert orgs.one(O, "prospect", orgs.prospect, "title") == "Owner"
    assert paused(orgs) == []


@pytest.mark.parametrize("side", [S, O])
def test_agreement_ends_the_pause_and_counting_begins_anew(orgs: Orgs, side: Any) -> None:
    swing(orgs)
    orgs.fought = {}
    if side is S:
        orgs.edit(S, "Lead", orgs.lead, Title="Head of Sales")
    else:
        orgs.edit(O, "prospect", orgs.prospect, title="Buyer")
    assert orgs.cycle().counts["updated"] == 0
    assert paused(orgs) == []
    if side is O:
        orgs.edit(O, "prospect", orgs.prospect, title="Head of Sales")
    else:
        orgs.edit(S, "Lead", orgs.lead, Title="Buyer")
    orgs.cycle()
    assert len(orgs.fields()) == 1


def test_two_fields_are_paused_each_by_itself(orgs: Orgs) -> None:
    orgs.fought["City"] = ("Austin", "Berlin")
    for _ in range(6):
        orgs.cycle()
    messages = sorted(row["message"].split(" swing")[0] for row in paused(orgs))
    assert messages == ["City and addressCity", "Title and title"]
    orgs.edit(S, "Lead", orgs.lead, Title="Owner")
    orgs.fought = {}
    orgs.cycle()
    assert [row["message"].split(" and")[0] for row in paused(orgs)] == ["City"]


def test_somebody_who_turns_a_value_to_and_fro_is_not_taken_for_a_swing(orgs: Orgs) -> None:
    orgs.fought = {}
    for n in range(6):
        orgs.edit(S, "Lead", orgs.lead, Title=("Buyer", "VP")[n % 2])
        assert orgs.cycle().counts["updated"] == 1
    for n in range(6):
        orgs.clock.pass_(hours=9)
        record = (S, "Lead", orgs.lead, "Title"), (O, "prospect", orgs.prospect, "title")
        side, type_name, at, field = record[n % 2]
        orgs.edit(side, type_name, at, **{field: ("Buyer", "VP")[n % 2]})
        assert orgs.cycle().counts["updated"] == 1


def test_a_run_cut_off_at_any_commit_still_comes_to_the_pause(
    orgs: Orgs, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = orgs.ledger.commit
    calls = 0

    def failing(*args: Any) -> None:
        nonlocal calls
        calls += 1
        if calls % 3 == 0:
            raise KeyboardInterrupt
        commit(*args)

    monkeypatch.setattr(orgs.ledger, "commit", failing)
    for _ in range(14):
        orgs.workflows()
        try:
            orgs.run()
        except KeyboardInterrupt:
            continue
    monkeypatch.undo()
    assert len(paused(orgs)) == 1
    assert [orgs.cycle().counts["updated"] for _ in range(4)] == [0] * 4
