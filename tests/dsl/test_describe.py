"""Conditions and toggles in words."""

from __future__ import annotations

import pytest

from dsl import syntax as s
from dsl.describe import condition_in_words, duration_in_words, toggle_in_words
from dsl.lint import check
from dsl.parser import parse
from dsl.schema import shipped_schema
from dsl.source import Source

SAID = [
    ("Email is present", "Email is present"),
    ("Email is not empty", "Email is present"),
    ("Email is empty", "Email is empty"),
    ("Email changed", "Email has changed since the last sync"),
    ('Rating = "Hot"', 'Rating is "Hot"'),
    ('Rating != "Hot"', 'Rating is not "Hot"'),
    ('Rating in ("Hot")', 'Rating is "Hot"'),
    ('Rating in ("Hot", "Warm", "Cold")', 'Rating is "Hot", "Warm" or "Cold"'),
    ('Rating not in ("Hot")', 'Rating is not "Hot"'),
    ('Rating not in ("Hot", "Warm")', 'Rating is none of "Hot" and "Warm"'),
    ("AnnualRevenue >= 1.5", "AnnualRevenue is at least 1.5"),
    ("AnnualRevenue < 3", "AnnualRevenue is less than 3"),
    ("CreatedDate > 30 days ago", "CreatedDate is after 30 days ago"),
    ("CreatedDate <= today", "CreatedDate is not after today"),
    ("ConvertedDate < 2026-11-23", "ConvertedDate is before 2026-11-23"),
    ("CreatedDate = now", "CreatedDate is now"),
    ("IsConverted = false", "IsConverted is false"),
    ('Title contains "VP"', 'Title contains "VP"'),
    ('Title not starts with "VP"', 'Title does not start with "VP"'),
    ('Title matches "^VP"', 'Title matches the pattern "^VP"'),
    ('lower(Title) = "vp"', 'lower(Title) is "vp"'),
    ('Owner.Name = "Ann"', 'Owner.Name is "Ann"'),
    ('not (Title = "VP")', 'not (Title is "VP")'),
    (
        'Email is present and Rating in ("Hot", "Warm")',
        'Email is present, and Rating is "Hot" or "Warm"',
    ),
    ('Title = "a" or Title = "b"', 'Title is "a", or Title is "b"'),
    (
        'all { Email is present any { Title = "a" Title = "b" } }',
        'Email is present, and (Title is "a", or Title is "b")',
    ),
]


def _toggles(text: str) -> list[s.Toggle]:
    module, found = parse(Source("a.sync", f"sync Lead <-> prospect {{ {text} }}"))
    assert not found
    (sync,) = module.items
    assert isinstance(sync, s.Sync)
    return [clause for clause in sync.clauses if isinstance(clause, s.Toggle)]


@pytest.mark.parametrize(("condition", "words"), SAID, ids=[row[0] for row in SAID])
def test_a_condition_reads_as_a_sentence_as_written_and_as_resolved(
    condition: str, words: str
) -> None:
    (toggle,) = _toggles(f"inbound create when {condition}")
    (when,) = toggle.options
    assert isinstance(when, s.When)
    assert condition_in_words(when.condition) == words

    source = Source("a.sync", f"sync Lead <-> prospect {{ inbound create when {condition} }}")
    (pair,) = check([source], shipped_schema(), frozenset()).program.pairs
    resolved = pair.toggle("inbound create").when
    assert resolved is not None
    assert condition_in_words(resolved) == words


def test_a_side_named_outright_is_said() -> None:
    (toggle,) = _toggles('outbound update when salesforce.Status = "Open"')
    assert toggle_in_words(toggle) == 'on, when Salesforce\'s Status is "Open"'


@pytest.mark.parametrize(
    ("toggle", "words"),
    [
        ("polling", "on, every 10 minutes"),
        ("pushing on", "on, every 15 seconds"),
        ("polling off every 5 minutes", "off"),
        ("polling when IsConverted = false every 1 hour", None),
        ("sync down", "on"),
        ("inbound delete off when Email is empty", "off"),
    ],
)
def test_a_toggle_says_what_it_is_set_to(toggle: str, words: str | None) -> None:
    (found,) = _toggles(toggle)
    assert toggle_in_words(found) == (words or "on, every 1 hour, when IsConverted is false")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "90 seconds"),
        (60, "1 minute"),
        (7200, "2 hours"),
        (86400, "1 day"),
    ],
)
def test_a_duration_is_said_in_its_largest_whole_unit(seconds: int, words: str) -> None:
    assert duration_in_words(seconds) == words
