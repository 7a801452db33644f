"""Rows that a vendor shows late, or twice, lead to no record twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from engine.model import Cursor, Page, RecordId, Result, Write
from engine.ports import Unreachable
from tests.engine.world import O, S, world

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound create
    outbound update
    fields { LastName <-> lastName  Company <-> company  Email <-> emails  Title <-> title }
}
"""


class Vendor:
    """A real store whose scans may hide records, or show each of them twice."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.lag = timedelta(minutes=15)
        self.hidden: set[RecordId] = set()
        self.twice = False
        self.answers = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        for page in self._store.scan(type_name, fields, since):
            rows = [row for row in page.rows if row[0] not in self.hidden]
            yield page._replace(rows=rows * 2 if self.twice else rows)

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        results: list[Result] = self._store.write(type_name, writes)
        if not self.answers:
            raise Unreachable("the answer never came")
        return results


def test_a_record_that_a_page_holds_twice_is_created_once() -> None:
    with world(RULES) as at:
        lead = at.create(S, "Lead", LastName="L", Company="C")
        vendor = at.stores[S] = Vendor(at.orgs[S])
        vendor.twice = True
        at.run()
        assert list(at.all(O, "prospect")) == [at.links("Lead<->prospect")[lead]]


def test_a_record_that_a_scan_holds_twice_answers_one_create() -> None:
    with world(RULES) as at:
        leads = [at.create(S, "Lead", LastName="L", Company="C") for _ in range(2)]
        vendor = at.stores[O] = Vendor(at.orgs[O])
        vendor.twice, vendor.answers = True, False
        with pytest.raises(Unreachable):
            at.run()
        at.delete(O, "prospect", 1)
        vendor.answers = True
        at.clock.pass_(minutes=20)
        at.run()
        assert sorted(at.links("Lead<->prospect")) == sorted(leads)
        assert len(at.all(O, "prospect")) == 2


def test_a_create_that_was_cut_off_is_not_sent_again_before_the_first_can_be_seen() -> None:
    with world(RULES) as at:
        lead = at.create(S, "Lead", LastName="L", Company="C")
        vendor = at.stores[O] = Vendor(at.orgs[O])
        vendor.answers = False
        with pytest.raises(Unreachable):
            at.run()
        vendor.answers, vendor.hidden = True, {1}
        assert at.run().counts["created"] == 0
        vendor.hidden = set()
        at.run()
        assert at.links("Lead<->prospect") == {lead: 1}
        assert (len(at.all(S, "Lead")), len(at.all(O, "prospect"))) == (1, 1)


def test_what_shows_late_is_not_taken_for_a_record_of_a_user() -> None:
    with world(RULES) as at:
        lead = at.create(S, "Lead", LastName="L", Company="C")
        vendor = at.stores[O] = Vendor(at.orgs[O])
        vendor.answers = False
        with pytest.raises(Unreachable):
            at.run()
        vendor.answers, vendor.hidden = True, {1}

        def appears(_step: str, _count: int) -> None:
            vendor.hidden = set()

        at.run(progress=appears)
        at.run()
        assert at.links("Lead<->prospect") == {lead: 1}
        assert len(at.all(S, "Lead")) == 1


def test_a_create_that_did_not_go_through_is_sent_once_it_would_have_to_be_visible() -> None:
    with world(RULES) as at:
        lead = at.create(S, "Lead", LastName="L", Company="C")
        vendor = at.stores[O] = Vendor(at.orgs[O])
        vendor.answers = False
        with pytest.raises(Unreachable):
            at.run()
        at.delete(O, "prospect", 1)
        vendor.answers = True
        assert at.run().counts["created"] == 0
        at.clock.pass_(minutes=20)
        assert at.run().counts["created"] == 1
        assert at.links("Lead<->prospect") == {lead: 2}
        assert at.ledger.unanswered() == []
