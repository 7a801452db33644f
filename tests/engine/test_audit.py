"""Audit and resync: both sides in full, and old records brought to new rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

import pytest

from engine.audit import Difference, audit
from engine.chosen import Chosen
from tests.engine.test_cycle import LEADS, ROSE, prospect_of
from tests.engine.world import O, S, World, world

PAIR = "Lead<->prospect"


@pytest.fixture
def leads() -> Iterator[World]:
    with world(LEADS) as found:
        yield found


def differences(at: World) -> list[Difference]:
    return list(audit(at.program, at.stores, at.ledger, UTC, at.clock))


def test_an_audit_of_sides_that_agree_finds_nothing_and_writes_nothing(leads: World) -> None:
    leads.create(S, "Lead", **ROSE, Title="CFO")
    leads.create(S, "Lead", LastName="Boxer", Company="Coop")  # a condition keeps it out
    leads.run()
    before = leads.orgs[O].calls
    assert differences(leads) == []
    assert leads.all(O, "prospect", "title")
    assert leads.orgs[O].calls > before


def test_an_audit_lists_what_a_run_would_do_and_what_is_missing(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE, Title="CFO")
    leads.run()
    leads.edit(S, "Lead", lead, Title="CEO")
    new = leads.create(S, "Lead", LastName="B", Company="X", Email="b@x.co")
    by_id = {d.salesforce: d for d in differences(leads)}
    title = by_id[lead]
    assert (title.source, title.target, title.values) == ("Title", "title", ("CEO", "CFO"))
    assert title.why == "a run would write it to Outreach"
    assert by_id[new].why == "a run would create it (inbound create: condition holds)"
    leads.run()
    assert differences(leads) == []


def test_an_audit_sees_what_no_run_does_anything_about() -> None:
    with world(LEADS.replace("Company  <-> company", "Company   -> company")) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        at.edit(O, "prospect", prospect_of(at, lead), company="Typed over")
        at.run()
        assert not any(at.run().counts.values())
        (drift,) = differences(at)
        assert (drift.source, drift.values) == ("Company", ("Edge", "Typed over"))
        assert "neither side" in drift.why or "nothing to write" in drift.why


def test_an_audit_names_links_whose_record_is_gone(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE)
    leads.run()
    leads.delete(S, "Lead", lead)
    (gone,) = differences(leads)
    assert (gone.salesforce, "would unlink it" in gone.why) == (lead, True)


def test_a_resync_brings_a_new_line_to_records_that_did_not_change(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE, City="Austin")
    leads.run()
    leads.run()
    leads.rules(LEADS.replace("fields {", "fields {\n City <-> addressCity"))
    leads.run()
    assert leads.one(O, "prospect", prospect_of(leads, lead), "addressCity") is None
    assert leads.run(chosen=Chosen({(PAIR, S): [lead]})).counts["updated"] == 1
    assert leads.one(O, "prospect", prospect_of(leads, lead), "addressCity") == "Austin"
    assert not any(leads.run().counts.values())


def test_a_resync_of_a_field_applies_a_changed_map_to_old_records(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE)
    leads.run()
    leads.rules(LEADS.replace('<-> "Open"  ', '<-> "New"  '))
    leads.run()
    prospect = prospect_of(leads, lead)
    assert leads.one(O, "prospect", prospect, "stage.name") == "Open"
    chosen = Chosen({(PAIR, S): [lead]})
    leads.run(chosen=chosen, fresh=frozenset({"stage"}))
    assert leads.one(O, "prospect", prospect, "stage.name") == "New"
    assert not any(leads.run().counts.values())
