"""Hover says what a word means: fields and types as the systems describe them, rules in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lsp.conftest import LEADS, SHARED
from tests.lsp.editor import Editor, marked

SYNC = "sync Lead <-> prospect {\n    "
FIELDS = "sync Lead <-> prospect { fields {\n    "


def told(editor: Editor, text: str) -> str:
    """What is said of the word that the `|` of a text is in."""
    text, place = marked(text)
    uri = "untitled:hover"
    editor.open(uri, text)
    found = editor.at("hover", uri, place)
    return str(found["contents"]["value"]) if found else ""


WORDS = [
    ("sync Le|ad <-> prospect { }", "Salesforce type", "required: `LastName` and `Company`"),
    ("sync Lead <-> pros|pect { }", "Outreach type", "prospect"),
    (f"{FIELDS}Rat|ing -> title }} }}", "picklist", "values: `Hot`, `Warm` and `Cold`"),
    (f"{FIELDS}Own|erId <-> owner }} }}", "refers to `Group` or `User`", "`Owner.…`"),
    (f"{FIELDS}Owner.Na|me -> title }} }}", "Salesforce `User`", "Full Name"),
    (f"{FIELDS}Ow|ner.Name -> title }} }}", "OwnerId", "refers to"),
    (f"{FIELDS}Title -> ema|ils }} }}", "Outreach `prospect`", "list"),
    (f"{FIELDS}LastName -> lastName when Converted|Date is empty }} }}", "date", "read-only"),
    (f"{FIELDS}Is|Converted -> locked }} }}", "boolean", "written only when"),
    (f"{FIELDS}A__c <- sequence.step_|number }} }}", "Step number", "number"),
    (f"{FIELDS}lo|wer(Title) -> title }} }}", "lower(text)", "small letters"),
    (f"{FIELDS}Title -|> title }} }}", "Inbound", "from Salesforce to Outreach"),
    (f"{FIELDS}Title <-> title prevent em|pty }} }}", "does not overwrite", "prevent empty"),
    (f"{FIELDS}Title <-> title on|ce }} }}", "once", "only when the record is created"),
    (f"{SYNC}ma|tch Email = emails }}", "find each other", "for which Email equals emails"),
    (f"{SYNC}pol|ling }}", "Off unless written", "Here: on, every 10 minutes."),
    (f"{SYNC}polling every 90 se|conds }}", "every 90 seconds", ""),
    (f"{SYNC}inbound cre|ate off }}", "is made in Outreach", "Here: off."),
    (f"{SYNC}in|bound create when Email is present }}", "inbound create", "when Email is present."),
    (
        f'{SYNC}inbound create wh|en Email is present and Rating in ("Hot", "Warm") }}',
        "Only where the condition holds",
        'Here: Email is present, and Rating is "Hot" or "Warm".',
    ),
    (
        f'{SYNC}inbound create when a|ny {{ Title = "CEO" Rating != "Cold" }} }}',
        "at least one",
        'Here: Title is "CEO", or Rating is not "Cold".',
    ),
    (f'{SYNC}inbound create when Email con|tains "@" }}', "in it", 'Email contains "@"'),
    (f"{SYNC}inbound create when AnnualRevenue >|= 5 }}", "AnnualRevenue is at least 5", ""),
    (f'{SYNC}outbound update when st|age.name = "New" }}', "refers to `stage`", ""),
    ('values v|v { "a" -> "b" }', 'values vv {\n    "a" -> "b"', "otherwise hold"),
    ("activities a { ema|il opened }", "email opened", "costs a call"),
    ("activities a { call logged when dur|ation > 5 }", "", ""),
    ("activities a { email sent title from email_|sent }", "title template", "{{ subject }}"),
    ("activities a { email sent -> Ta|sk }", "Salesforce type", "Task"),
    ('test "t" { given Lead { Ra|ting: "Hot" } }', "picklist", "Salesforce `Lead`"),
    ('te|st "t" { }', "crosswalk test", ""),
    ("# lint: allow CW|402 they want it\n", "CW402", "opens or clicks"),
    ("# sync Le|ad", "", ""),
    ('test "a Lead sy|nc" { }', "", ""),
]


@pytest.mark.parametrize(("text", "first", "second"), WORDS, ids=[row[0][-40:] for row in WORDS])
def test_a_word_is_explained(scratch: Editor, text: str, first: str, second: str) -> None:
    said = told(scratch, text)
    assert first in said
    assert second in said
    assert bool(said) == bool(first)


def test_a_word_is_explained_in_a_statement_that_is_not_finished(scratch: Editor) -> None:
    assert "picklist" in told(scratch, "sync Lead <-> prospect {\n  fields {\n    Rat|ing ->")
    assert "Off unless written" in told(scratch, "sync Lead <-> prospect {\n  push|ing every")


def test_names_are_explained_across_files(start: Callable[..., Editor], project: Path) -> None:
    editor = start(project)
    leads, shared = editor.uri("rules/leads.sync"), editor.uri("rules/shared.sync")
    editor.open(leads, LEADS)
    editor.open(shared, SHARED)

    def said(uri: str, text: str, word: str) -> str:
        text, place = marked(text.replace(word, f"|{word}", 1))
        return str(editor.at("hover", uri, place)["contents"]["value"])

    assert '"Open - Not Contacted" -> "Open"' in said(leads, LEADS, "lead_status")
    assert "Title -> title" in said(leads, LEADS, "engagement")
    assert "email sent -> Task" in said(leads, LEADS, "standard")
    assert "[Mail] {{ subject }}" in said(shared, SHARED, "weekly")
    assert "Salesforce `Lead`" in said(shared, SHARED, "Title")


def test_the_range_is_that_of_the_word(scratch: Editor) -> None:
    text, place = marked(f'{SYNC}inbound create when Title != "\U0001f600" and Rat|ing = "Hot" }}')
    scratch.open("untitled:range", text)
    found = scratch.at("hover", "untitled:range", place)["range"]
    assert (found["start"]["character"], found["end"]["character"]) == (place[1] - 3, place[1] + 3)
