"""A create that names an external id is an upsert: one record, however often it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from engine.ledger.logbook import log_rows
from engine.ledger.looking import Filters, last_run
from engine.model import RecordId, Result, Row, Value, Write
from engine.ports import Unreachable
from tests.engine.test_crash import CutOff, Killed
from tests.engine.test_explain import step, told
from tests.engine.test_undo import left, take_back
from tests.engine.world import O, S, World, world

RULES = """
sync Contact <-> prospect {
    match {match}
    polling
    inbound update
    pushing
    outbound create when lastName is present
    outbound update
    conflict prefer outreach
    fields {
        LastName   <-> lastName
        Title      <-> title
        Department <-> occupation
        Code__c    <-> externalId
    }
}
"""
PAIR = "Contact<->prospect"
ROSE = {"lastName": "Gonzalez", "title": "CFO", "externalId": "A1"}


@contextmanager
def coded(match: str = "Code__c = externalId", external_id: bool = True) -> Iterator[World]:
    """A world whose contacts have a code, by which each is known elsewhere."""
    with world(RULES.replace("{match}", match)) as at:
        at.orgs[S].add_field("Contact", "Code__c", "text", external_id=external_id)
        yield at


class Meanwhile:
    """A real store; a user acts just before each writing call."""

    def __init__(self, store: Any, act: Callable[[], object]) -> None:
        self._store = store
        self._act = act
        self.sent: list[Write] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        self._act()
        self.sent += writes
        return self._store.write(type_name, writes)  # type: ignore[no-any-return]


class Blind(Meanwhile):
    """A real store that shows no record by its code yet."""

    def find(
        self,
        type_name: str,
        fields: Sequence[str],
        key: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> list[Row]:
        return []


def contacts(at: World) -> dict[RecordId, tuple[Any, ...]]:
    return at.all(S, "Contact", "LastName", "Title", "Department", "Code__c")


def cut_off(at: World, error: BaseException, after: bool) -> None:
    """A run whose writing call to Salesforce gets no answer, carried out or not."""
    at.stores[S], whole = CutOff(at.stores[S], 1, after, error), at.stores[S]
    with pytest.raises(type(error)):
        at.run()
    at.stores[S] = whole


def upserts_sent(at: World) -> list[str | None]:
    """By which field each create of a run went."""
    at.stores[S] = noted = Meanwhile(at.stores[S], lambda: None)
    at.run()
    return [write.upsert for write in noted.sent if write.id is None]


def test_a_plan_names_the_field_by_which_a_record_will_be_made() -> None:
    with coded() as at:
        at.create(O, "prospect", **ROSE)
        at.stores[S].describe("Contact")
        planned, (change,) = at.plan()
        assert change.upsert == "Code__c"
        assert change.reason == "outbound create: condition holds; upsert by Code__c"
        done = at.run()
        assert (done.counts, done.calls) == (planned.counts, planned.calls)
        assert [c["upsert"] for c in at.written()] == ["Code__c"]
        assert list(contacts(at).values()) == [("Gonzalez", "CFO", None, "A1")]
        assert not any(at.run().counts.values())


@pytest.mark.parametrize(
    ("match", "external_id", "code"),
    [
        ("Code__c = externalId", True, None),
        ("Code__c = externalId", True, "  "),
        ("Code__c = externalId", False, "A1"),
        ("Code__c = externalId and LastName = lastName", True, "A1"),
        ("Email = emails", True, "A1"),
    ],
)
def test_what_no_external_id_names_is_created(
    match: str, external_id: bool, code: str | None
) -> None:
    with coded(match, external_id) as at:
        at.create(O, "prospect", **ROSE | {"externalId": code})
        assert upserts_sent(at) == [None]
        assert len(contacts(at)) == 1


def test_an_external_id_of_a_later_match_line_is_what_a_record_goes_by() -> None:
    with coded("Email = emails\n    match Code__c = externalId") as at:
        at.create(O, "prospect", **ROSE)
        assert upserts_sent(at) == ["Code__c"]


@pytest.mark.parametrize("error", [Killed(), Unreachable("no answer")])
@pytest.mark.parametrize("after", [True, False])
def test_a_create_without_an_answer_makes_one_record(error: BaseException, after: bool) -> None:
    with coded() as at:
        at.create(O, "prospect", **ROSE)
        cut_off(at, error, after)
        at.clock.pass_(minutes=20)
        at.run()
        assert list(contacts(at).values()) == [("Gonzalez", "CFO", None, "A1")]
        assert len(at.links(PAIR)) == 1
        assert not any(at.run().counts.values())
        assert at.ledger.unanswered() == []


def test_an_edit_of_what_was_made_without_an_answer_stays_and_goes_on() -> None:
    """Though the policy prefers the other side: it is an edit of what was written there."""
    with coded() as at:
        prospect = at.create(O, "prospect", **ROSE)
        cut_off(at, Unreachable("no answer"), after=True)
        (contact,) = contacts(at)
        at.edit(S, "Contact", contact, Title="Chief")
        at.clock.pass_(minutes=20)
        at.run()
        at.run()
        assert contacts(at) == {contact: ("Gonzalez", "Chief", None, "A1")}
        assert at.one(O, "prospect", prospect, "lastName", "title") == ("Gonzalez", "Chief")


def test_what_somebody_made_in_the_same_minute_is_not_taken_for_what_a_run_sent() -> None:
    """So a value that gives way is told of, as where any two records meet."""
    with coded() as at:
        prospect = at.create(O, "prospect", **ROSE)
        cut_off(at, Unreachable("no answer"), after=False)
        contact = at.create(S, "Contact", LastName="Ros", Title="CEO", Code__c="A1")
        at.edit(S, "Contact", contact, LastName="Roz")
        counts = at.run().counts
        assert counts["conflicts"] == 2
        assert at.links(PAIR) == {contact: prospect}


def test_a_record_that_somebody_made_while_a_run_was_cut_off_is_linked_and_merged() -> None:
    with coded() as at:
        prospect = at.create(O, "prospect", **ROSE)
        cut_off(at, Unreachable("no answer"), after=False)
        contact = at.create(S, "Contact", LastName="Ros", Department="Finance", Code__c="a1 ")
        at.clock.pass_(minutes=20)
        at.run()
        at.run()
        assert contacts(at) == {contact: ("Gonzalez", "CFO", "Finance", "A1")}
        assert at.one(O, "prospect", prospect, "occupation") == "Finance"


def met(at: World) -> tuple[RecordId, RecordId]:
    """A prospect, and the contact that somebody made before its upsert came."""
    prospect = at.create(O, "prospect", **ROSE)

    def make() -> None:
        if not contacts(at):
            at.create(S, "Contact", LastName="Ros", Department="Finance", Code__c="A1")

    whole = at.stores[S]
    at.stores[S] = Meanwhile(whole, make)
    counts = at.run().counts
    at.stores[S] = whole
    assert (counts["created"], counts["linked"], counts["updated"]) == (0, 1, 1)
    (contact,) = contacts(at)
    return prospect, contact


def test_a_record_that_an_upsert_met_is_told_of_linked_and_merged() -> None:
    with coded() as at:
        prospect, contact = met(at)
        assert at.links(PAIR) == {contact: prospect}
        (row,) = at.ledger.rows(log_rows(Filters(status="met")))
        assert f"Contact {contact} had this Code__c already" in row["message"]
        account = told(at, S, "Contact", contact)
        assert "Code__c already, unseen until now" in step(account, "history")["outcome"]
        at.run()
        assert contacts(at) == {contact: ("Gonzalez", "CFO", "Finance", "A1")}
        assert at.one(O, "prospect", prospect, "occupation") == "Finance"
        assert not any(at.run().counts.values())


def test_an_undo_leaves_a_record_that_an_upsert_met() -> None:
    with coded() as at:
        _, contact = met(at)
        (run,) = at.ledger.rows(last_run())
        summary = take_back(at, run["id"])
        assert list(contacts(at)) == [contact]
        ((_, words),) = left(summary)
        assert "was there before: an upsert of the run went over it" in words


def test_two_of_one_page_with_one_code_make_one_record() -> None:
    with coded() as at:
        first = at.create(O, "prospect", **ROSE)
        at.create(O, "prospect", **ROSE | {"lastName": "Other", "externalId": "a1"})
        counts = at.run().counts
        assert (counts["created"], counts["held"], counts["failed"]) == (1, 1, 0)
        assert list(at.links(PAIR).values()) == [first]
        assert list(contacts(at).values()) == [("Gonzalez", "CFO", None, "A1")]


def test_a_record_whose_upsert_met_what_belongs_to_another_is_held_and_that_one_restored() -> None:
    with coded() as at:
        first = at.create(O, "prospect", **ROSE)
        at.run()
        (contact,) = contacts(at)
        at.create(O, "prospect", **ROSE | {"lastName": "Other", "title": "CTO"})
        whole = at.stores[S]
        at.stores[S] = Blind(whole, lambda: None)
        counts = at.run().counts
        assert (counts["created"], counts["linked"], counts["held"]) == (0, 0, 1)
        assert contacts(at)[contact][:2] == ("Other", "CTO")
        at.stores[S] = whole
        for _ in range(3):
            at.clock.pass_(minutes=20)
            at.run()
        assert contacts(at) == {contact: ("Gonzalez", "CFO", None, "A1")}
        assert at.one(O, "prospect", first, "lastName", "title") == ("Gonzalez", "CFO")
        assert at.links(PAIR) == {contact: first}
