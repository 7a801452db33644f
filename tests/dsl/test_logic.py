"""Which conditions can never or always hold, and which only look as if."""

from __future__ import annotations

import pytest

from dsl.logic import Contradiction, Tautology, always, findings, never, overlap, parts
from dsl.program import Condition
from tests.dsl.support import checked


def condition(text: str) -> Condition:
    """A condition on a lead, or on what the text names before a colon."""
    word, colon, rest = text.partition(": ")
    if not colon or word not in ("prospect", "contact"):
        word, rest = "lead", text
    toggle = "outbound update" if word == "prospect" else "inbound update"
    pair = "Contact" if word == "contact" else "Lead"
    source = f"sync {pair} <-> prospect {{ polling  pushing  {toggle} when {rest} }}"
    found = checked(source)
    (only,) = found.program.pairs
    when = only.toggle(toggle).when
    assert when is not None, found.diagnostics
    return when


def said(terms: tuple[Condition, ...]) -> list[str]:
    return [" ".join(term.span.text.split()) for term in terms]


# -- never --------------------------------------------------------------------------------------

NEVER = [
    # numbers
    "AnnualRevenue > 10 and AnnualRevenue < 5",
    "AnnualRevenue > 10 and AnnualRevenue < 10",
    "AnnualRevenue >= 10 and AnnualRevenue < 10",
    "AnnualRevenue > 10 and AnnualRevenue <= 10",
    "AnnualRevenue = 10 and AnnualRevenue > 10.5",
    "AnnualRevenue = 10 and AnnualRevenue != 10.0",
    "10 < AnnualRevenue and 5 > AnnualRevenue",
    "AnnualRevenue in (1, 2, 3) and AnnualRevenue > 3",
    "AnnualRevenue in (1, 2) and AnnualRevenue in (3, 4)",
    "AnnualRevenue >= 5 and AnnualRevenue <= 5 and AnnualRevenue != 5",
    "not (AnnualRevenue < 5) and not (AnnualRevenue >= 5) and AnnualRevenue is present",
    # text without case
    'Rating = "Hot" and Rating = "Cold"',
    'Rating = "Hot" and Rating != "HOT"',
    'LastName = "Straße" and LastName != "STRASSE"',
    'Rating in ("Hot", "Warm") and Rating not in ("warm", "HOT", "Cold")',
    'Rating in ("Hot", "Warm") and Rating = "Cold"',
    'Rating = "Hot" and not (Rating in ("hot", "cold"))',
    'Rating > "m" and Rating < "A"',
    'Rating = "Hot" and Rating < "h"',
    '"Hot" = Rating and Rating = "Cold"',
    'all { Rating = "Hot"  LastName = "x"  any { Rating = "Cold"  Rating = "Warm" } }',
    '(Rating = "Hot" and Rating = "Cold") or (Rating = "Warm" and Rating is empty)',
    # patterns
    'LastName starts with "a" and LastName starts with "b"',
    'LastName starts with "Ab" and LastName not starts with "a"',
    'LastName ends with "a" and LastName ends with "b"',
    'LastName ends with "ba" and LastName not contains "B"',
    'LastName contains "abc" and LastName not contains "b"',
    'LastName = "Smith" and LastName starts with "j"',
    'LastName in ("Ann", "Abe") and LastName not starts with "a"',
    'LastName = "hot" and LastName matches "^c"',
    'LastName in ("hot", "warm") and not (LastName matches "^[hw]")',
    'LastName matches "^a" and LastName not matches "^a"',
    'LastName starts with "m" and LastName < "b"',
    'LastName starts with "b" and LastName > "m"',
    'LastName is empty and LastName contains "a"',
    # empties
    'Email is empty and Email = "a@b.co"',
    "Email is empty and Email is present",
    "Email is empty and Email is not empty",
    'Email = ""',
    'Email contains ""',
    'Rating = "Hot" and Email = ""',
    'Email in ("")',
    "not (Email is empty) and Email is empty",
    "AnnualRevenue is empty and AnnualRevenue < 5",
    # booleans
    "DoNotCall = true and DoNotCall = false",
    "DoNotCall = true and DoNotCall != true",
    "DoNotCall = true and not (DoNotCall = true)",
    "DoNotCall = true and DoNotCall is empty",
    # times
    "CreatedDate < 2026-01-01 and CreatedDate > 2027-01-01",
    "CreatedDate < 2026-01-01 and CreatedDate > 2027-01-01T00:00:00Z",
    "CreatedDate > 2026-01-01T10:00:00Z and CreatedDate < 2026-01-01T09:00:00Z",
    "CreatedDate = 2026-01-01 and CreatedDate = 2026-01-02",
    "CreatedDate < 30 days ago and CreatedDate > 7 days ago",
    "CreatedDate < 1 day ago and CreatedDate > 24 hours ago",
    "CreatedDate > now and CreatedDate < 7 days ago",
    "CreatedDate > now and CreatedDate < today",
    "CreatedDate >= today and CreatedDate < 3 days ago",
    'CreatedDate > "2026-01-02" and CreatedDate < 2026-01-01',
    "contact: Birthdate > 2026-11-23 and Birthdate < 2026-11-24",
    # a custom field has one type at a time
    'Odd__c = "Hot" and Odd__c = "Cold"',
    'Odd__c = "Hot" and Odd__c = 3',
    "Odd__c > 10 and Odd__c < 5",
    "Odd__c = true and Odd__c = false",
    'Odd__c = "a" and not (Odd__c = "A")',
    'prospect: custom7 = "a" and custom7 = "b"',
    # lists
    'prospect: emails = "a" and emails != "A"',
    'prospect: emails = "a" and not (emails = "a")',
    'prospect: emails in ("a", "b") and emails not in ("A", "B")',
    'prospect: emails is empty and emails = "a"',
    'prospect: emails starts with "ab" and emails not contains "a"',
    # relations, changes, functions, constants
    "LastName = FirstName and LastName != FirstName",
    "LastName = FirstName and FirstName != LastName",
    "LastName > FirstName and FirstName > LastName",
    "LastName < LastName",
    "LastName contains FirstName and LastName not contains FirstName",
    'LastName in (FirstName, "x") and LastName != FirstName and LastName != "x"',
    "Email changed and not Email changed",
    'lower(LastName) = "a" and lower(LastName) = "b"',
    "length(LastName) < 0",
    "length(LastName) > 3 and length(LastName) < 4",
    "length(LastName) is empty",
    '"a" = "b"',
    "2 < 1",
    "now is empty",
    # several fields
    '(Rating = "Hot" or LastName = "a") and Rating = "Cold" and LastName = "b"',
    """all {
        any { Rating = "a"  LastName = "a" }
        any { Rating = "b"  LastName = "b" }
        any { Rating = "c"  LastName = "c" }
    }""",
]

