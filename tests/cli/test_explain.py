"""`explain` from outside."""

from __future__ import annotations

from pathlib import Path

from engine.stores.local import SAMPLE
from tests.cli.program import crosswalk


def test_explain_takes_either_side_and_short_ids(tmp_path: Path) -> None:
    project = tmp_path / "acme"
    crosswalk(tmp_path, "init", "acme")
    crosswalk(project, "local", "load", "salesforce", str(SAMPLE / "salesforce"))
    before = crosswalk(project, "explain", "Lead", "00Q3z00001AmqLY", "--format", "json")
    assert before.code == 0
    assert set(before.json) >= {"version", "record", "link", "steps"}
    assert before.json["record"]["id"] == "00Q3z00001AmqLYEAZ"
    assert not (project / "crosswalk.db").exists()

    crosswalk(project, "run")
    after = crosswalk(project, "explain", "Lead", "00Q3z00001AmqLYEAZ", "--format", "json").json
    prospect = str(after["link"]["outreach"]["id"])
    text = crosswalk(project, "explain", "prospect", prospect)
    assert text.code == 0
    for words in (f"Outreach prospect {prospect}  <->  Lead 00Q3z", "holds", "unchanged"):
        assert words in text.out

    assert crosswalk(project, "explain", "Lead", "00Q000000000001").code == 1
    unknown = crosswalk(project, "explain", "Leed", "1")
    assert unknown.code == 2
    assert "no sync of a type `Leed`" in unknown.err
