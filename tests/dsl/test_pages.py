"""Each page of documentation: its bad example is what the code finds, its good one is clean."""

from __future__ import annotations

import pytest

from dsl.codes import CODES
from dsl.page_of_code import PAGES, load_page
from tests.dsl.support import findings

#: What is only found where an org has been asked.
LIVE = {"CW412"}
WRITTEN = sorted(file.stem for file in PAGES.glob("*.md"))


def test_every_page_is_of_a_code() -> None:
    assert WRITTEN
    assert set(WRITTEN) <= set(CODES)


@pytest.mark.parametrize("code", WRITTEN)
def test_the_bad_example_gives_that_finding_and_no_other(code: str) -> None:
    assert [d.code for d in findings(load_page(code).bad, live=code in LIVE)] == [code]


@pytest.mark.parametrize("code", WRITTEN)
def test_the_good_example_is_clean(code: str) -> None:
    assert [(d.code, d.message) for d in findings(load_page(code).good, live=code in LIVE)] == []


@pytest.mark.parametrize("code", WRITTEN)
def test_a_page_says_what_and_why_in_a_few_sentences(code: str) -> None:
    page = load_page(code)
    assert 40 < len(page.what) < 700
    assert 40 < len(page.why) < 700
