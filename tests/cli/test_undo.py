"""`undo` from outside."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import crosswalk


def test_undo_takes_a_run_back_and_lists_what_it_left(tmp_path: Path) -> None:
    project = tmp_path / "acme"
    crosswalk(tmp_path, "init", "acme")
    lead = ("LastName=A", "Company=X", "Email=a@x.co")
    crosswalk(project, "local", "create", "salesforce", "Lead", *lead)
    run = crosswalk(project, "run", "--format", "json").json["run"]
    undone = crosswalk(project, "undo", run, "--format", "json")
    assert undone.json["counts"]["deleted"] == 1
    assert undone.code == 1  # the stages stay
    assert {each["record"]["type"] for each in undone.json["left"]} == {"stage"}
    assert "left as it is: Outreach stage" in undone.err
    assert crosswalk(project, "undo", "r-none").code == 2
    assert crosswalk(project, "run").code == 0
