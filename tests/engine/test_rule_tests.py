"""Tests written in the language: each kind of statement where it holds and where it does not."""

from __future__ import annotations

import pytest

from dsl.lint import check
from dsl.schema import shipped_schema
from dsl.source import Source
from engine.activities import carried_out
from engine.rule_tests import Coverage, Result, Rules, run_test
from engine.shipped import RULES, title_names, title_texts
from tests.engine.rules import program_of

RULES_TEXT = """
stages st { "Open - Not Contacted" <-> "Open"  "Working - Contacted" <-> "Working" }
sync User <-> user {
    match Email = email
    polling
    inbound create
    fields { Email -> email  FirstName -> firstName  LastName -> lastName }
}
sync Lead <-> prospect {
    match Email = emails
    polling when IsConverted = false
    inbound create when all { Email is present  Rating in ("Hot", "Warm") }
    inbound update
    pushing
    outbound update when title != "Robot"
    fields {
        LastName  <-> lastName  prevent empty
        FirstName <-> firstName
        Email     <-> emails
        Title     <-> title
        Company    -> company
        Birthday__c -> custom1
        Status    <-> stage     via st
        OwnerId   <-> owner
        true       -> callOptedOut  once
    }
}
"""
#: Words that the tests below use for what would be long.
SHORT = {"HOT": 'Email: "rose@edge.com"  Rating: "Hot"', "LONG": "x" * 200}


def result_of(statements: str, rules: str = RULES_TEXT) -> Result:
    for word, text in SHORT.items():
        statements = statements.replace(word, text)
    program = program_of(f'{rules}\ntest "it" {{ {statements} }}')
    return run_test(Rules(program), program.tests[-1])


def failure_of(statements: str, rules: str = RULES_TEXT) -> str:
    """All that the only failure of a test says."""
    (failed,) = result_of(statements, rules).failures
    words = [words for _, words in failed.related]
    return "\n".join([failed.message, *failed.diff, failed.reason or "", *words])


