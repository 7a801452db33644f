"""CW401 to CW411: what is advised against, once, where it stands; and what only looks like it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from dsl.diagnostics import Diagnostic
from dsl.fixes import Fix
from tests.dsl.support import findings

TOGGLES = "polling inbound create inbound update pushing outbound update"
STAGES = 'stages m { "Open - Not Contacted" <-> "Open" }\n'
OTHER_STAGES = 'stages n { "Open - Not Contacted" <-> "New" }\n'
SAME_STAGES = 'stages o { "Open - Not Contacted" <-> "Open" }\n'
USERS = (
    "sync User <-> user { match Email = email polling inbound update fields { Title -> title } }\n"
)
OPPORTUNITIES = "sync Opportunity <-> opportunity {{ match Name = name {} fields {{ {} }} }}\n"
KEYS = "Name -> name CloseDate -> closeDate"


def sync(
    fields: str = "Title -> title",
    toggles: str = TOGGLES,
    types: str = "Lead <-> prospect",
    more: str = "",
) -> str:
    match = "Name = name" if types.startswith(("Account", "Opp")) else "Email = emails"
    return f"sync {types} {{ match {match}\n{toggles}\nfields {{ {fields} }} {more} }}\n"


def contact(fields: str = "Title -> title", toggles: str = TOGGLES, more: str = "") -> str:
    return sync(fields, toggles, "Contact <-> prospect", more)


def account(toggles: str, fields: str = "Name <-> name") -> str:
    return sync(fields, toggles, "Account <-> account")


def opportunity(toggles: str = "polling inbound create inbound update", fields: str = "") -> str:
    return sync(f"{KEYS} {fields}", toggles, "Opportunity <-> opportunity")


def advice(*texts: str) -> list[tuple[str, str]]:
    """The warnings of the 400s, each with the words that it points at."""
    found = findings(*texts)
    return [(d.code, " ".join(d.span.text.split())) for d in found if d.code >= "CW4"]


def only(*texts: str) -> Diagnostic:
    (found,) = (d for d in findings(*texts) if d.code >= "CW4")
    return found


def mended(text: str, fix: Fix | None) -> str:
    assert fix is not None
    for edit in sorted(fix.edits, key=lambda e: e.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


# Each: what is bad, the one code that says so, and the words that it points at.
BAD = [
    (account("pushing outbound create"), "CW401", "outbound create"),
    (account('pushing outbound create on when name = "x"'), "CW401", "outbound create"),
    (opportunity("polling inbound update pushing outbound create"), "CW401", "outbound create"),
    (sync(more="activities { email opened }"), "CW402", "email opened"),
    (sync(more="activities { email clicked on -> Task }"), "CW402", "email clicked"),
    (sync(more="activities { email  clicked from anywhere }"), "CW402", "email clicked"),
    (sync(toggles="polling every 9 minutes inbound update"), "CW403", "every 9 minutes"),
    (sync(toggles="inbound update polling every 30 seconds"), "CW403", "every 30 seconds"),
    ("limits { salesforce own 143 per day }" + sync(), "CW403", "salesforce own 143 per day"),
    ("limits { salesforce own 5 per hour }" + sync(), "CW403", "salesforce own 5 per hour"),
    ("limits { outreach own 239 per hour }" + sync(), "CW403", "outreach own 239 per hour"),
    (
        "limits { salesforce own 200 per day salesforce total 250 per day }" + sync() + contact(),
        "CW403",
        "salesforce own 200 per day",
    ),
    (opportunity("polling inbound update pushing outbound update"), "CW404", "outbound update"),
    (opportunity("polling inbound update outbound delete on"), "CW404", "outbound delete"),
    (contact(toggles="fallback association") + opportunity(), "CW405", "fallback association"),
    (sync("OwnerId <-> owner"), "CW406", "OwnerId <-> owner"),
    (sync("OwnerId -> owner"), "CW406", "OwnerId -> owner"),
    (sync("Boss__c -> owner"), "CW406", "Boss__c -> owner"),
    (
        account("polling inbound update", "Name <-> name OwnerId -> owner"),
        "CW406",
        "OwnerId -> owner",
    ),
    (sync("OwnerId <-> owner") + contact("OwnerId <-> owner"), "CW406", "OwnerId <-> owner"),
    (sync("Status <-> stage"), "CW407", "Status <-> stage"),
    (sync("Status -> stage"), "CW407", "Status -> stage"),
    (sync("Status <- stage.name"), "CW407", "Status <- stage.name"),
    (contact("Contact_Status__c <-> stage"), "CW407", "Contact_Status__c <-> stage"),
    (STAGES + sync("Status -> stage via m"), "CW407", "->"),
    (STAGES + sync("Status <- stage via m"), "CW407", "<-"),
    (STAGES + contact("Contact_Status__c -> stage via m"), "CW407", "->"),
    (opportunity(fields="StageName -> opportunityStage"), "CW407", "StageName -> opportunityStage"),
    (sync("DoNotCall <-> callOptedOut"), "CW408", "DoNotCall <-> callOptedOut"),
    (sync("DoNotCall -> callOptedOut"), "CW408", "DoNotCall -> callOptedOut"),
    (sync("HasOptedOutOfFax <- optedOut"), "CW408", "HasOptedOutOfFax <- optedOut"),
    (sync("false -> emailOptedOut"), "CW408", "false -> emailOptedOut"),
    (
        sync("DoNotCall -> callOptedOut when DoNotCall = false"),
        "CW408",
        "DoNotCall -> callOptedOut",
    ),
    (
        sync("DoNotCall <-> callOptedOut when DoNotCall = true"),
        "CW408",
        "DoNotCall <-> callOptedOut",
    ),
    (
        sync('DoNotCall -> callOptedOut when DoNotCall = true or Rating = "Hot"'),
        "CW408",
        "DoNotCall -> callOptedOut",
    ),
    (sync("LastName <-> lastName"), "CW409", "LastName"),
    (sync("LastName <-> lastName prevent empty inbound"), "CW409", "LastName"),
    (sync("LastName <-> lastName when Title is present"), "CW409", "LastName"),
    (sync("Company <- trim(company)"), "CW409", "Company"),
    (sync("Company <- account.name"), "CW409", "Company"),
    (
        sync(
            "Email -> email FirstName -> firstName",
            "polling inbound update",
            "User <-> user",
        ).replace("= emails", "= email"),
        "CW409",
        "firstName",
    ),
    (
        'values v { "a" <-> "b" otherwise clear }'
        + account("polling inbound update", "Name -> name via v"),
        "CW409",
        "name",
    ),
    (
        sync("NumberOfEmployees -> custom1") + contact("Title <-> custom1"),
        "CW410",
        "Title <-> custom1",
    ),
    (
        sync("NumberOfEmployees -> custom1") + contact("Title <- custom1"),
        "CW410",
        "Title <- custom1",
    ),
    (
        STAGES + OTHER_STAGES + sync("Status <-> stage via m") + contact("X__c <-> stage via n"),
        "CW410",
        "n",
    ),
    (
        'values v { "USA" <-> "United States" }'
        + sync("Country <-> addressCountry via v")
        + contact("MailingCountry <-> addressCountry"),
        "CW410",
        "MailingCountry <-> addressCountry",
    ),
    (
        sync(toggles="pushing outbound create") + contact(toggles="pushing outbound create"),
        "CW411",
        "outbound create",
    ),
    (
        sync(toggles='pushing outbound create when title = "CEO"')
        + contact(toggles="pushing outbound create"),
        "CW411",
        "outbound create",
    ),
    (
        sync(toggles='pushing outbound create when title starts with "C"')
        + contact(toggles="pushing when score > 3 outbound create when title is present"),
        "CW411",
        "outbound create",
    ),
]


@pytest.mark.parametrize(("text", "code", "words"), BAD)
def test_what_is_advised_against_is_found_once(text: str, code: str, words: str) -> None:
    assert advice(text) == [(code, words)]


LOOKALIKES = [
    account("polling inbound create inbound update pushing outbound update"),
    account("pushing outbound create off"),
    sync("Title -> title", "pushing outbound create"),
    sync(more="activities { email opened off email clicked off email replied }"),
    "activities g { email opened }" + sync(more="activities { use g email opened off }"),
    sync(toggles="polling every 10 minutes inbound update"),
    sync(toggles="polling off every 1 minute"),
    sync(toggles="pushing every 1 second outbound update"),
    "limits { salesforce own 144 per day outreach own 240 per hour }" + sync(),
    "limits { salesforce own 10 per day }" + sync(toggles="pushing outbound update"),
    "limits { salesforce own 10 per day }" + sync(toggles="polling every 1 day inbound update"),
    opportunity(),
    opportunity("polling inbound update outbound update off"),
    sync(
        "OpportunityId <-> opportunity ContactId <-> prospect",
        "pushing outbound create outbound update",
        "OpportunityContactRole <-> opportunityProspectRole",
    ).replace("Email = emails", "Role = role"),
    contact(toggles="fallback association"),
    contact(toggles="fallback association off") + opportunity(),
    USERS + sync("OwnerId <-> owner"),
    sync("Owner.Name -> custom1"),
    sync("Boss__c <- owner"),
    sync("OwnerId__c <-> custom1"),
    STAGES + sync("Status <-> stage via m"),
    STAGES + sync("Status -> stage via m Status <- stage via m"),
    STAGES + sync("Status -> stage via m", "polling inbound create inbound update"),
    STAGES + sync("Status -> stage via m once"),
    STAGES + sync("Status <-> stage via m Stage_Copy__c <- stage"),
    sync("Status -> custom1"),
    sync("Stage__c <- stage.name"),
    sync('"New" -> stage once'),
    opportunity(fields="StageName -> opportunityStage via v") + 'values v { "a" -> "b" }',
    opportunity(fields="StageName -> opportunityStage")
    + "sync OpportunityStage <-> opportunityStage { match MasterLabel = name }",
    sync("DoNotCall -> callOptedOut when DoNotCall = true"),
    sync("DoNotCall -> callOptedOut when not (DoNotCall != true)"),
    sync("DoNotCall -> callOptedOut when DoNotCall in (true) and Title is present"),
    sync(
        "DoNotCall -> callOptedOut",
        "polling inbound create inbound update when DoNotCall = true",
    ),
    sync("DoNotCall -> callOptedOut once"),
    sync("DoNotCall -> callOptedOut", "polling inbound create"),
    sync("DoNotCall <-> callOptedOut", "polling"),
    sync("true -> optedOut"),
    "values v { true -> true }" + sync("DoNotCall -> callOptedOut via v"),
    sync("IsConverted <- optedOut once"),
    sync("HasOptedOutOfEmail -> custom1"),
    sync("LastName <-> lastName prevent empty"),
    sync("LastName <-> lastName prevent empty outbound"),
    sync("LastName -> lastName"),
    sync("LastName <- lastName when lastName is present"),
    sync('LastName <- lastName when lastName starts with "A"'),
    sync("LastName <-> lastName", "pushing outbound update when lastName is present"),
    sync("LastName <-> lastName", "polling inbound update pushing outbound update off"),
    sync('LastName <- coalesce(lastName, "Unknown")'),
    sync('LastName <- concat(firstName, " ", lastName)'),
    account(TOGGLES, "Name <-> name"),
    opportunity(fields="CreatedDate -> closeDate"),
    sync("Title <-> title") + contact("Title <-> title"),
    sync("Company -> company") + contact("Account.Name -> company"),
    sync("Score__c -> score") + contact("Title -> score"),
    sync("Title <- custom1") + contact("Department <- custom1"),
    sync("AnnualRevenue -> custom1") + contact("Title -> custom2"),
    STAGES + SAME_STAGES + sync("Status <-> stage via m") + contact("X__c <-> stage via o"),
    account("polling inbound update", "NumberOfEmployees -> custom1") + contact("Title -> custom1"),
    sync(toggles="pushing outbound create when account is empty")
    + contact(toggles="pushing outbound create when account is present"),
    sync(toggles="pushing when account is empty outbound create")
    + contact(toggles="pushing outbound create when account is present"),
    sync(toggles="pushing outbound create") + contact(toggles="outbound create"),
    sync(toggles="pushing outbound create") + contact(toggles="pushing outbound create off"),
]


@pytest.mark.parametrize("text", LOOKALIKES)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert advice(text) == []


def test_a_bad_line_of_a_group_is_one_finding() -> None:
    group = """
    activities a { email opened }
    fields f { DoNotCall <-> callOptedOut LastName <-> lastName }
    """
    uses = "use f"
    more = "activities { use a }"
    assert advice(group, sync(uses, more=more), contact(uses, more=more)) == [
        ("CW402", "email opened"),
        ("CW408", "DoNotCall <-> callOptedOut"),
        ("CW409", "LastName"),
    ]


def test_nothing_is_missed_where_something_cannot_be_read() -> None:
    broken = "sync User <-> { user }\n"
    assert advice(broken, sync("OwnerId <-> owner")) == []
    assert advice(broken, opportunity(fields="StageName -> opportunityStage")) == []
    assert advice(STAGES + sync("Status -> stage via m", f"{TOGGLES} conflict prefer nobody")) == []


def test_the_budget_is_told_in_numbers_and_the_costliest_sync_named() -> None:
    found = only(
        "limits { salesforce own 200 per day }",
        contact(toggles="polling every 1 hour inbound update"),
        sync(toggles="polling every 600 seconds inbound update"),
        account("polling every 30 minutes inbound update"),
    )
    assert found.message == (
        "polling alone makes at least 216 Salesforce calls a day, and the budget is 200"
    )
    ((place, words),) = found.related
    assert (place.text, words) == ("every 600 seconds", "144 of them are made here")


def test_findings_across_syncs_name_both_places() -> None:
    cases = [
        (contact(toggles="fallback association"), opportunity(), "Opportunity"),
        (contact("Title -> custom1"), sync("NumberOfEmployees -> custom1"), "Title -> custom1"),
        (
            contact(toggles="pushing outbound create"),
            sync(toggles="pushing outbound create"),
            "outbound create",
        ),
        (sync("OwnerId <-> owner"), contact("OwnerId -> owner"), "OwnerId -> owner"),
    ]
    for one, other, words in cases:
        found = only(one, other)
        ((place, _),) = found.related
        assert place.text == words
        assert {place.source.path, found.span.source.path} == {"rules/1.sync", "rules/2.sync"}


# Each fix leaves nothing to be advised.
FIXABLE = [text for text, code, _ in BAD if code in ("CW401", "CW402", "CW404", "CW405", "CW409")]
FIXABLE += [
    sync("DoNotCall <-> callOptedOut"),
    sync("DoNotCall -> callOptedOut"),
    sync("HasOptedOutOfFax <- optedOut"),
    sync(toggles="polling every 9 minutes inbound update"),
    STAGES + sync("Status -> stage via m"),
]


@pytest.mark.parametrize("text", FIXABLE)
def test_the_offered_fix_mends_it(text: str) -> None:
    (fix,) = only(text).fixes
    assert not fix.safe
    assert advice(mended(text, fix)) == []


def test_the_shipped_rules_follow_the_advice() -> None:
    rules = sorted((Path(__file__).parents[2] / "rules").glob("*.sync"))
    assert rules
    assert findings(*(file.read_text(encoding="utf-8") for file in rules)) == []


def test_an_advice_can_be_silenced_with_a_why() -> None:
    text = dedent(
        """
        sync Account <-> account {
            match Name = name
            pushing
            # lint: allow CW401 the partner portal makes accounts in Outreach first
            outbound create
            fields { Name <-> name }
        }
        """
    )
    assert advice(text) == []
