"""Saved plans: exactly what stands in the file, once, and only while what it rests on holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from functools import partial
from pathlib import Path

import pytest

from engine.approved import calls_of, run_plan
from engine.cycle import Summary, rehearse, run_cycle
from engine.ledger import Ledger
from engine.model import Side
from engine.planfile import PlanError, PlanFile, read, schema_digest
from tests.engine.test_cycle import CONTACTS, LEADS, ROSE, prospect_of
from tests.engine.world import O, S, World, world

FILE = "plan.toml"


@pytest.fixture
def leads() -> Iterator[World]:
    with world(LEADS) as found:
        yield found


def save(at: World, folder: Path) -> Path:
    path = folder / FILE
    at.clock.pass_(minutes=1)
    with PlanFile(path) as file, rehearse(at.stores, at.ledger) as (stores, ledger):
        summary = run_cycle(at.program, stores, ledger, UTC, clock=at.clock, keep=file.add)
        schema = schema_digest(at.program, at.stores)
        forecast = partial(calls_of, at.program, at.stores, at.ledger, UTC, clock=at.clock)
        file.write(summary, at.program.digest, schema, (), at.clock.now(), forecast)
    return path


def apply(at: World, path: Path) -> Summary:
    at.clock.pass_(minutes=1)
    at.changes = []
    return run_plan(
        at.program,
        at.stores,
        at.ledger,
        UTC,
        read(path),
        clock=at.clock,
        report=at.changes.append,
    )


def messages(summary: Summary) -> str:
    return "\n".join(each.message for each in summary.objections)


def test_a_plan_is_carried_out_as_it_stands_and_only_once(leads: World, tmp_path: Path) -> None:
    lead = leads.create(S, "Lead", **ROSE, Title="CFO")
    path = save(leads, tmp_path)
    summary = apply(leads, path)
    assert (summary.status, summary.counts["created"]) == ("done", 3)
    assert leads.one(O, "prospect", prospect_of(leads, lead), "title") == "CFO"
    again = apply(leads, path)
    assert again.status == "stopped"
    assert f"was carried out by run {summary.run}" in messages(again)
    assert not any(leads.run().counts.values())


def test_updates_conflicts_and_links_come_true_from_the_file(leads: World, tmp_path: Path) -> None:
    lead = leads.create(S, "Lead", **ROSE, Title="Clerk")
    leads.run()
    prospect = prospect_of(leads, lead)
    leads.edit(O, "prospect", prospect, title="CEO")
    leads.edit(S, "Lead", lead, Title="CFO", Company="Edge Inc")
    other = leads.create(S, "Lead", LastName="B", Company="X", Email="b@x.co")
    leads.create(O, "prospect", emails=["B@x.co"], lastName="B")
    plan = read(save(leads, tmp_path))
    update = next(entry for entry in plan.changes if entry.action == "update" and entry.seen == S)
    title = next(f for f in update.fields if f.target == "title")
    assert (title.before, title.after, title.base) == ("CEO", "CFO", {S: "Clerk", O: "Clerk"})
    assert title.conflict == {"salesforce": "CFO", "outreach": "CEO", "winner": "salesforce"}
    summary = apply(leads, tmp_path / FILE)
    assert (summary.counts["updated"], summary.counts["linked"]) == (
        plan.counts["updated"],
        plan.counts["linked"],
    )
    assert leads.one(O, "prospect", prospect, "title", "company") == ("CFO", "Edge Inc")
    assert other in leads.links("Lead<->prospect")
    assert not any(leads.run().counts.values())


def test_what_came_after_the_plan_is_left_to_the_next_run(leads: World, tmp_path: Path) -> None:
    leads.create(S, "Lead", **ROSE)
    path = save(leads, tmp_path)
    late = leads.create(S, "Lead", LastName="Late", Company="X", Email="late@x.co")
    assert apply(leads, path).status == "done"
    assert late not in leads.links("Lead<->prospect")
    assert leads.run().counts["created"] == 1
    assert late in leads.links("Lead<->prospect")


@pytest.mark.parametrize("side", [S, O])
def test_a_stale_plan_is_refused_and_names_what_moved(
    leads: World, tmp_path: Path, side: Side
) -> None:
    lead = leads.create(S, "Lead", **ROSE, Title="Clerk")
    leads.run()
    prospect = prospect_of(leads, lead)
    leads.edit(S, "Lead", lead, Title="CFO")
    path = save(leads, tmp_path)
    if side is S:
        leads.edit(S, "Lead", lead, Title="COO")
    else:
        leads.edit(O, "prospect", prospect, title="COO")
    summary = apply(leads, path)
    assert (summary.status, summary.counts["updated"]) == ("stopped", 0)
    (objection,) = summary.objections
    told = objection.as_json()
    was = "CFO" if side is S else "Clerk"
    assert (told["before"], told["after"]) == (was, "COO")
    assert told["record"] == {
        "side": side.value,
        "type": "Lead" if side is S else "prospect",
        "id": lead if side is S else prospect,
    }
    assert f'was "{was}" and is "COO" now' in objection.message
    # Nothing is lost, neither the edit nor the plan's own: the next run sees both.
    assert leads.run().counts["updated"] == 1
    assert leads.one(S, "Lead", lead, "Title") == "COO"


def test_a_new_field_of_a_planned_record_makes_the_plan_stale(leads: World, tmp_path: Path) -> None:
    lead = leads.create(S, "Lead", **ROSE, Title="Clerk")
    leads.run()
    leads.edit(S, "Lead", lead, Title="CFO")
    path = save(leads, tmp_path)
    leads.edit(S, "Lead", lead, Company="Other")
    assert 'Company was "Edge" and is "Other" now' in messages(apply(leads, path))


def test_a_deleted_record_and_a_newcomer_of_the_same_address_make_it_stale(
    leads: World, tmp_path: Path
) -> None:
    lead = leads.create(S, "Lead", **ROSE)
    path = save(leads, tmp_path)
    leads.create(O, "prospect", emails=["rose@edge.com"])
    assert "Lead" in messages(apply(leads, path))
    assert "link (match: Email = emails)" in messages(apply(leads, path))
    leads.delete(S, "Lead", lead)
    assert f"Salesforce Lead {lead} was deleted since" in messages(apply(leads, path))


def test_other_rules_and_another_schema_make_a_plan_void(leads: World, tmp_path: Path) -> None:
    leads.create(S, "Lead", **ROSE)
    path = save(leads, tmp_path)
    text = path.read_text()
    leads.rules(LEADS + "# another word\n")
    assert "the rules are others" in messages(apply(leads, path))
    leads.rules(LEADS)
    path.write_text(text.replace('schema = "', 'schema = "0'))
    assert "the fields of a type are others" in messages(apply(leads, path))
    path.write_text(text.replace("rose@edge.com", "eve@edge.com"))
    assert apply(leads, path).status == "stopped"
    assert leads.all(O, "prospect") == {}


def test_pairs_that_share_a_type_and_references_come_true(tmp_path: Path) -> None:
    with world(CONTACTS) as at:
        account = at.create(S, "Account", Name="Acme", Rating="Hot")
        contact = at.create(S, "Contact", LastName="A", Email="a@x.co", AccountId=account)
        lead = at.create(S, "Lead", LastName="A", Company="X", Email="A@x.co")
        path = save(at, tmp_path)
        summary = apply(at, path)
        assert summary.status == "done", messages(summary)
        assert summary.counts == read_counts(summary, path)
        prospect = at.links("Contact<->prospect")[contact]
        assert at.links("Lead<->prospect") == {lead: prospect}
        assert at.one(O, "prospect", prospect, "account") == at.links("Account<->account")[account]
        assert not any(at.run().counts.values())


def read_counts(summary: Summary, path: Path) -> dict[str, int]:
    return dict.fromkeys(summary.counts, 0) | read(path).counts


def test_what_is_no_plan_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / FILE
    with pytest.raises(PlanError, match="cannot be read"):
        read(path)
    for text in ("= nonsense", "version = 1\n", 'plan = "x"\nversion = "one"\n'):
        path.write_text(text)
        with pytest.raises(PlanError, match="not a plan of crosswalk"):
            read(path)


def test_a_ledger_of_the_first_format_takes_saved_plans(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    Ledger(path).close()
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "DROP TABLE applied_plan; DROP TABLE rules; "
            "DROP TABLE budget; DROP TABLE stalled; DROP INDEX pending_paused; DROP TABLE swing;"
            "DROP TABLE turn; DROP TABLE token; DROP TABLE lately; DROP TABLE alert;"
            "DROP INDEX log_timestamp; DROP INDEX log_run; DROP INDEX change_at;"
            "DROP INDEX log_internal_id; DROP INDEX log_external_id;"
            "DROP INDEX change_salesforce_id; DROP INDEX change_outreach_id;"
            "DROP VIEW log_text; DROP VIEW change_text; DROP TABLE log_words;"
            "DROP TABLE change_words; DROP TABLE words_upto; DROP INDEX change_unusual;"
            "DROP INDEX change_refused; UPDATE alembic_version SET version_num = '0001'"
        )
    with closing(Ledger(path)) as ledger:
        ledger.note_applied("p-1", "r-1", "now")
        assert ledger.applied("p-1") == ("r-1", "now")
