"""References that are hard to follow: owners who are queues or have left, circles, and more."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from engine.ledger.schema import pending
from engine.undo import undo
from tests.dsl.support import codes
from tests.dsl.support import lead as sync
from tests.engine.world import O, S, World, world

USERS = "sync User <-> user { match Email = email polling pushing fields { Email -> email } }"
LEADS = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound create
    outbound update
    fields { LastName <-> lastName  Company <-> company  Email <-> emails  Title <-> title  OWNER }
}
"""
ROSE = {"LastName": "Gonzalez", "Company": "Edge", "Email": "rose@edge.com"}


def user(at: World, name: str, **values: Any) -> tuple[Any, Any]:
    """A user on both sides."""
    there = at.create(
        S,
        "User",
        Username=f"{name}@x.co",
        FirstName=name,
        LastName="Lee",
        Email=f"{name}@x.co",
        Alias=name,
        CommunityNickname=name,
        TimeZoneSidKey="America/Los_Angeles",
        LocaleSidKey="en_US",
        EmailEncodingKey="UTF-8",
        ProfileId="00e000000000001AAA",
        LanguageLocaleKey="en_US",
        DigestFrequency="D",
        DefaultGroupNotificationFrequency="N",
        **values,
    )
    return there, at.create(O, "user", email=f"{name}@x.co", firstName=name, lastName="Lee")


def test_a_queue_as_owner_leaves_the_prospects_owner_alone_and_says_why() -> None:
    with world(USERS + LEADS.replace("OWNER", "OwnerId <-> owner")) as at:
        rep, theirs = user(at, "ann")
        queue = at.create(S, "Group", Name="Inbound", Type="Queue")
        lead = at.create(S, "Lead", **ROSE, OwnerId=queue)
        at.run()
        assert at.all(O, "prospect", "owner", "lastName") == {1: (None, "Gonzalez")}
        (row,) = at.ledger.rows(pending.select())
        assert f"{queue} is a queue" in row["message"]
        assert not any(at.run().counts.values())
        at.edit(S, "Lead", lead, OwnerId=rep)
        at.run()
        assert at.one(O, "prospect", 1, "owner") == theirs
        assert list(at.ledger.rows(pending.select())) == []


OWNERS = 'values owners { "Inbound" <-> "ann Lee"  otherwise "bob Lee" }'


def test_a_map_says_who_stands_for_a_queue_and_for_all_who_have_no_seat() -> None:
    with world(OWNERS + USERS + LEADS.replace("OWNER", "OwnerId -> owner via owners")) as at:
        (_, ann), (_, bob), (carl, theirs) = user(at, "ann"), user(at, "bob"), user(at, "carl")
        queue = at.create(S, "Group", Name="Inbound", Type="Queue")
        other = at.create(S, "Group", Name="Partners", Type="Queue")
        for number, owner in enumerate((queue, other, carl)):
            at.create(S, "Lead", **ROSE | {"Email": f"{number}@x.co"}, OwnerId=owner)
        planned, _ = at.plan()
        assert list(at.run().counts.values()) == list(planned.counts.values())
        assert list(at.all(O, "prospect", "owner").values()) == [(ann,), (bob,), (theirs,)]
        assert not any(at.run().counts.values())


def test_a_fallback_owner_takes_over_from_a_user_who_has_left_salesforce() -> None:
    with world(OWNERS + USERS + LEADS.replace("OWNER", "OwnerId <-> owner via owners")) as at:
        (ann, _), (bob, _), (carl, theirs) = user(at, "ann"), user(at, "bob"), user(at, "carl")
        lead = at.create(S, "Lead", **ROSE, OwnerId=ann)
        at.run()
        at.edit(S, "User", carl, IsActive=False)
        at.edit(O, "prospect", 1, owner=theirs)
        at.run()
        assert at.one(S, "Lead", lead, "OwnerId") == bob
        assert not any(at.run().counts.values())


def test_two_users_of_one_name_are_told_apart_by_their_links() -> None:
    with world(OWNERS + USERS + LEADS.replace("OWNER", "OwnerId <-> owner via owners")) as at:
        (first, one), (second, two) = user(at, "carl"), user(at, "dave")
        for who, there in ((second, two), (first, one)):
            at.edit(S, "User", who, FirstName="Carl")
            at.edit(O, "user", there, firstName="Carl")
        lead = at.create(S, "Lead", **ROSE, OwnerId=second)
        at.run()
        assert at.one(O, "prospect", 1, "owner") == two
        at.edit(S, "Lead", lead, OwnerId=first)
        at.run()
        assert at.one(O, "prospect", 1, "owner") == one


@pytest.fixture
def left() -> Any:
    """A lead whose prospect is given to somebody who has left Salesforce."""
    with world(USERS + LEADS.replace("OWNER", "OwnerId <-> owner")) as at:
        (rep, _), (gone, theirs) = user(at, "ann"), user(at, "bob")
        lead = at.create(S, "Lead", **ROSE, OwnerId=rep)
        at.run()
        at.edit(S, "User", gone, IsActive=False)
        at.edit(O, "prospect", 1, owner=theirs, title="CEO")
        yield at, lead, rep, gone


def test_an_inactive_owner_waits_and_the_other_fields_go(left: Any) -> None:
    at, lead, rep, gone = left
    assert at.run().counts["failed"] == 0
    assert at.one(S, "Lead", lead, "OwnerId", "Title") == (rep, "CEO")
    (row,) = at.ledger.rows(pending.select())
    assert f"User {gone} is inactive" in row["message"]