MAY_HOLD = [
    "AnnualRevenue > 5 and AnnualRevenue < 10",
    "AnnualRevenue >= 10 and AnnualRevenue <= 10",
    "AnnualRevenue != 1 and AnnualRevenue != 2",
    "not (AnnualRevenue < 5) and not (AnnualRevenue >= 5)",
    'Rating != "Hot" and Rating != "Cold"',
    'Rating = "Hot" and LastName = "Cold"',
    'Rating = "Hot" and Owner.Name = "Cold"',
    'Rating = "Hot" or Rating = "Cold"',
    'not (Rating = "Hot") and not (Rating = "Cold")',
    'Rating = "Hot" and Rating in ("hot", "cold")',
    'Rating is empty and Rating != "Hot"',
    'Rating is empty and Rating not in ("Hot", "Cold")',
    'Rating is empty and Rating not contains "Hot"',
    'Rating is empty and not (Rating = "Hot")',
    'Rating != ""',
    "LastName != LastName",
    'LastName starts with "a" and LastName starts with "AB"',
    'LastName starts with "a" and LastName ends with "b"',
    'LastName starts with "ab" and LastName ends with "bc"',
    'LastName contains "b" and LastName not contains "abc"',
    'LastName starts with "a" and LastName > "a"',
    'LastName starts with "ab" and LastName < "ac"',
    'LastName matches "^a" and LastName matches "^b|c"',
    'LastName = "ss" and LastName matches "^ß$"',
    'LastName = "k" and LastName not matches "\\\\bk"',
    'LastName = "hot" and LastName matches "(?-i)HOT"',
    'LastName = "a" and LastName not matches "^b"',
    "CreatedDate > 30 days ago and CreatedDate < 7 days ago",
    "CreatedDate < today and CreatedDate > 1 day ago",
    "CreatedDate >= today and CreatedDate < 20 hours ago",
    "CreatedDate < 2020-01-01 and CreatedDate > now",
    "CreatedDate > 2026-01-01 and CreatedDate < 2026-01-01T05:00:00Z",
    "CreatedDate = 2026-01-01 and CreatedDate = 2026-01-01T05:00:00Z",
    "CreatedDate > 2026-11-23 and CreatedDate < 2026-11-24",
    "CreatedDate = today and CreatedDate = now",
    "2026-01-01 = 2026-01-01T05:00:00Z",
    "now > 2030-01-01",
    'Odd__c != "Hot" and Odd__c != 3',
    'Odd__c not in ("Hot") and Odd__c = 3',
    'not (Odd__c = "Hot") and not (Odd__c != "Hot")',
    'not (Odd__c = "Hot") and Odd__c = 3',
    'Odd__c = "2026-01-01" and Odd__c < 2027-01-01',
    'prospect: emails = "a" and emails = "b"',
    'prospect: emails = "a" and emails in ("b", "c")',
    'prospect: emails starts with "a" and emails starts with "b"',
    'prospect: emails != "a" and emails != "b"',
    'prospect: emails = "a" and emails > "m"',
    "DoNotCall != true and DoNotCall != false",
    "not (DoNotCall = true) and not (DoNotCall = false)",
    "Email changed and LastName changed",
    "Email changed and Email is empty",
    "LastName = FirstName and LastName = Company",
    "LastName >= FirstName and FirstName >= LastName",
    'lower(LastName) = "a" and upper(LastName) = "A"',
    'lower(LastName) = "a" and LastName = "b"',
    "length(LastName) = 0",
    "length(LastName) > 3 and length(LastName) < 5",
    'left(LastName, 1) = "a" and left(LastName, 2) = "b"',
    '(Rating = "Hot" or LastName = "a") and Rating = "Cold"',
    'prospect: salesforce.Title = "a" and title = "b"',
]


