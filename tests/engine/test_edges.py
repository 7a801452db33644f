"""Where changes meet refusals, crashes, deletions and conditions: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from engine.ledger.schema import pending
from engine.model import Outcome, RecordId, Result, Row, Write
from tests.engine.test_crash import CutOff, Killed
from tests.engine.test_cycle import CONTACTS, LEADS, ROSE, prospect_of
from tests.engine.world import O, S, World, world

SIMPLE = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound update
    fields { LastName <-> lastName  Company <-> company  Email <-> emails  Title <-> title }
}
"""
BLIND = SIMPLE.replace("match Email = emails\n", "")


class Busy:
    """A real store whose first writing call is answered with a refusal that will pass."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._first = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        if self._first:
            self._first = False
            return [
                Result(Outcome.TRANSIENT, w.id, "UNABLE_TO_LOCK_ROW", "row lock") for w in writes
            ]
        return self._store.write(type_name, writes)  # type: ignore[no-any-return]


class Lagging:
    """A real store that cannot read back at first what it has just written."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._first = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        if self._first:
            self._first = False
            return []
        return self._store.fetch(type_name, fields, ids)  # type: ignore[no-any-return]


@pytest.fixture
def simple() -> Iterator[World]:
    with world(SIMPLE) as found:
        yield found


@pytest.fixture
def lead(simple: World) -> RecordId:
    """A lead that is linked to its prospect."""
    made = simple.create(S, "Lead", **ROSE)
    simple.run()
    return made


# -- what waits is not forgotten ----------------------------------------------------------------


def test_an_outbound_change_that_met_a_row_lock_is_tried_again(
    simple: World, lead: RecordId
) -> None:
    simple.edit(O, "prospect", prospect_of(simple, lead), title="CEO")
    simple.stores[S] = Busy(simple.orgs[S])
    assert simple.run().counts["failed"] == 1
    simple.run()
    simple.run()
    assert simple.one(S, "Lead", lead, "Title") == "CEO"


def test_an_outbound_refusal_stays_held_when_the_lead_is_touched(
    simple: World, lead: RecordId
) -> None:
    simple.edit(O, "prospect", prospect_of(simple, lead), lastName="x" * 100)
    simple.run()
    simple.edit(S, "Lead", lead, Rating="Hot")
    simple.run()
    assert [row["why"] for row in simple.ledger.rows(pending.select())] == ["refused"]


def test_an_outbound_reference_waits_until_its_record_is_linked() -> None:
    rules = """
    sync Account <-> account {
        match Name = name
        polling
        pushing
        outbound create when domain = "hot.com"
        fields { Name <-> name }
    }
    sync Contact <-> prospect {
        match Email = emails
        polling
        inbound create
        inbound update
        pushing
        outbound update
        fields { LastName <-> lastName  Email <-> emails  AccountId <-> account }
    }
    """
    with world(rules) as at:
        contact = at.create(S, "Contact", LastName="A", Email="a@x.co")
        at.run()
        prospect = at.links("Contact<->prospect")[contact]
        account = at.create(O, "account", name="Acme")
        at.edit(O, "prospect", prospect, account=account)
        at.run()
        at.edit(O, "account", account, domain="hot.com")
        at.run()
        assert at.one(S, "Contact", contact, "AccountId") is not None


def test_a_waiting_owner_is_not_replaced_by_the_vendors_default() -> None:
    rules = """
    sync User <-> user { match Email = email polling pushing fields { Email -> email } }
    sync Lead <-> prospect {
        match Email = emails
        polling
        inbound update
        pushing
        outbound create
        outbound update
        fields { LastName <-> lastName  Company <-> company  Email <-> emails  OwnerId <-> owner }
    }
    """
    with world(rules) as at:
        user = {
            "Username": "a@x.co",
            "LastName": "A",
            "Email": "admin@x.co",
            "Alias": "a",
            "CommunityNickname": "a",
            "TimeZoneSidKey": "America/Los_Angeles",
            "LocaleSidKey": "en_US",
            "EmailEncodingKey": "UTF-8",
            "ProfileId": "00e000000000001AAA",
            "LanguageLocaleKey": "en_US",
            "DigestFrequency": "D",
            "DefaultGroupNotificationFrequency": "N",
        }
        at.create(S, "User", **user)
        at.create(O, "user", email="admin@x.co", firstName="A", lastName="A")
        rep = at.create(O, "user", email="rep@x.co", firstName="R", lastName="R")
        prospect = at.create(O, "prospect", emails=["a@x.co"], lastName="A", company="X", owner=rep)
        at.run()
        at.run()
        assert at.one(O, "prospect", prospect, "owner") == rep


