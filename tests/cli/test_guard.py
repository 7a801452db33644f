"""`guard` from outside: a run that would do too much stops, and says which records."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.stores.local import SAMPLE
from tests.cli.program import crosswalk


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    project = tmp_path / "acme"
    crosswalk(tmp_path, "init", "acme")
    crosswalk(project, "local", "load", "salesforce", str(SAMPLE / "salesforce"))
    (project / "rules" / "guard.sync").write_text("guard { creates 5 per run }\n")
    return project


def test_a_run_beyond_a_bound_stops_with_1_until_yes_lets_it_through(sample: Path) -> None:
    stopped = crosswalk(sample, "run")
    assert stopped.code == 1
    assert "it would create 114 records, and the guard lets it create 5" in stopped.err
    assert "Outreach opportunityStage (new) from Salesforce OpportunityStage 01J" in stopped.err
    assert "crosswalk run --yes" in stopped.err
    told = crosswalk(sample, "run", "--format", "json")
    assert (told.code, told.json["status"]) == (1, "stopped")
    (objection,) = told.json["objections"]
    assert (objection["kind"], objection["rule"]) == ("guard", "rules/guard.sync:1")
    assert crosswalk(sample, "run", "--yes").code == 0
    assert crosswalk(sample, "run").code == 0


def test_a_plan_says_that_a_run_would_stop(sample: Path) -> None:
    plan = crosswalk(sample, "plan")
    assert plan.code == 0
    assert "a run would stop before its first write: it would create 114 records" in plan.err


def test_the_log_and_the_status_tell_of_a_stopped_run(sample: Path) -> None:
    crosswalk(sample, "run")
    rows = crosswalk(sample, "log", "--status", "stopped", "--format", "json").json["rows"]
    assert "the guard lets it create 5" in rows[0]["message"]
    assert "stopped" in crosswalk(sample, "status").out


def test_a_plan_foretells_the_calls_of_a_guarded_run_those_of_the_guard_among_them(
    sample: Path,
) -> None:
    (sample / "rules" / "guard.sync").write_text("guard { creates 500 per run }\n")
    plan = crosswalk(sample, "plan", "--format", "json").json
    assert all(plan["guard_calls"].values())
    assert "of them for the guard, which counts first (Salesforce" in crosswalk(sample, "plan").out
    assert crosswalk(sample, "run", "--format", "json").json["calls"] == plan["calls"]
    spared = crosswalk(sample, "plan", "--format", "json").json
    without = {side: n - spared["guard_calls"][side] for side, n in spared["calls"].items()}
    assert crosswalk(sample, "run", "--yes", "--format", "json").json["calls"] == without
