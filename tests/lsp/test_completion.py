"""Completion offers what the grammar and the schema let stand there, in texts half typed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lsp.editor import Editor, applied, marked

IN_SYNC = "sync Lead <-> prospect {\n    "
IN_FIELDS = "sync Lead <-> prospect {\n    fields {\n        "


def offered(editor: Editor, text: str) -> dict[str, dict[str, Any]]:
    """What is offered at the `|` of a text, by label and in the order that an editor shows."""
    text, place = marked(text)
    uri = "untitled:completion"
    editor.open(uri, text)
    items = editor.at("completion", uri, place)["items"]
    return {item["label"]: item for item in sorted(items, key=lambda item: item["sortText"])}


def after(editor: Editor, text: str, label: str) -> str:
    """A text with one of the offers taken."""
    item = offered(editor, text)[label]
    return applied(marked(text)[0], [item["textEdit"]])


# What is there, and what is not, at a `|`.
PLACES = [
    ("|", "sync stages guard crosswalk", "match Lead when"),
    ("sy|", "sync", "match"),
    ("sync |", "Lead Contact Account", "prospect sync"),
    ("sync Lead <-> |", "prospect account", "Lead"),
    ("sync Lead |", "", "Lead prospect match"),
    (f"{IN_SYNC}|", "match polling fields", "via Lead guard"),
    (f"{IN_SYNC}polling |", "every when on off match", "create Email"),
    (f"{IN_SYNC}polling every 5 |", "minutes hours", "Email when"),
    (f"{IN_SYNC}inbound |", "create update delete", "match Email"),
    (f"{IN_SYNC}match |", "Email LastName", "emails match"),
    (f"{IN_SYNC}match Email = |", "emails firstName", "Email"),
    (f"{IN_SYNC}match Email = emails and |", "LastName", "lastName"),
    (f"{IN_SYNC}inbound create when |", "Email all any not lower outreach.", "emails match"),
    (f"{IN_SYNC}inbound create when Email |", "in contains changed", "Email and when"),
    (f"{IN_SYNC}inbound create when Email is present |", "and or match", "Email is"),
    (f"{IN_SYNC}inbound create when all {{ Email is present |", "Email and any", "match"),
    (f"{IN_SYNC}outbound update when |", "emails stage. sequence. salesforce.", "Email"),
    (f"{IN_SYNC}outbound update when stage.|", "name color", "Email emails and"),
    (f"{IN_SYNC}outbound update when salesforce.|", "Email Owner.", "emails"),
    (f"{IN_SYNC}conflict |", "", "match"),
    (f"{IN_FIELDS}|", "Email Owner. use lower true", "emails match polling"),
    (f"{IN_FIELDS}Email -> |", "emails firstName", "Email owner. match"),
    (f"{IN_FIELDS}Title <- |", "title owner. sequence. lower", "Title"),
    (f"{IN_FIELDS}Email <-> emails |", "via once when Title", "emails on"),
    (f"{IN_FIELDS}Email <-> emails prevent |", "empty", "Title when"),
    (f"{IN_FIELDS}Email -> emails when |", "Email", "emails"),
    (f"{IN_FIELDS}Email <- emails when |", "emails", "Email"),
    (f"{IN_FIELDS}Email <-> emails when |", "emails Email", "polling"),
    (f"{IN_FIELDS}Owner.|", "Name ProfileId Manager.", "Company emails via"),
    (f"{IN_FIELDS}A__c <- account.owner.|", "email lastName", "Email"),
    (f"{IN_FIELDS}A__c <- sequence.|", "step_number status", "email"),
    (f"{IN_FIELDS}lower(|", "Title trim", "title use"),
    (f"{IN_FIELDS}Title -> lower(concat(|", "title upper", "Title"),
    ("activities a { |", "", "use Email"),
    ("activities a { email |", "sent received bounced", "logged"),
    ("activities a { email sent |", "off title when", "create"),
    ("activities a { email sent from |", "anywhere outreach", "email_sent"),
    ("activities a { email sent -> |", "Task Event", "Lead"),
    ("activities a { call logged title from |", "call_logged email_sent", "title"),
    ("activities a { call logged when |", "disposition duration direction", "Email"),
    ("activities a { call logged -> Task { |", "CallDurationInSeconds Subject", "duration"),
    ("activities a { call logged -> Task { Subject <- |", "disposition note", "CallType"),
    ("stages s { |", "otherwise", "sync hold"),
    ("stages s { otherwise |", "hold clear same", "otherwise"),
    ("limits { salesforce |", "", "outreach"),
    ("guard { |", "creates blanking", "salesforce"),
    ('test "t" { |', "given when", "match"),
    ('test "t" { given |', "Lead prospect", "given Email"),
    ('test "t" { given Lead { |', "Email LastName", "emails"),
    ('test "t" { given Lead { Email: "a" } linked prospect { |', "emails stage", "Email"),
    ("# |", "", "sync"),
    ('test "a |', "", "given"),
]


@pytest.mark.parametrize(("text", "there", "missing"), PLACES, ids=[row[0][-40:] for row in PLACES])
def test_what_fits_is_offered_and_nothing_else(
    scratch: Editor, text: str, there: str, missing: str
) -> None:
    found = offered(scratch, text)
    firsts = {label.partition(" ")[0] for label in found}
    assert set(there.split()) <= firsts
    assert not set(missing.split()) & firsts


@pytest.mark.parametrize(
    "rest", ["\n}\n", "\n    }\n}\n", "", "\n        Title -> title\n    }\n}"]
)
def test_what_comes_after_the_cursor_does_not_matter(scratch: Editor, rest: str) -> None:
    assert "emails" in offered(scratch, f"{IN_FIELDS}Email <-> |{rest}")


@pytest.mark.parametrize(
    "earlier",
    ["match Email =\n    ", "inbound crate\n    ", "polling evry 5 minutes\n    ", "§§\n    "],
)
def test_mistakes_in_earlier_statements_do_not_matter(scratch: Editor, earlier: str) -> None:
    found = offered(scratch, f"{IN_SYNC}{earlier}fields {{\n        Email ->\n        Title -> |")
    assert "title" in found


def test_words_that_only_stand_together_are_offered_together(scratch: Editor) -> None:
    found = offered(scratch, f"{IN_SYNC}|")
    assert {"inbound create", "sync down", "conflict prefer", "fallback association"} <= set(found)
    assert after(scratch, f"{IN_SYNC}inb|", "inbound create") == f"{IN_SYNC}inbound create"


def test_a_picklist_gives_the_values_and_they_come_first(scratch: Editor) -> None:
    found = offered(scratch, f"{IN_SYNC}inbound create when Rating = |")
    assert list(found)[:3] == ["Cold", "Hot", "Warm"]
    assert found["Hot"]["detail"] == "Lead.Rating"
    text = f'{IN_SYNC}inbound create when Rating in ("Hot", "W|")'
    assert after(scratch, text, "Warm") == f'{IN_SYNC}inbound create when Rating in ("Hot", "Warm")'
    text = f"{IN_SYNC}inbound create when Rating in (|)"
    assert after(scratch, text, "Warm") == f'{IN_SYNC}inbound create when Rating in ("Warm")'


def test_a_test_takes_the_values_of_its_records_fields(scratch: Editor) -> None:
    assert "Working - Contacted" in offered(scratch, 'test "t" { given Lead { Status: |')


def test_stages_are_known_by_the_map_that_leads_to_them(scratch: Editor) -> None:
    rules = 'stages s { "New" -> "Fresh" }\nsync Lead <-> prospect {\n'
    rules += "    fields { Status -> stage via s }\n}\n"
    assert "Fresh" in offered(scratch, f'{rules}test "t" {{ given prospect {{ stage: "|')
    assert "Open - Not Contacted" in offered(scratch, rules.replace('"New"', '"|"'))


def test_the_field_of_the_same_name_comes_first(scratch: Editor) -> None:
    for left, right in (("FirstName", "firstName"), ("OwnerId", "owner"), ("Email", "emails")):
        assert next(iter(offered(scratch, f"{IN_FIELDS}{left} <-> |"))) == right


def test_a_field_that_cannot_be_written_comes_after_those_that_can(scratch: Editor) -> None:
    fields = [
        "read-only" in item["documentation"]["value"]
        for item in offered(scratch, f"{IN_FIELDS}Title -> |").values()
        if "Outreach `prospect`" in item.get("documentation", {}).get("value", "")
    ]
    assert fields == sorted(fields)
    assert len(set(fields)) == 2


def test_names_of_groups_and_maps_are_offered_where_they_go(scratch: Editor) -> None:
    rules = 'values v { "a" -> "b" }\nfields f { Title -> title }\nactivities a { email sent }\n'
    assert list(offered(scratch, f"{rules}{IN_FIELDS}use |")) == ["f"]
    assert list(offered(scratch, f"{rules}{IN_SYNC}activities {{ use |")) == ["a"]
    assert list(offered(scratch, f"{rules}{IN_FIELDS}Title -> title via |")) == ["v"]


def test_a_group_knows_the_types_of_the_syncs_that_use_it(scratch: Editor) -> None:
    used = "fields f { | }\nsync Lead <-> prospect { fields { use f } }\n"
    assert "Company" in offered(scratch, used)
    assert "Company" not in offered(scratch, "fields f { | }")


def test_a_conflict_is_expected_on_a_field_of_the_syncs(scratch: Editor) -> None:
    rules = "sync Lead <-> prospect { }\n"
    assert {"Title", "emails"} <= set(offered(scratch, f'{rules}test "t" {{ expect conflict on |'))


def test_an_offer_says_what_it_is(scratch: Editor) -> None:
    found = offered(scratch, f"{IN_FIELDS}|")
    assert found["Rating"]["detail"] == "picklist · Rating"
    assert "values: `Hot`" in found["Rating"]["documentation"]["value"]
    assert found["lower"]["insertTextFormat"] == 2
    assert found["lower"]["textEdit"]["newText"] == "lower($1)"
    assert found["Rating"]["kind"] != found["use"]["kind"] != found["lower"]["kind"]


def test_what_is_typed_already_is_replaced(scratch: Editor) -> None:
    assert after(scratch, f"{IN_FIELDS}Own|", "OwnerId") == f"{IN_FIELDS}OwnerId"
    assert after(scratch, f"{IN_FIELDS}Owner.Na|", "Name") == f"{IN_FIELDS}Owner.Name"
    smile = f'{IN_SYNC}inbound create when Title = "\U0001f600" and Rat|'
    assert after(scratch, smile, "Rating").endswith('"\U0001f600" and Rating')
