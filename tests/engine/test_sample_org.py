"""The stock rules on the sample org: what a newcomer's first run does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from dsl.lint import check
from dsl.schema import shipped_schema
from dsl.source import Source
from engine.activities import carried_out
from engine.cycle import change_as_json
from engine.model import Action
from engine.planfile import read
from engine.shipped import RULES, title_names, title_texts
from engine.stores.local import SAMPLE, load
from tests.engine.test_saved_plans import FILE, apply, save
from tests.engine.world import O, S, World


@pytest.fixture
def sample() -> Iterator[World]:
    sources = [
        Source(f"rules/{file.name}", file.read_text(encoding="utf-8"))
        for file in sorted(RULES.glob("*.sync"))
    ]
    checked = check(sources, shipped_schema(), title_names())
    assert checked.diagnostics == ()
    at = World(carried_out(checked.program, title_texts()))
    load(at.orgs[S], SAMPLE / "salesforce")
    yield at
    at.close()


def test_13_accounts_and_38_prospects_each_linked_to_all_they_should_be(sample: World) -> None:
    summary = sample.run()
    assert summary.status == "done"
    accounts = sample.links("Account<->account")
    leads, contacts = sample.links("Lead<->prospect"), sample.links("Contact<->prospect")
    assert (len(accounts), len(leads), len(contacts)) == (13, 22, 18)
    assert len(sample.all(O, "account")) == 13
    prospects = sample.all(O, "prospect", "emails", "account")
    assert len(prospects) == 38
    assert len(set(leads.values()) & set(contacts.values())) == 2
    assert set(leads.values()) | set(contacts.values()) == set(prospects)
    for contact, prospect in contacts.items():
        account, email = sample.one(S, "Contact", contact, "AccountId", "Email")
        assert prospects[prospect] == ([email], accounts[account])


def test_the_second_run_writes_nothing(sample: World) -> None:
    sample.run()
    for _ in range(2):
        summary = sample.run()
        assert not any(v for k, v in summary.counts.items() if k != "skipped"), summary


def test_a_plan_foretells_exactly_what_the_run_then_does(sample: World) -> None:
    foretold, planned = sample.plan()
    assert sample.all(O, "prospect") == {}
    done = sample.run()
    assert foretold.counts == done.counts
    assert foretold.calls == done.calls

    references = ("account", "stage", "parentRole", "opportunityStage")

    def told(change: object) -> dict[str, object]:
        told = change_as_json(change)  # type: ignore[arg-type]
        new = told["action"] == Action.CREATE
        for side in (S, O):
            # What the plan could not know is the id of what did not exist.
            record = told[side.value]
            record["id"] = None if side is O or new else record["id"]
        for f in told["fields"]:
            f["after"] = None if f["target"] in references else f["after"]
        return told

    assert [told(c) for c in planned] == [told(c) for c in sample.changes]


def test_a_saved_plan_takes_the_calls_that_it_foretells(sample: World, tmp_path: Path) -> None:
    for _ in range(2):
        plan = read(save(sample, tmp_path))
        done = apply(sample, tmp_path / FILE)
        assert (done.status, done.calls) == ("done", plan.calls)
        assert {k: n for k, n in done.counts.items() if n and k != "skipped"} == plan.counts
        lead, prospect = next(iter(sample.links("Lead<->prospect").items()))
        sample.edit(S, "Lead", lead, Title="Vendor Manager")
        sample.edit(O, "prospect", prospect, firstName="Rosemary")
        sample.create(S, "Lead", LastName="Late", Company="X", Email="late@x.co")


def test_the_first_plan(sample: World, snapshot: SnapshotAssertion) -> None:
    summary, changes = sample.plan()
    told = [change_as_json(c) for c in changes]
    assert {"counts": summary.counts, "calls": summary.calls, "changes": told} == snapshot


def test_no_salesforce_record_is_written_by_the_first_run(sample: World) -> None:
    sample.run()
    assert [c for c in sample.changes if c.direction.target is S and c.fields] == []