def test_a_held_back_change_goes_through_when_the_other_record_lets_it() -> None:
    rules = SIMPLE.replace("outbound update", 'outbound update when salesforce.Rating = "Hot"')
    with world(rules) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        at.edit(O, "prospect", prospect_of(at, lead), title="CEO")
        at.run()
        assert at.one(S, "Lead", lead, "Title") is None
        at.edit(S, "Lead", lead, Rating="Hot")
        at.run()
        assert at.one(S, "Lead", lead, "Title") == "CEO"


# -- deletions ----------------------------------------------------------------------------------


def test_a_deletion_before_an_interrupted_scan_is_seen(simple: World) -> None:
    leads = [
        simple.create(S, "Lead", LastName=f"L{n}", Company="C", Email=f"p{n}@x.co")
        for n in range(5)
    ]
    simple.run()
    simple.delete(S, "Lead", leads[0])
    for one in leads[1:]:
        simple.edit(S, "Lead", one, Title="x")
    simple.orgs[S].page_size = simple.orgs[O].page_size = 2
    asked = iter([False, True])
    assert simple.run(stop=lambda: next(asked)).status == "stopped"
    simple.run()
    assert len(simple.ledger.others("Lead<->prospect", S, leads)) == 4


DELETING = SIMPLE.replace("polling\n", "polling\n inbound delete\n")


def test_a_delete_that_met_a_row_lock_is_tried_again() -> None:
    with world(DELETING) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        at.delete(S, "Lead", lead)
        at.stores[O] = Busy(at.orgs[O])
        at.run()
        at.run()
        assert at.all(O, "prospect") == {}


def test_two_records_that_are_both_deleted_are_unlinked() -> None:
    with world(DELETING) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        at.delete(S, "Lead", lead)
        at.delete(O, "prospect", 1)
        at.run()
        at.rules(DELETING + "# changed\n")
        at.run()
        assert at.ledger.others("Lead<->prospect", S, [lead]) == {}


@pytest.mark.parametrize(("title", "left"), [("Keep", 1), (None, 0)])
def test_a_condition_on_delete_is_asked_of_the_record_that_is_left(
    title: str | None, left: int
) -> None:
    rules = SIMPLE.replace("polling\n", "polling\n inbound delete when outreach.title is empty\n")
    with world(rules) as at:
        lead = at.create(S, "Lead", **ROSE, Title=title)
        at.run()
        at.delete(S, "Lead", lead)
        at.run()
        assert len(at.all(O, "prospect")) == left
        assert at.ledger.others("Lead<->prospect", S, [lead]) == {}


def test_a_refused_record_that_is_deleted_is_forgotten() -> None:
    with world(LEADS) as at:
        prospect = at.create(O, "prospect", emails=["a@x.co"], company="X", title="Buyer")
        at.run()
        at.delete(O, "prospect", prospect)
        at.run()
        assert list(at.ledger.rows(pending.select())) == []


def test_plan_and_run_agree_on_a_shared_prospect_that_is_deleted() -> None:
    head = "sync Lead <-> prospect {\n    match Email = emails\n"
    with world(CONTACTS.replace(head, head + "    inbound delete\n")) as at:
        at.create(S, "Contact", LastName="A", Email="a@x.co")
        lead = at.create(S, "Lead", LastName="A", Company="X", Email="A@x.co")
        at.run()
        at.delete(S, "Lead", lead)
        foretold, _ = at.plan()
        assert foretold.counts == at.run().counts


