"""`import` from outside: a Salesforce export, reports and list views, and what goes wrong."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from engine.cli.project import Project
from tests.cli.program import Answer

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create off
    inbound update
    fields {
        FirstName  -> firstName
        LastName   -> lastName
        Email      -> emails
    }
}
"""
EXPORT = Path(__file__).parents[1] / "data" / "leads_export.csv"
BERTHA = "00Q3z00001AmqLYEAZ"


@dataclass(frozen=True)
class Shell:
    """Runs commands in a project, in this process."""

    project: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Answer:
        code = main(["--project", str(self.project), *words])
        printed = self.capsys.readouterr()
        return Answer(code, printed.out, printed.err)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample org, with rules that create no prospect by themselves."""
    folder = tmp_path_factory.mktemp("import") / "acme"
    assert main(["init", "--sample", str(folder)]) == 0
    for file in ("accounts", "contacts", "opportunities", "roles", "stages", "users"):
        (folder / "rules" / f"{file}.sync").unlink()
    (folder / "rules" / "leads.sync").write_text(RULES, encoding="utf-8")
    return folder


@pytest.fixture
def shell(sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell in a copy of it."""
    shutil.copytree(sample, tmp_path / "acme")
    return Shell(tmp_path / "acme", capsys)


def test_an_export_is_planned_then_imported_and_a_second_time_nothing_is_left(shell: Shell) -> None:
    words = ("import", "csv", str(EXPORT), "--type", "Lead", "--format", "json")
    plan = shell(*words, "--dry-run")
    assert plan.json["rows"] == {
        "read": 22,
        "imported": 22,
        "skipped": 0,
        "bad": [],
        "unknown_columns": [],
    }
    assert shell("links", "--format", "json").json["links"] == []
    done = shell(*words, "--changes")
    assert (done.code, done.err) == (0, "")
    for key in ("status", "counts", "rows", "calls"):
        assert done.json[key] == plan.json[key]
    reasons = {change["reason"] for change in done.json["changes"] if change["salesforce"]["id"]}
    assert reasons == {"imported by hand from leads_export.csv"}
    again = shell(*words)
    assert (again.code, any(again.json["counts"].values())) == (0, False)
    log = shell("log", "--status", "imported", "--format", "json").json["rows"]
    assert log[-1]["message"] == "22 of 22 rows of leads_export.csv imported by hand"


def test_bad_rows_are_told_by_line_and_do_not_stop_the_others(shell: Shell) -> None:
    path = shell.project / "fair.csv"
    path.write_text(
        "Lead ID;E-Mail;Email;Company / Account\n"
        f"{BERTHA[:15]};;;\n"
        ";;ada@edge.com;Edge\n"
        "00Q000000000001;;;\n"
        ";;;Nobody\n",
        encoding="utf-8",
    )
    done = shell("import", "csv", str(path), "--type", "Lead")
    assert done.code == 1
    assert "rows: 4 read, 2 imported, 2 bad" in done.out
    assert "fair.csv: `E-Mail` is no field of Lead: the column is left out" in done.err
    assert "fair.csv:4: Salesforce has no Lead 00Q000000000001EAA" in done.err
    assert "fair.csv:5: has neither an id nor Email" in done.err


def test_reports_and_list_views_are_run_when_they_are_imported(shell: Shell) -> None:
    condition = 'Rating = "Hot" or Email contains "fcof"'
    words = ("--type", "Lead", "--when", condition)
    report = shell("local", "report", "Hot leads", *words).out.strip()
    assert report.startswith("00O")
    listed = shell("import", "report", "--format", "json").json["lists"]
    assert listed == [{"kind": "report", "id": report, "name": "Hot leads", "type": "Lead"}]
    done = shell("import", "report", report[:15], "--format", "json")
    assert (done.code, done.json["rows"]["imported"]) == (0, 1)
    ids = ("00Q3z00001AmqLZEAZ", "00Q3z00001AmqLaEAJ")
    shell("local", "list-view", "Picked", "--type", "Lead", "--ids", *ids)
    done = shell("import", "list-view", "picked", "--format", "json", "--changes")
    made = [c["salesforce"]["id"] for c in done.json["changes"] if c["salesforce"]["id"]]
    assert sorted(made) == sorted(ids)
    wrong = shell("local", "report", "No", "--type", "Lead", "--when", "Ratin = 1")
    assert (wrong.code, "Ratin" in wrong.err) == (2, True)
    unknown = shell("import", "report", "Cold leads")
    assert (unknown.code, f"there are {report} (Hot leads)" in unknown.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("Name\nAda", ("--type", "Lead"), "no column says who a row is about"),
        ("Email\na@x.co", ("--type", "Widget"), "no sync of a Salesforce type `Widget`"),
        ("Email\na@x.co", ("--type", "Lead", "--locale", "tlh"), "no locale `tlh` is known"),
        (None, ("--type", "Lead"), "cannot be read"),
    ],
)
def test_what_cannot_be_an_import_says_why(
    shell: Shell, text: str | None, words: tuple[str, ...], said: str
) -> None:
    path = shell.project / "fair.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    answer = shell("import", "csv", str(path), *words)
    assert (answer.code, said in answer.err) == (2, True)


class _WithoutLists:
    """A real store as one that can do no more than every store."""

    def __init__(self, store: Any) -> None:
        for name in ("side", "close", "describe", "fetch", "find", "scan"):
            setattr(self, name, getattr(store, name))


def test_a_store_without_lists_says_what_to_do_instead(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Project.open_store
    monkeypatch.setattr(Project, "open_store", lambda self, side: _WithoutLists(real(self, side)))
    answer = shell("import", "report")
    assert answer.code == 2
    assert "offers no reports and list views: export the list as CSV" in answer.err
