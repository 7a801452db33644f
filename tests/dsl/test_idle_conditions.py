"""CW303 and CW304: where conditions that never or always hold are found, and what is said."""

from __future__ import annotations

import pytest

from tests.dsl.support import findings

MORE = "fields { Title <-> title }"


def sync(inside: str) -> str:
    return f"sync Lead <-> prospect {{ match Email = emails {inside} }}\n"


def logical(*texts: str) -> list[tuple[str, str]]:
    """What is found of conditions, each with the words that it points at."""
    return [(d.code, d.span.text) for d in findings(*texts) if d.code in ("CW303", "CW304")]


# Each: what is bad, the one code that says so, and the words that it points at.
BAD = [
    ('polling when Rating = "a" and Rating = "b"', "CW303", 'Rating = "b"'),
    ('inbound create when Rating = "a" and Rating is empty', "CW303", "Rating is empty"),
    ("pushing when score > 3 and score < 2", "CW303", "score < 2"),
    ("outbound delete when true = false", "CW303", "true = false"),
    ('fields { Title -> title when Rating = "" }', "CW303", 'Rating = ""'),
    ('activities { call logged when outcome = "a" and outcome = "b" }', "CW303", 'outcome = "b"'),
    (
        'activities { call logged { Subject <- note when outcome = "a" and outcome = "b" } }',
        "CW303",
        'outcome = "b"',
    ),
    (
        'inbound update when Title is present or (Rating = "a" and Rating = "b")',
        "CW303",
        'Rating = "b"',
    ),
    ("inbound create when true = true", "CW304", "true = true"),
    ("inbound create when Title is present and true = true", "CW304", "true = true"),
    (
        'outbound update when title != "a" or title != "b"',
        "CW304",
        'title != "a" or title != "b"',
    ),
    # together
    (
        'polling when Rating = "a" inbound create when Rating = "b"',
        "CW303",
        'Rating = "b"',
    ),
    (
        'inbound create when Rating = "b" and Title is present polling when Rating = "a"',
        "CW303",
        'Rating = "b"',
    ),
    (
        'polling when Rating = "a" inbound create when Title is present or Rating = "b"',
        "CW303",
        'Rating = "b"',
    ),
    (
        'polling when Rating = "a" inbound update when Rating = "b"',
        "CW303",
        'Rating = "b"',
    ),
    ("pushing when score > 3 outbound create when score < 3", "CW303", "score < 3"),
    (
        'polling inbound update when Rating = "a" fields { Title -> title when Rating = "b" }',
        "CW303",
        'Rating = "b"',
    ),
    (
        """polling when Rating = "a"
        inbound create when Title is present or (Rating = "b" and Rating = "c")""",
        "CW303",
        'Rating = "c"',
    ),
    # before there is another side
    ('inbound create when outreach.title = "a"', "CW303", "outreach.title"),
    ("outbound create when salesforce.Rating is present", "CW303", "salesforce.Rating"),
]


@pytest.mark.parametrize(("inside", "code", "words"), BAD)
def test_a_condition_without_effect_is_found_once(inside: str, code: str, words: str) -> None:
    text = sync(inside if "fields" in inside else f"{inside} {MORE}")
    assert logical(text) == [(code, words)]


LOOKALIKES = [
    'polling when Rating = "a" inbound create when Rating in ("a", "b")',
    'polling when Rating = "a" inbound create when Title = "b"',
    'polling off when Rating = "a" inbound create when Rating = "b"',
    'polling when Rating = "a" inbound create off when Rating = "b"',
    'polling when Rating = "a" inbound delete when Rating = "b"',
    # of two linked records either can be what is seen
    'polling when Rating = "a" pushing inbound update when Rating = "b"',
    # a conversion, a merge and a deletion are seen in any case
    "polling when IsConverted = false inbound update when IsConverted = true",
    "polling when IsConverted = false inbound create when IsConverted = true",
    # the part is of use to the updates
    'polling when Rating = "a" or Rating = "b" inbound create when Rating = "b" inbound update',
    # by one toggle or the other
    """polling inbound create when Rating = "a" inbound update when Rating = "b"
    fields { Title -> title when Rating = "b" }""",
    """polling inbound update when Rating = "a" pushing outbound update
    fields { Title <-> title when Rating = "b" }""",
    'inbound create when outreach.title = "a" or Rating = "b"',
    "inbound create when outreach.title is empty",
    'inbound update when outreach.title = "a"',
]


@pytest.mark.parametrize("inside", LOOKALIKES)
def test_a_condition_that_can_matter_is_left_alone(inside: str) -> None:
    text = sync(inside if "fields" in inside else f"{inside} {MORE}")
    assert logical(text) == []


def test_a_line_of_a_group_may_be_idle_in_one_sync() -> None:
    group = 'fields g { Title -> title when Title = "b" }\n'
    inside = 'polling inbound update when Title = "a" fields { use g }'
    assert logical(group, sync(inside)) == []


def test_the_two_terms_that_exclude_each_other_are_both_shown() -> None:
    text = sync('polling when Rating = "a" inbound update when Rating = "b" ' + MORE)
    (found,) = (d for d in findings(text) if d.code == "CW303")
    assert found.message == (
        '`polling` and `inbound update` exclude each other: `Rating` cannot be both "a" and "b"'
    )
    ((place, words),) = found.related
    assert (place.text, words) == ('Rating = "a"', "excludes this")
