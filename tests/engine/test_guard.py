"""The guard's bounds: a run beyond one stops before its first write, and says why."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from engine.cycle import Summary
from engine.guard import blast_of
from engine.ledger.schema import change
from tests.engine.world import O, S, World, world

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create when Email is present
    inbound update
    inbound delete
    pushing
    outbound update
    fields { LastName <-> lastName  Email <-> emails  Title <-> title  City -> addressCity }
}
guard { GUARD }
"""


def guarded(bounds: str) -> str:
    return RULES.replace("GUARD", bounds)


def run(at: World, yes: bool = False) -> Summary:
    def before(_run: str) -> Any:
        if yes:
            return []
        blast = blast_of(at.program, at.stores, at.ledger, UTC, clock=at.clock)
        return blast.objections(at.program, at.ledger, UTC)

    return at.run(before=before)


def leads(at: World, count: int, **values: Any) -> list[Any]:
    return [
        at.create(S, "Lead", LastName=f"L{n}", Company="C", Email=f"l{n}@x.co", **values)
        for n in range(count)
    ]


def test_a_run_of_too_many_creates_writes_nothing_and_names_the_records() -> None:
    with world(guarded("creates 2 per run")) as at:
        made = leads(at, 3)
        summary = run(at)
        assert summary.status == "stopped"
        assert not any(summary.counts.values())
        assert at.all(O, "prospect") == {}
        assert list(at.ledger.rows(change.select())) == []
        (objection,) = summary.objections
        assert "create 3 records, and the guard lets it create 2" in objection.message
        told = objection.as_json()
        assert (told["what"], told["bound"], told["found"]) == ("creates", 2, 3)
        assert [record["salesforce"]["id"] for record in told["records"]] == made


def test_a_stopped_run_loses_nothing_and_yes_lets_it_through() -> None:
    with world(guarded("creates 2 per run")) as at:
        leads(at, 3)
        run(at)
        assert run(at, yes=True).counts["created"] == 3
        assert run(at).status == "done"


def test_a_run_within_its_bounds_is_not_stopped() -> None:
    with world(guarded("creates 3 per run  updates 0 per run  deletes 0 per run")) as at:
        leads(at, 3)
        summary = run(at)
        assert (summary.status, summary.counts["created"], summary.objections) == ("done", 3, ())


def test_updates_and_deletes_have_bounds_of_their_own() -> None:
    with world(guarded("updates 1 per run  deletes 0 per run")) as at:
        first, second, third = leads(at, 3)
        run(at)
        at.edit(S, "Lead", first, Title="CFO")
        assert run(at).counts["updated"] == 1
        at.edit(S, "Lead", first, Title="CEO")
        at.edit(S, "Lead", second, Title="CEO")
        at.delete(S, "Lead", third)
        summary = run(at)
        assert [each.details["what"] for each in summary.objections] == ["updates", "deletes"]
        assert len(at.all(O, "prospect")) == 3


def test_blanking_is_a_share_of_the_values_that_linked_records_hold() -> None:
    with world(guarded("blanking 10%")) as at:
        made = leads(at, 5, Title="CFO", City="Austin")  # 20 values that flow to Outreach
        run(at)
        at.edit(S, "Lead", made[0], Title=None, City=None)
        assert run(at).status == "done"  # 2 of 20, and now 18
        at.edit(S, "Lead", made[1], Title=None, City=None)
        summary = run(at)
        (objection,) = summary.objections
        assert "empty 2 of 18 values in Outreach (11.1%)" in objection.message
        assert objection.details["records"][0]["fields"] == ["title", "addressCity"]
        assert "CFO" in at.all(O, "prospect", "title")[at.links("Lead<->prospect")[made[1]]]