@pytest.mark.parametrize(
    "statements",
    [
        'given Lead { Email: "a@x.co" } expect no prospect',
        'given Lead { HOT } expect prospect { emails: "rose@edge.com" }',
        'given Lead { HOT } expect prospect { emails: ["Rose@Edge.com"]  stage: "Open" }',
        "given Lead { HOT IsConverted: true } expect no prospect",
        'given Lead { Name: "Ada King Byron" } expect Lead { FirstName: "Ada King" }',
        'given Lead { LastName: " B " } expect Lead { LastName: "B" }',
        "given Lead { CreatedDate: 30 days ago } expect Lead { CreatedDate: 2026-10-24T09:31:00Z }",
        'given Lead { HOT } expect Lead { FirstName: "" } expect no conflict',
        (
            'given Lead { } linked prospect { stage: "Open" } when prospect { stage: "Working" }'
            ' expect Lead { Status: "Working - Contacted" }'
        ),
        (
            'given Lead { Title: "A" } linked prospect { title: "A" }'
            ' when Lead { Title: "B" } when prospect { title: "C" }'
            ' expect conflict on Title expect conflict on title expect prospect { title: "C" }'
        ),
        (
            'given Lead { Title: "A" } linked prospect { title: "A" }'
            ' when prospect { title: "C" } when Lead { Title: "B" } expect prospect { title: "B" }'
        ),
        'given Lead { HOT } when prospect { title: "CEO" } expect Lead { Title: "CEO" }',
        (
            'given Lead { OwnerId: "Ann Lee" } linked prospect { owner: "Ann Lee" }'
            ' when Lead { OwnerId: "bob.ray@x.co" } expect prospect { owner: "Bob Ray" }'
            ' expect prospect { owner: "bob.ray@x.co" }'
        ),
        (
            'given Lead { HOT OwnerId: "ann@x.co" }'
            ' given User { FirstName: "Ann"  LastName: "Lee"  Email: "ann@x.co" }'
            ' expect prospect { owner: "Ann Lee" }'
        ),
        (
            'given prospect { emails: ["a@x.co", "b@x.co"] } when prospect { emails: "c@x.co" }'
            ' expect prospect { emails: ["c@x.co", "a@x.co", "b@x.co"] }'
        ),
        (
            'given prospect { emails: "a@x.co" } given prospect { emails: "b@x.co" }'
            ' when prospect { emails: "B@x.co"  title: "CEO" }'
            ' expect prospect { emails: "b@x.co"  title: "CEO" }'
            ' expect prospect { emails: "a@x.co"  title: "" }'
        ),
        "given Lead { HOT } when Lead { IsConverted: true } expect Lead { IsConverted: true }",
        (
            'given Lead { Title: "A" } linked prospect { title: "A" } when Lead { Title: "B" }'
            ' expect prospect { title: "B" } when prospect { title: "C" }'
            ' expect Lead { Title: "C" }'
        ),
        'given Lead { Birthday__c: "May" } expect Lead { Birthday__c: "May" }',
        'given OpportunityContactRole { } expect Opportunity { Name: "Test" }',
    ],
)
def test_what_holds_passes(statements: str) -> None:
    assert result_of(statements).failures == ()


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (
            "given Lead { } expect prospect { }",
            ["there is no prospect", "+ no prospect", "not `Email is present`, not `Rating in"],
        ),
        (
            "given Lead { HOT IsConverted: true } expect prospect { }",
            ["does not see the Lead: not `IsConverted = false`"],
        ),
        (
            "given Lead { HOT } expect no prospect",
            ["there is one prospect", '+ prospect "Test"', "made it: inbound create"],
        ),
        ("given prospect { } expect no prospect", ["the test itself gives it"]),
        (
            (
                'given Lead { } linked prospect { stage: "Open" }'
                ' when prospect { stage: "Working" }'
                ' expect Lead { Status: "Closed - Converted" }'
            ),
            ['- Status: "Closed - Converted"', '+ Status: "Working - Contacted"'],
        ),
        (
            (
                'given Lead { Company: "A" } linked prospect { company: "A" }'
                ' when prospect { company: "B" } expect Lead { Company: "B" }'
            ),
            ["no line writes `Company` of Lead", "goes the other way"],
        ),
        (
            (
                'given Lead { } linked prospect { } when prospect { title: "Robot" }'
                ' expect Lead { Title: "Robot" }'
            ),
            ['+ Title: ""', 'kept the prospect back: not `title != "Robot"`'],
        ),
        (
            (
                'given Lead { LastName: "A" } linked prospect { } when prospect { lastName: "" }'
                ' expect Lead { LastName: "" }'
            ),
            ["does not let an empty value through"],
        ),
        (
            (
                "given Lead { } linked prospect { callOptedOut: false }"
                " expect prospect { callOptedOut: true }"
            ),
            ["- callOptedOut: true", "+ callOptedOut: false", "only written when the record is"],
        ),
        (
            (
                'given Lead { HOT } given Lead { HOT } when prospect { title: "A" }'
                ' expect prospect { title: "B" }'
            ),
            ['+ title: "A"', "held for review"],
        ),
        ("given prospect { } expect Lead { }", ["`outbound create` of Lead <-> prospect is off"]),
        ("given Account { } expect account { }", ["no sync of these rules", "do with account"]),
        (
            (
                'given Lead { Title: "A" } linked prospect { title: "A" }'
                ' when Lead { Title: "B" } when prospect { title: "C" } expect no conflict'
            ),
            ["a conflict on `Title`", 'Salesforce had "B", Outreach "C"; Outreach won'],
        ),
        (
            (
                'given Lead { Title: "A" } linked prospect { title: "A" }'
                ' when Lead { Title: "B" } when prospect { title: "C" }'
                ' expect prospect { title: "B" }'
            ),
            ["both sides changed it"],
        ),
        (
            (
                'given Lead { Title: "A" } linked prospect { title: "A" } when Lead { Title: "B" }'
                " expect conflict on Title"
            ),
            ["+ no conflict", "only one side changed it"],
        ),
        ("given Lead { } expect conflict on Titel", ["did you mean `Title`?"]),
        ("given Lead { } expect conflict on Company", ["goes one way only"]),
        ("given Lead { }", ["expects nothing"]),
        ("given prospect { } when prospect { title: 5 } expect no Lead", ["`title` is text"]),
        ('given Lead { } expect Lead { DoNotCall: "yes" }', ["`DoNotCall` is true or false"]),
        ("when Lead { } expect no Lead", ["there is no Lead to change"]),
        ('given Lead { } when Lead { Email: "x" } expect no prospect', ["Salesforce refuses this"]),
        ('given Lead { Id: "00Q" } expect no prospect', ["ids are given by the org"]),
        ("given Lead { } linked account { } expect no prospect", ["links `Lead` with `account`"]),
        ("given Widget__c { } expect no prospect", ["a custom one"]),
        (
            'given Lead { HOT } when prospect { title: "LONG" } expect Lead { Title: "LONG" }',
            ["update refused", "too large"],
        ),
    ],
)
def test_what_does_not_hold_fails_with_the_difference_and_the_reason(
    statements: str, told: list[str]
) -> None:
    text = failure_of(statements)
    for words in told:
        assert words in text


