"""What is promised of secrets and of two runs at once, from outside."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock

from tests.cli.program import crosswalk


def test_a_secret_in_plain_text_is_an_error_that_does_not_show_it(tmp_path: Path) -> None:
    crosswalk(tmp_path, "init", "acme")
    config = tmp_path / "acme" / "crosswalk.toml"
    text = config.read_text().replace("[salesforce]", '[salesforce]\npassword = "hunter2"')
    config.write_text(text)
    told = crosswalk(tmp_path / "acme", "run")
    assert told.code == 2
    assert "`password` in [salesforce] is a secret written as plain text" in told.err
    assert "hunter2" not in told.out + told.err


def test_a_second_run_on_one_ledger_says_so_and_stops(tmp_path: Path) -> None:
    project = tmp_path / "acme"
    crosswalk(tmp_path, "init", "acme")
    assert crosswalk(project, "run").code == 0
    (lock,) = project.glob("*.lock")
    with FileLock(lock):
        told = crosswalk(project, "run")
    assert told.code == 2
    assert "another run is at work on the ledger" in told.err
