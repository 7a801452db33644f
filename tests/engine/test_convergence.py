"""Whatever users do on both sides: a few cycles lead to agreement, and then to silence."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.world import O, S, World, world

RULES = """
values tiers { "Hot" <-> "A"  "Warm" <-> "B"  otherwise hold }
sync Contact <-> prospect {
    match Email = emails
    polling
    inbound create when Email is present
    inbound update
    pushing
    outbound update
    fields {
        LastName <-> lastName  prevent empty
        Email    <-> emails    prevent empty
        Title    <-> title
        Department <-> occupation  prefer salesforce
    }
}
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create when Email is present
    inbound update
    pushing
    outbound update
    conflict prefer newest
    fields {
        LastName <-> lastName  prevent empty
        Email    <-> emails    prevent empty
        Title    <-> title
        Rating   <-> custom1   via tiers
        Company   -> company
        City     <-  addressCity
    }
}
"""
EMAILS = ["a@x.co", "b@x.co", "c@x.co"]
values = st.sampled_from(["u", "v", "W", None])

acts = st.one_of(
    st.tuples(st.just("lead"), st.sampled_from(EMAILS)),
    st.tuples(st.just("contact"), st.sampled_from(EMAILS)),
    st.tuples(st.just("title"), st.integers(0, 9), st.sampled_from(["S", "O"]), values),
    st.tuples(st.just("rating"), st.integers(0, 9), st.sampled_from(["Hot", "Warm", "Odd", None])),
    st.tuples(st.just("tier"), st.integers(0, 9), st.sampled_from(["A", "B", "Z", None])),
    st.tuples(st.just("city"), st.integers(0, 9), values),
    st.tuples(st.just("company"), st.integers(0, 9), values.filter(bool)),
    st.tuples(st.just("drop"), st.integers(0, 9)),
    st.tuples(st.just("run")),
)


def play(at: World, act: tuple[Any, ...]) -> None:  # noqa: C901 - one case for each act
    """One act of a user, where there is a record to act on."""
    leads = list(at.all(S, "Lead"))
    prospects = list(at.all(O, "prospect"))

    def pick(records: list[Any]) -> Any:
        return records[act[1] % len(records)] if records else None

    match act[0]:
        case "lead":
            at.create(S, "Lead", LastName="L", Company="C", Email=act[1])
        case "contact":
            at.create(S, "Contact", LastName="L", Email=act[1])
        case "title" if act[2] == "S" and leads:
            at.edit(S, "Lead", pick(leads), Title=act[3])
        case "title" if act[2] == "O" and prospects:
            at.edit(O, "prospect", pick(prospects), title=act[3])
        case "rating" if leads:
            at.edit(S, "Lead", pick(leads), Rating=act[2])
        case "tier" if prospects:
            at.edit(O, "prospect", pick(prospects), custom1=act[2])
        case "city" if prospects:
            at.edit(O, "prospect", pick(prospects), addressCity=act[2])
        case "company" if leads:
            at.edit(S, "Lead", pick(leads), Company=act[2])
        case "drop" if prospects:
            at.delete(O, "prospect", pick(prospects))
        case "run":
            at.run()


@settings(max_examples=120, deadline=None)
@given(st.lists(acts, max_size=14))
def test_a_few_cycles_lead_to_agreement_and_then_nothing_is_written(
    history: list[tuple[Any, ...]],
) -> None:
    with world(RULES) as at:
        for act in history:
            play(at, act)
        for _ in range(3):
            at.run()
        summary = at.run()
        written = {k: v for k, v in summary.counts.items() if k != "skipped"}
        assert not any(written.values()), at.written()
        for lead, prospect in at.links("Lead<->prospect").items():
            last, email, title, city = at.one(S, "Lead", lead, "LastName", "Email", "Title", "City")
            theirs = at.one(O, "prospect", prospect, "lastName", "emails", "title", "addressCity")
            assert (last, [email], title, city) == theirs


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, max_size=10))
def test_a_plan_foretells_what_the_run_does(history: list[tuple[Any, ...]]) -> None:
    with world(RULES) as at:
        for act in history:
            play(at, act)
        foretold, _ = at.plan()
        done = at.run()
        assert foretold.counts == done.counts
