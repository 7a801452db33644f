"""`plan --out` and `run --plan` from outside."""

from __future__ import annotations

from pathlib import Path

from engine.stores.local import SAMPLE
from tests.cli.program import crosswalk


def test_a_saved_plan_is_refused_when_stale_and_else_carried_out_once(tmp_path: Path) -> None:
    project = tmp_path / "acme"
    crosswalk(tmp_path, "init", "acme")
    crosswalk(project, "local", "load", "salesforce", str(SAMPLE / "salesforce"))
    (project / "rules" / "guard.sync").write_text("guard { creates 5 per run }\n")
    plan = crosswalk(project, "plan", "--out", "plan.toml", "--format", "json")
    assert plan.code == 0
    text = (project / "plan.toml").read_text()
    assert "calls" in text

    lead = ("salesforce", "Lead", "00Q3z00001AmqLYEAZ")
    crosswalk(project, "local", "edit", *lead, "Title=Buyer")
    stale = crosswalk(project, "run", "--plan", "plan.toml", "--format", "json")
    assert (stale.code, stale.json["status"]) == (1, "stopped")
    (objection,) = stale.json["objections"]
    assert (objection["record"]["id"], objection["field"]) == (lead[2], "Title")
    assert objection["after"] == "Buyer"
    assert "has moved: Title was" in stale.err

    crosswalk(project, "plan", "--out", "plan.toml")
    done = crosswalk(project, "run", "--plan", "plan.toml", "--format", "json")
    assert (done.code, done.json["status"]) == (0, "done")
    assert done.json["counts"]["created"] == plan.json["counts"]["created"]
    again = crosswalk(project, "run", "--plan", "plan.toml")
    assert again.code == 1
    assert "was carried out by run" in again.err


def test_what_is_no_plan_and_where_none_can_be_written_exit_with_2(tmp_path: Path) -> None:
    project = tmp_path / "acme"
    crosswalk(tmp_path, "init", "acme")
    (project / "plan.toml").write_text("no plan")
    assert crosswalk(project, "run", "--plan", "plan.toml").code == 2
    assert crosswalk(project, "run", "--plan", "missing.toml").code == 2
    nowhere = crosswalk(project, "plan", "--out", "nowhere/plan.toml")
    assert nowhere.code == 2
    assert "cannot be written" in nowhere.err
