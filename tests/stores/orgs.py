"""Local orgs in memory for tests, with a clock that a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dsl.schema import Side
from engine.model import Result, Write
from engine.stores.local import LocalOrg, open_org

S, O = Side.SALESFORCE, Side.OUTREACH  # noqa: E741
MEMORY = Path(":memory:")


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def move(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def org_of(side: Side, path: Path = MEMORY) -> tuple[LocalOrg, Clock]:
    clock = Clock()
    return open_org(side, path, clock), clock


def write(org: LocalOrg, type_name: str, record: Any = None, **values: Any) -> Result:
    """One write's result."""
    [result] = org.write(type_name, [Write(record, values)])
    return result


def rows(org: LocalOrg, type_name: str, *fields: str) -> list[tuple[Any, ...]]:
    """All rows, without their stamps."""
    pages = org.scan(type_name, fields, None)
    return [(row[0], *row[2:]) for page in pages for row in page.rows]
