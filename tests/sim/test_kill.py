"""Killed at any place, or out of power at any commit: the next run ends where it would have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.model import SIDES, Side
from engine.stores.local import open_org
from tests.sim.killed import FILES, copied, cycle, opened

ROOT = Path(__file__).parents[2]
FRAME = 24 + 4096  # of SQLite's write-ahead log: a header and a page
PROCESSES = 2

State = tuple[list[Any], list[Any], list[Any]]


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """Two linked pairs, of which one was edited on both sides and one deleted; and new records."""
    folder = tmp_path / "start"
    folder.mkdir()
    left, right = (open_org(side, folder / f"{side}.db") for side in SIDES)
    leads = [
        left.create("Lead", {"LastName": f"L{n}", "Company": f"C{n}", "Email": f"p{n}@x.co"})
        for n in range(2)
    ]
    with opened(folder) as world:
        cycle(*world)
    left.edit("Lead", leads[0], {"Title": "CFO"})
    right.edit("prospect", 1, {"lastName": "M0"})
    left.delete("Lead", leads[1])
    left.create("Lead", {"LastName": "L2", "Company": "C2", "Email": "p2@x.co"})
    left.create("Lead", {"LastName": "L3", "Company": "C3"})
    right.create("prospect", {"lastName": "P2", "company": "C2", "emails": ["p2@x.co"]})
    right.create("prospect", {"lastName": "P4", "company": "C4"})
    left.close()
    right.close()
    return folder


def state_of(stores: dict[Side, Any], ledger: Any) -> State:
    """Both orgs' records by their values, and which are linked, by their companies."""
    left = _rows(stores[Side.SALESFORCE], "Lead", "Company", "LastName", "Email", "Title")
    right = _rows(stores[Side.OUTREACH], "prospect", "company", "lastName", "emails", "title")
    links = ledger.others("Lead<->prospect", Side.SALESFORCE, list(left))
    assert ledger.unanswered() == []
    pairs = sorted((left[a][0], right[b][0]) for a, b in links.items())
    return sorted(left.values(), key=str), sorted(right.values(), key=str), pairs


def _rows(store: Any, type_name: str, *fields: str) -> dict[Any, tuple[Any, ...]]:
    pages = store.scan(type_name, list(fields), None)
    return {row[0]: row[2:] for page in pages for row in page.rows}


def undisturbed(start: Path) -> State:
    folder = copied(start, start.with_name("undisturbed"))
    with opened(folder) as world:
        cycle(*world)
        return state_of(*world)


def assert_goes_on(folder: Path, expected: State) -> None:
    """A normal run ends where an undisturbed one does, and then there is nothing left to do."""
    with opened(folder) as world:
        cycle(*world)
        assert state_of(*world) == expected, folder
        counts = cycle(*world).counts
        assert not any(counts.values()), (folder, counts)


def test_a_run_that_is_killed_anywhere_is_gone_on_from(start: Path) -> None:
    expected = undisturbed(start)
    killers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.sim.killed", str(start)],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "KILL_FIRST": str(first),
                "KILL_STEP": str(PROCESSES),
            },
        )
        for first in range(1, PROCESSES + 1)
    ]
    assert [killer.wait() for killer in killers] == [0] * PROCESSES
    folders = sorted(start.parent.glob("start-*"))
    assert len(folders) > 60
    for folder in folders:
        assert_goes_on(folder, expected)


def test_a_ledger_that_lost_power_at_any_commit_is_gone_on_from(start: Path) -> None:
    expected = undisturbed(start)
    copies: list[Path] = []
    run = copied(start, start.with_name("run"))

    def place(what: str) -> None:
        if what.startswith("after") and what.split()[1] in ("begin", "intend", "commit", "finish"):
            copies.append(copied(run, start.with_name(f"power-{len(copies)}")))

    with opened(run, place) as world:
        cycle(*world)
    assert len(copies) > 5
    for number, folder in enumerate(copies):
        for torn in (0, 1, FRAME // 2, FRAME):
            case = copied(folder, start.with_name(f"torn-{number}-{torn}"))
            log = case / "ledger.db-wal"
            os.truncate(log, max(log.stat().st_size - torn, 0))
            assert_goes_on(case, expected)


def test_a_commit_of_the_ledger_has_reached_the_disk(start: Path) -> None:
    with opened(start) as (_, ledger):
        modes = [ledger._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in MODES]
    assert modes == ["wal", 2]
    assert all((start / name).exists() for name in FILES)


MODES = ("journal_mode", "synchronous")
