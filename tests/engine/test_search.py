"""A long search over three syncs with every kind of line: `make search`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from engine.model import Side, Write
from engine.stores.local import Refused
from tests.engine.world import O, S, World, world

RULES = """
values tiers { "Hot" <-> "A"  "Warm" <-> "B"  "Cold" -> "B"  otherwise clear }
sync Account <-> account {
    match Name = name
    polling
    inbound create when Rating = "Hot"
    inbound update
    pushing
    outbound update
    fields { Name <-> name prevent empty  Rating <-> custom1 via tiers  ParentId -> custom2 }
}
sync Contact <-> prospect {
    match Email = emails
    polling
    inbound create when Email is present
    inbound update when DoNotCall = false
    pushing
    outbound update
    inbound delete
    fields {
        LastName            <-> lastName       prevent empty
        Email               <-> emails         prevent empty
        Title               <-> title
        AccountId           <-> account
        HasOptedOutOfEmail   -> emailOptedOut  when HasOptedOutOfEmail = true
        HasOptedOutOfEmail  <-  emailOptedOut  when emailOptedOut = true
        "x"                  -> source         once
    }
}
sync Lead <-> prospect {
    match Email = emails
    polling when IsConverted = false
    inbound create when Email is present
    inbound update
    pushing
    outbound create when title = "W"
    outbound update when salesforce.Rating != "Hot"
    fields {
        LastName  <-> lastName  prevent empty
        Email     <-> emails    prevent empty
        Title     <-> title     when Rating != "Cold"
        Company   <-> company
    }
}
"""
FIELDS = {
    "Account": ["Rating", "Name"],
    "Contact": ["Title", "LastName", "DoNotCall", "HasOptedOutOfEmail"],
    "Lead": ["Title", "Company", "Rating", "LastName"],
    "account": ["custom1", "name"],
    "prospect": ["title", "company", "emailOptedOut", "lastName"],
}
CHECKBOXES = {"DoNotCall", "HasOptedOutOfEmail", "emailOptedOut"}
RATINGS = {"u": "Hot", "v": "Warm", "W": "Cold", None: None}

emails = st.sampled_from(["a@x.co", "b@x.co", "c@x.co", None])
values = st.sampled_from(["u", "v", "W", None])
which = st.integers(0, 9)
acts = st.one_of(
    st.tuples(
        st.just("Account"), st.sampled_from(["Acme", "Beta"]), st.sampled_from(["Hot", None])
    ),
    st.tuples(st.just("Contact"), emails, which),
    st.tuples(st.just("Lead"), emails),
    st.tuples(st.just("prospect"), emails, values),
    st.tuples(st.just("edit"), st.sampled_from(sorted(FIELDS)), which, which, values),
    st.tuples(
        st.just("delete"), st.sampled_from(["Contact", "Lead", "account", "prospect"]), which
    ),
    st.tuples(st.just("undelete"), st.sampled_from(["Contact", "Lead", "prospect"]), which),
    st.tuples(st.just("merge"), st.sampled_from(["Contact", "Lead"]), which, which),
    st.tuples(st.just("convert"), which, st.one_of(st.none(), which)),
    st.just(("run",)),
)


def side_of(type_name: str) -> Side:
    return S if type_name[0].isupper() else O


def attempt(at: World, type_name: str, write: Write) -> None:
    """What a user tries; the org may refuse it."""
    at.clock.pass_(minutes=1)
    at.orgs[side_of(type_name)].write(type_name, [write])


def try_(at: World, act: Callable[[], Any]) -> None:
    """What a user tries besides writes."""
    at.clock.pass_(minutes=1)
    with suppress(Refused):
        act()


def pick(at: World, type_name: str, number: int) -> Any:
    records = list(at.all(side_of(type_name), type_name))
    return records[number % len(records)] if records else None


def play(at: World, act: tuple[Any, ...]) -> None:  # noqa: C901, PLR0912 - a case for each act
    match act:
        case ("Account", name, rating):
            attempt(at, "Account", Write(None, {"Name": name, "Rating": rating}))
        case ("Contact", email, number):
            account = pick(at, "Account", number)
            values = {"LastName": "L", "Email": email, "AccountId": account}
            attempt(at, "Contact", Write(None, values))
        case ("Lead", email):
            attempt(at, "Lead", Write(None, {"LastName": "L", "Company": "C", "Email": email}))
        case ("prospect", email, title):
            values = {"lastName": "P", "company": "Q", "title": title}
            attempt(at, "prospect", Write(None, values | {"emails": [email] if email else []}))
        case ("edit", type_name, number, field, value):
            name = FIELDS[type_name][field % len(FIELDS[type_name])]
            value = value == "W" if name in CHECKBOXES else value
            value = RATINGS[value] if name == "Rating" else value
            record = pick(at, type_name, number)
            if record is not None:
                attempt(at, type_name, Write(record, {name: value}))
        case ("delete", type_name, number):
            record = pick(at, type_name, number)
            if record is not None:
                attempt(at, type_name, Write(record, delete=True))
        case ("undelete", type_name, number):
            org = at.orgs[side_of(type_name)]
            gone = org.file.rows("SELECT id FROM deleted WHERE type = ?", (type_name,))
            if gone:
                try_(at, lambda: org.undelete(type_name, gone[number % len(gone)][0]))
        case ("merge", type_name, number, other):
            master, loser = pick(at, type_name, number), pick(at, type_name, other)
            if master is not None:
                try_(at, lambda: at.orgs[S].merge(type_name, master, loser))
        case ("convert", number, other):
            lead = pick(at, "Lead", number)
            contact = None if other is None else pick(at, "Contact", other)
            if lead is not None:
                try_(at, lambda: at.orgs[S].convert(lead, contact=contact))
        case _:
            at.run()


@pytest.mark.long
@seed(20261123)
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(acts, max_size=16))
def test_a_plan_comes_true_and_a_few_cycles_lead_to_silence(history: list[tuple[Any, ...]]) -> None:
    with world(RULES) as at:
        for act in history:
            play(at, act)
        at.clock.pass_(minutes=1)
        foretold, _ = at.plan()
        assert foretold.counts == at.run().counts
        for _ in range(3):
            at.run()
        counts = at.run().counts
        assert not any(count for key, count in counts.items() if key != "skipped"), at.written()
