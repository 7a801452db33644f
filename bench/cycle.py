"""A cycle over 100,000 linked leads and prospects, of which 1% were edited on each side.

Runs each step as a process of its own, as a user would: `python bench/cycle.py [RECORDS]`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.sync import linked_project, print_size, timed
from dsl.schema import Side
from engine.model import Outcome, RecordId, Write
from engine.stores.local import open_org

SHARE = 100  # one record in so many is edited on each side
BOUND = 10  # seconds


class Clock:
    """The computer's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def edit(org: Path, side: Side, type_name: str, field: str) -> list[RecordId]:
    """Edit one record in a hundred on one side; which ones those are differs by side."""
    store = open_org(side, org / f"{side}.db", Clock())
    ids = sorted(row[0] for page in store.scan(type_name, [], None) for row in page.rows)
    chosen = ids[0 if side is Side.SALESFORCE else SHARE // 2 :: SHARE]
    done = store.write(type_name, [Write(each, {field: f"Edited on {side}"}) for each in chosen])
    store.close()
    assert all(result.outcome is Outcome.DONE for result in done)
    return chosen


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="crosswalk-bench-") as name:
        org, run = linked_project(Path(name), count)
        timed("a cycle with nothing changed", *run)
        start = perf_counter()
        edited = len(edit(org, Side.SALESFORCE, "Lead", "Title"))
        edited += len(edit(org, Side.OUTREACH, "prospect", "firstName"))
        print(f"{f'{edited:,} edits':<44} {perf_counter() - start:7.2f} s")
        _, out = timed(f"a cycle with 1% edited on each side (under {BOUND} s)", *run)
        told = json.loads(out)
        print(f"{'':<44} counts {told['counts']} calls {told['calls']}")
        assert told["counts"]["updated"] == edited, "every edit is carried over, once"
        _, out = timed("and the next one", *run)
        assert json.loads(out)["counts"]["updated"] == 0
        print_size(org, count)


if __name__ == "__main__":
    main()
