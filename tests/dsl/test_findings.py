"""Each code: what it finds, and what it leaves alone."""

from __future__ import annotations

import pytest

from tests.dsl.support import TEMPLATES, checked, codes, findings, lead, places

LINES_OF_GOOD = [
    "FirstName <-> firstName",
    "Owner.Name -> title",
    "Owner.Manager.Email -> title",
    "OwnerId <-> owner",
    "Status <-> stage via m",
    "Status <-> stage",
    "Status <- stage.name",
    "Rating__c <-> custom7",
    "Anything__c <-> custom151",
    "Widget__r.Name -> title",
    "NumberOfEmployees <-> custom3",
    "NumberOfEmployees -> title",
    "number(Title) -> score",
    "DoNotCall <-> callOptedOut",
    "Email <-> emails",
    "MobilePhone <-> mobilePhones",
    "CreatedDate -> jobStartDate",
    "EmailBouncedDate <- updatedAt",
    "true -> locked once",
    '"Salesforce" -> source',
    "IsConverted <- optedOut once",
    "Description <- sequence.name",
    "Foo__c <- sequence.user_salesforce_id",
    "coalesce(Title, Company) -> title",
    "Id -> externalId",
    'Title <-> title when salesforce.Rating = "Hot" and outreach.stage.name = "Open"',
    'Title <-> title when Rating = "Hot" and firstName is present',
    "Title -> title when Title changed",
    "Title <- title when firstName changed",
    "Title <-> title prevent empty inbound prevent empty outbound",
]


@pytest.mark.parametrize("line", LINES_OF_GOOD)
def test_a_good_line_gives_no_error(line: str) -> None:
    found = findings('stages m { "Open - Not Contacted" <-> "Open" }', lead(fields=line))
    assert not any(d.is_error for d in found)


# Each: a line in the `fields` of a sync of leads, and the code and text of its one finding.
LINES_OF_BAD = [
    ("FristName <-> firstName", "CW202", "FristName"),
    ("FirstName <-> fristName", "CW202", "fristName"),
    ("firstName <-> FirstName", "CW202", "firstName <-> FirstName"),
    ("Owner.Nmae -> title", "CW202", "Nmae"),
    ("OwnerId.Name -> title", "CW202", "OwnerId"),
    ("Owner -> title", "CW202", "Owner"),
    ("Title.Name -> title", "CW202", "Title"),
    ("Description <- sequence.nam", "CW202", "nam"),
    ("Description <- sequence", "CW202", "sequence"),
    ("Description <- opportunities.name", "CW202", "opportunities"),
    ("sequence.name -> title", "CW202", "sequence"),
    ('Title -> title when stage = "x"', "CW202", "stage"),
    ("DoNotCall <-> firstName", "CW203", "DoNotCall <-> firstName"),
    ("NumberOfEmployees <-> optedOut", "CW203", "NumberOfEmployees <-> optedOut"),
    ("CreatedDate -> score", "CW203", "CreatedDate -> score"),
    ("Title -> score", "CW203", "Title -> score"),
    ("OwnerId <-> account", "CW203", "OwnerId <-> account"),
    ("Email -> owner", "CW203", "Email -> owner"),
    ("Address -> addressCity", "CW203", "Address -> addressCity"),
    ('Title -> title when DoNotCall = "true"', "CW203", '"true"'),
    ('Title -> title when NumberOfEmployees > "many"', "CW203", '"many"'),
    ("Title -> title when Title = 3", "CW203", "3"),
    ('Title -> title when DoNotCall contains "x"', "CW203", "DoNotCall"),
    ("Title -> title when DoNotCall < true", "CW203", "DoNotCall"),
    ('Title -> title when CreatedDate = "soon"', "CW203", '"soon"'),
    ('Title -> title when NumberOfEmployees in (1, "2", 3)', "CW203", '"2"'),
    ("Title -> title when lower(Title) changed", "CW203", "lower(Title)"),
    ('left(Title, "two") -> title', "CW203", '"two"'),
    ("Name <- firstName", "CW204", "Name"),
    ("FirstName -> name", "CW204", "name"),
    ("CreatedDate <- createdAt", "CW204", "CreatedDate"),
    ("Owner.Name <- title", "CW204", "Owner.Name"),
    ("Owner.Name <-> title", "CW204", "Owner.Name"),
    ("Title -> stage.name", "CW204", "stage.name"),
    ("lower(Title) <-> title", "CW204", "lower(Title)"),
    ('"x" <- title', "CW204", '"x"'),
    ("OwnerId <-> assignedUsers", "CW204", "assignedUsers"),
    ("IsConverted <- optedOut", "CW204", "IsConverted"),
    ("Id <- externalId", "CW204", "Id"),
    ("Description -> sequence.name", "CW204", "sequence.name"),
    ("Title <-> title via nope", "CW207", "nope"),
    ("use nope", "CW207", "nope"),
    ("lowr(Title) -> title", "CW209", "lowr"),
    ("lower(Title, Title) -> title", "CW209", "lower(Title, Title)"),
    ("replace(Title) -> title", "CW209", "replace(Title)"),
    ("concat() -> title", "CW209", "concat()"),
    ("Title <-> title once once", "CW103", "once"),
    ("Title <-> title prevent empty prevent empty inbound", "CW103", "prevent empty inbound"),
    ("Title <-> title prefer newest prefer newest", "CW103", "prefer"),
]