def test_a_failure_stands_at_its_expectation() -> None:
    (failed,) = result_of("given Lead { }\n expect prospect { }").failures
    assert failed.span.text == "expect prospect { }"
    assert [span.text.split(" when")[0] for span, _ in failed.related] == ["inbound create"]


def test_each_wrong_expectation_is_told() -> None:
    result = result_of("given Lead { } expect prospect { } expect Lead { } expect no Lead")
    assert len(result.failures) == 2
    assert not result.passed


def test_required_fields_that_the_test_leaves_out_make_no_conflict() -> None:
    result = result_of(
        'given Lead { Email: "a@x.co" } given prospect { emails: "a@x.co"  lastName: "Byron" }'
        ' expect Lead { LastName: "Byron" } expect prospect { lastName: "Byron" }'
        " expect no conflict"
    )
    assert result.failures == ()


def test_rules_that_never_come_to_rest_fail() -> None:
    rules = """
    sync Lead <-> prospect {
        match Email = emails
        polling inbound update pushing outbound update
        fields { Title -> title  Title <- concat(title, "!") }
    }
    """
    text = failure_of(
        'given Lead { Title: "A" } linked prospect { title: "A" } when Lead { Title: "B" }'
        " expect no conflict",
        rules,
    )
    assert "do not come to rest" in text


def test_a_sync_of_a_custom_type_does_not_keep_the_others_from_being_tested() -> None:
    widgets = """
    sync Widget__c <-> account { match Name = name  polling  fields { Name -> name } }
    """
    assert result_of("given Lead { } expect no prospect", RULES_TEXT + widgets).passed


def test_a_custom_field_that_rules_write_is_there_in_a_test() -> None:
    rules = RULES_TEXT.replace("Birthday__c -> custom1", "Tier__c <-> custom1  Seen__c <- optedOut")
    passed = result_of(
        'given Lead { HOT LastName: "B" Tier__c: "Gold" } linked prospect { custom1: "Gold" }'
        ' when prospect { custom1: "Silver" optedOut: true lastName: "C" }'
        ' expect Lead { Tier__c: "Silver" Seen__c: true LastName: "C" }',
        rules,
    )
    assert [f.message for f in passed.failures] == []


def test_coverage_tells_what_no_test_comes_by() -> None:
    program = program_of(
        RULES_TEXT
        + f"""
        test "in" {{ given Lead {{ {SHORT["HOT"]} }} expect prospect {{ }} }}
        test "out" {{ given Lead {{ Rating: "Hot" }} expect no prospect }}
        test "back" {{ given Lead {{ }} linked prospect {{ }} when prospect {{ title: "A" }}
                       expect Lead {{ Title: "A" }} }}
        """
    )
    rules = Rules(program)
    coverage = Coverage(rules)
    assert all(run_test(rules, test, coverage).passed for test in program.tests)
    used = {(t.pair, t.name): t.used for t in coverage.toggles}
    assert used == {
        ("User<->user", "inbound create"): False,
        ("Lead<->prospect", "inbound create"): True,
        ("Lead<->prospect", "inbound update"): False,
        ("Lead<->prospect", "outbound update"): True,
    }
    assert {t.span.text: t.answers for t in coverage.terms} == {
        "IsConverted = false": {True},
        "Email is present": {True, False},
        'Rating in ("Hot", "Warm")': {True},
        'title != "Robot"': {True},
    }
    assert coverage.as_text()[0] == (
        "coverage: 2 of 4 toggles used, 1 of 4 terms of conditions both true and false"
    )


