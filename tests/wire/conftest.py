"""Plays the scenarios of `tests/engine/` over HTTP."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.engine import world
from tests.wire.wired import wired

#: Scenarios that say something of local orgs, or of time that a test sets.
_LOCAL = {
    "test_a_held_conversion_goes_on_once_the_contact_has_lost_its_own_prospect": (
        "a vendor's time is told by its last answer, which a clock that jumps leaves behind"
    ),
    "test_neither_of_two_gets_a_record_that_is_held_because_both_match_it": (
        "what can be filtered is asked once a process, by the plan"
    ),
    "test_who_matches_by_an_earlier_line_is_in_nobodys_way": (
        "what can be filtered is asked once a process, by the plan"
    ),
    "test_what_waits_for_longer_than_90_days_is_let_go": (
        "the token is renewed 90 times, and Outreach gives one a minute"
    ),
    "test_what_the_connected_outreach_does_not_tell_of_is_said_and_left_out": (
        "the stand-in of an org that lacks meetings is a local one"
    ),
}
#: Scenarios that take long over HTTP: for `make search`.
_LONG = {"test_a_day_uses_at_most_one_call_for_200_activities_with_all_that_is_read"}
_LONG_MODULES = {"test_activities", "test_engagement", "test_letting_go", "test_undo"}


@pytest.hookimpl(tryfirst=True)  # before those marked `long` are left out
def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Leave some out, saying why."""
    for item in items:
        if item.path.parent.name != "wire":
            continue
        name = getattr(item, "originalname", "")
        if why := _LOCAL.get(name):
            item.add_marker(pytest.mark.skip(reason=why))
        if name in _LONG or item.path.stem in _LONG_MODULES:
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def _over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "settle", wired)