@pytest.mark.parametrize(("line", "code", "text"), LINES_OF_BAD)
def test_a_bad_line_gives_one_finding_at_the_thing(line: str, code: str, text: str) -> None:
    (found,) = findings(lead(fields=line))
    assert (found.code, found.span.text) == (code, text)


@pytest.mark.parametrize("line", [line for line, code, _ in LINES_OF_BAD if code != "CW103"])
def test_a_bad_line_is_left_out_of_the_program(line: str) -> None:
    (pair,) = checked(
        lead(fields=f"Company <-> company\n{line}\nCity <-> addressCity")
    ).program.pairs
    assert [each.key for each in pair.lines] == ["Company <-> company", "City <-> addressCity"]


CLAUSES_OF_BAD = [
    ("inbound create when Emial is present", "CW202", "Emial"),
    ('inbound create when stage = "x"', "CW202", "stage"),
    ('outbound create when Status = "x"', "CW202", "Status"),
    ("pushing when optedOut = 1", "CW203", "1"),
    ("match Emial = emails", "CW202", "Emial"),
    ("match Email = email", "CW202", "email"),
    ("match DoNotCall = emails", "CW203", "DoNotCall = emails"),
    ("pushing pushing", "CW103", "pushing"),
    ("pushing on off", "CW103", "off"),
    ("polling every 1 hour every 2 hours", "CW103", "every"),
    ("conflict prefer newest conflict prefer outreach", "CW103", "conflict"),
    ("fields { Title <-> title } fields { Company <-> company }", "CW103", "fields"),
    ("activities { email snt }", "CW101", "snt"),
    ("activities { email sent -> Taks }", "CW201", "Taks"),
    ("activities { email sent title from email_snt }", "CW207", "email_snt"),
    ("activities { use standrd }", "CW207", "standrd"),
    ("activities { email sent email sent }", "CW103", "email sent"),
    ('activities { email sent when subjct = "x" }', "CW202", "subjct"),
    ("activities { call logged { Subject -> note } }", "CW204", "->"),
    ("activities { call logged { Subjet <- note } }", "CW202", "Subjet"),
    ("activities { call logged { CreatedDate <- answeredAt } }", "CW204", "CreatedDate"),
]


@pytest.mark.parametrize(("clause", "code", "text"), CLAUSES_OF_BAD)
def test_a_bad_clause_gives_one_finding_at_the_thing(clause: str, code: str, text: str) -> None:
    (found,) = findings(lead(clauses=clause))
    assert (found.code, found.span.text) == (code, text)


@pytest.mark.parametrize(
    "clause",
    [
        "match Email = emails\nmatch FirstName = firstName and LastName = lastName",
        'polling when outreach.stage.name = "Open" or Email is present',
        'pushing when salesforce.Rating = "Hot" and emails contains "@acme.com"',
        "polling when SystemModstamp > 30 days ago and ConvertedDate <= today",
        'activities { email sent when state = "delivered" }',
        'activities { meeting booked when state = "booked" }',
        "activities { call logged { CallDisposition <- disposition  Description <- note } }",
        'activities { task completed when action in ("call") }',
        "inbound create off\noutbound create off\nsync down off\nfallback association off",
    ],
)
def test_a_good_clause_gives_no_finding(clause: str) -> None:
    assert codes(lead(clauses=clause)) == []


def test_unknown_types_are_found_on_both_sides() -> None:
    found = findings("sync Leed <-> prospekt { }")
    assert [(d.code, d.suggestion) for d in found] == [("CW201", "Lead"), ("CW201", "prospect")]


def test_swapped_types_are_named_as_such() -> None:
    found = findings("sync prospect <-> Lead { }")
    assert [d.code for d in found] == ["CW201", "CW201"]
    assert "Salesforce is on the left" in (found[0].help or "")


