"""What the log tells of a conflict can be read back out of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.notes import read_conflict

VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=3)


@given(VALUES, VALUES, st.sampled_from(["Salesforce", "Outreach"]))
def test_both_values_and_the_winner_are_read_back(one: object, two: object, winner: str) -> None:
    message = (
        f"Title and title were both changed: Salesforce has {one!r}, Outreach has {two!r};"
        f" {winner} won"
    )
    found = read_conflict(message)
    assert found is not None
    assert (found.source, found.salesforce, found.outreach) == ("Title", one, two)
    assert (found.winner, found.unwritten) == (winner, None)


def test_other_words_are_left_as_they_are() -> None:
    assert read_conflict("both sides said something") is None
