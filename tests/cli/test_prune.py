"""`crosswalk prune` from a user's seat."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.main import main


def test_prune_counts_what_it_removes_and_a_dry_run_removes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = ["--project", str(tmp_path / "acme")]
    main(["init", str(tmp_path / "acme")])
    capsys.readouterr()
    assert main([*project, "prune"]) == 0
    assert "nothing has run yet" in capsys.readouterr().out
    for _ in range(2):
        main([*project, "run"])
    capsys.readouterr()
    words = [*project, "prune", "--older-than", "0s", "--format", "json"]
    answers = []
    for dry in (["--dry-run"], [], []):
        assert main([*words, *dry]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert [answer["removed"]["runs"] for answer in answers] == [1, 1, 0]
    assert [answer["dry_run"] for answer in answers] == [True, False, False]
    assert answers[1]["bytes"]["after"] <= answers[1]["bytes"]["before"]
    assert main([*project, "prune"]) == 0
    assert "removed what ended before" in capsys.readouterr().out
    with pytest.raises(SystemExit) as usage:
        main([*project, "prune", "--older-than", "soon"])
    assert usage.value.code == 2
