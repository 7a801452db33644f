"""Budgets from outside: what a plan foretells, what a run leaves, and where the budgets stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import crosswalk

LEADS = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    fields {
        LastName -> lastName
        Email    -> emails
    }
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert crosswalk(tmp_path, "init", "--sample", "acme").code == 0
    for path in (tmp_path / "acme" / "rules").iterdir():
        path.unlink()
    (tmp_path / "acme" / "rules" / "leads.sync").write_text(LEADS)
    return tmp_path / "acme"


def limit(project: Path, text: str) -> None:
    (project / "rules" / "limits.sync").write_text(f"limits {{ {text} }}\n")


def test_what_a_budget_refuses_is_foretold_told_and_carried_on_with(project: Path) -> None:
    limit(project, "outreach own 15 per day")
    plan = crosswalk(project, "plan", "--format", "json").json
    (budget,) = plan["budgets"]
    assert budget["calls"] == plan["calls"]["outreach"] > budget["left"]
    assert budget["left"] + budget["used"] == budget["threshold"] == 15
    assert "; the rest waits until " in crosswalk(project, "plan").out

    answer = crosswalk(project, "run", "--format", "json")
    run = answer.json
    assert (answer.code, run["status"]) == (1, "held")
    assert [wait["side"] for wait in run["waits"]] == ["outreach"]
    assert "waits for the Outreach budget until " in answer.err

    told = crosswalk(project, "limits", "--format", "json").json
    waiting = plan["counts"]["created"] - run["counts"]["created"]
    assert told["waiting"] == waiting > 0
    by_name = {(each["side"], each["scope"]): each for each in told["budgets"]}
    own = by_name["outreach", "own"]
    assert (own["threshold"], own["used"]) == (15, 15)
    total = by_name["salesforce", "total"]
    assert (total["threshold"], total["max"]) == (None, 15_000)
    assert set(own) >= {"side", "scope", "used", "threshold", "max", "resets_at"}
    status = crosswalk(project, "status", "--format", "json").json
    assert status["pairs"][0]["pending"]["budget"] == waiting
    assert status["waits"][0]["side"] == "outreach"
    assert "waits for the Outreach budget until" in crosswalk(project, "status").out

    refused = crosswalk(project, "audit")
    assert refused.code == 1
    assert "waits for the Outreach budget" in refused.err

    limit(project, "outreach own 9000 per day")
    last = crosswalk(project, "run", "--format", "json")
    assert (last.code, last.json["counts"]["created"]) == (0, waiting)
    assert crosswalk(project, "limits", "--format", "json").json["waiting"] == 0


def test_limits_shows_calls_without_any_budget_and_warns_near_one(project: Path) -> None:
    calls = crosswalk(project, "run", "--format", "json").json["calls"]
    told = crosswalk(project, "limits", "--format", "json").json
    assert [(each["side"], each["scope"]) for each in told["budgets"]] == [
        ("salesforce", "total"),
        ("salesforce", "own"),
        ("outreach", "total"),
        ("outreach", "own"),
    ]
    assert [told["budgets"][at]["used"] for at in (1, 3)] == list(calls.values())
    assert "warning" not in crosswalk(project, "limits").out
    limit(project, f"salesforce own {calls['salesforce']} per day")
    assert "warning: Salesforce own per day: 100%" in crosswalk(project, "limits").out
    header = crosswalk(project, "limits", "--format", "csv").out.splitlines()[0]
    assert header == "side,scope,period,used,threshold,max,resets_at"
