"""CW205, CW206, CW302, CW305 and CW308: what the parts of one sync do to each other."""

from __future__ import annotations

import pytest

from tests.dsl.support import codes, findings, lead

BASE = "match Email = emails  polling  pushing\n"

GOOD_LINES = [
    # values
    'Title -> title when Rating = "hot"',
    'Title -> title when Rating not in ("Hot", "COLD")',
    'Title -> title when Rating starts with "Lukewarm"',
    'Title -> title when Rating__c = "Anything"',
    'Title -> title when ProductInterest__c = "Anything"',
    'Title <- title when stage.name = "No stage that we know"',
    'Title -> title when Owner.Title = "Boss"',
    'Rating <- "Hot"',
    '"Lukewarm" -> title',
    "Industry -> custom1 via used_for_both  Rating -> custom2 via used_for_both",
    "Title -> custom1 via free",
    # targets
    "Title -> title  Title <- title",
    'Title -> title when Rating = "Hot"  Company -> title when Rating = "Warm"',
    'Title -> title when Rating = "Hot"  Company -> title when not Rating = "HOT"',
    'Title -> title when Rating = "Hot"  Company -> title when Rating != "Hot"',
    "Title -> title when Title is present  Company -> title when Title is empty",
    'Title -> title when City is present and Rating = "Hot"  Company -> title when City is empty',
    # patterns
    'Title -> title when Title matches "^(VP|Director)\\\\b"',
    "Title -> title when Title matches Company",
]
MAPS = """
values used_for_both { "Hot" <-> "h"  "Banking" <-> "b" }
values free { "Anything" <-> "x" }
stages wrong { "Opne - Not Contacted" <-> "Open" }
stages back { "Working - Contacted" <- "Working"  "Nope at all" -> "Open" }
stages other { "Open - Not Contacted" <-> "Open"  otherwise "Unheard of" }
"""


@pytest.mark.parametrize("line", GOOD_LINES)
def test_a_good_line_gives_no_finding(line: str) -> None:
    assert codes(MAPS, lead(fields=line, clauses=BASE)) == []


BAD_LINES = [
    ('Title -> title when Rating = "Hott"', "CW205", "Hott", "Hot"),
    ('Title -> title when "Hott" != Rating', "CW205", "Hott", "Hot"),
    ('Title -> title when Rating in ("Hot", "Tepid")', "CW205", "Tepid", None),
    ('Title -> title when salesforce.LeadSource not in ("webb")', "CW205", "webb", "Web"),
    ('Rating <- "hot"', "CW205", "hot", "Hot"),
    ('Rating <- coalesce(title, "Hott")', "CW205", "Hott", "Hot"),
    ("Status <-> stage via wrong", "CW205", "Opne - Not Contacted", "Open - Not Contacted"),
    ("Status <-> stage via other", "CW205", "Unheard of", None),
    ("Title -> title  Company -> title", "CW302", "title", None),
    ("Title -> title once  Company -> title", "CW302", "title", None),
    ("Title <-> title  Title <-> title", "CW302", "title", None),
    ("Title <- title  Title <- occupation", "CW302", "Title", None),
    (
        'Title -> title when Rating = "Hot"  Company -> title when City = "X"',
        "CW302",
        "title",
        None,
    ),
    ('Title -> title when Title matches "a(?=b)"', "CW308", "(?=", None),
    ('Title -> title when Title matches "\\\\d(.)\\\\1"', "CW308", "\\\\1", None),
    ('Title -> title when not Title matches "(a"', "CW308", "(a", None),
]


@pytest.mark.parametrize(("line", "code", "text", "suggestion"), BAD_LINES)
def test_a_bad_line_gives_one_finding_at_the_word(
    line: str, code: str, text: str, suggestion: str | None
) -> None:
    (found,) = findings(MAPS, lead(fields=line, clauses=BASE))
    assert (found.code, found.span.text) == (code, text)
    assert found.suggestion == suggestion


def test_a_label_that_only_the_unused_direction_reads_is_left_alone() -> None:
    assert codes(MAPS, lead(fields="Status <- stage via back", clauses=BASE)) == []
    assert codes(MAPS, lead(fields="Status -> stage via back", clauses=BASE)) == ["CW205"]


def test_a_label_different_only_by_capitals_is_safely_mended() -> None:
    maps = 'stages m { "open - not contacted" <-> "Open" }'
    (found,) = findings(maps, lead(fields="Status <-> stage via m", clauses=BASE))
    assert (found.suggestion, found.fixable) == ("Open - Not Contacted", True)