# -- who is who ---------------------------------------------------------------------------------


def test_a_prospect_finds_its_lead_by_any_address() -> None:
    rules = LEADS.replace("inbound create when Email is present", "inbound create off")
    with world(rules) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        values = {"lastName": "G", "company": "E", "title": "Buyer"}
        at.create(O, "prospect", emails=["other@y.co", "rose@edge.com"], **values)
        at.run()
        assert list(at.all(S, "Lead")) == [lead]


def test_plan_and_run_agree_on_a_taken_address() -> None:
    with world(SIMPLE.replace("match Email = emails", "match Phone = workPhones")) as at:
        at.create(O, "prospect", emails=["rose@edge.com"])
        at.create(S, "Lead", **ROSE)
        foretold, _ = at.plan()
        done = at.run()
        assert foretold.counts == done.counts
        assert done.counts["failed"] == 1


def test_a_crash_and_then_an_edit_of_the_rules_makes_no_second_record() -> None:
    with world(BLIND) as at:
        at.create(S, "Lead", LastName="L", Company="C")
        at.stores[O] = CutOff(at.orgs[O], 1, True, Killed())
        with pytest.raises(Killed):
            at.run()
        at.stores = dict(at.orgs)
        at.rules(BLIND.replace("Title <->", "City <-> addressCity Title <->"))
        at.run()
        assert len(at.all(O, "prospect")) == 1


@pytest.mark.parametrize("rules", [SIMPLE, BLIND])
def test_an_unrelated_namesake_is_not_adopted_after_a_crash(rules: str) -> None:
    with world(rules) as at:
        at.create(O, "prospect", lastName="Smith", company="IBM", emails=["else@x.co"])
        at.create(S, "Lead", LastName="Smith", Company="IBM")
        at.stores[O] = CutOff(at.orgs[O], 1, False, Killed())
        with pytest.raises(Killed):
            at.run()
        at.stores = dict(at.orgs)
        at.run()
        assert len(at.all(O, "prospect")) == 2


def test_a_created_record_that_is_not_visible_yet_is_linked() -> None:
    with world(BLIND) as at:
        lead = at.create(S, "Lead", LastName="L", Company="C")
        at.stores[O] = Lagging(at.orgs[O])
        at.run()
        at.stores = dict(at.orgs)
        at.edit(S, "Lead", lead, Title="x")
        at.run()
        assert list(at.all(O, "prospect", "title").values()) == [("x",)]


# -- values -------------------------------------------------------------------------------------


def test_a_null_checkbox_does_not_block_the_record() -> None:
    rules = SIMPLE.replace("Title <->", "HasOptedOutOfEmail <-> optedOut  Title <->")
    with world(rules) as at:
        lead = at.create(S, "Lead", **ROSE, HasOptedOutOfEmail=True)
        at.run()
        at.edit(O, "prospect", prospect_of(at, lead), optedOut=None, title="CEO")
        assert at.run().counts["failed"] == 0
        assert at.one(S, "Lead", lead, "Title") == "CEO"


def test_a_null_checkbox_gives_way_to_an_opt_out_at_a_first_meeting() -> None:
    rules = SIMPLE.replace("Title <->", "HasOptedOutOfEmail <-> optedOut  Title <->")
    with world(rules) as at:
        lead = at.create(S, "Lead", **ROSE, HasOptedOutOfEmail=True)
        prospect = at.create(O, "prospect", emails=["rose@edge.com"], optedOut=None)
        assert at.run().counts["conflicts"] == 0
        assert at.one(O, "prospect", prospect, "optedOut") is True
        assert at.one(S, "Lead", lead, "HasOptedOutOfEmail") is True


