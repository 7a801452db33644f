"""`import` from outside: a Salesforce export, reports and list views, and what goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from engine.cli.project import Project
from tests.cli.program import crosswalk

EXPORT = Path(__file__).parents[1] / "data" / "leads_export.csv"
BERTHA = "00Q3z00001AmqLYEAZ"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The sample org, with rules that create no prospect by themselves."""
    crosswalk(tmp_path, "init", "--sample", "acme")
    rules = tmp_path / "acme" / "rules" / "leads.sync"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("inbound create when Email is present", "inbound create off"))
    return tmp_path / "acme"


def test_an_export_is_planned_then_imported_and_a_second_time_nothing_is_left(
    project: Path,
) -> None:
    words = ("import", "csv", str(EXPORT), "--type", "Lead", "--format", "json")
    plan = crosswalk(project, *words, "--dry-run")
    assert plan.json["rows"] == {
        "read": 22,
        "imported": 22,
        "skipped": 0,
        "bad": [],
        "unknown_columns": [],
    }
    assert crosswalk(project, "links", "--format", "json").json["links"] == []
    done = crosswalk(project, *words, "--changes")
    assert (done.code, done.err) == (0, "")
    for key in ("status", "counts", "rows", "calls"):
        assert done.json[key] == plan.json[key]
    reasons = {change["reason"] for change in done.json["changes"] if change["salesforce"]["id"]}
    assert reasons == {"imported by hand from leads_export.csv"}
    again = crosswalk(project, *words)
    assert (again.code, any(again.json["counts"].values())) == (0, False)
    log = crosswalk(project, "log", "--status", "imported", "--format", "json").json["rows"]
    assert log[-1]["message"] == "22 of 22 rows of leads_export.csv imported by hand"


def test_bad_rows_are_told_by_line_and_do_not_stop_the_others(project: Path) -> None:
    path = project / "fair.csv"
    path.write_text(
        "Lead ID;E-Mail;Email;Company / Account\n"
        f"{BERTHA[:15]};;;\n"
        ";;ada@edge.com;Edge\n"
        "00Q000000000001;;;\n"
        ";;;Nobody\n",
        encoding="utf-8",
    )
    done = crosswalk(project, "import", "csv", "fair.csv", "--type", "Lead")
    assert done.code == 1
    assert "rows: 4 read, 2 imported, 2 bad" in done.out
    assert "fair.csv: `E-Mail` is no field of Lead: the column is left out" in done.err
    assert "fair.csv:4: Salesforce has no Lead 00Q000000000001AAA" in done.err
    assert "fair.csv:5: has neither an id nor Email" in done.err


def test_reports_and_list_views_are_run_when_they_are_imported(project: Path) -> None:
    condition = 'Rating = "Hot" or Email contains "fcof"'
    words = ("--type", "Lead", "--when", condition)
    report = crosswalk(project, "local", "report", "Hot leads", *words).out.strip()
    assert report.startswith("00O")
    listed = crosswalk(project, "import", "report", "--format", "json").json["lists"]
    assert listed == [{"kind": "report", "id": report, "name": "Hot leads", "type": "Lead"}]
    done = crosswalk(project, "import", "report", report[:15], "--format", "json")
    assert (done.code, done.json["rows"]["imported"]) == (0, 1)
    ids = ("00Q3z00001AmqLZEAZ", "00Q3z00001AmqLaEAJ")
    crosswalk(project, "local", "list-view", "Picked", "--type", "Lead", "--ids", *ids)
    done = crosswalk(project, "import", "list-view", "picked", "--format", "json", "--changes")
    made = [c["salesforce"]["id"] for c in done.json["changes"] if c["salesforce"]["id"]]
    assert sorted(made) == sorted(ids)
    wrong = crosswalk(project, "local", "report", "No", "--type", "Lead", "--when", "Ratin = 1")
    assert (wrong.code, "Ratin" in wrong.err) == (2, True)
    unknown = crosswalk(project, "import", "report", "Cold leads")
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
    project: Path,
    text: str | None,
    words: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = project / "fair.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    code = main(["--project", str(project), "import", "csv", str(path), *words])
    assert (code, said in capsys.readouterr().err) == (2, True)


class _WithoutLists:
    """A real store as one that can do no more than every store."""

    def __init__(self, store: Any) -> None:
        for name in ("side", "close", "describe", "fetch", "find", "scan"):
            setattr(self, name, getattr(store, name))


def test_a_store_without_lists_says_what_to_do_instead(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Project.open_store
    monkeypatch.setattr(Project, "open_store", lambda self, side: _WithoutLists(real(self, side)))
    assert main(["--project", str(project), "import", "report"]) == 2
    assert "offers no reports and list views: export the list as CSV" in capsys.readouterr().err
