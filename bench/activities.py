"""10,000 activities from a local Outreach into a local Salesforce: time, and Salesforce's calls.

`python bench/activities.py [ACTIVITIES]`; five mailings, two calls, two tasks and a meeting in ten.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC
from pathlib import Path
from time import perf_counter
from typing import Any

from dsl.lint import check
from dsl.program import Program
from dsl.schema import Side, shipped_schema
from dsl.source import Source
from engine.activities import carried_out
from engine.cycle import run_cycle
from engine.ledger import Ledger
from engine.shipped import title_names, title_texts
from engine.stores.local import load, open_org

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling
    fields { Email -> emails }
    activities {
        email sent      title "[Out] {{ subject }}: {{ prospect.company }}"
        call logged
        task completed
        meeting booked
    }
}
"""
PEOPLE = 500
AT = "2026-05-03T10:37:48.000Z"
MIX = {"mailing": 5, "call": 2, "task": 2, "meeting": 1}
VALUES: dict[str, dict[str, Any]] = {
    "mailing": {"mailingType": "sequence", "deliveredAt": AT, "bodyText": "Hello. " * 100},
    "call": {"state": "completed", "answeredAt": AT, "completedAt": AT, "note": "Well."},
    "task": {"state": "completed", "completedAt": AT, "action": "action_item"},
    "meeting": {"startTime": AT, "endTime": AT},
}


def people() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A lead and a prospect each, by type."""
    stamps = {"createdAt": AT, "updatedAt": AT}
    yield (
        "prospect",
        [
            _resource(
                "prospect", n, {"emails": [f"p{n}@x.example"], "company": f"C{n}", **stamps}, {}
            )
            for n in range(1, PEOPLE + 1)
        ],
    )
    yield (
        "Lead",
        [
            {"Id": f"00QXX{n:010}", "LastName": f"L{n}", "Email": f"p{n}@x.example", "Company": "C"}
            | {"SystemModstamp": AT, "CreatedDate": AT}
            for n in range(1, PEOPLE + 1)
        ],
    )


def activities(count: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The records of each type of activity."""
    for name, share in MIX.items():
        yield (
            name,
            [
                _resource(
                    name,
                    n,
                    {"createdAt": AT, "updatedAt": AT, **VALUES[name]}
                    | ({"subject": f"About {n}"} if name in ("mailing", "meeting") else {}),
                    {"prospect": ("prospect", n % PEOPLE + 1)},
                )
                for n in range(1, count * share // sum(MIX.values()) + 1)
            ],
        )


def _resource(
    name: str, record: int, values: dict[str, Any], links: dict[str, tuple[str, int]]
) -> dict[str, Any]:
    related = {key: {"data": {"type": type_, "id": id_}} for key, (type_, id_) in links.items()}
    return {"type": name, "id": record, "attributes": values, "relationships": related}


def program() -> Program:
    checked = check([Source("bench.sync", RULES)], shipped_schema(), title_names())
    return carried_out(checked.program, title_texts())


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stores: dict[Side, Any] = {}
        for side in Side:
            stores[side] = open_org(side, Path(folder, f"{side}.db"))
            stack.callback(stores[side].close)
        ledger = Ledger(Path(folder, "ledger.db"))
        stack.callback(ledger.close)
        rules = program()
        for records in (people(), activities(count)):
            for name, listed in records:
                inner = Path(folder, name)
                inner.mkdir()
                (inner / f"{name}.json").write_text(json.dumps(listed), encoding="utf-8")
                load(stores[Side.SALESFORCE if name == "Lead" else Side.OUTREACH], inner)
        only = frozenset({"Lead<->prospect"})
        run_cycle(rules, stores, ledger, UTC, only=only)
        for words in ("written", "with nothing new"):
            started = perf_counter()
            summary = run_cycle(rules, stores, ledger, UTC)
            seconds = perf_counter() - started
            made, calls = summary.counts["created"], summary.calls["salesforce"]
            print(f"{count:,} activities, {words}: {made:,} in {seconds:.1f} s, {calls} calls")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