def test_a_wrong_value_in_a_map_of_three_syncs_is_one_finding_and_names_a_use() -> None:
    maps = 'values m { "Enregy" <-> "e" }'
    syncs = "".join(
        f"sync {one} {{ fields {{ Industry -> custom1 via m }} }}\n"
        for one in ("Lead <-> prospect", "Account <-> account")
    )
    (found,) = findings(maps, syncs)
    assert (found.code, found.suggestion) == ("CW205", "Energy")
    assert [span.text for span, _ in found.related] == ["Industry -> custom1 via m"]


def test_a_tests_record_may_only_not_have_what_its_org_refuses() -> None:
    text = 'test "x" { given Lead { CleanStatus: "Pendng"  Rating: "Tepid" } }'
    (found,) = findings(text)
    assert (found.code, found.span.text, found.suggestion) == ("CW205", "Pendng", "Pending")


# -- two lines of one target --------------------------------------------------------------------


def test_two_lines_in_two_files_are_both_named() -> None:
    group = "fields g { Company -> title }"
    (found,) = findings(lead(fields="Title -> title\nuse g", clauses=BASE), group)
    assert (found.code, found.span.source.path) == ("CW302", "rules/2.sync")
    assert [span.source.path for span, _ in found.related] == ["rules/1.sync"]


def test_a_group_that_repeats_a_target_in_two_syncs_is_one_finding() -> None:
    group = "fields g { Title -> title  Department__c -> title }"
    lines = lead(fields="use g", clauses=BASE)
    assert codes(group, lines, lines.replace("Lead", "Contact")) == ["CW302"]


def test_an_activity_writes_a_field_once() -> None:
    text = "call logged { Description <- note  Description <- purpose }"
    assert codes(lead(activities=text)) == ["CW302"]


# -- required fields and toggles ----------------------------------------------------------------

SYNCS = [
    ("sync Account <-> account { polling inbound create fields { Name -> name } }", "CW305"),
    (
        "sync Account <-> account { match Name = name  polling  inbound create fields { } }",
        "CW206",
    ),
    (
        (
            "sync Account <-> account { match Name = name  polling  inbound create"
            " fields { Name <- name } }"
        ),
        "CW206",
    ),
    ("sync Lead <-> prospect { match Email = emails  pushing  outbound create }", "CW206"),
    ("sync Lead <-> prospect { match Email = emails  inbound create }", "CW305"),
    ("sync Lead <-> prospect { polling off  inbound update fields { Title -> title } }", "CW305"),
    ("sync Lead <-> prospect { polling  inbound update fields { Title <- title } }", "CW305"),
    ("sync Lead <-> prospect { polling  inbound update fields { Title -> title once } }", "CW305"),
    ("sync Lead <-> prospect { pushing  outbound update fields { Title -> title } }", "CW305"),
    ("sync Lead <-> prospect { outbound delete }", "CW305"),
    (
        "sync Lead <-> prospect { match Email = emails  sync down fields { A__c -> title } }",
        "CW305",
    ),
    ("sync Lead <-> prospect { pushing  sync down  fields { Title -> title } }", "CW305"),
    ("sync Lead <-> prospect { fallback association }", "CW305"),
]


@pytest.mark.parametrize(("text", "code"), SYNCS)
def test_a_toggle_that_cannot_do_its_work_is_found(text: str, code: str) -> None:
    (found,) = findings(text)
    assert found.code == code
    word = next(w for w in ("update", "create", "down", "delete", "association") if w in text)
    assert found.span.text.endswith(word)


@pytest.mark.parametrize(
    "text",
    [
        (
            "sync Account <-> account { match Name = name  polling  inbound create"
            " fields { Name -> name } }"
        ),
        (
            "sync Lead <-> prospect { match Email = emails  pushing  outbound create"
            " fields { LastName <-> lastName  Company <- company } }"
        ),
        "sync Widget__c <-> prospect { match A__c = emails  pushing  outbound create }",
        (
            "sync Lead <-> prospect { match Email = emails  pushing  sync down"
            " fields { Title -> title } }"
        ),
        "sync Lead <-> prospect { inbound create off  outbound update off  polling  pushing }",
        "sync Lead <-> prospect { fallback association  activities { call logged } }",
    ],
)
def test_a_toggle_with_all_that_it_needs_gives_no_finding(text: str) -> None:
    assert not {"CW206", "CW305"} & set(codes(text))


def test_all_missing_fields_are_in_one_finding() -> None:
    text = "sync User <-> user { match Email = email  polling  inbound create }"
    (found,) = findings(text)
    assert found.span.text == "inbound create"
    assert all(f"`{name}`" in found.message for name in ("email", "firstName", "lastName"))


def test_nothing_is_said_of_what_is_missing_where_something_is_broken() -> None:
    text = (
        "sync Account <-> account { polling inbound create inbound update fields { Nmae -> name } }"
    )
    assert codes(text) == ["CW202"]
    assert codes(text.replace("Nmae ->", "Name =")) == ["CW101"]