@pytest.mark.parametrize("text", NEVER)
def test_this_can_never_hold(text: str) -> None:
    reason = never(condition(text))
    assert reason is not None
    assert reason.why
    assert always(condition(text)) is None


@pytest.mark.parametrize("text", MAY_HOLD)
def test_this_may_hold(text: str) -> None:
    assert never(condition(text)) is None
    assert overlap(condition(text), None) is not False


# -- always -------------------------------------------------------------------------------------

ALWAYS = [
    'Rating = "Hot" or Rating != "hot"',
    "Email is empty or Email is present",
    'Rating in ("Hot", "Warm") or Rating not in ("WARM", "HOT")',
    'not (Rating = "Hot" and Rating = "Cold")',
    'Rating != "Hot" or Rating != "Cold"',
    'Email != ""',
    'Email not contains ""',
    "AnnualRevenue < 5 or AnnualRevenue >= 5 or AnnualRevenue is empty",
    "AnnualRevenue != 5 or AnnualRevenue > 3",
    "DoNotCall != true or DoNotCall != false",
    "not (DoNotCall = true) or DoNotCall = true",
    "DoNotCall = true or DoNotCall = false or DoNotCall is empty",
    "CreatedDate is empty or CreatedDate > 7 days ago or CreatedDate <= 1 day ago",
    'LastName not starts with "a" or LastName not starts with "b"',
    'LastName contains "b" or LastName not contains "abc"',
    'any { Rating = "Hot"  Rating = "Warm"  Rating not in ("hot", "warm") }',
    'Odd__c = "Hot" or not (Odd__c = "Hot")',
    'Odd__c != "Hot" or Odd__c = "Hot" or Odd__c not in ("Hot")',
    "Email changed or not Email changed",
    "LastName = FirstName or LastName != FirstName",
    "length(LastName) >= 0",
    "1 < 2",
    'prospect: emails = "a" or emails not in ("a")',
    '(Rating = "Hot" and LastName = "a") or Rating != "Hot" or LastName != "a"',
]

MAY_FAIL = [
    'Rating = "Hot" or Rating = "Cold"',
    "DoNotCall = true or DoNotCall = false",
    "AnnualRevenue < 5 or AnnualRevenue >= 5",
    "AnnualRevenue <= 5 or AnnualRevenue is empty",
    "CreatedDate > 7 days ago or CreatedDate <= 7 days ago",
    "CreatedDate is empty or CreatedDate > 7 days ago or CreatedDate <= 8 days ago",
    'Odd__c = "Hot" or Odd__c != "Hot"',
    "Odd__c > 5 or Odd__c <= 5 or Odd__c is empty",
    "Odd__c = true or Odd__c = false or Odd__c is empty",
    "Odd__c = FirstName or Odd__c != FirstName",
    'prospect: emails = "a" or emails != "a"',
    'prospect: emails != "a" or emails != "b"',
    'LastName contains "abc" or LastName not contains "b"',
    'Email != "" and Rating = "Hot"',
    "LastName = LastName",
    "length(LastName) > 0",
    "now > 2020-01-01",
    'Rating != "Hot" or LastName = "x"',
]


