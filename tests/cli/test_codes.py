"""Every documented finding, looked for by the installed program."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.page_of_code import PAGES, load_page
from tests.cli.program import crosswalk
from tests.dsl.test_pages import LIVE

#: Those that a connected org is needed for are looked for by `test_maps.py`.
CODES = sorted({file.stem for file in PAGES.glob("*.md")} - LIVE)


@pytest.mark.parametrize("code", CODES)
def test_lint_finds_the_bad_example_and_passes_the_good_one(code: str, tmp_path: Path) -> None:
    page = load_page(code)
    bad, good = tmp_path / "bad.sync", tmp_path / "good.sync"
    bad.write_text(page.bad, encoding="utf-8")
    good.write_text(page.good, encoding="utf-8")
    found = crosswalk(tmp_path, "lint", "bad.sync", "--format", "json")
    assert [each["code"] for each in found.json["diagnostics"]] == [code]
    assert found.code == (1 if found.json["diagnostics"][0]["severity"] == "error" else 0)
    clean = crosswalk(tmp_path, "lint", "good.sync", "--format", "json", "--strict")
    assert (clean.code, clean.json["diagnostics"]) == (0, [])


def test_a_projects_own_title_template_is_checked_where_it_stands(tmp_path: Path) -> None:
    assert crosswalk(tmp_path, "init", "acme").code == 0
    project = tmp_path / "acme"
    template = project / "templates" / "activity_titles" / "call_logged.j2"
    template.write_text("A call\n{{ purpos }}\n", encoding="utf-8")
    answer = crosswalk(project, "lint", "--format", "json")
    (found,) = answer.json["diagnostics"]
    assert (answer.code, found["code"]) == (1, "CW208")
    assert found["file"] == "templates/activity_titles/call_logged.j2"
    assert (found["line"], found["column"], found["end_column"]) == (2, 4, 10)
    assert found["suggestion"] == "purpose"
