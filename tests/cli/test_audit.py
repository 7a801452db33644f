"""`audit` and `resync` from outside."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import crosswalk


def test_an_audit_tells_by_its_exit_code_and_a_resync_brings_new_lines(tmp_path: Path) -> None:
    project = tmp_path / "acme"
    crosswalk(tmp_path, "init", "acme")
    lead = ("LastName=A", "Company=X", "Email=a@x.co", "City=Austin", "Fax=1")
    crosswalk(project, "local", "create", "salesforce", "Lead", *lead)
    missing = crosswalk(project, "audit", "--format", "json")
    assert missing.code == 1
    assert "would create it" in missing.json["differences"][0]["why"]
    crosswalk(project, "run")
    agreed = crosswalk(project, "audit")
    assert (agreed.code, agreed.out) == (0, "")
    assert "0 differences" in agreed.err
    rules = project / "rules" / "leads.sync"
    rules.write_text(rules.read_text().replace("fields {", "fields {\n        Fax -> custom9\n", 1))
    resync = crosswalk(project, "resync", "--type", "Lead", "--format", "json", "--changes")
    assert (resync.code, resync.json["counts"]["updated"]) == (0, 1)
    assert crosswalk(project, "audit", "--format", "csv").code == 0
    unknown = crosswalk(project, "resync", "--field", "Nope")
    assert unknown.code == 2
    assert "no line maps a field `Nope`" in unknown.err
