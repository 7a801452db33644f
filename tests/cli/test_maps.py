"""`crosswalk maps` and `lint --live`, once an administrator has changed a picklist."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import crosswalk


def test_a_new_status_is_told_by_maps_and_by_lint_until_the_map_has_it(tmp_path: Path) -> None:
    assert crosswalk(tmp_path, "init", ".").code == 0
    done = crosswalk(tmp_path, "local", "picklist", "salesforce", "Lead", "Status", "add", "Nurt")
    assert done.out.split("\n")[-2] == "Nurt"
    told = crosswalk(tmp_path, "maps", "--format", "json")
    [found] = told.json["maps"][0]["findings"]
    assert (told.code, found["finding"], found["value"]) == (1, "new", "Nurt")
    assert found["picklists"] == ["Lead.Status"]
    assert "CW412" in crosswalk(tmp_path, "lint", "--live").out
    stages = tmp_path / "rules" / "stages.sync"
    text = stages.read_text(encoding="utf-8")
    stages.write_text(text.replace("otherwise hold", '"Nurt" <-> "Nurt"'), encoding="utf-8")
    assert crosswalk(tmp_path, "maps").code == 0
    assert "CW412" not in crosswalk(tmp_path, "lint", "--live").out
