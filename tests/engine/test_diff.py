"""Diff: what changed rules would do differently to the real records."""

from __future__ import annotations

from collections import Counter
from datetime import UTC

from engine.diff import Other, diff
from tests.engine.rules import program_of
from tests.engine.test_cycle import ACCOUNTS, LEADS, ROSE
from tests.engine.world import O, S, World, world


def changed(at: World, rules: str) -> list[Other]:
    return list(diff(at.program, program_of(rules), at.stores, at.ledger, UTC, at.clock))


def test_a_wider_condition_newly_matches_records() -> None:
    with world(LEADS.replace("when Email is present", 'when Rating = "Hot"')) as at:
        for n in range(3):
            at.create(S, "Lead", LastName=f"L{n}", Company="C", Email=f"l{n}@x.co")
        at.run()
        found = changed(at, LEADS)
        assert Counter(each.what for each in found) == {"created, not left alone": 3}
        assert at.all(O, "prospect") == {}


def test_a_stage_that_the_map_drops_is_no_longer_set() -> None:
    with world(LEADS) as at:
        lead = at.create(S, "Lead", **ROSE, Status="Working - Contacted")
        at.create(S, "Lead", LastName="B", Company="X", Email="b@x.co")
        at.run()
        rules = LEADS.replace('"Working - Contacted"  <-> "Working"', "")
        stages = [each for each in changed(at, rules) if each.field == "prospect.stage"]
        assert [(s.record, s.what, s.before) for s in stages] == [
            (lead, "no longer set", "Working")
        ]


def test_a_new_line_and_a_new_sync_are_told_and_equal_rules_are_silent() -> None:
    with world(LEADS) as at:
        at.create(S, "Lead", **ROSE, City="Austin")
        at.create(S, "Lead", **ROSE | {"Email": "bare@x.co"})  # nothing to give to a new line
        at.create(S, "Account", Name="Acme")
        at.run()
        assert changed(at, LEADS + "# a word\n") == []
        (city,) = changed(at, LEADS.replace("fields {", "fields {\n City -> addressCity"))
        assert (city.field, city.what, city.after) == (
            "prospect.addressCity",
            "newly set",
            "Austin",
        )
        (account,) = changed(at, LEADS + ACCOUNTS)
        assert account.as_json()["record"]["type"] == "Account"
        assert account.what == "created, not left alone"
