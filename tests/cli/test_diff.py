"""`diff` from outside, on a project in git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.cli.program import crosswalk


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@x.co", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def test_diff_compares_with_the_rules_of_a_revision(tmp_path: Path) -> None:
    project = tmp_path / "acme"
    crosswalk(tmp_path, "init", "acme")
    git(project, "init", "-q")
    git(project, "add", "rules")
    git(project, "commit", "-q", "-m", "rules")
    lead = ("LastName=A", "Company=X", "Email=a@x.co", "Fax=1")
    crosswalk(project, "local", "create", "salesforce", "Lead", *lead)
    assert "every record fares as" in crosswalk(project, "diff", "HEAD").out
    rules = project / "rules" / "leads.sync"
    rules.write_text(rules.read_text().replace("fields {", "fields {\n        Fax -> custom9\n", 1))
    told = crosswalk(project, "diff", "HEAD", "--format", "json").json
    assert told["summary"] == [
        {
            "sync": "Lead<->prospect",
            "what": "newly set",
            "field": "prospect.custom9",
            "records": 1,
        }
    ]
    assert "prospect.custom9 newly set" in crosswalk(project, "diff", "HEAD").out
    unknown = crosswalk(project, "diff", "--", "-nope")
    assert unknown.code == 2
    assert "git cannot give the rules" in unknown.err
