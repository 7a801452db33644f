"""One record's identity through its life: converted, merged, deleted, undeleted, out of sight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from engine.ledger.schema import pending
from engine.model import Cursor, Outcome, Page, RecordId, Result, Row, Write
from tests.engine.world import O, S, World, world

LINES = "LastName <-> lastName  Email <-> emails  Title <-> title"
RULES = f"""
sync Contact <-> prospect {{
    match Email = emails
    polling
    inbound create when Email is present
    inbound update
    pushing
    outbound update
    fields {{ {LINES}  Department -> occupation }}
}}
sync Lead <-> prospect {{
    match Email = emails
    polling when IsConverted = false
    inbound create when Email is present
    inbound update
    pushing
    outbound update
    fields {{ {LINES}  Company -> company  Status <-> custom1 }}
}}
"""
LEADS_ONLY = RULES[RULES.index("sync Lead") :]
ROSE = {"LastName": "Gonzalez", "Company": "Edge", "Email": "rose@edge.com"}


@pytest.fixture
def at() -> Iterator[World]:
    with world(RULES) as found:
        yield found


@pytest.fixture
def lead(at: World) -> Any:
    made = at.create(S, "Lead", **ROSE)
    at.run()
    return made


def convert(at: World, lead: Any, **options: Any) -> dict[str, Any]:
    at.clock.pass_(minutes=1)
    return at.orgs[S].convert(lead, **options)  # type: ignore[no-any-return]


def merge(at: World, type_name: str, master: Any, loser: Any) -> None:
    at.clock.pass_(minutes=1)
    at.orgs[S].merge(type_name, master, loser)


def undelete(at: World, side: Any, type_name: str, record: Any) -> None:
    at.clock.pass_(minutes=1)
    at.orgs[side].undelete(type_name, record)


def linked(at: World, type_name: str) -> dict[Any, Any]:
    """All links of a pair, whether their records are there or not."""
    from engine.ledger.schema import link

    query = link.select().where(link.c.pair == f"{type_name}<->prospect")
    return {row["salesforce_id"]: row["outreach_id"] for row in at.ledger.rows(query)}


def quiet(at: World) -> bool:
    at.run()
    return not any(at.run().counts.values())


# -- conversion ---------------------------------------------------------------------------------


def test_a_converted_leads_prospect_goes_to_its_contact(at: World, lead: Any) -> None:
    made = convert(at, lead)
    counts = at.run().counts
    assert linked(at, "Contact") == {made["Contact"]: 1}
    assert linked(at, "Lead") == {}
    assert (counts["linked"], counts["unlinked"], counts["created"]) == (1, 1, 0)
    assert len(at.all(O, "prospect")) == 1
    assert quiet(at)
    at.edit(O, "prospect", 1, title="CEO")
    assert at.run().counts["failed"] == 0
    assert at.one(S, "Contact", made["Contact"], "Title") == "CEO"
    assert at.one(S, "Lead", lead, "Title") is None
    assert quiet(at)


@pytest.mark.parametrize("email", [None, "other@edge.com"])
def test_a_contact_with_another_address_is_made_no_second_prospect(
    at: World, lead: Any, email: str | None
) -> None:
    contact = at.create(S, "Contact", LastName="G")
    at.run()
    convert(at, lead, contact=contact)
    at.edit(S, "Contact", contact, Email=email, Department="Sales")
    at.run()
    assert linked(at, "Contact") == {contact: 1}
    assert list(at.all(O, "prospect", "occupation").values()) == [("Sales",)]
    assert quiet(at)


def test_a_contact_that_is_seen_before_its_lead_finds_its_prospect(at: World, lead: Any) -> None:
    made = convert(at, lead)
    at.edit(S, "Contact", made["Contact"], Email="new@edge.com")
    at.run(only=frozenset(["Contact<->prospect"]))
    assert linked(at, "Contact") == {made["Contact"]: 1}
    assert len(at.all(O, "prospect")) == 1


def test_a_contact_meets_the_prospect_without_a_base(at: World, lead: Any) -> None:
    at.edit(S, "Lead", lead, Title="Clerk")
    at.run()
    made = convert(at, lead)
    at.edit(S, "Contact", made["Contact"], Title="CFO")
    counts = at.run().counts
    assert counts["conflicts"] == 1
    assert at.one(O, "prospect", 1, "title") == "CFO"


def test_a_contact_with_another_prospect_is_held(at: World, lead: Any) -> None:
    contact = at.create(S, "Contact", LastName="G", Email="g@edge.com")
    at.run()
    before = linked(at, "Contact")
    convert(at, lead, contact=contact)
    summary = at.run()
    assert (summary.status, summary.counts["held"]) == ("held", 1)
    assert (linked(at, "Contact"), linked(at, "Lead")) == (before, {lead: 1})
    at.edit(O, "prospect", 1, title="CEO")
    assert at.run().counts["failed"] == 0


def test_a_held_conversion_goes_on_once_the_contact_has_lost_its_own_prospect(
    at: World, lead: Any
) -> None:
    contact = at.create(S, "Contact", LastName="G", Email="g@edge.com")
    at.run()
    convert(at, lead, contact=contact)
    at.run()
    assert not any(at.run().counts.values())
    at.delete(O, "prospect", linked(at, "Contact")[contact])
    planned, _ = at.plan()
    summary = at.run()
    assert (planned.counts, planned.calls) == (summary.counts, summary.calls)
    assert (linked(at, "Contact"), linked(at, "Lead")) == ({contact: 1}, {})
    assert quiet(at)


def test_two_leads_of_one_contact_do_not_both_hand_over_their_prospects(at: World) -> None:
    leads = [at.create(S, "Lead", **ROSE | {"Email": f"r{n}@edge.com"}) for n in range(2)]
    at.run()
    contact = convert(at, leads[0])["Contact"]
    convert(at, leads[1], contact=contact)
    assert at.run().counts["held"] == 1
    assert linked(at, "Contact") == {contact: 1}
    assert linked(at, "Lead") == {leads[1]: 2}


def test_without_a_sync_of_contacts_a_converted_lead_is_unlinked_and_left_alone() -> None:
    with world(LEADS_ONLY.replace("pushing", "pushing outbound create")) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        convert(at, lead)
        assert at.run().counts["unlinked"] == 1
        at.edit(O, "prospect", 1, title="CEO")
        assert at.run().counts["failed"] == 0
        assert linked(at, "Lead") == {}
        assert list(at.all(S, "Lead")) == [lead]


def test_a_converted_lead_is_no_match_for_a_new_prospect(at: World) -> None:
    convert(at, at.create(S, "Lead", **ROSE))
    at.create(O, "prospect", emails=["rose@edge.com"])
    at.run()
    assert linked(at, "Lead") == {}
    assert list(linked(at, "Contact").values()) == [1]


def test_a_converted_lead_whose_prospect_is_deleted_is_not_deleted() -> None:
    with world(LEADS_ONLY.replace("pushing", "pushing outbound delete")) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        convert(at, lead)
        at.delete(O, "prospect", 1)
        at.run()
        assert (list(at.all(S, "Lead")), linked(at, "Lead")) == ([lead], {})


def test_plan_and_run_agree_on_a_conversion_and_a_merge(at: World, lead: Any) -> None:
    convert(at, lead)
    other = [at.create(S, "Contact", LastName=n, Email=f"{n}@x.co") for n in "ab"]
    at.run(only=frozenset(["Contact<->prospect"]))
    merge(at, "Contact", at.create(S, "Contact", LastName="c"), other[0])
    foretold, _ = at.plan()
    assert foretold.counts == at.run().counts


# -- merges -------------------------------------------------------------------------------------


def test_a_merged_contacts_prospect_goes_to_the_master(at: World) -> None:
    loser = at.create(S, "Contact", LastName="A", Email="a@x.co", Title="Clerk")
    at.run()
    master = at.create(S, "Contact", LastName="B", Email="a@x.co", Title="CFO")
    merge(at, "Contact", master, loser)
    at.run()
    assert linked(at, "Contact") == {master: 1}
    assert at.one(O, "prospect", 1, "lastName", "title") == ("B", "CFO")
    assert quiet(at)


def test_a_chain_of_merges_ends_at_the_last_master(at: World) -> None:
    one, two, three = (at.create(S, "Lead", **ROSE | {"Email": e}) for e in ("a@x.co", None, None))
    at.run()
    merge(at, "Lead", two, one)
    merge(at, "Lead", three, two)
    at.run()
    assert linked(at, "Lead") == {three: 1}


def two_prospects(at: World) -> tuple[Any, Any]:
    pair = [at.create(S, "Lead", **ROSE | {"Email": f"{n}@x.co"}) for n in "ab"]
    at.run()
    merge(at, "Lead", pair[0], pair[1])
    summary = at.run()
    assert summary.status == "held"
    return pair[0], pair[1]


def test_two_prospects_of_merged_leads_are_both_held(at: World) -> None:
    master, loser = two_prospects(at)
    assert linked(at, "Lead") == {master: 1, loser: 2}
    at.edit(S, "Lead", master, Title="CFO")
    at.edit(O, "prospect", 2, title="CEO")
    assert at.run().status == "held"
    assert list(at.all(O, "prospect", "title").values()) == [(None,), ("CEO",)]


@pytest.mark.parametrize("kept", [1, 2])
def test_a_held_merge_goes_on_when_one_of_the_prospects_is_deleted(at: World, kept: int) -> None:
    at.rules(RULES.replace("pushing", "pushing outbound delete"))
    master, _ = two_prospects(at)
    at.edit(S, "Lead", master, Title="CFO")
    at.run()
    at.delete(O, "prospect", 3 - kept)
    at.run()
    at.run()
    assert linked(at, "Lead") == {master: kept}
    assert at.one(O, "prospect", kept, "title") == "CFO"
    assert list(at.ledger.rows(pending.select())) == []


# -- deletes and undeletes ----------------------------------------------------------------------


def test_an_undeleted_lead_has_its_link_back_and_its_base(at: World, lead: Any) -> None:
    at.delete(S, "Lead", lead)
    assert at.run().counts["unlinked"] == 1
    at.edit(O, "prospect", 1, title="CEO", emails=["other@x.co"])
    at.run()
    undelete(at, S, "Lead", lead)
    counts = at.run().counts
    assert (counts["linked"], counts["created"], counts["conflicts"]) == (1, 0, 0)
    assert linked(at, "Lead") == {lead: 1}
    assert at.one(S, "Lead", lead, "Title", "Email") == ("CEO", "other@x.co")
    assert quiet(at)


def test_an_undeleted_prospect_has_its_link_back(at: World, lead: Any) -> None:
    at.delete(O, "prospect", 1)
    at.run()
    at.edit(S, "Lead", lead, Title="CFO")
    at.run()
    assert at.all(O, "prospect") == {}
    undelete(at, O, "prospect", 1)
    at.run()
    assert at.all(O, "prospect", "title") == {1: ("CFO",)}
    assert linked(at, "Lead") == {lead: 1}


def test_a_lead_that_is_deleted_and_undeleted_between_two_runs_is_as_before(
    at: World, lead: Any
) -> None:
    at.delete(S, "Lead", lead)
    undelete(at, S, "Lead", lead)
    assert not any(at.run().counts.values())
    assert linked(at, "Lead") == {lead: 1}


def test_what_was_deleted_with_a_lead_comes_back_with_it() -> None:
    with world(RULES.replace("polling when", "inbound delete polling when")) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        at.delete(S, "Lead", lead)
        at.run()
        assert at.all(O, "prospect") == {}
        undelete(at, S, "Lead", lead)
        at.run()
        assert list(at.all(O, "prospect", "emails").values()) == [(["rose@edge.com"],)]
        assert quiet(at)


def test_a_prospect_that_was_linked_elsewhere_meanwhile_is_not_taken_back(
    at: World, lead: Any
) -> None:
    at.delete(S, "Lead", lead)
    at.run()
    other = at.create(S, "Lead", **ROSE)
    at.run()
    undelete(at, S, "Lead", lead)
    assert at.run().counts["held"] == 1
    assert linked(at, "Lead") == {other: 1}


DELETE = 'inbound delete when Rating = "Cold"\n    polling when'


@pytest.mark.parametrize(("rating", "left"), [("Cold", 0), ("Hot", 1), (None, 1)])
def test_a_condition_on_delete_reads_what_was_last_known(rating: str | None, left: int) -> None:
    with world(RULES.replace("polling when", DELETE)) as at:
        lead = at.create(S, "Lead", **ROSE, Rating="Hot")
        at.run()
        at.edit(S, "Lead", lead, Rating=rating)
        at.run()
        at.delete(S, "Lead", lead)
        at.run()
        assert len(at.all(O, "prospect")) == left
        assert linked(at, "Lead") == {}


def test_a_condition_that_holds_for_emptiness_deletes_nobody_who_was_not_empty() -> None:
    with world(
        RULES.replace("polling when", "inbound delete when Title is empty polling when")
    ) as at:
        lead = at.create(S, "Lead", **ROSE, Title="CFO")
        at.run()
        at.delete(S, "Lead", lead)
        at.run()
        assert len(at.all(O, "prospect")) == 1


def test_a_condition_on_a_value_that_was_never_seen_deletes_nothing(at: World, lead: Any) -> None:
    at.rules(RULES.replace("polling when", 'inbound delete when Rating != "Hot" polling when'))
    at.delete(S, "Lead", lead)
    at.run()
    assert "last value of Rating is not known" in at.changes[0].reason
    assert len(at.all(O, "prospect")) == 1


def test_an_outbound_delete_reads_the_prospects_last_values() -> None:
    rules = RULES.replace("pushing", 'pushing outbound delete when title = "Out"')
    with world(rules) as at:
        leads = [at.create(S, "Lead", **ROSE | {"Email": f"{n}@x.co"}) for n in "ab"]
        at.run()
        at.edit(O, "prospect", 1, title="Out")
        at.run()
        for prospect in (1, 2):
            at.delete(O, "prospect", prospect)
        at.run()
        assert list(at.all(S, "Lead")) == [leads[1]]


# -- out of sight -------------------------------------------------------------------------------


class Hiding:
    """A real store whose user cannot see some records any more."""

    def __init__(self, store: Any, hidden: set[RecordId]) -> None:
        self._store, self._hidden = store, hidden

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _seen(self, rows: list[Row]) -> list[Row]:
        return [row for row in rows if row[0] not in self._hidden]

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        for page in self._store.scan(type_name, fields, since):
            yield page._replace(rows=self._seen(page.rows))

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        return self._seen(self._store.fetch(type_name, fields, ids))


def test_a_lead_that_cannot_be_seen_is_not_deleted_and_nothing_is_lost() -> None:
    with world(RULES.replace("polling when", "inbound delete polling when")) as at:
        lead = at.create(S, "Lead", **ROSE)
        at.run()
        at.stores[S] = Hiding(at.orgs[S], {lead})
        at.edit(O, "prospect", 1, title="CEO")
        counts = at.run().counts
        assert (counts["deleted"], counts["unlinked"], counts["skipped"]) == (0, 0, 1)
        assert "cannot be seen" in at.changes[0].reason
        at.run()
        assert linked(at, "Lead") == {lead: 1}
        at.stores = dict(at.orgs)
        at.run()
        assert at.one(S, "Lead", lead, "Title") == "CEO"
        assert list(at.ledger.rows(pending.select())) == []


# -- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [S, O])
def test_a_changed_address_keeps_the_link(at: World, lead: Any, side: Any) -> None:
    if side is S:
        at.edit(S, "Lead", lead, Email="new@edge.com")
    else:
        at.edit(O, "prospect", 1, emails=["new@edge.com"])
    at.run()
    assert linked(at, "Lead") == {lead: 1}
    assert at.one(S, "Lead", lead, "Email") == "new@edge.com"
    assert at.all(O, "prospect", "emails")[1][0][0] == "new@edge.com"
    other = at.create(S, "Lead", **ROSE | {"LastName": "Newcomer"})
    at.run()
    assert lead in linked(at, "Lead")
    assert linked(at, "Lead").get(other) != 1


# -- many at once -------------------------------------------------------------------------------


def many(at: World, count: int) -> list[Any]:
    writes = [Write(None, ROSE | {"Email": f"p{n}@x.co"}) for n in range(count)]
    results = at.orgs[S].write("Lead", writes)
    at.run()
    return [r.id for r in results]


def vanish(at: World, leads: list[Any]) -> None:
    at.clock.pass_(minutes=1)
    results = at.orgs[S].write("Lead", [Write(lead, delete=True) for lead in leads])
    assert all(r.outcome is Outcome.DONE for r in results)


@pytest.mark.parametrize(("count", "gone", "held"), [(30, 19, 0), (30, 20, 20), (120, 20, 0)])
def test_deletes_are_held_where_many_and_a_fifth_are_gone(
    at: World, count: int, gone: int, held: int
) -> None:
    vanish(at, many(at, count)[:gone])
    summary = at.run()
    assert summary.counts["held"] == held
    assert summary.counts["unlinked"] == gone - held
    assert len(linked(at, "Lead")) == count - gone + held


def test_what_is_held_goes_on_when_it_is_resumed_or_said_yes_to() -> None:
    with world(RULES.replace("polling when", "inbound delete polling when")) as at:
        leads = many(at, 60)
        vanish(at, leads[:30])
        assert "30 of 60 linked Lead records are gone" in (at.run(), at.changes[0].reason)[1]
        vanish(at, leads[30:31])
        at.edit(O, "prospect", 1, title="CEO")
        at.run()
        assert (len(at.all(O, "prospect")), len(linked(at, "Lead"))) == (60, 60)
        assert at.ledger.waits.resume() == 31
        assert at.run().counts["deleted"] == 31
        assert len(at.all(O, "prospect")) == 29
        vanish(at, leads[31:])
        at.run()
        assert at.run(yes=True).counts["deleted"] == 29
        assert list(at.ledger.rows(pending.select())) == []


def test_held_records_that_come_back_are_as_before(at: World) -> None:
    leads = many(at, 30)
    vanish(at, leads)
    at.run()
    for lead in leads:
        undelete(at, S, "Lead", lead)
    at.run()
    assert len(linked(at, "Lead")) == 30
    assert list(at.ledger.rows(pending.select())) == []


# -- ids and refusals ---------------------------------------------------------------------------


class Short:
    """A real store that gives references in 15 characters."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        for page in self._store.scan(type_name, fields, since):
            yield page._replace(rows=list(map(self._cut, page.rows)))

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        return list(map(self._cut, self._store.fetch(type_name, fields, ids)))

    def _cut(self, row: Row) -> Row:
        return (*row[:2], *(v[:15] if str(v)[:3] == "001" else v for v in row[2:]))


