"""The hooks for pre-commit: valid, and doing their work in a repository of rules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pre_commit.clientlib import load_manifest

from tests.cli.program import environment, folder_of_the_program
from tests.lsp.conftest import LEADS, SHARED, make_project

MANIFEST = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"


def _hooks() -> list[dict[str, Any]]:
    """The hooks as they are written, but run by the program that is installed here."""
    wanted = ("id", "name", "entry", "files", "pass_filenames")
    found = [{key: hook[key] for key in wanted} for hook in load_manifest(str(MANIFEST))]
    return [{**hook, "language": "system"} for hook in found]


class Repository:
    """A git repository with a project in it and the hooks configured."""

    def __init__(self, folder: Path) -> None:
        self.folder = make_project(folder)
        config = {"repos": [{"repo": "local", "hooks": _hooks()}]}
        (folder / ".pre-commit-config.yaml").write_text(json.dumps(config))
        (folder / "notes.txt").write_text("nothing of ours\n")
        self.git("init", "--quiet")

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.folder, check=True, timeout=60)

    def commit_would(self) -> tuple[bool, str]:
        """Whether a commit of all there is would pass the hooks, and what they say."""
        self.git("add", "--all")
        path = f"{folder_of_the_program()}{os.pathsep}{os.environ['PATH']}"
        home = str(self.folder.parent / "pre-commit")
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run"],
            cwd=self.folder,
            env={**environment(), "PATH": path, "PRE_COMMIT_HOME": home},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    folder = tmp_path / "repository"
    folder.mkdir()
    return Repository(folder)


def test_good_rules_may_be_committed(repository: Repository) -> None:
    passed, said = repository.commit_would()
    assert passed, said
    assert said.count("Passed") == 2


def test_rules_with_errors_may_not(repository: Repository) -> None:
    leads = repository.folder / "rules" / "leads.sync"
    leads.write_text(LEADS.replace("match Email", "match Emial"))
    passed, said = repository.commit_would()
    assert not passed
    assert "`Lead` has no field `Emial`" in said


def test_all_rules_are_checked_when_one_file_is_committed(repository: Repository) -> None:
    repository.git("add", "--all")
    repository.git(
        "-c", "user.name=a", "-c", "user.email=a@b.co", "commit", "--quiet", "-m", "rules"
    )
    shared = repository.folder / "rules" / "shared.sync"
    shared.write_text(SHARED.replace("fields engagement", "fields engaged"))
    passed, said = repository.commit_would()
    assert not passed
    assert "leads.sync" in said
    assert "engagement" in said


def test_rules_out_of_form_are_formatted_for_the_next_try(repository: Repository) -> None:
    leads = repository.folder / "rules" / "leads.sync"
    leads.write_text(LEADS.replace("    match", "  match"))
    passed, said = repository.commit_would()
    assert not passed
    assert "files were modified by this hook" in said
    assert leads.read_text() == LEADS
    assert repository.commit_would()[0]


def test_what_is_no_rule_is_left_alone(repository: Repository) -> None:
    for file in (repository.folder / "rules").iterdir():
        file.unlink()
    (repository.folder / "crosswalk.toml").unlink()
    repository.git("rm", "-r", "--quiet", "--cached", "--ignore-unmatch", ".")
    (repository.folder / "templates" / "activity_titles" / "weekly.j2").unlink()
    _, said = repository.commit_would()
    assert said.count("no files to check") == 2
