"""The promises to users and their scripts, tested from outside."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from engine.cli.init import make_project
from engine.stores.local import SAMPLE
from tests.cli.program import PROGRAM, Answer, crosswalk, environment, installed


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "acme"
    assert crosswalk(tmp_path, "init", "acme").code == 0
    return folder


@pytest.fixture
def sample(project: Path) -> Path:
    assert crosswalk(project, "local", "load", "salesforce", str(SAMPLE / "salesforce")).code == 0
    return project


def plain(counts: dict[str, int]) -> dict[str, int]:
    return {key: count for key, count in counts.items() if count and key != "skipped"}


def test_init_makes_a_project_that_lints_plans_and_runs(project: Path) -> None:
    assert installed(project, "lint").code == 0
    assert installed(project, "plan").code == 0
    assert installed(project, "run").code == 0


def test_the_sample_org_gives_13_accounts_and_38_prospects(sample: Path) -> None:
    plan = crosswalk(sample, "plan", "--format", "json").json
    run = crosswalk(sample, "run", "--format", "json", "--changes").json
    assert plan["counts"] == run["counts"]
    assert plan["calls"] == run["calls"]
    assert run["status"] == "done"
    assert run["version"] == 1
    by_type: dict[str, int] = {}
    for change in run["changes"]:
        if change["action"] == "create":
            kind = change["outreach"]["type"]
            by_type[kind] = by_type.get(kind, 0) + 1
    people = {"account": 13, "prospect": 38, "stage": 4, "role": 18}
    assert by_type == people | {"opportunity": 31, "opportunityStage": 10}
    assert plain(crosswalk(sample, "run", "--format", "json").json["counts"]) == {}


def test_a_plan_writes_to_neither_side_and_keeps_no_ledger(sample: Path) -> None:
    crosswalk(sample, "plan")
    crosswalk(sample, "local", "dump", "outreach", "out")
    assert list((sample / "out").glob("*.json")) == []
    assert not (sample / "crosswalk.db").exists()


def test_json_changes_are_in_the_documented_shape(sample: Path) -> None:
    changes = crosswalk(sample, "plan", "--format", "json", "--type", "Lead").json["changes"]
    change = next(c for c in changes if c["salesforce"]["id"] == "00Q3z00001AmqLYEAZ")
    assert (change["action"], change["direction"]) == ("create", "inbound")
    assert change["salesforce"] == {"type": "Lead", "id": "00Q3z00001AmqLYEAZ"}
    assert change["outreach"] == {"type": "prospect", "id": None}
    assert {
        "source": "Status",
        "target": "stage",
        "before": None,
        "after": "Working - Contacted",
    } in (change["fields"])
    assert change["reason"] == "inbound create: condition holds"
    assert change["rule"].startswith("rules/leads.sync:")


def test_edits_on_both_sides_are_played_through_from_a_terminal(sample: Path) -> None:
    crosswalk(sample, "run")
    link = crosswalk(
        sample, "links", "--type", "Lead", "--id", "00Q3z00001AmqLYEAZ", "--format", "json"
    ).json["links"][0]
    prospect = str(link["outreach"]["id"])
    edit = ("local", "edit", "outreach", "prospect", prospect, "stage=Closed - Not Converted")
    assert crosswalk(sample, *edit).code == 0
    lead = ("local", "edit", "salesforce", "Lead", "00Q3z00001AmqLY", "Title=Buyer")
    assert crosswalk(sample, *lead).out.strip() == "00Q3z00001AmqLYEAZ"
    run = crosswalk(sample, "run", "--format", "json", "--changes").json
    told = {(c["direction"], f["target"], f["after"]) for c in run["changes"] for f in c["fields"]}
    assert told == {
        ("outbound", "Status", "Closed - Not Converted"),
        ("inbound", "title", "Buyer"),
    }
    rows = crosswalk(sample, "log", "--format", "json", "--status", "updated").json["rows"]
    assert [row["external_id"] for row in rows[:2]] == ["00Q3z00001AmqLYEAZ"] * 2


def test_detailed_exit_codes_tell_changes_from_nothing(sample: Path) -> None:
    assert crosswalk(sample, "plan", "--detailed-exitcode").code == 2
    crosswalk(sample, "run")
    assert crosswalk(sample, "plan", "--detailed-exitcode").code == 0


def test_a_refused_record_makes_the_run_exit_with_1_and_names_the_vendors_words(
    project: Path,
) -> None:
    rules = project / "rules" / "leads.sync"
    text = rules.read_text().replace("Company              -> company", "Company <-> company")
    rules.write_text(text.replace("pushing", "pushing\n    outbound create"))
    made = crosswalk(
        project, "local", "create", "outreach", "prospect", "emails=a@x.co", "firstName=A"
    )
    assert made.code == 0
    run = crosswalk(project, "run", "--format", "json")
    assert run.code == 1
    assert run.json["status"] == "failed"
    status = crosswalk(project, "status")
    assert "REQUIRED_FIELD_MISSING" in status.out


def test_ctrl_c_ends_with_130_and_the_next_run_goes_on(project: Path) -> None:
    rows = [
        {"attributes": {"type": "Lead"}, "LastName": f"L{n}", "Company": "C", "Email": f"p{n}@x.co"}
        for n in range(12_000)
    ]
    (project / "data").mkdir()
    (project / "data" / "Lead.json").write_text(json.dumps(rows))
    assert crosswalk(project, "local", "load", "salesforce", "data").code == 0
    process = subprocess.Popen(
        [*PROGRAM, "run"], cwd=project, env=environment(), stderr=subprocess.PIPE, text=True
    )
    while not any(project.glob("crosswalk.db-wal")):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    assert "Traceback" not in err
    assert crosswalk(project, "run").code == 0
    last = crosswalk(project, "run", "--format", "json").json
    assert plain(last["counts"]) == {}
    links = crosswalk(project, "links", "--format", "json", "--limit", "20000").json["links"]
    assert len(links) == len({x["outreach"]["id"] for x in links}) == len(rows)


# -- bad input ----------------------------------------------------------------------------------


def assert_told(answer: Answer, code: int, *words: str) -> None:
    """One clear message, the right exit code, and nothing on standard output."""
    assert answer.code == code, answer
    assert answer.out == ""
    for word in words:
        assert word in answer.err, answer.err


def test_a_missing_configuration_says_how_to_get_one(tmp_path: Path) -> None:
    assert_told(crosswalk(tmp_path, "run"), 2, "crosswalk.toml", "crosswalk init")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[project\n", ["not valid TOML"]),
        ('[project]\nnaem = "x"\n', ["naem", "did you mean `name`"]),
        ('[salseforce]\nstore = "local"\n', ["salseforce", "did you mean [salesforce]"]),
        ('[salesforce]\nstore = "local"\n', ["`path` is missing in [salesforce]"]),
        ('[salesforce]\ntoken = "s3cret"\n', ["`token`", "env:NAME"]),
        ('[project]\nledger = "oracle://x"\n', ["ledger", "sqlite:///crosswalk.db"]),
        ('[project]\ntimezone = "Mars"\n', ["timezone", "Europe/Paris"]),
        ("[project]\nlog_days = 0\n", ["log_days", "from 1 to"]),
        ('[project]\nlog_days = "30"\n', ["log_days", "without quotes"]),
        ("[project]\nname = 3\n", ["`name`", "text in quotes"]),
    ],
)
def test_a_wrong_configuration_is_told_in_one_sentence_each(
    project: Path, text: str, words: list[str]
) -> None:
    (project / "crosswalk.toml").write_text(text)
    answer = crosswalk(project, "run")
    assert_told(answer, 2, *words)
    assert "s3cret" not in answer.err


def test_a_configuration_that_is_not_utf_8_is_told(project: Path) -> None:
    (project / "crosswalk.toml").write_bytes(b'[project]\nname = "\xff"\n')
    assert_told(crosswalk(project, "plan"), 2, "not UTF-8")


def test_a_rules_folder_without_a_rule_is_told(project: Path) -> None:
    for file in (project / "rules").glob("*.sync"):
        file.unlink()
    assert_told(crosswalk(project, "run"), 2, "no rule file")


def test_rules_with_errors_are_shown_and_nothing_runs(sample: Path) -> None:
    (sample / "rules" / "bad.sync").write_text("sync Lead <-> prospct { }\n")
    answer = crosswalk(sample, "run")
    assert_told(answer, 1, "CW201", "prospct", "rules/bad.sync:1")
    assert not (sample / "crosswalk.db").exists()


def test_a_rule_file_that_is_not_utf_8_is_told(sample: Path) -> None:
    (sample / "rules" / "bad.sync").write_bytes(b"# caf\xe9\n")
    assert_told(crosswalk(sample, "run"), 1, "rules/bad.sync", "UTF-8")


def test_a_local_org_that_is_no_database_is_told(project: Path) -> None:
    (project / "salesforce.db").write_text("hello, this is no database at all\n" * 40)
    assert_told(crosswalk(project, "run"), 2, "salesforce.db", "not a local org")


def test_a_local_org_of_another_version_is_told(project: Path) -> None:
    import sqlite3

    with sqlite3.connect(project / "outreach.db") as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    db.close()
    assert_told(crosswalk(project, "run"), 2, "outreach.db", "99")


def test_two_paths_exchanged_are_told(project: Path) -> None:
    text = (project / "crosswalk.toml").read_text()
    text = text.replace('"salesforce.db"', '"X"').replace('"outreach.db"', '"salesforce.db"')
    (project / "crosswalk.toml").write_text(text.replace('"X"', '"outreach.db"'))
    assert_told(crosswalk(project, "run"), 2, "outreach.db", "org")


def test_a_ledger_of_a_newer_version_is_told_and_left_alone(project: Path) -> None:
    import sqlite3

    crosswalk(project, "run")
    with sqlite3.connect(project / "crosswalk.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    before = (project / "crosswalk.db").read_bytes()
    assert_told(crosswalk(project, "run"), 2, "newer version")
    assert (project / "crosswalk.db").read_bytes() == before


def test_a_ledger_that_is_something_else_is_told(project: Path) -> None:
    (project / "crosswalk.db").write_text("not a ledger\n" * 100)
    assert_told(crosswalk(project, "run"), 2, "crosswalk.db", "not a ledger")


def test_a_locked_ledger_is_told(project: Path) -> None:
    import sqlite3

    crosswalk(project, "run")
    db = sqlite3.connect(project / "crosswalk.db", isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    try:
        assert_told(crosswalk(project, "run"), 2, "locked")
    finally:
        db.close()


def test_a_second_run_at_the_same_time_is_refused(project: Path) -> None:
    from engine.ledger.locking import run_lock

    with run_lock(project / "crosswalk.db"):
        assert_told(crosswalk(project, "run"), 2, "another run")


def test_a_store_that_is_not_installed_is_told(project: Path) -> None:
    text = (project / "crosswalk.toml").read_text().replace('"local"', '"hubspot"', 1)
    (project / "crosswalk.toml").write_text(text)
    assert_told(crosswalk(project, "run"), 2, "`hubspot`", "not installed")


def test_an_unknown_type_names_the_known_ones(project: Path) -> None:
    assert_told(crosswalk(project, "plan", "--type", "Laed"), 2, "Laed", "Lead")


def test_init_does_not_touch_a_project_that_is_there(project: Path) -> None:
    assert_told(crosswalk(project, "init"), 2, "already")


def test_the_version_is_told(tmp_path: Path) -> None:
    answer = installed(tmp_path, "--version")
    assert (answer.code, answer.out.split()[0]) == (0, "crosswalk")
    assert answer.out.split()[1][0].isdigit()


@pytest.mark.parametrize(
    "command",
    [
        "init",
        "demo",
        "lint",
        "fmt",
        "test",
        "plan",
        "run",
        "import",
        "explain",
        "review",
        "retry",
        "resume",
        "undo",
        "audit",
        "diff",
        "resync",
        "graph",
        "limits",
        "status",
        "log",
        "activity",
        "links",
        "prune",
        "local",
    ],
)
def test_every_command_has_help_with_an_example(tmp_path: Path, command: str) -> None:
    answer = crosswalk(tmp_path, command, "--help")
    assert answer.code == 0
    assert "example" in answer.out
    assert f"crosswalk {command}" in answer.out


def test_both_streams_in_one_file_stand_in_the_order_in_which_things_happened(
    tmp_path: Path,
) -> None:
    make_project(tmp_path / "acme", sample=True)
    rules = tmp_path / "acme" / "rules" / "limits.sync"
    rules.write_text("limits { outreach own 20 per day }\n", encoding="utf-8")
    environ = {k: v for k, v in environment().items() if k != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [*PROGRAM, "run", "--yes"],
        cwd=tmp_path / "acme",
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.index("+ create") < done.stdout.index("waits for the Outreach budget")