def test_an_opt_out_that_is_set_again_flows_again() -> None:
    opt_outs = """
        HasOptedOutOfEmail -> emailOptedOut when HasOptedOutOfEmail = true
        HasOptedOutOfEmail <- emailOptedOut when emailOptedOut = true
    """
    with world(SIMPLE.replace("Title <-> title", opt_outs)) as at:
        lead = at.create(S, "Lead", **ROSE, HasOptedOutOfEmail=True)
        at.run()
        prospect = prospect_of(at, lead)
        at.edit(S, "Lead", lead, HasOptedOutOfEmail=False)
        at.run()
        at.edit(O, "prospect", prospect, emailOptedOut=False)
        at.run()
        at.edit(S, "Lead", lead, HasOptedOutOfEmail=True)
        at.run()
        assert at.one(O, "prospect", prospect, "emailOptedOut") is True


def test_both_blank_is_agreement_even_under_prevent_empty() -> None:
    with world(SIMPLE.replace("Title <-> title", "Title <-> title prevent empty")) as at:
        lead = at.create(S, "Lead", **ROSE, Title="T")
        at.run()
        prospect = prospect_of(at, lead)
        at.edit(S, "Lead", lead, Title=None)
        at.run()
        at.edit(O, "prospect", prospect, title=None)
        at.run()
        at.edit(S, "Lead", lead, Title="T")
        at.run()
        assert at.one(O, "prospect", prospect, "title") == "T"


def test_what_is_no_number_blanks_nothing() -> None:
    rules = """
    sync Account <-> account {
        match Name = name
        polling
        inbound create
        inbound update
        pushing
        outbound update
        fields { Name <-> name  NumberOfEmployees <-> custom1 }
    }
    """
    with world(rules) as at:
        account = at.create(S, "Account", Name="Acme", NumberOfEmployees=12)
        at.run()
        at.edit(O, "account", 1, custom1="about 20")
        at.run()
        assert at.one(S, "Account", account, "NumberOfEmployees") == 12


def test_numbers_and_texts_are_shown_as_they_are() -> None:
    rules = """
    sync Account <-> account {
        match Name = name
        polling
        inbound create
        fields { Name -> name  NumberOfEmployees -> numberOfEmployees }
    }
    """
    with world(rules) as at:
        at.create(S, "Account", Name="Acme (new)", NumberOfEmployees=-5)
        at.run()
        assert [f["after"] for f in at.written()[0]["fields"]] == ["Acme (new)", -5]


# -- policies and conditions --------------------------------------------------------------------


@pytest.mark.parametrize("touched", [True, False])
def test_sync_down_wins_whoever_is_seen_first(touched: bool) -> None:
    rules = LEADS.replace("inbound create when Email is present", "inbound create off")
    with world(rules.replace("pushing", "sync down pushing")) as at:
        lead = at.create(S, "Lead", **ROSE, Title="CFO")
        at.run()
        if touched:
            at.edit(S, "Lead", lead, Rating="Hot")
        at.create(O, "prospect", emails=["rose@edge.com"], title="Hurry")
        at.run()
        assert at.one(S, "Lead", lead, "Title") == "CFO"


def test_prefer_salesforce_holds_for_an_unmapped_status() -> None:
    rules = LEADS.replace(
        "Status   <-> stage     via s", "Status <-> stage via s prefer salesforce"
    )
    with world(rules) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        at.edit(S, "Lead", lead, Status="Closed - Not Converted")
        stages = {name: record for record, (name,) in at.all(O, "stage", "name").items()}
        at.edit(O, "prospect", 1, stage=stages["Working"])
        at.run()
        assert at.one(S, "Lead", lead, "Status") == "Closed - Not Converted"


def test_prefer_outreach_holds_with_outbound_update_off() -> None:
    rules = SIMPLE.replace("outbound update", "outbound create")
    with world(rules.replace("Title <-> title", "Title <-> title prefer outreach")) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        at.edit(O, "prospect", 1, title="CEO")
        at.run()
        at.edit(S, "Lead", lead, Title="CFO")
        at.run()
        assert at.one(O, "prospect", 1, "title") == "CEO"


