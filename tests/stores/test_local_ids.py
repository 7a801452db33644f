"""Salesforce ids: the case checksum and what is minted."""

from __future__ import annotations

import json
import string

from hypothesis import given
from hypothesis import strategies as st

from engine.stores.local import SAMPLE
from engine.stores.local.ids import checked_id, full_id, minted_id, minted_number

SHORT = st.text(string.ascii_letters + string.digits, min_size=15, max_size=15)


@given(SHORT)
def test_an_id_of_15_and_its_id_of_18_are_one(short: str) -> None:
    full = full_id(short)
    assert len(full) == 18
    assert full.startswith(short)
    assert full_id(full) == full
    assert checked_id(short) == checked_id(full) == full


@given(SHORT, st.data())
def test_the_checksum_tells_ids_apart_that_differ_in_case_only(
    short: str, data: st.DataObject
) -> None:
    flips = data.draw(st.lists(st.booleans(), min_size=15, max_size=15))
    other = "".join(c.swapcase() if flip else c for c, flip in zip(short, flips, strict=True))
    same = short == other
    assert (full_id(short)[15:].upper() == full_id(other)[15:].upper()) == same
    if not same:
        assert checked_id(other + full_id(short)[15:]) is None


def test_every_id_of_the_sample_has_a_right_checksum() -> None:
    found = 0
    for path in (SAMPLE / "salesforce").glob("*.json"):
        for record in json.loads(path.read_text(encoding="utf-8")):
            if record["Id"]:
                assert full_id(record["Id"][:15]) == record["Id"]
                found += 1
    assert found == 88


@given(st.integers(1, 62**9 - 1), st.integers(1, 62**9 - 1))
def test_minted_ids_sort_as_they_were_minted(one: int, other: int) -> None:
    first, second = minted_id("Lead", one), minted_id("Lead", other)
    assert minted_number(first) == one
    assert (first[:15] < second[:15]) == (one < other)
    assert checked_id(first) == first


def test_what_is_no_id_is_none() -> None:
    for bad in ("", "001", 17, None, "00Q3z00001AmqLYEA", "00Q3z00001AmqL é", "00Q3z00001AmqLYEAA"):
        assert checked_id(bad) is None