@pytest.mark.parametrize("text", ALWAYS)
def test_this_always_holds(text: str) -> None:
    reason = always(condition(text))
    assert reason is not None
    assert reason.why
    assert never(condition(text)) is None


@pytest.mark.parametrize("text", MAY_FAIL)
def test_this_may_fail(text: str) -> None:
    assert always(condition(text)) is None


# -- what is said -------------------------------------------------------------------------------

WORDS = [
    (
        "AnnualRevenue > 10 and Email is present and AnnualRevenue < 5",
        ["AnnualRevenue > 10", "AnnualRevenue < 5"],
        "`AnnualRevenue` cannot be above 10 and below 5",
    ),
    (
        'LastName = "x" and Rating = "Hot" and Rating = "Cold"',
        ['Rating = "Hot"', 'Rating = "Cold"'],
        '`Rating` cannot be both "Hot" and "Cold"',
    ),
    (
        'Email is empty and Email = "a"',
        ["Email is empty", 'Email = "a"'],
        "`Email` is empty, and a comparison with an empty value is false",
    ),
    (
        'Rating = "Hot" and Email = ""',
        ['Email = ""'],
        "a comparison with an empty value is false: write `is empty`",
    ),
    (
        "5 > AnnualRevenue and AnnualRevenue >= 7",
        ["5 > AnnualRevenue", "AnnualRevenue >= 7"],
        "`AnnualRevenue` cannot be below 5 and at least 7",
    ),
    (
        "CreatedDate < 30 days ago and CreatedDate > today",
        ["CreatedDate < 30 days ago", "CreatedDate > today"],
        "`CreatedDate` cannot be before 30 days ago and after today",
    ),
    (
        'Rating in ("Hot", "Warm") and Rating not in ("warm", "HOT")',
        ['Rating in ("Hot", "Warm")', 'Rating not in ("warm", "HOT")'],
        '`Rating` cannot be one of "Hot", "Warm" and none of "warm", "HOT"',
    ),
    (
        'LastName starts with "a" and LastName not contains "A"',
        ['LastName starts with "a"', 'LastName not contains "A"'],
        '`LastName` cannot start with "a" and not contain "A"',
    ),
    (
        "AnnualRevenue >= 5 and AnnualRevenue <= 5 and AnnualRevenue != 5",
        ["AnnualRevenue >= 5", "AnnualRevenue <= 5", "AnnualRevenue != 5"],
        "`AnnualRevenue` cannot be at least 5, at most 5 and other than 5",
    ),
    (
        "LastName = FirstName and FirstName != LastName",
        ["LastName = FirstName", "FirstName != LastName"],
        "`LastName = FirstName` and `FirstName != LastName` exclude each other",
    ),
    (
        'Rating = "Hot" and (Rating = "Cold" or Rating is empty)',
        ['Rating = "Hot"', 'Rating = "Cold" or Rating is empty'],
        '`Rating = "Hot"` and `Rating = "Cold" or Rating is empty` exclude each other',
    ),
    ("2 < 1", ["2 < 1"], "`2 < 1` can never hold"),
]


@pytest.mark.parametrize(("text", "terms", "why"), WORDS)
def test_the_fewest_terms_are_named_and_why(text: str, terms: list[str], why: str) -> None:
    reason = never(condition(text))
    assert isinstance(reason, Contradiction)
    assert said(reason.terms) == terms
    assert reason.why == why


@pytest.mark.parametrize(
    ("text", "terms", "why"),
    [
        (
            'LastName = "x" or Rating = "Hot" or Rating != "hot"',
            ['Rating = "Hot"', 'Rating != "hot"'],
            '`Rating = "Hot"` or `Rating != "hot"`: one of the two holds for every value',
        ),
        (
            'Email != ""',
            ['Email != ""'],
            "compared with an empty value, `!=` is always true: write `is present`",
        ),
        (
            'Email not contains "" or Rating = "Hot"',
            ['Email not contains ""'],
            "compared with an empty value, `not contains` is always true: write `is present`",
        ),
        (
            'not (Rating = "Hot" and Rating = "Cold")',
            ['not (Rating = "Hot" and Rating = "Cold")'],
            '`Rating` cannot be both "Hot" and "Cold"',
        ),
    ],
)
def test_the_terms_that_leave_nothing_out_are_named(text: str, terms: list[str], why: str) -> None:
    reason = always(condition(text))
    assert isinstance(reason, Tautology)
    assert said(reason.terms) == terms
    assert reason.why == why


