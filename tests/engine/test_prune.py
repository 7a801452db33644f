"""The ledger's size: what a cycle adds to it, what pruning takes away, and what it never does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.ledger import Intent, Ledger, schema
from engine.undo import NoSuchRun, undo
from tests.engine.rules import program_of
from tests.engine.test_saved_plans import apply, messages, save
from tests.engine.world import Clock, O, S, World

PAIR = "Lead<->prospect"
RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound update
    fields {
        Company <-> company
        LastName <-> lastName
        Email <-> emails
        Title <-> title
        City <-> addressCity
    }
}
"""
MONTH = timedelta(days=30)
KEPT = ("link", "layout", "cursor", "pending")
DELETING = RULES.replace("inbound update", "inbound update\n    inbound delete")


@contextmanager
def on_disk(folder: Path, rules: str = RULES) -> Iterator[World]:
    """A world whose ledger is a file, with three linked leads."""
    at = World(program_of(rules), Clock(), {}, Ledger(folder / "ledger.db"))
    for n in range(3):
        at.create(S, "Lead", LastName=f"L{n}", Company="C", Email=f"l{n}@x.co")
    at.run()
    yield at
    at.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[World]:
    with on_disk(tmp_path) as at:
        yield at


def rows(at: World) -> dict[str, list[dict[str, Any]]]:
    return {t.name: list(at.ledger.rows(sa.select(t))) for t in schema.metadata.sorted_tables}


def prune(at: World, older_than: timedelta = MONTH, *, dry: bool = False) -> Any:
    return at.ledger.prune(at.clock.now(), older_than, dry=dry)


def test_a_cycle_with_nothing_changed_adds_three_rows_a_sync_at_most(disk: World) -> None:
    disk.run()
    before = {name: len(found) for name, found in rows(disk).items()}
    for _ in range(5):
        disk.run()
    after = {name: len(found) for name, found in rows(disk).items()}
    added = {name: after[name] - n for name, n in before.items() if after[name] != n}
    assert added == {"run": 5, "log": 10}


def test_pruning_brings_many_old_runs_back_to_the_size_of_one(disk: World) -> None:
    prune(disk)
    size = disk.ledger.size()
    lead = next(iter(disk.links(PAIR)))
    for n in range(60):
        disk.edit(S, "Lead", lead, Title=f"Title {n}")
        disk.run()
    grown = disk.ledger.size()
    disk.clock.pass_(days=40)
    disk.run()
    kept = {name: rows(disk)[name] for name in KEPT}
    assert prune(disk, dry=True) == (pruned := prune(disk))
    assert (pruned.runs, pruned.changes) == (61, 3 + 60)
    assert grown > size
    assert disk.ledger.size() <= size
    assert {name: rows(disk)[name] for name in KEPT} == kept
    assert disk.run().counts["updated"] == 0


def test_what_is_younger_than_the_bound_stays_and_can_be_undone(disk: World) -> None:
    (first,) = (row["id"] for row in rows(disk)["run"])
    disk.clock.pass_(days=20)
    lead, prospect = next(iter(disk.links(PAIR).items()))
    disk.edit(S, "Lead", lead, Title="Owner")
    second = disk.run().run
    disk.clock.pass_(days=20)
    disk.run()
    assert prune(disk).runs == 1
    world = disk.program, disk.stores, disk.ledger, UTC
    assert undo(*world, second, clock=disk.clock).counts["updated"] == 1
    assert disk.one(O, "prospect", prospect, "title") is None
    with pytest.raises(NoSuchRun):
        undo(*world, first, clock=disk.clock)


def test_a_write_without_an_answer_keeps_its_run(disk: World) -> None:
    lead, prospect = next(iter(disk.links(PAIR).items()))
    (run,) = (row["id"] for row in rows(disk)["run"])
    intent = Intent(PAIR, 1, "update", "inbound", lead, int(prospect), b"[]", "why", "x.sync:1")
    disk.ledger.intend(run, "2026-11-23T09:40:00.000Z", [intent])
    disk.clock.pass_(days=400)
    disk.ledger.begin("r-later", "2027-12-01T00:00:00.000Z", "digest")
    assert prune(disk).changes == 0
    assert len(disk.ledger.unanswered()) == 1


def test_a_survivor_is_not_made_again_and_an_undelete_still_finds_it(disk: World) -> None:
    lead, prospect = next(iter(disk.links(PAIR).items()))
    disk.delete(S, "Lead", lead)
    disk.run()
    disk.clock.pass_(days=20)
    assert prune(disk, timedelta(days=16)).bared == 1
    disk.edit(O, "prospect", prospect, title="Owner")
    assert disk.run().counts["created"] == 0
    disk.orgs[S].undelete("Lead", lead)
    disk.clock.pass_(minutes=1)
    disk.run()
    assert disk.links(PAIR)[lead] == prospect
    assert disk.one(S, "Lead", lead, "Title") == "Owner"


def test_tombstones_of_two_that_are_gone_go_once_no_recycle_bin_has_them(tmp_path: Path) -> None:
    with on_disk(tmp_path, DELETING) as at:
        lead = next(iter(at.links(PAIR)))
        at.delete(S, "Lead", lead)
        assert at.run().counts["deleted"] == 1
        at.clock.pass_(days=10)
        at.run()
        assert prune(at, timedelta(days=1)).tombstones == 0
        assert [row["action"] for row in rows(at)["change"]] == ["delete"]
        at.clock.pass_(days=10)
        assert prune(at, timedelta(days=1)).tombstones == 1
        assert (rows(at)["change"], rows(at)["tombstone"]) == ([], [])


def test_a_plan_is_not_carried_out_twice_though_the_first_time_is_forgotten(
    disk: World, tmp_path: Path
) -> None:
    lead = next(iter(disk.links(PAIR)))
    disk.edit(S, "Lead", lead, Title="Owner")
    path = save(disk, tmp_path)
    assert apply(disk, path).counts["updated"] == 1
    disk.clock.pass_(days=40)
    disk.run()
    assert prune(disk).plans == 1
    assert "is older: make a new one" in messages(apply(disk, path))
