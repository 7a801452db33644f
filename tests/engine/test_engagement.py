"""The engagement panel: where a prospect is in its sequence, on the lead that it belongs to."""

from __future__ import annotations

import pytest

from engine.ledger.schema import pending
from engine.play import read_script
from engine.stores.local import SAMPLE, load
from engine.stores.local.play import Stage
from tests.engine.test_owners import USERS, user
from tests.engine.world import O, S, World, world

PANEL = {
    "Current_Sequence_ID__c": "sequence.id",
    "Current_Sequence_Name__c": "sequence.name",
    "Current_Sequence_Status__c": "sequence.status",
    "Current_Sequence_Step_Number__c": "sequence.step_number",
    "Current_Sequence_Step_Type__c": "sequence.step_type",
    "Current_Sequence_Task_Due_Date__c": "sequence.task_due",
    "Actively_Being_Sequenced__c": "sequence.active",
    "Current_Sequence_User_SFDC_ID__c": "sequence.user_salesforce_id",
}
LINES = "".join(f"{field} <- {path}\n" for field, path in PANEL.items())
LEADS = f"""
sync Lead <-> prospect {{
    match Email = emails
    polling
    inbound create
    pushing
    outbound update
    fields {{
        Email -> emails
        {LINES}
    }}
}}
"""
ROSE = "rose@edge.com"


def play(at: World, script: str) -> None:
    acts, wrong = read_script(script)
    assert wrong == []
    list(Stage(at.orgs).play(acts))


@pytest.mark.parametrize("linked", [True, False])
def test_all_eight_fields_follow_the_prospect_and_are_empty_once_it_has_left(linked: bool) -> None:
    with world((USERS if linked else "") + LEADS) as at:
        load(at.orgs[S], SAMPLE / "setup")
        ann, _ = user(at, "ann")
        lead = at.create(S, "Lead", LastName="Gonzalez", Company="Edge", Email=ROSE)
        at.run()
        play(at, 'make sequence "Warm up" with auto_email,call by ann@x.co')
        play(at, f'add {ROSE} to sequence "Warm up"')
        at.run()
        who = ann if linked else None
        assert at.one(S, "Lead", lead, *PANEL) == (
            (1, "Warm up", "active", 1, "auto_email", None, True, who)
        )
        play(at, f"advance {ROSE}")
        due = at.orgs[O].now()[:19]
        at.run()
        at_call = (1, "Warm up", "active", 2, "call", f"{due}.000+0000", True, who)
        assert at.one(S, "Lead", lead, *PANEL) == at_call
        assert not any(at.run().counts.values())
        play(at, f"pause {ROSE}")
        at.run()
        assert at.one(S, "Lead", lead, "Current_Sequence_Status__c") == "paused"
        play(at, f"finish {ROSE}")
        at.run()
        gone = (None, None, None, None, None, None, False, None)
        assert at.one(S, "Lead", lead, *PANEL) == gone
        assert not any(at.run().counts.values())


ROLES = """
sync Contact <-> prospect {
    match Email = emails
    polling
    inbound create when Email is present
    fields { LastName -> lastName  Email -> emails }
}
sync OpportunityStage <-> opportunityStage {
    match MasterLabel = name  polling  inbound create  fields { MasterLabel -> name }
}
sync Opportunity <-> opportunity {
    match Name = name
    polling
    inbound create
    fields { Name -> name  StageName -> opportunityStage  CloseDate -> closeDate }
}
sync OpportunityContactRole <-> opportunityProspectRole {
    match OpportunityId = opportunity and ContactId = prospect
    polling
    inbound create
    inbound update
    pushing
    outbound create
    outbound update
    fields {
        OpportunityId <-> opportunity once
        ContactId     <-> prospect    once
        Role          <-> role
        IsPrimary     <-> primary
    }
}
"""


def test_contact_roles_wait_for_their_contacts_and_go_both_ways() -> None:
    with world(ROLES) as at:
        load(at.orgs[S], SAMPLE / "salesforce")
        (deal, *_) = at.all(S, "Opportunity")
        known = next(i for i, (m,) in at.all(S, "Contact", "Email").items() if m)
        late = next(i for i, (m,) in at.all(S, "Contact", "Email").items() if not m)
        kind = "OpportunityContactRole"
        at.create(S, kind, OpportunityId=deal, ContactId=late, Role="Evaluator", IsPrimary=True)
        at.run()
        assert at.all(O, "opportunityProspectRole") == {}
        at.edit(S, "Contact", late, Email="late@edge.com")
        at.run()
        roles = at.all(O, "opportunityProspectRole", "role", "primary")
        assert roles == {1: ("Evaluator", True)}
        at.edit(O, "opportunityProspectRole", 1, role="Influencer", primary=False)
        email = at.one(S, "Contact", known, "Email")
        ((prospect, *_),) = at.orgs[O].find("prospect", [], ["emails"], [(email,)])
        opportunity = at.one(O, "opportunityProspectRole", 1, "opportunity")
        at.create(
            O, "opportunityProspectRole", opportunity=opportunity, prospect=prospect, role="Other"
        )
        at.run()
        assert sorted(at.all(S, kind, "OpportunityId", "ContactId", "Role").values()) == sorted(
            [(deal, late, "Influencer"), (deal, known, "Other")]
        )
        assert not any(at.run().counts.values())


def test_who_works_the_sequence_is_told_though_the_user_has_left_salesforce() -> None:
    with world(
        USERS + LEADS.replace("Email -> emails", "Email -> emails  OwnerId <-> owner")
    ) as at:
        load(at.orgs[S], SAMPLE / "setup")
        (ann, hers), (bob, _) = user(at, "ann"), user(at, "bob")
        lead = at.create(S, "Lead", LastName="Gonzalez", Company="Edge", Email=ROSE, OwnerId=bob)
        at.run()
        for left in (ann, bob):
            at.edit(S, "User", left, IsActive=False)
        play(at, 'make sequence "Warm up" with auto_email by ann@x.co')
        play(at, f'add {ROSE} to sequence "Warm up"')
        at.run()
        assert at.one(S, "Lead", lead, "Current_Sequence_User_SFDC_ID__c") == bob
        assert not list(at.ledger.rows(pending.select()))
        at.edit(O, "prospect", 1, owner=hers)
        at.run()
        assert at.one(S, "Lead", lead, "OwnerId") == bob
        (waits,) = at.ledger.rows(pending.select())  # an owner has to be active
        assert f"User {ann} is inactive" in waits["message"]