def test_an_owner_who_is_active_again_goes_through(left: Any) -> None:
    at, lead, _, gone = left
    at.run()
    at.edit(S, "User", gone, IsActive=True)
    at.run()
    assert at.one(S, "Lead", lead, "OwnerId") == gone


def test_one_who_left_does_not_stand_for_a_name() -> None:
    owners = 'values owners { "ann Lee" <- "ann Lee"  otherwise hold }'
    with world(owners + USERS + LEADS.replace("OWNER", "OwnerId <- owner via owners")) as at:
        gone, theirs = user(at, "ann")
        active, _ = user(at, "bob")
        at.edit(S, "User", gone, IsActive=False)
        at.edit(S, "User", active, FirstName="ann")
        at.create(O, "prospect", emails=["a@x.co"], lastName="A", company="X", owner=theirs)
        at.run()
        assert list(at.all(S, "Lead", "OwnerId").values()) == [(active,)]


CIRCLE = """
sync UserRole <-> role {
    match Name = name
    polling
    inbound create
    inbound update
    fields { Name -> name  ParentRoleId -> parentRole }
}
"""


def test_a_record_that_is_its_own_ancestor_is_linked_and_then_there_is_peace() -> None:
    with world(CIRCLE) as at:
        one, two = (at.create(S, "UserRole", Name=name) for name in ("CEO", "CFO"))
        at.edit(S, "UserRole", one, ParentRoleId=two)
        at.edit(S, "UserRole", two, ParentRoleId=one)
        at.run()
        links = at.links("UserRole<->role")
        assert at.all(O, "role", "parentRole") == {
            links[one]: (links[two],),
            links[two]: (links[one],),
        }
        assert not any(at.run().counts.values())


def test_a_reference_that_moves_back_and_forth_follows() -> None:
    with world(CIRCLE) as at:
        one, two, rep = (at.create(S, "UserRole", Name=name) for name in ("CEO", "CFO", "Rep"))
        for parent in (one, two, None, one):
            at.edit(S, "UserRole", rep, ParentRoleId=parent)
            at.run()
            links = at.links("UserRole<->role")
            wanted = links[parent] if parent else None
            assert at.one(O, "role", links[rep], "parentRole") == wanted


def test_a_required_reference_waits_and_says_for_what() -> None:
    rules = """
    sync Contact <-> prospect {
        match Email = emails
        polling
        inbound create when Email is present
        fields { Email -> emails }
    }
    sync Opportunity <-> opportunity {
        match Name = name
        polling
        inbound create
        fields { Name -> name  CloseDate -> closeDate  StageName -> opportunityStage }
    }
    sync OpportunityContactRole <-> opportunityProspectRole {
        polling
        inbound create
        fields { OpportunityId -> opportunity  ContactId -> prospect }
    }
    """
    with world(rules) as at:
        at.create(O, "opportunityStage", name="Prospecting")
        contact = at.create(S, "Contact", LastName="A")
        deal = at.create(
            S, "Opportunity", Name="Deal", CloseDate="2026-12-24", StageName="Prospecting"
        )
        at.create(S, "OpportunityContactRole", OpportunityId=deal, ContactId=contact)
        at.run()
        (row,) = at.ledger.rows(pending.select())
        assert row["message"] == f"waits until Contact {contact} has its prospect"
        at.edit(S, "Contact", contact, Email="a@x.co")
        at.run()
        assert len(at.all(O, "opportunityProspectRole")) == 1


TEAM = (
    USERS
    + """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    fields {
        Email         -> emails
        SDR__c        -> assignedUsers
        Sales_Ops__c  -> assignedUsers
    }
}
"""
)


def test_a_line_adds_its_user_to_the_assigned_ones_and_takes_out_the_one_it_gave_before() -> None:
    with world(TEAM) as at:
        for name in ("SDR__c", "Sales_Ops__c"):
            at.orgs[S].add_field("Lead", name, "reference", to="User")
        left, right = {}, {}
        for name in ("ann", "bob", "cleo", "dan"):
            left[name], right[name] = user(at, name)

        def assigned() -> list[str]:
            names = {there: name for name, there in right.items()}
            return [names[each] for each in at.one(O, "prospect", 1, "assignedUsers")]

        both = {"SDR__c": left["ann"], "Sales_Ops__c": left["bob"]}
        lead = at.create(S, "Lead", **ROSE, **both)
        at.run()
        assert assigned() == ["ann", "bob"]
        at.edit(O, "prospect", 1, assignedUsers=[right[n] for n in ("dan", "ann", "bob")])
        at.edit(S, "Lead", lead, SDR__c=left["cleo"])
        second = at.run()
        assert assigned() == ["dan", "bob", "cleo"]  # whom somebody put there stays
        undo(at.program, at.stores, at.ledger, UTC, second.run, clock=at.clock)
        assert assigned() == ["dan", "ann", "bob"]
        at.edit(S, "Lead", lead, SDR__c=left["bob"], Sales_Ops__c=left["ann"])
        at.run()
        assert assigned() == ["dan", "ann", "bob"]
        at.edit(S, "Lead", lead, SDR__c=None)
        at.run()
        assert assigned() == ["dan", "ann"]
        at.run()
        assert at.written() == []


def test_only_a_reference_to_the_same_kind_of_record_is_added_and_one_way() -> None:
    assert codes(sync(fields="SDR__c -> assignedUsers")) == []
    assert codes(sync(fields="OwnerId <-> assignedUsers")) == ["CW204"]
    assert codes(sync(fields="OwnerId -> assignedUsers once")) == ["CW204"]
    assert codes(sync(fields="Company -> assignedUsers")) == ["CW203"]
    assert codes(sync(fields="SDR__c <- assignedUsers")) == ["CW203"]