def test_a_reference_of_15_characters_is_the_same_record() -> None:
    rules = """
    sync Account <-> account { match Name = name polling inbound create fields { Name -> name } }
    sync Contact <-> prospect {
        match Email = emails
        polling
        inbound create
        inbound update
        fields { Email -> emails  AccountId -> account }
    }
    """
    with world(rules) as at:
        account = at.create(S, "Account", Name="Acme")
        at.create(S, "Contact", LastName="A", Email="a@x.co", AccountId=account)
        at.stores[S] = Short(at.orgs[S])
        at.run()
        assert at.all(O, "prospect", "account.name") == {1: ("Acme",)}
        at.stores = dict(at.orgs)
        assert quiet(at)


def test_a_link_is_found_by_either_form_of_an_id(at: World, lead: Any) -> None:
    short = str(lead)[:15]
    assert at.ledger.others("Lead<->prospect", S, [short]) == {short: 1}
    assert list(at.ledger.links("Lead<->prospect", S, [short, lead])) == [short, lead]


class Counting:
    """A real store that counts the writes it is sent."""

    def __init__(self, store: Any) -> None:
        self._store, self.sent = store, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        self.sent += len(writes)
        return self._store.write(type_name, writes)  # type: ignore[no-any-return]


def test_a_refused_change_that_both_sides_show_is_sent_and_counted_once(
    at: World, lead: Any
) -> None:
    at.edit(O, "prospect", 1, lastName="x" * 100)
    at.edit(S, "Lead", lead, Title="CFO")
    at.stores[S] = counting = Counting(at.orgs[S])
    assert at.run().counts["failed"] == 1
    assert counting.sent == 1
    assert [row["why"] for row in at.ledger.rows(pending.select())] == ["refused"]