def test_conditions_that_must_hold_together_are_read_together() -> None:
    polling, create = condition("IsConverted = false"), condition("IsConverted = true")
    reason = never(polling, create)
    assert reason is not None
    assert reason.terms == (polling, create)
    assert never(polling) is None
    assert never(polling, condition('Rating = "Hot"')) is None


# -- parts --------------------------------------------------------------------------------------


def found(text: str) -> list[tuple[str, str]]:
    return [
        (" ".join(part.span.text.split()), type(reason).__name__)
        for part, reason in findings(condition(text))
    ]


def test_of_a_whole_that_can_never_hold_no_part_is_reported() -> None:
    text = 'Rating = "Hot" and Rating = "Cold" and any { Email = "" LastName = "x" }'
    assert found(text) == [(text, "Contradiction")]


def test_a_branch_that_can_never_hold_is_reported_in_a_condition_that_can() -> None:
    text = 'LastName = "x" or (Rating = "Hot" and Rating = "Cold")'
    assert found(text) == [('Rating = "Hot" and Rating = "Cold"', "Contradiction")]


def test_a_branch_that_can_never_hold_beside_the_rest_is_reported() -> None:
    text = 'Rating = "Hot" and (LastName = "x" or Rating = "Cold")'
    assert found(text) == [('Rating = "Cold"', "Contradiction")]


def test_a_term_that_always_holds_is_reported() -> None:
    assert found('Rating = "Hot" and Email != ""') == [('Email != ""', "Tautology")]


def test_a_branch_that_always_holds_makes_the_whole_so() -> None:
    text = 'Rating = "Hot" or Email != ""'
    assert found(text) == [(text, "Tautology")]


@pytest.mark.parametrize("text", [t for t in MAY_HOLD if t in MAY_FAIL or " or " not in t])
def test_nothing_is_reported_where_nothing_is_wrong(text: str) -> None:
    if always(condition(text)) is None and '""' not in text:
        assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "CreatedDate is present and CreatedDate < 0001-01-01T00:00:00Z",
        "CreatedDate is present and CreatedDate > 9999-12-31T23:59:59Z",
    ],
)
def test_the_first_and_the_last_moment_there_is_can_be_compared_with(text: str) -> None:
    assert list(findings(condition(text))) == []


def test_parts_come_from_the_outside_in_and_stop_where_all_is_said() -> None:
    text = 'LastName = "x" or all { Rating = "Hot" Rating = "Cold" }'
    assert [each.span.text for each in parts(condition(text))] == [
        text,
        'LastName = "x"',
        'all { Rating = "Hot" Rating = "Cold" }',
    ]


# -- overlap ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ('prospect: title = "a"', 'prospect: title = "A"', True),
        ('prospect: title = "a"', 'prospect: title = "b"', False),
        ('prospect: title = "a"', 'prospect: title != "a"', False),
        ('prospect: title != "a"', 'prospect: title != "b"', True),
        ('prospect: emails = "a"', 'prospect: emails = "b"', True),
        ("prospect: emails is present", "prospect: emails is empty", False),
        ('prospect: title starts with "a"', 'prospect: title ends with "b"', True),
        ('prospect: title contains "a"', 'prospect: title not contains "ab"', True),
        ('prospect: title matches "^ceo$"', 'prospect: title starts with "c"', True),
        ('prospect: title matches "(a|b)+c{3}"', "prospect: title is present", None),
        ("prospect: score > 5", "prospect: score < 6", True),
        ("prospect: score > 5", "prospect: score < 5", False),
        ("prospect: optedOut = true", "prospect: optedOut != true", False),
        ("prospect: createdAt > 30 days ago", "prospect: createdAt < 7 days ago", True),
        ("prospect: createdAt > now", "prospect: createdAt < 7 days ago", False),
        ('prospect: stage.name = "Open"', 'prospect: stage.name in ("Open", "New")', True),
        ("prospect: firstName = lastName", 'prospect: firstName = "a"', True),
        ('prospect: lower(firstName) = "a"', 'prospect: firstName = "A"', True),
        ("prospect: title changed", "prospect: not title changed", False),
        ("prospect: title changed", "prospect: title is present", True),
        (
            'prospect: title = "a" or addressCity = "b"',
            'prospect: title != "a" and addressCity != "c"',
            True,
        ),
    ],
)
def test_whether_one_record_can_fulfil_both(one: str, other: str, shared: bool | None) -> None:
    assert overlap(condition(one), condition(other)) is shared
    assert overlap(condition(other), condition(one)) is shared


def test_no_condition_holds_for_every_record() -> None:
    assert overlap(None, None) is True
    assert overlap(None, condition('Rating = "Hot"')) is True
    assert overlap(condition('Rating = ""'), None) is False
