"""The page on Outreach's configuration guide: each of its points with the rule, test and place.

`docs/reference/coverage.toml` says which; every name in it is looked up, so that the page cannot
name what is not there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crosswalk_docs.places import Places

__all__ = ["Point", "Row", "coverage_page", "read_coverage"]

_NOTHING = "—"


@dataclass(frozen=True)
class Point:
    """One thing that works: `rules` as `FILE: STATEMENT`, `tests` as `FILE: NAME`.

    `read` are pages with anchors, below `docs/`; `demo` is `STORY: STEP`, and `shows` a text that
    is printed there. `gap` says what of it does not work yet.
    """

    what: str
    rules: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    demo: str = ""
    shows: str = ""
    gap: str = ""


@dataclass(frozen=True)
class Row:
    """An object, activity or setting of the guide. `without` says why a column stays empty."""

    name: str
    points: tuple[Point, ...]
    without: Mapping[str, str] = field(default_factory=dict)


def read_coverage(text: str) -> tuple[Row, ...]:
    """The rows of the TOML. Raises `TypeError` for a key that there is not."""
    return tuple(
        Row(
            row["name"],
            tuple(Point(**_tuples(point)) for point in row["point"]),
            row.get("without", {}),
        )
        for row in tomllib.loads(text)["row"]
    )


def _tuples(point: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in point.items()}


def coverage_page(rows: Sequence[Row], places: Places) -> str:
    """The Markdown of the page, below its title.

    Raises `LookupError` with all that is named and not there, and with what is there and not named.
    """
    wrong = [*_unknown(rows, places), *_empty(rows), *_unnamed(rows, places)]
    if wrong:
        raise LookupError("coverage.toml: " + "; ".join(wrong))
    return "\n".join([*_summary(rows), *(line for row in rows for line in _section(row, places))])


# -- what is wrong ------------------------------------------------------------------------------


def _unknown(rows: Sequence[Row], places: Places) -> Iterator[str]:
    for point in (point for row in rows for point in row.points):
        for rule in point.rules:
            if not places.rule(rule):
                yield f"no rule `{rule}`"
        for test in point.tests:
            if places.test(test) is None:
                yield f"no test `{test}`"
        for page in point.read:
            if places.page(page) is None:
                yield f"no page `{page}`"
        if point.demo and not places.step(point.demo):
            yield f"no step `{point.demo}` of a demo"
        if bool(point.demo) != bool(point.shows):
            yield f"`demo` and `shows` go together: {point.what}"


def _empty(rows: Sequence[Row]) -> Iterator[str]:
    """Each row has a rule, a test, a page and a step of a demo, or says why it has none."""
    for row in rows:
        for column in ("rules", "tests", "read", "demo"):
            named = any(getattr(point, column) for point in row.points)
            if named == (column in row.without):
                yield f"{row.name}: name `{column}`, or else say in `without` why there are none"


def _unnamed(rows: Sequence[Row], places: Places) -> Iterator[str]:
    """Every stock rule file, sync, map, group and kind of activity is in some row."""
    rules = [rule for row in rows for point in row.points for rule in point.rules]
    named = {place for rule in rules for place in places.rule(rule)}
    for what, where in places.to_be_named().items():
        if named.isdisjoint(where):
            yield f"{what} is in no row"


# -- the page -----------------------------------------------------------------------------------


def _summary(rows: Sequence[Row]) -> Iterator[str]:
    yield "| from the guide | works | not yet |"
    yield "| --- | --- | --- |"
    for row in rows:
        gaps = [point.gap for point in row.points if point.gap]
        link, whole = f"[{row.name}](#{Places.anchor(row.name)})", "the rest" if gaps else "all"
        yield f"| {link} | {whole} | {'; '.join(gaps) or _NOTHING} |"
    yield ""


def _section(row: Row, places: Places) -> Iterator[str]:
    yield f"## {row.name}\n"
    yield "| what works | rule | tests | read | demo |"
    yield "| --- | --- | --- | --- | --- |"
    for point in row.points:
        cells = [
            point.what + (f"<br>**Not yet:** {point.gap}" if point.gap else ""),
            "<br>".join(_rule(rule, places) for rule in point.rules),
            "<br>".join(_test(test, places) for test in point.tests),
            "<br>".join(_page(page, places) for page in point.read),
            f"{point.demo.replace(': ', ', ', 1)}: `{point.shows}`" if point.demo else "",
        ]
        yield f"| {' | '.join(cell or _NOTHING for cell in cells)} |"
    yield ""
    for column, why in row.without.items():
        yield f"No {_COLUMNS[column]}: {why}\n"


_COLUMNS = {"rules": "stock rule", "tests": "test", "read": "page", "demo": "step of the demo"}


def _rule(rule: str, places: Places) -> str:
    file, _, text = rule.partition(": ")
    lines = ", ".join(str(line) for _, line in places.rule(rule))
    return f"[{file}:{lines}](rules/{file.removesuffix('.sync')}.md) `{text}`"


def _test(test: str, places: Places) -> str:
    file, _, name = test.partition(": ")
    if file.endswith(".sync"):
        return f"[{file}:{places.test(test)}](rules/{file.removesuffix('.sync')}.md) {name}"
    return f"`{file}` {name}"


def _page(page: str, places: Places) -> str:
    return f"[{places.page(page)}](../{page})"
