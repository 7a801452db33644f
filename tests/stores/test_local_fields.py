"""Custom fields of local orgs: added, written, kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dsl.schema import Kind
from engine.stores.local import SAMPLE, Refused, dump, load, open_org
from tests.cli.program import crosswalk
from tests.stores.orgs import MEMORY, O, S, org_of, rows, write


def test_a_custom_field_is_described_written_and_refused_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    org, _ = org_of(S, path)
    before = write(org, "Lead", LastName="A", Company="C").id
    org.add_field("Lead", "Region__c", "picklist", values=["EMEA", "AMER"])
    org.add_field("Lead", "Seen__c", "checkbox")
    org.add_field("Lead", "Code__c", "text", length=3)
    org.add_field("Lead", "Buddy__c", "reference", to="User")
    load(org, SAMPLE / "salesforce")
    user = rows(org, "User", "LastName")[0][0]
    last = rows(org, "User", "LastName")[0][1]
    values = {"Region__c": "EMEA", "Seen__c": True, "Code__c": "abc", "Buddy__c": user}
    record = write(org, "Lead", LastName="B", Company="C", **values).id
    org.close()

    org = open_org(S, path)  # what was added is in the file
    described = org.describe("Lead")
    assert described is not None
    assert described.fields["Seen__c"].kind is Kind.BOOLEAN
    names = ["Region__c", "Seen__c", "Code__c", "Buddy__r.LastName"]
    found = {row[0]: row[1:] for row in rows(org, "Lead", *names)}
    assert found[str(before)] == (None, False, None, None)
    assert found[str(record)] == ("EMEA", True, "abc", last)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"Region__c": "APAC"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Code__c": "abcd"}, "STRING_TOO_LONG"),
        ({"Buddy__c": before}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"Other__c": "x"}, "INVALID_FIELD"),
    ]
    assert [write(org, "Lead", record, **v).code for v, _ in wrong] == [code for _, code in wrong]
    org.close()


def test_custom_fields_survive_a_dump_and_take_what_was_loaded(tmp_path: Path) -> None:
    one, _ = org_of(S)
    one.add_field("Account", "Tier__c", "picklist", values=["Gold"])
    one.add_field("Account", "Old__c", "number", label="Age")
    record = write(one, "Account", Name="A", Tier__c="Gold", Old__c=7).id
    dump(one, tmp_path)
    other, _ = org_of(S)
    load(other, tmp_path)
    load(other, tmp_path)
    assert rows(other, "Account", "Tier__c", "Old__c") == [(record, "Gold", 7)]
    assert other.file.customized() == one.file.customized()
    (tmp_path / "custom_fields.json").unlink()
    late, _ = org_of(S)
    load(late, tmp_path)
    late.add_field("Account", "Old__c", "number")
    assert late.get("Account", record or "")["Old__c"] == 7  # type: ignore[index]
    assert write(late, "Account", record, Old__c=8).code == ""
    assert rows(late, "Account", "Old__c", "Tier__c") == [(record, 8, "Gold")]
    for org in (one, other, late):
        org.close()


@pytest.mark.parametrize(
    ("name", "kind", "more", "words"),
    [
        ("Region", "text", {}, "no name for a custom field"),
        ("A__b__d__c", "text", {}, "no name for a custom field"),
        ("Region__c", "picklist", {}, "needs its values"),
        ("Region__c", "reference", {}, "needs the type"),
        ("Region__c", "number", {"length": 3}, "only a text has a length"),
        ("Region__c", "text", {"length": 300}, "1 to 255"),
        ("TAKEN__C", "text", {}, "no name"),
        ("taken__c", "text", {}, "has a field taken__c already"),
    ],
)
def test_what_no_administrator_could_add_is_refused(
    name: str, kind: str, more: dict[str, Any], words: str
) -> None:
    org, _ = org_of(S)
    org.add_field("Lead", "Taken__c", "text")
    with pytest.raises(Refused, match=words):
        org.add_field("Lead", name, kind, **more)
    org.close()


def test_outreach_has_its_custom_fields_and_only_labels_them() -> None:
    org = open_org(O, MEMORY)
    with pytest.raises(Refused, match="only be given a label"):
        org.add_field("prospect", "custom7", "text")
    org.label_field("prospect", "custom7", "Account tier")
    described = org.describe("prospect")
    assert described is not None
    assert described.fields["custom7"].label == "Account tier"
    record = org.create("prospect", {"custom7": "gold"})
    assert rows(org, "prospect", "custom7") == [(record, "gold")]
    org.close()


def test_rules_over_a_custom_field_sync_once_it_is_added(tmp_path: Path) -> None:
    assert crosswalk(tmp_path, "init", ".").code == 0
    for path in (tmp_path / "rules").glob("*.sync"):
        path.unlink()
    rules = (
        "sync Lead <-> prospect {\n    match Email = emails\n\n    polling\n    inbound create\n"
        "    pushing\n    outbound update\n\n    fields {\n        Email     <-> emails\n"
        "        Tier__c   <-> custom1\n    }\n}\n"
    )
    (tmp_path / "rules" / "leads.sync").write_text(rules, encoding="utf-8")
    lint = ("lint", "--live", "--format", "json")
    assert "Tier__c" in crosswalk(tmp_path, *lint).out
    field = ("field", "salesforce", "Lead", "Tier__c", "--type", "text", "--length", "20")
    assert crosswalk(tmp_path, "local", *field).out == "Tier__c\n"
    assert "Tier__c" not in crosswalk(tmp_path, *lint).out
    listed = crosswalk(tmp_path, "local", "fields", "salesforce", "Lead", "--format", "json")
    tier = {"name": "Tier__c", "label": "Tier", "type": "string", "length": 20}
    assert tier in listed.json["fields"]
    lead = ("create", "salesforce", "Lead", "LastName=A", "Company=C", "Email=a@b.co", "Tier__c=g")
    crosswalk(tmp_path, "local", *lead)
    assert crosswalk(tmp_path, "run").code == 0
    crosswalk(tmp_path, "local", "edit", "outreach", "prospect", "1", "custom1=silver")
    assert crosswalk(tmp_path, "run").code == 0
    crosswalk(tmp_path, "local", "dump", "salesforce", "out")
    [record] = json.loads((tmp_path / "out" / "Lead.json").read_text(encoding="utf-8"))
    assert record["Tier__c"] == "silver"


def test_a_picklist_changes_as_in_setup_and_its_records_follow(tmp_path: Path) -> None:
    org, _ = org_of(S)
    load(org, SAMPLE / "salesforce")
    org.change_picklist("Lead", "Status", "rename", "Working - Contacted", "Working")
    org.change_picklist("Lead", "Status", "deactivate", "Closed - Not Converted")
    org.change_picklist("Lead", "Status", "add", "Nurturing")
    org.change_picklist("Opportunity", "StageName", "deactivate", "Prospecting")
    org.change_picklist("Opportunity", "StageName", "add", "Prospecting")
    org.change_picklist("Opportunity", "StageName", "deactivate", "Qualification")
    with pytest.raises(Refused, match="has the value nurturing already"):
        org.change_picklist("Lead", "Status", "add", "nurturing")
    with pytest.raises(Refused, match="no picklist"):
        org.change_picklist("Lead", "Title", "add", "CEO")
    with pytest.raises(Refused, match="has no value Gone"):
        org.change_picklist("Lead", "Status", "rename", "Gone", "There")
    dump(org, tmp_path)
    other, _ = org_of(S)
    load(other, tmp_path)
    for each in (org, other):
        described = each.describe("Lead")
        assert described is not None
        status = described.fields["Status"]
        active = ("Open - Not Contacted", "Working", "Closed - Converted", "Nurturing")
        assert (status.picklist, status.inactive) == (active, ("Closed - Not Converted",))
        assert {row[1] for row in rows(each, "LeadStatus", "ApiName")} == set(active)
        held = {row[1] for row in rows(each, "Lead", "Status")}
        assert "Working" in held
        assert "Working - Contacted" not in held
        stages = dict(row[1:] for row in rows(each, "OpportunityStage", "ApiName", "IsActive"))
        assert [name for name, active in stages.items() if not active] == ["Qualification"]
        each.close()


def test_no_two_records_have_the_same_external_id(tmp_path: Path) -> None:
    org, _ = org_of(S)
    org.add_field("Lead", "Code__c", "text", external_id=True)
    first = write(org, "Lead", LastName="A", Company="C", Code__c="a1").id
    twice = write(org, "Lead", LastName="B", Company="C", Code__c="A1")
    assert (twice.code, twice.fields) == ("DUPLICATE_VALUE", ("Code__c",))
    other = write(org, "Lead", LastName="B", Company="C", Code__c="b2").id
    assert first is not None
    assert other is not None
    assert write(org, "Lead", other, Code__c="a1").code == "DUPLICATE_VALUE"
    assert write(org, "Lead", other, Code__c="B2", Title="T").code == ""
    org.convert(first)
    assert write(org, "Lead", first, Title="T").code == "CANNOT_UPDATE_CONVERTED_LEAD"
    org.delete("Lead", other)
    write(org, "Lead", LastName="C", Company="C", Code__c="b2")
    with pytest.raises(Refused) as caught:
        org.undelete("Lead", other)
    assert caught.value.code == "DUPLICATE_VALUE"
    with pytest.raises(Refused):
        org.add_field("Lead", "Number__c", "number", external_id=True)
    dump(org, tmp_path)
    back, _ = org_of(S)
    load(back, tmp_path)
    assert back.file.customized() == org.file.customized()
    assert write(back, "Lead", LastName="D", Company="C", Code__c="B2").code == "DUPLICATE_VALUE"


def test_what_was_loaded_before_counts_for_a_new_external_id(tmp_path: Path) -> None:
    org, _ = org_of(S)
    record = {"LastName": "A", "Company": "C", "Code__c": "a1"}
    (tmp_path / "Lead.json").write_text(json.dumps([record]))
    load(org, tmp_path)
    org.add_field("Lead", "Code__c", "text", external_id=True)
    assert write(org, "Lead", LastName="B", Company="C", Code__c="A1").code == "DUPLICATE_VALUE"