def test_changed_on_the_target_of_a_one_way_line_reads_its_own_last_value() -> None:
    rules = SIMPLE.replace("inbound update", "inbound update when Rating changed")
    with world(rules.replace("Title <->", "Rating <- custom1 Title <->")) as at:
        lead = at.create(S, "Lead", **ROSE, Rating="Hot")
        at.run()
        at.edit(S, "Lead", lead, Title="CFO")
        at.run()
        assert at.one(O, "prospect", 1, "title") is None


def test_a_polling_condition_may_read_what_was_last_synced() -> None:
    with world(SIMPLE.replace("polling\n", "polling when Rating changed\n")) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        at.edit(S, "Lead", lead, Title="CFO")
        at.run()
        assert at.one(O, "prospect", 1, "title") is None
        at.edit(S, "Lead", lead, Rating="Hot")
        at.run()
        assert at.one(O, "prospect", 1, "title") == "CFO"


def test_one_type_alone_makes_no_other_types_stages() -> None:
    accounts = "sync Account <-> account { match Name = name polling fields { Name -> name } }"
    with world(LEADS + accounts) as at:
        at.run(only=frozenset(["Account<->account"]))
        assert at.all(O, "stage") == {}
        at.run(only=frozenset(["Lead<->prospect"]))
        assert len(at.all(O, "stage")) == 2


def test_an_edit_made_while_the_run_writes_is_no_base() -> None:
    class Racing:
        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
            done = self._store.write(type_name, writes)
            if writes[0].id is not None:
                self._store.write(type_name, [Write(writes[0].id, {"company": "Raced"})])
            return done  # type: ignore[no-any-return]

    with world(SIMPLE) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        at.edit(O, "prospect", 1, company="Same")
        at.edit(S, "Lead", lead, Company="Same", Title="CFO")
        at.stores[O] = Racing(at.orgs[O])
        at.run()
        at.stores = dict(at.orgs)
        at.run()
        assert at.one(S, "Lead", lead, "Company") == "Raced"


def test_a_reference_does_not_wait_to_go_where_the_toggles_let_nothing_go() -> None:
    with world(CONTACTS.replace("    outbound update\n", "")) as at:
        contact = at.create(S, "Contact", LastName="A", Email="a@x.co")
        at.run()
        account = at.create(O, "account", name="Acme")
        at.edit(O, "prospect", at.links("Contact<->prospect")[contact], account=account)
        at.run()
        assert list(at.ledger.rows(pending.select())) == []


ROLES_IN_DEALS = """
sync Account <-> account { match Name = name polling inbound create fields { Name -> name } }
sync OpportunityStage <-> opportunityStage {
    match MasterLabel = name polling inbound create fields { MasterLabel -> name }
}
sync Opportunity <-> opportunity {
    match Name = name and AccountId = account
    polling inbound create
    fields {
        Name -> name  CloseDate -> closeDate  StageName -> opportunityStage  AccountId -> account
    }
}
"""


def test_a_match_by_a_reference_goes_by_what_the_reference_is_linked_to() -> None:
    with world(ROLES_IN_DEALS) as at:
        edge, acme = (at.create(S, "Account", Name=name) for name in ("Edge", "Acme"))
        at.create(O, "opportunityStage", name="Prospecting")
        at.run()
        theirs = at.links("Account<->account")[acme]
        deal = {"name": "Generator", "closeDate": "2026-12-31T00:00:00Z", "opportunityStage": 1}
        there = at.create(O, "opportunity", account=theirs, **deal)
        ours = {"Name": "Generator", "CloseDate": "2026-12-31", "StageName": "Prospecting"}
        other = at.create(S, "Opportunity", AccountId=edge, **ours)
        same = at.create(S, "Opportunity", AccountId=acme, **ours)
        planned, _ = at.plan()
        assert at.run().counts == planned.counts
        links = at.links("Opportunity<->opportunity")
        assert links[same] == there
        assert links[other] != there
        assert len(at.all(O, "opportunity")) == 2
