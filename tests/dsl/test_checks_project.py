"""CW306, CW307 and CW309: maps, budgets, and loops through several syncs."""

from __future__ import annotations

import pytest

from dsl.diagnostics import Diagnostic
from tests.dsl import support
from tests.dsl.support import codes, lead


def findings(*texts: str) -> list[Diagnostic]:
    """What is found, but for toggles that the few lines of a test leave idle."""
    return [d for d in support.findings(*texts) if d.code != "CW305"]


# -- maps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pairs",
    [
        '"A" <-> "B"  "C" <-> "D"',
        '"A" <-> "X"  "B" -> "X"  "C" -> "X"',
        '"A" <-> "X"  "A" <- "Y"',
        '"A" -> "X"  "A" <- "X"',
        '"A" <-> "X"  "a" <-> "x"',
        'true <-> "X"  1 <-> "Y"',
    ],
)
def test_a_map_with_one_way_back_gives_no_finding(pairs: str) -> None:
    assert codes(f"values m {{ {pairs} }}") == []


@pytest.mark.parametrize(
    ("pairs", "text", "other"),
    [
        ('"A" <-> "X"  "B" <-> "X"', '"X"', '"X"'),
        ('"A" <-> "X"  "B" <- "X"', '"X"', '"X"'),
        ('"A" -> "X"  "A" <-> "Y"', '"A"', '"A"'),
        ('"A" -> "X"  "A" -> "Y"', '"A"', '"A"'),
        ('"A" <-> "X"  "A" <-> "X"', '"A" <-> "X"', '"A" <-> "X"'),
        ("1 <-> 2  3 <-> 2", "2", "2"),
    ],
)
def test_an_ambiguous_map_names_both_places(pairs: str, text: str, other: str) -> None:
    (found,) = findings(f"stages m {{ {pairs} }}".replace("stages", "values"))
    assert (found.code, found.span.text) == ("CW306", text)
    assert [span.text for span, _ in found.related] == [other]
    assert found.span.start > found.related[0][0].start


# -- budgets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "limits { salesforce total 10 per day  salesforce own 10 per day }",
        "limits { salesforce total 10 per hour  salesforce own 240 per day }",
        "limits { salesforce total 10 per day  outreach own 20 per day }",
        "limits { salesforce own 20 per hour }",
        "limits { salesforce own 0 per day }",
        "guard { deletes 0 per run  blanking 100% }",
        "sync Lead <-> prospect { polling every 1 minute  pushing every 1 second }",
    ],
)
def test_a_budget_that_can_hold_gives_no_finding(text: str) -> None:
    assert "CW309" not in codes(text)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("limits { salesforce total 10 per day  salesforce own 11 per day }", "CW309", "11"),
        ("limits { salesforce own 11 per hour  salesforce total 10 per day }", "CW309", "11"),
        ("limits { outreach total 10 per hour  outreach own 241 per day }", "CW309", "241"),
        ("guard { blanking 101% }", "CW309", "101"),
        ("guard { blanking -1% }", "CW309", "-1"),
        ("sync Lead <-> prospect { polling every 0 minutes }", "CW309", "every 0 minutes"),
        ("sync Lead <-> prospect { polling every 1.5 minutes }", "CW101", "1.5"),
    ],
)
def test_a_budget_that_cannot_hold_is_found_at_the_number(text: str, code: str, place: str) -> None:
    (found,) = findings(text)
    assert (found.code, found.span.text) == (code, place)


def test_budgets_of_two_files_are_compared() -> None:
    (found,) = findings("limits { outreach own 9 per day }", "limits { outreach total 8 per day }")
    assert (found.span.source.path, found.related[0][0].source.path) == (
        "rules/1.sync",
        "rules/2.sync",
    )


# -- loops --------------------------------------------------------------------------------------

BOTH = "match Email = emails  polling  inbound update  pushing  outbound update\n"
MAPS = """
values forth { "A" -> "B"  "B" -> "A"  "C" -> "C" }
values back { "A" <- "A"  "B" <- "B"  "C" <- "C" }
values down { "A" -> "B"  "B" -> "C"  "C" -> "C" }
"""


@pytest.mark.parametrize(
    "lines",
    [
        "Title <-> title",
        "Title -> title  Title <- title",
        "lower(Title) -> title  Title <- title",
        "upper(trim(Title)) -> title  Title <- lower(title)",
        "left(Title, 5) -> title  Title <- right(title, 3)",
        'replace(Title, "ab", "b") -> title  Title <- title',
        'replace(Title, "a", "b") -> title  Title <- replace(title, "b", "a")',
        'concat(Title, " ") -> title  Title <- title',
        'concat(Title, "!") -> title',
        'concat(Title, "!") -> title  Title <- title once',
        'concat(Title, "!") -> title  Company <- title',
        'concat(Title, "!") -> title when City = "x"  Title <- title when salesforce.City = "y"',
        'concat(Title, "!") -> title when Title = "x"  Title <- title',
        "coalesce(Title, Company) -> title  Title <- title",
        "concat(Owner.Title, Title) -> occupation  Title <- title",
        "Title <-> title via forth",
        "Title -> title via down  Title <- title via back",
        "length(Title) -> title  Title <- title",
    ],
)
def test_what_comes_to_rest_is_left_alone(lines: str) -> None:
    assert not any(d.code == "CW307" for d in findings(MAPS, lead(fields=lines, clauses=BOTH)))


LOOPS = [
    ('concat(Title, "!") -> title  Title <- title', 2),
    ('Title -> title  Title <- concat("Dr. ", title)', 2),
    ("concat(FirstName, LastName) -> lastName  LastName <- lastName", 2),
    ('replace(Title, "a", "aa") -> title  Title <- title', 2),
    ("Title -> title via forth  Title <- title via back", 2),
    (
        'concat(Title, "!") -> title  Company <- title  Company -> occupation  Title <- occupation',
        4,
    ),
    ('concat(Title, "!") -> title when City = "x"  Title <- title', 2),
]


@pytest.mark.parametrize(("lines", "count"), LOOPS)
def test_a_change_that_runs_on_forever_is_found_with_all_its_lines(lines: str, count: int) -> None:
    found = findings(MAPS, lead(fields=lines, clauses=BOTH))
    (loop,) = [d for d in found if d.code == "CW307"]
    assert len(loop.related) == count - 1


def test_a_loop_needs_updates_both_ways() -> None:
    lines = LOOPS[0][0]
    for off in ("polling off", "outbound update off"):
        clauses = BOTH.replace(off.removesuffix(" off"), off)
        assert "CW307" not in codes(lead(fields=lines, clauses=clauses))


def test_a_loop_through_a_lead_a_prospect_and_a_contact_is_found() -> None:
    leads = lead(fields="Title -> title  Title <- occupation", clauses=BOTH)
    contacts = lead(fields='Title <- title  concat(Title, "!") -> occupation', clauses=BOTH)
    contacts = contacts.replace("Lead", "Contact")
    assert findings(leads.replace("<- occupation", "<- company"), contacts) == []
    (found,) = findings(leads, contacts)
    assert found.code == "CW307"
    files = {found.span.source.path, *(span.source.path for span, _ in found.related)}
    assert files == {"rules/1.sync", "rules/2.sync"}
