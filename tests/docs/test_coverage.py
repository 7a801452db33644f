"""The page on the configuration guide names nothing that is not there, and leaves nothing out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from crosswalk_docs.codes import code_pages
from crosswalk_docs.coverage import Point, Row, coverage_page, read_coverage
from crosswalk_docs.places import Places

from engine.kinds import KINDS
from engine.shipped import RULES

ROOT = Path(__file__).parents[2]
ROWS = read_coverage((ROOT / "docs" / "reference" / "coverage.toml").read_text(encoding="utf-8"))
MADE = {f"reference/codes/{code}.md": text for code, text in code_pages().items()}
PLACES = Places(ROOT, made=MADE)


def with_point(**values: object) -> list[Row]:
    """The rows, and in the first one a point more."""
    point = Point("a lie", **values)  # type: ignore[arg-type]
    return [replace(ROWS[0], points=(*ROWS[0].points, point)), *ROWS[1:]]


def without(word: str) -> list[Row]:
    """The rows without the rules in which a word stands."""
    return [
        replace(
            row,
            points=tuple(
                replace(point, rules=tuple(rule for rule in point.rules if word not in rule))
                for point in row.points
            ),
        )
        for row in ROWS
    ]


def test_each_point_says_where_its_rule_its_tests_and_its_chapter_are() -> None:
    page = coverage_page(ROWS, PLACES)
    line = PLACES.rule("leads.sync: Status <-> stage via lead_status")[0][1]
    assert (RULES / "leads.sync").read_text("utf-8").splitlines()[line - 1].split() == (
        ["Status", "<->", "stage", "via", "lead_status"]
    )
    assert f"[leads.sync:{line}](rules/leads.md) `Status <-> stage via lead_status`" in page
    assert "[Stages](../guide/maps.md#stages)" in page


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"rules": ("leads.sync: Rating -> custom1",)}, "no rule `leads.sync: Rating -> custom1`"),
        ({"tests": ("leads.sync: all is well",)}, "no test `leads.sync: all is well`"),
        ({"tests": ("engine/test_cycle.py: all is well",)}, "no test `engine/test_cycle.py"),
        ({"tests": ("engine/test_moon.py: all is well",)}, "no test `engine/test_moon.py"),
        ({"read": ("guide/moon.md",)}, "no page `guide/moon.md`"),
        ({"read": ("guide/maps.md#moon",)}, "no page `guide/maps.md#moon`"),
        ({"read": ("reference/codes/CW999.md",)}, "no page `reference/codes/CW999.md`"),
        ({"demo": "day: The moon", "shows": "x"}, "no step `day: The moon` of a demo"),
        ({"demo": "day: Mails"}, "`demo` and `shows` go together"),
    ],
)
def test_what_is_not_there_fails_the_build(values: dict[str, object], told: str) -> None:
    with pytest.raises(LookupError) as caught:
        coverage_page(with_point(**values), PLACES)
    assert told in str(caught.value)


def test_what_no_row_names_fails_the_build(tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    (tmp_path / "rules" / "cases.sync").write_text(
        "sync Case <-> prospect { match SuppliedEmail = emails  polling }", encoding="utf-8"
    )
    with pytest.raises(LookupError) as caught:
        coverage_page(ROWS, Places(ROOT, tmp_path / "rules", MADE))
    assert "the file cases.sync is in no row" in str(caught.value)
    assert "`sync Case <-> prospect` of cases.sync is in no row" in str(caught.value)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_kind_of_activity_that_no_row_names_fails_the_build(kind: str) -> None:
    with pytest.raises(LookupError, match=f"the kind `{kind}` is in no row"):
        coverage_page(without(f"activities.sync: {kind} "), PLACES)


def test_a_row_that_lacks_something_says_why() -> None:
    (row,) = [row for row in ROWS if row.name == "Advice"]
    bare = [replace(each, without={}) if each is row else each for each in ROWS]
    with pytest.raises(LookupError, match="Advice: name `rules`, or else say in `without`"):
        coverage_page(bare, PLACES)
