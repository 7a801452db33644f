"""`explain`: the one decision on a record, told with everything that it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest

from engine.explain import Unknown, explain
from engine.model import RecordId, Side
from tests.engine.activities import put
from tests.engine.test_cycle import CONTACTS, LEADS, ROSE, prospect_of
from tests.engine.world import O, S, World, world


@pytest.fixture
def leads() -> Iterator[World]:
    with world(LEADS) as found:
        yield found


def told(at: World, side: Side, type_name: str, record: RecordId) -> dict[str, Any]:
    name = (side, type_name, record)
    return explain(at.program, at.stores, at.ledger, UTC, at.clock, name)


def step(account: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in account["steps"] if each["step"] == name)


def field(account: dict[str, Any], source: str) -> dict[str, Any]:
    return next(f for f in step(account, "decide")["fields"] if f["source"] == source)


def test_a_lead_that_was_never_read_is_told_what_the_next_run_does(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE)
    account = told(leads, S, "Lead", lead)
    assert account["link"] is None
    assert step(account, "polling")["outcome"] == "not read yet: the next run reads it"
    assert step(account, "match")["outcome"] == "Email = emails finds none"
    create = step(account, "inbound create")
    assert create["condition"] == {
        "text": "Email is present",
        "value": True,
        "terms": [{"text": "Email is present", "value": True, "met": {"Email": "rose@edge.com"}}],
    }
    assert step(account, "decide")["changes"][0]["action"] == "create"
    assert field(account, "LastName")["decision"] == 'set "Gonzalez" in Outreach'
    assert field(account, "Title")["decision"] == "empty"
    assert leads.all(O, "prospect") == {}
    assert leads.all(O, "stage") == {}


def test_a_condition_that_fails_says_which_term_met_what(leads: World) -> None:
    lead = leads.create(S, "Lead", LastName="Boxer", Company="Coop")
    leads.run()
    account = told(leads, S, "Lead", lead)
    assert step(account, "inbound create")["outcome"] == "condition does not hold"
    (term,) = step(account, "inbound create")["condition"]["terms"]
    assert (term["value"], term["met"]) == (False, {"Email": None})
    assert step(account, "polling")["outcome"].startswith("read: its last change")


def test_a_linked_record_shows_base_both_values_and_the_decision(leads: World) -> None:
    lead = leads.create(S, "Lead", **ROSE, Title="Clerk")
    leads.run()
    prospect = prospect_of(leads, lead)
    settled = told(leads, S, "Lead", lead)
    assert {f["decision"] for f in step(settled, "decide")["fields"]} == {"unchanged"}
    leads.edit(O, "prospect", prospect, title="CEO")
    leads.edit(S, "Lead", lead, Title="CFO")
    for side, name, record in ((S, "Lead", lead), (O, "prospect", prospect)):
        account = told(leads, side, name, record)
        assert account["link"] == {
            "salesforce": {"type": "Lead", "id": lead},
            "outreach": {"type": "prospect", "id": prospect},
        }
        title = field(account, "Title")
        assert (title["base"], title["salesforce"], title["outreach"]) == ("Clerk", "CFO", "CEO")
        assert title["decision"] == 'write "CFO" in Outreach: both changed, Salesforce wins'
        assert title["rule"] == "rules/test.sync:19"
    before = leads.run().counts["updated"]
    assert before == 1


def test_what_is_held_back_says_why() -> None:
    rules = LEADS.replace("inbound update\n", 'inbound update when Rating = "Hot"\n')
    with world(rules) as at:
        lead = at.create(S, "Lead", **ROSE, Title="Clerk")
        at.run()
        at.edit(S, "Lead", lead, Title="CFO", Status="Closed - Converted")
        account = told(at, S, "Lead", lead)
        title, status = field(account, "Title"), field(account, "Status")
        assert title["decision"] == "held back: the condition of inbound update does not hold"
        assert status["decision"] == "held back: `s` does not map it"
        assert step(account, "decide")["changes"][0]["action"] == "skip"


def test_a_match_that_is_held_names_the_candidates(leads: World) -> None:
    first = leads.create(S, "Lead", **ROSE)
    second = leads.create(S, "Lead", **ROSE | {"LastName": "Other"})
    leads.run()
    account = told(leads, S, "Lead", second)
    prospect = prospect_of(leads, first)
    assert f"finds prospect {prospect} (linked to {first})" in step(account, "match")["outcome"]
    assert step(account, "decide")["changes"][0]["action"] == "hold"
    assert "held for review" in step(account, "review")["outcome"]


def test_what_was_written_and_what_the_vendor_said_is_told(leads: World) -> None:
    prospect = leads.create(O, "prospect", emails=["a@x.co"], company="X", title="Buyer")
    leads.run()
    account = told(leads, O, "prospect", prospect)
    assert "REQUIRED_FIELD_MISSING" in step(account, "refused")["outcome"]
    assert step(account, "history")["rows"][0]["status"] == "create refused"


def test_a_prospect_of_two_syncs_is_told_by_both_and_a_deleted_one_too() -> None:
    with world(CONTACTS) as at:
        at.create(S, "Contact", LastName="A", Email="a@x.co")
        lead = at.create(S, "Lead", LastName="A", Company="X", Email="a@x.co")
        at.run()
        prospect = at.links("Lead<->prospect")[lead]
        account = told(at, O, "prospect", prospect)
        syncs = {each["sync"] for each in account["steps"] if "sync" in each}
        assert syncs == {"Contact<->prospect", "Lead<->prospect"}
        assert len(account["links"]) == 2
        at.delete(O, "prospect", prospect)
        account = told(at, O, "prospect", prospect)
        assert not account["record"]["exists"]
        assert "will be unlinked" in step(account, "decide")["outcome"]


def test_a_prospect_is_told_that_its_lead_was_converted_or_deleted() -> None:
    with world(LEADS) as at:
        leads = [at.create(S, "Lead", **ROSE | {"Email": f"r{n}@x.co"}) for n in range(2)]
        at.run()
        prospects = [prospect_of(at, lead) for lead in leads]
        at.clock.pass_(minutes=1)
        contact = at.orgs[S].convert(leads[0])["Contact"]
        at.delete(S, "Lead", leads[1])
        at.run()
        links = [step(told(at, O, "prospect", each), "link")["outcome"] for each in prospects]
        assert links == [
            f"not synced: its Lead {leads[0]} was converted to Contact {contact}",
            f"not synced: its Lead {leads[1]} was deleted",
        ]


def test_a_record_that_nobody_knows_is_an_error(leads: World) -> None:
    with pytest.raises(Unknown, match="Salesforce has no Lead 00Q000000000001AAA"):
        told(leads, S, "Lead", "00Q000000000001AAA")


def test_an_activity_is_told_by_what_its_kind_can_have() -> None:
    rules = """
        sync Lead <-> prospect {
            match Email = emails
            polling
            fields { Email -> emails }
            activities { email sent  meeting booked  meeting rescheduled }
        }
    """
    at_ten, at_noon = "2026-11-25T10:00:00.000Z", "2026-11-25T12:00:00.000Z"
    with world(rules) as at:
        prospect = ("prospect", int(at.create(O, "prospect", emails=["rose@edge.com"])))  # type: ignore[arg-type]
        at.create(S, "Lead", LastName="Rose", Company="Edge", Email="rose@edge.com")
        at.run()
        put(at, "mailing", 1, prospect=prospect, mailingType="single")
        put(at, "meeting", 1, prospect=prospect, subject="Demo", startTime=at_ten)
        at.run()
        waiting = told(at, O, "mailing", 1)
        assert step(waiting, "link")["outcome"] == "no Task is made of it yet"
        assert step(waiting, "outbound create Lead")["outcome"] == "condition does not hold"
        assert step(waiting, "decide")["fields"] == []
        moved = {"startTime": at_noon, "rescheduledAt": at_ten}
        put(at, "meeting", 1, prospect=prospect, subject="Demo", **moved)
        account = told(at, O, "meeting", 1)
        names = [each["step"] for each in account["steps"]]
        assert names == ["pushing", "link", "outbound update Lead", "decide", "history"]
        decided = step(account, "decide")["fields"]
        assert [f["target"] for f in decided].count("Subject") == 1
        event = told(at, S, "Event", account["link"]["salesforce"]["id"])
        assert step(event, "polling")["outcome"] == "not read: an activity only goes to Salesforce"