def test_coverage_asks_the_conditions_of_activity_lines_and_none_of_the_engines_own() -> None:
    program = program_of("""
        activities shared { email sent when subject not contains "Out of office" }
        sync Lead <-> prospect {
            match Email = emails
            polling
            fields { Email -> emails }
            activities {
                use shared
                call logged when direction = "outbound" { CallObject <- note when note is present }
            }
        }
        sync Contact <-> prospect {
            match Email = emails
            polling
            fields { Email -> emails }
            activities { use shared  call logged when state = "completed" }
        }
        test "a call out" {
            given  Lead { Email: "a@x.co" } linked prospect { emails: "a@x.co" }
            when   call { prospect: "a@x.co"  state: "completed"  direction: "outbound" }
            expect Task { CallObject: "" }
        }
        test "a call in" {
            given  Lead { Email: "a@x.co" } linked prospect { emails: "a@x.co" }
            when   call { prospect: "a@x.co"  state: "completed"  direction: "inbound" }
            expect no Task
        }
        test "a mail" {
            given  Contact { Email: "a@x.co" } linked prospect { emails: "a@x.co" }
            when   mailing { prospect: "a@x.co"  mailingType: "single"  deliveredAt: 2026-11-23 }
            expect Task { }
        }
    """)
    rules = Rules(program)
    coverage = Coverage(rules)
    results = [run_test(rules, test, coverage) for test in program.tests]
    assert [f.message for result in results for f in result.failures] == []
    assert {(t.where, t.span.text): t.answers for t in coverage.terms} == {
        ("email sent", 'subject not contains "Out of office"'): {True},
        ("call logged", 'direction = "outbound"'): {True, False},
        ("call logged", "note is present"): {False},
        ("call logged", 'state = "completed"'): set(),
    }


# -- the stock rules ----------------------------------------------------------------------------


def stock(file: str = "", old: str = "", new: str = "") -> Rules:
    """The stock rules, with some text of a file replaced."""
    sources = []
    for path in sorted(RULES.glob("*.sync")):
        text = path.read_text(encoding="utf-8")
        if path.name == file:
            assert old in text
            text = text.replace(old, new, 1)
        sources.append(Source(f"rules/{path.name}", text))
    checked = check(sources, shipped_schema(), title_names())
    assert checked.ok
    return Rules(carried_out(checked.program, title_texts()))


def test_the_stock_rules_keep_their_promises() -> None:
    rules = stock()
    failed = [r.name for t in rules.program.tests if not (r := run_test(rules, t)).passed]
    assert failed == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("leads.sync", "inbound create when Email is present", "inbound create"),
        ("leads.sync", " when IsConverted = false", ""),
        ("leads.sync", "<-> title           prevent empty", "<-> title"),
        ("leads.sync", "Status              <-> stage", "Status               -> stage"),
        ("leads.sync", "emailOptedOut   when HasOptedOutOfEmail = true", "emailOptedOut"),
        ("leads.sync", "outbound update", "outbound update off"),
        ("leads.sync", "conflict prefer newest", "conflict prefer salesforce"),
        ("contacts.sync", "inbound create when Email is present", "inbound create"),
        ("contacts.sync", "AccountId           <-> account", "AccountId            -> account"),
        ("contacts.sync", "conflict prefer newest", "conflict prefer outreach"),
        ("users.sync", "true        -> locked     once  when IsActive = true", ""),
        ("users.sync", "true        -> locked     when IsActive = false", ""),
        ("roles.sync", "ParentRoleId  -> parentRole", ""),
        ("opportunities.sync", "Amount                -> amountPrecise", ""),
        ("opportunities.sync", "    outbound update\n", "    outbound update off\n"),
        ("accounts.sync", "    outbound update\n", ""),
        ("stages.sync", 'color "#3b82f6"', ""),
    ],
)
def test_a_change_of_what_the_stock_rules_promise_is_caught(file: str, old: str, new: str) -> None:
    rules = stock(file, old, new)
    tests = [test for test in rules.program.tests if test.span.source.path == f"rules/{file}"]
    assert any(not run_test(rules, test).passed for test in tests)
