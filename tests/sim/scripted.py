"""Short stories, each of a mishap that histories by chance hardly come to, and what must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from engine.model import Cursor, Page, RecordId
from engine.ports import Unreachable
from tests.engine.test_crash import RULES, CutOff
from tests.engine.world import O, S, World, world

__all__ = [
    "Story",
    "account_that_comes_later",
    "alike_made_in_the_same_second",
    "held_and_readdressed_within_the_overlap",
    "made_unheard_and_seen_late",
    "match_that_belongs_to_another",
    "meeting_of_two_half_empty",
    "prospect_that_matches_two",
    "seen_late_behind_a_cut_off_scan",
    "stranger_made_after_a_cut_off",
    "twins_of_one_page",
]

#: What is not as it must be at the story's end, in words.
Story = Callable[[], list[str]]

PAIR = "Lead<->prospect"
PEOPLE = """
sync Account <-> account {
    match Name = name
    polling
    inbound create
    fields { Name -> name }
}
sync Contact <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    fields { LastName -> lastName  Email -> emails  AccountId -> account }
}
"""


class Late:
    """A real store whose scans do not show some records yet."""

    lag = timedelta(minutes=15)

    def __init__(self, store: Any) -> None:
        self._store = store
        self.hidden: set[RecordId] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        for page in self._store.scan(type_name, fields, since):
            rows = [row for row in page.rows if row[0] not in self.hidden]
            yield page._replace(rows=rows)


def _lead(at: World, name: str, email: str | None = None) -> RecordId:
    return at.create(S, "Lead", LastName=name, Company="C", Email=email)


def _read_one_by_one(at: World) -> None:
    """Pages of one record, which the other side does not want filled up."""
    for org in at.orgs.values():
        org.page_size = 1


def _cut_off(at: World, call: int, *, after: bool) -> None:
    """A run whose writing call to Outreach gets no answer, carried out or not."""
    store = at.stores[O]
    at.stores[O] = CutOff(store, call, after, Unreachable("no answer"))
    with suppress(Unreachable):
        at.run()
    at.stores[O] = store


def _not_one_each(at: World) -> list[str]:
    """What is wrong if each lead should have a prospect of its own, and nobody else one."""
    links, prospects = at.links(PAIR), at.all(O, "prospect", "lastName")
    found = [f"{lead} has no prospect" for lead in at.all(S, "Lead") if lead not in links]
    found += [f"prospect {p} is nobody's" for p in prospects if p not in links.values()]
    for lead, prospect in links.items():
        name = at.one(S, "Lead", lead, "LastName")
        if prospects.get(prospect) != (name,):
            found.append(f"{name} is linked to {prospects.get(prospect)}")
    return found


def seen_late_behind_a_cut_off_scan() -> list[str]:
    """A record becomes visible before the place where a scan was cut off."""
    with world(RULES) as at:
        _read_one_by_one(at)
        late = at.stores[S] = Late(at.orgs[S])
        late.hidden.add(_lead(at, "first"))
        _lead(at, "second")
        _lead(at, "third")
        _cut_off(at, 2, after=False)
        late.hidden.clear()
        for _ in range(2):
            at.clock.pass_(minutes=20)
            at.run()
        return _not_one_each(at)


def held_and_readdressed_within_the_overlap() -> list[str]:
    """Of two leads that match one prospect, one gets another e-mail a minute later."""
    with world(RULES) as at:
        at.stores[S] = Late(at.orgs[S])
        first, second = _lead(at, "first", "a@x.co"), _lead(at, "second", "a@x.co")
        at.create(O, "prospect", emails=["a@x.co"])
        at.run()
        at.edit(S, "Lead", second, Email="b@x.co")
        at.run()
        missing = {first, second} - at.links(PAIR).keys()
        return [f"{missing} have no prospect"] if missing else []


def made_unheard_and_seen_late() -> list[str]:
    """What was made without an answer is not visible yet when the next run looks for it."""
    with world(RULES) as at:
        late = at.stores[O] = Late(at.orgs[O])
        _lead(at, "only")
        _cut_off(at, 1, after=True)
        late.hidden.update(at.all(O, "prospect"))
        at.run()
        late.hidden.clear()
        for _ in range(2):
            at.clock.pass_(minutes=20)
            at.run()
        return _not_one_each(at)


def meeting_of_two_half_empty() -> list[str]:
    """Of two that meet, each has a field that the other one lacks."""
    with world(RULES) as at:
        lead = at.create(S, "Lead", LastName="L", Company="C", Email="a@x.co")
        prospect = at.create(O, "prospect", emails=["a@x.co"], title="T")
        at.run()
        told = at.one(S, "Lead", lead, "Company", "Title")
        told += at.one(O, "prospect", prospect, "company", "title")
        return [] if told == ("C", "T", "C", "T") else [f"company and title: {told}"]


def prospect_that_matches_two() -> list[str]:
    """Two leads have a prospect's e-mail."""
    with world(RULES) as at:
        _lead(at, "first", "a@x.co")
        _lead(at, "second", "a@x.co")
        at.create(O, "prospect", emails=["a@x.co"])
        at.run()
        return [f"linked are {at.links(PAIR)}"] if at.links(PAIR) else []


def match_that_belongs_to_another() -> list[str]:
    """A new lead has the e-mail of one whose prospect is linked."""
    with world(RULES) as at:
        first = _lead(at, "first", "a@x.co")
        at.run()
        _lead(at, "second", "a@x.co")
        at.run()
        return [] if set(at.links(PAIR)) == {first} else [f"linked are {at.links(PAIR)}"]


def twins_of_one_page() -> list[str]:
    """Two leads of one page have one e-mail, which only one prospect can bear."""
    with world(RULES) as at:
        _lead(at, "first", "a@x.co")
        _lead(at, "second", "a@x.co")
        counts = at.run().counts
        told = (counts["created"], counts["held"], counts["failed"])
        return [] if told == (1, 1, 0) else [f"created, held, failed: {told}"]


def stranger_made_after_a_cut_off() -> list[str]:
    """A create is not carried out, and somebody makes another record without a key."""
    with world(RULES) as at:
        lead = _lead(at, "only")
        _cut_off(at, 1, after=False)
        stranger = at.create(O, "prospect", lastName="stranger")
        at.run()
        return ["a stranger was adopted"] if at.links(PAIR)[lead] == stranger else []


def alike_made_in_the_same_second() -> list[str]:
    """Of two leads that are alike, one gets its prospect just before the other's is cut off."""
    with world(RULES) as at:
        _read_one_by_one(at)
        _lead(at, "alike")
        _lead(at, "alike")
        _cut_off(at, 2, after=False)
        at.run()
        return _not_one_each(at)


def account_that_comes_later() -> list[str]:
    """A contact is seen, and made a prospect, before its account is."""
    with world(PEOPLE) as at:
        account = at.create(S, "Account", Name="A")
        contact = at.create(S, "Contact", LastName="L", AccountId=account)
        late = at.stores[S] = Late(at.orgs[S])
        late.hidden.add(account)
        at.run()
        late.hidden.clear()
        at.clock.pass_(minutes=20)
        at.run()
        made = at.links("Account<->account")[account]
        has = at.one(O, "prospect", at.links("Contact<->prospect")[contact], "account")
        return [] if has == made else [f"the prospect has account {has} instead of {made}"]
