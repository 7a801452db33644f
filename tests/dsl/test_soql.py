"""Conditions as SOQL: what is said, how it is escaped, and what is left to the engine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from dsl.schema import salesforce_type
from dsl.soql import Pushed, literal, soql
from tests.dsl.conditions_by_chance import resolved

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def pushed(condition: str, zone: str = "UTC", now: datetime = NOW) -> Pushed | None:
    return soql(resolved(condition), zone=ZoneInfo(zone), now=now)


def exactly(condition: str, zone: str = "UTC") -> str:
    found = pushed(condition, zone)
    assert found is not None
    assert found.exact
    return found.text


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ('Rating = "Hot"', "Rating = 'Hot'"),
        ('"Hot" = Rating', "Rating = 'Hot'"),
        ("5 < AnnualRevenue", "AnnualRevenue > 5"),
        ('Rating != "Hot"', "(Rating != 'Hot' OR Rating = null)"),
        ('Rating in ("Hot", "", "Warm")', "Rating IN ('Hot', 'Warm')"),
        ('Rating not in ("Hot", "Warm")', "(Rating NOT IN ('Hot', 'Warm') OR Rating = null)"),
        ('Rating starts with "5%_"', r"Rating LIKE '5\%\_%'"),
        ('not Rating ends with "x"', "((NOT Rating LIKE '%x') OR Rating = null)"),
        ("Rating is empty", "Rating = null"),
        ("Rating is present", "Rating != null"),
        ("not (Rating is present)", "Rating = null"),
        ("AnnualRevenue > 1.5", "AnnualRevenue > 1.5"),
        ("not (AnnualRevenue > 5)", "(AnnualRevenue <= 5 OR AnnualRevenue = null)"),
        ("not (IsConverted = true)", "IsConverted != true"),
        ('Owner.Name = "Bob"', "Owner.Name = 'Bob'"),
        ('OwnerId = "0055i000007S72zAAC"', "OwnerId = '0055i000007S72zAAC'"),
        ('Rating = ""', "Id = null"),
        ("CreatedDate > 30 days ago", "CreatedDate > 2026-10-24T09:30:00Z"),
        ("CreatedDate >= 2026-11-23T09:30:00+02:00", "CreatedDate >= 2026-11-23T07:30:00Z"),
        ("ConvertedDate > 30 days ago", "ConvertedDate > 2026-10-24"),
        ("ConvertedDate < now", "ConvertedDate <= 2026-11-23"),
        ("ConvertedDate = today", "ConvertedDate = 2026-11-23"),
        ("ConvertedDate = now", "Id = null"),
        (
            'all { Email is present  any { HasOptedOutOfEmail = false  Rating in ("a", "b") } }',
            "Email != null AND (HasOptedOutOfEmail = false OR Rating IN ('a', 'b'))",
        ),
        (
            'not (Rating = "a" and Company is empty)',
            "(Rating != 'a' OR Rating = null) OR Company != null",
        ),
    ],
)
def test_what_soql_can_say_is_said_exactly(condition: str, text: str) -> None:
    assert exactly(condition) == text


def test_a_day_begins_at_midnight_of_the_project() -> None:
    found = exactly("CreatedDate >= 2026-11-23", "Europe/Berlin")
    assert found == "CreatedDate >= 2026-11-22T23:00:00Z"
    assert (
        exactly("CreatedDate >= today", "America/Havana") == "CreatedDate >= 2026-11-23T05:00:00Z"
    )


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ('Rating = "a" and lower(Rating) = "a"', "Rating = 'a'"),
        ('Rating = "a" and not (outreach.title = "b")', "Rating = 'a'"),
        ('Rating = "a" and not (Company changed)', "Rating = 'a'"),
        ('Rating matches "^a"', "Rating != null"),
        ('Rating > "a"', "Rating != null"),
        ('Rating = "Straße"', "Rating != null"),
        ('Rating = " a"', "Rating != null"),
        (r'Rating contains "a\\b"', "Rating != null"),
        ('OwnerId = "0055i000007s72zAAC"', "OwnerId != null"),
        ("NumberOfEmployees > 1.5", "NumberOfEmployees != null"),
        ("CreatedDate > LastModifiedDate", "CreatedDate != null"),
        ("CreatedDate > 0001-01-01", "CreatedDate != null"),
        ("CreatedDate > 2026-11-23T09:30:00.5Z", "CreatedDate > 2026-11-23T09:30:00Z"),
        ("CreatedDate < 2026-11-23T09:30:00.5Z", "CreatedDate < 2026-11-23T09:30:01Z"),
        (
            "not (CreatedDate < 2026-11-23T09:30:00.5Z)",
            "(CreatedDate >= 2026-11-23T09:30:00Z OR CreatedDate = null)",
        ),
        ("CreatedBy.IsActive = false", "CreatedBy.IsActive = false"),
        ("CreatedBy.IsActive in (true, false)", "CreatedBy.IsActive IN (true, false)"),
    ],
)
def test_what_soql_cannot_say_is_widened(condition: str, text: str) -> None:
    assert pushed(condition) == Pushed(text, exact=False)


@pytest.mark.parametrize(
    "condition",
    [
        'Rating = "a" or outreach.title = "b"',
        'not (Rating = "a" and lower(Rating) = "a")',
        'not (Rating > "a")',
        'not Rating matches "^a"',
        'Description = "a"',
        "Description is empty",
        "Odd__c = 1",
        'Owner.Email = "bob@edge.com"',
        "not (CreatedBy.IsActive = false)",
        "Company changed",
        "1 = 1",
        'Rating != ""',
        "CreatedDate != 2026-11-23T09:30:00.5Z",
        "not (" + " or ".join(f'Rating = "{n:0200}"' for n in range(60)) + ")",
    ],
)
def test_where_nothing_would_be_held_back_nothing_is_said(condition: str) -> None:
    assert pushed(condition) is None


def test_values_of_records_and_rules_never_become_syntax() -> None:
    hostile = "x' OR Id != null OR Name = '\\"
    assert literal(hostile) == r"'x\' OR Id != null OR Name = \'\\'"
    assert literal('\n\r\t\b\f"') == r"""'\n\r\t\b\f\"'"""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (5, "5"),
        (1e-7, "0.0000001"),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23, 9, 30, tzinfo=UTC), "2026-11-23T09:30:00Z"),
    ],
)
def test_values_are_written_as_soql_writes_them(value: float | date, text: str) -> None:
    assert literal(value) == text


@pytest.mark.parametrize(
    ("described", "filterable"),
    [
        ({"type": "string"}, True),
        ({"type": "string", "caseSensitive": True}, False),
        ({"type": "string", "filterable": False}, False),
        ({"type": "textarea", "length": 255}, True),
        ({"type": "textarea", "length": 32000}, False),
        ({"type": "multipicklist"}, False),
    ],
)
def test_a_describe_tells_what_a_query_can_compare(
    described: dict[str, object], filterable: bool
) -> None:
    raw = {"name": "A", "label": "A", "createable": True, "updateable": True, "nillable": True}
    found = salesforce_type({"name": "Lead", "fields": [{**raw, **described}]})
    assert found.fields["A"].filterable is filterable