def test_a_sync_of_an_unknown_type_gives_no_further_findings() -> None:
    text = "sync Leed <-> prospect { match A = b  fields { A <-> b } inbound create when C = 1 }"
    assert codes(text) == ["CW201"]


def test_a_custom_type_is_taken_at_its_word() -> None:
    text = "sync Widget__c <-> account { match Anything = name  fields { What <-> name } }"
    assert codes(text) == []


@pytest.mark.parametrize(("version", "expected"), [("1", []), ("2", ["CW102"]), ("1.5", ["CW102"])])
def test_only_known_language_versions_pass(version: str, expected: list[str]) -> None:
    assert codes(f"crosswalk {version}") == expected


def test_two_files_may_name_the_same_version() -> None:
    assert codes("crosswalk 1", "crosswalk 1") == []


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("fields x { }", "fields x { }"),
        ("activities x { }", "activities x { }"),
        ("stages x { }", "values x { }"),
        ("limits { outreach own 5 per day }", "limits { outreach own 6 per day }"),
        ("guard { creates 5 per run }", "guard { creates 6 per run }"),
    ],
)
def test_what_is_given_in_two_files_is_found_and_both_are_named(one: str, two: str) -> None:
    (found,) = findings(one, two)
    assert found.code == "CW103"
    assert found.span.source.path == "rules/2.sync"
    assert [span.source.path for span, _ in found.related] == ["rules/1.sync"]


def test_different_budgets_and_groups_of_different_kinds_go_together() -> None:
    text = """
        limits { outreach own 5 per day  outreach own 5 per hour  salesforce own 5 per day }
        guard { creates 5 per run  blanking 1% }
        fields x { }
        activities x { }
        stages x { }
    """
    assert codes(text) == []


def test_two_syncs_of_one_pair_are_found() -> None:
    (found,) = findings("sync Lead <-> prospect { }\nsync Lead <-> prospect { }")
    assert (found.code, found.span.first.line) == ("CW301", 2)


def test_two_syncs_of_one_resource_are_no_duplicates() -> None:
    assert codes("sync Lead <-> prospect { }\nsync Contact <-> prospect { }") == []


def test_a_mistake_in_a_group_is_reported_once_and_says_where_it_is_used() -> None:
    text = """
        fields g { Frist__x <-> firstName }
        sync Lead <-> prospect { fields { use g } }
        sync Contact <-> prospect { fields { use g } }
    """
    (found,) = findings(text)
    assert found.code == "CW202"
    assert [span.text for span, _ in found.related] == ["use g"]


def test_a_group_that_nobody_uses_is_not_resolved() -> None:
    assert codes("fields g { Whatever <-> thing }") == []


def test_a_name_that_stands_in_what_could_not_be_read_is_not_missed() -> None:
    text = "fields <> engagement { A <-> a }\n" + lead(fields="use engagement")
    assert codes(text) == ["CW101"]


def test_a_group_of_the_other_kind_is_named_as_such() -> None:
    (found,) = findings("activities g { }", lead(fields="use g"))
    assert (found.code, found.help) == ("CW207", "`g` is a group of activities")


def test_two_groups_with_one_activity_need_a_word() -> None:
    groups = "activities a { email sent }\nactivities b { email sent off }\n"
    assert codes(groups + lead(activities="use a\nuse b")) == ["CW103"]
    assert codes(groups + lead(activities="use a\nuse b\nemail sent")) == []


def test_tests_are_checked_for_types_and_fields() -> None:
    text = """
        test "x" {
            given Lead { Emial: "x"  Rating__c: "y"  Email: "a"  Email: "b" }
            when prospekt { }
            expect no Widget__c
        }
    """
    assert places(text) == [("CW202", 3, 18), ("CW103", 3, 66), ("CW201", 4, 10)] or codes(
        text
    ) == [*("CW202", "CW103", "CW201")]


def test_suggestions_are_the_text_to_write() -> None:
    (found,) = findings(lead(fields="Frstname <-> firstName"))
    assert found.suggestion == "FirstName"
    (found,) = findings("sync Lead <-> prospect { inbond create }")
    assert found.suggestion == "inbound"


def test_a_finding_of_one_file_leaves_the_others_alone() -> None:
    found = checked("sync Lead <-> prospect { macth }", lead().replace("Lead", "Contact"))
    assert [d.span.source.path for d in found.diagnostics] == ["rules/1.sync"]
    assert [p.name for p in found.program.pairs] == ["Lead<->prospect", "Contact<->prospect"]
    assert not found.ok


def test_an_own_template_can_be_named() -> None:
    assert "email_sent" in TEMPLATES
    assert codes(lead(activities="email sent title from email_sent")) == []
