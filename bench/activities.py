"""A day of 50 salespeople, and 10,000 activities, between local orgs: time, and Salesforce's calls.

A day is 5,000 mailings, 2,000 calls, 1,000 tasks and 200 meetings; the 10,000 are five mailings,
two calls, two tasks and a meeting in ten.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
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
sync User <-> user { match Email = email  polling  fields { Email -> email } }
sync Lead <-> prospect {
    match Email = emails
    polling
    fields { Email -> emails }
    activities {
        email sent      title "[Out] {{ subject }}: {{ prospect.company }}"
        email received
        email bounced
        call logged
        task completed
        meeting booked
    }
}
"""
PEOPLE = 500
SALESPEOPLE = 50
AT = "2026-05-03T10:37:48.000Z"
DAY = {"mailing": 5000, "call": 2000, "task": 1000, "meeting": 200}
MANY = {"mailing": 5000, "call": 2000, "task": 2000, "meeting": 1000}
STAMPS = {"SystemModstamp": AT, "CreatedDate": AT}
VALUES: dict[str, dict[str, Any]] = {
    "mailing": {"bodyText": "Hello. " * 100},
    "call": {"state": "completed", "answeredAt": AT, "completedAt": AT, "note": "Well."},
    "task": {"state": "completed", "completedAt": AT, "action": "action_item"},
    "meeting": {"startTime": AT, "endTime": AT},
}


def people() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Salespeople on both sides, a lead and a prospect each, by type."""
    known = [{"email": f"s{n}@x.example", "name": f"S{n}"} for n in range(1, SALESPEOPLE + 1)]
    yield "user", [_resource("user", n, each, {}) for n, each in enumerate(known, 1)]
    yield (
        "User",
        [
            {"Id": f"005XX{n:010}", "Email": each["email"], "IsActive": True, **STAMPS}
            for n, each in enumerate(known, 1)
        ],
    )
    numbers = range(1, PEOPLE + 1)
    yield (
        "prospect",
        [
            _resource("prospect", n, {"emails": [f"p{n}@x.example"], "company": f"C{n}"}, {})
            for n in numbers
        ],
    )
    yield (
        "Lead",
        [
            {"Id": f"00QXX{n:010}", "LastName": f"L{n}", "Email": f"p{n}@x.example", "Company": "C"}
            | STAMPS
            for n in numbers
        ],
    )


def activities(counts: Mapping[str, int]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The records of each type of activity."""
    for name, count in counts.items():
        yield name, [_activity(name, n) for n in range(1, count + 1)]


def _activity(name: str, number: int) -> dict[str, Any]:
    values = dict(VALUES[name])
    if name in ("mailing", "meeting"):
        values["subject"] = f"About {number}"
    if name == "mailing":
        # Of twenty, two came in and one bounced.
        kind = {0: "bounced", 5: "reply", 10: "reply"}.get(number % 20, "sequence")
        values["mailingType"] = "sequence" if kind == "bounced" else kind
        values["bouncedAt" if kind == "bounced" else "deliveredAt"] = AT
    whose = ("user", number % SALESPEOPLE + 1)
    owner = "owner" if name == "task" else "user"
    return _resource(
        name, number, values, {"prospect": ("prospect", number % PEOPLE + 1), owner: whose}
    )


def _resource(
    name: str, record: int, values: dict[str, Any], links: dict[str, tuple[str, int]]
) -> dict[str, Any]:
    related = {key: {"data": {"type": type_, "id": id_}} for key, (type_, id_) in links.items()}
    stamps = {"createdAt": AT, "updatedAt": AT}
    return {"type": name, "id": record, "attributes": stamps | values, "relationships": related}


def program() -> Program:
    checked = check([Source("bench.sync", RULES)], shipped_schema(), title_names())
    return carried_out(checked.program, title_texts())


def main() -> None:
    for name, counts in (("a day of 50 salespeople", DAY), ("10,000 activities", MANY)):
        measure(name, counts)


def measure(name: str, counts: Mapping[str, int]) -> None:
    """Write the activities, and look once more; say how long it took, and what it cost."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stores: dict[Side, Any] = {}
        for side in Side:
            stores[side] = open_org(side, Path(folder, f"{side}.db"))
            stack.callback(stores[side].close)
        ledger = Ledger(Path(folder, "ledger.db"))
        stack.callback(ledger.close)
        rules = program()
        for type_name, records in (*people(), *activities(counts)):
            inner = Path(folder, f"{len(records)} {type_name}")
            inner.mkdir(exist_ok=True)
            (inner / f"{type_name}.json").write_text(json.dumps(records), encoding="utf-8")
            side = Side.SALESFORCE if type_name in ("Lead", "User") else Side.OUTREACH
            load(stores[side], inner)
        run_cycle(rules, stores, ledger, UTC, only=frozenset({"User<->user", "Lead<->prospect"}))
        for words in ("written", "with nothing new"):
            started = perf_counter()
            summary = run_cycle(rules, stores, ledger, UTC)
            seconds = perf_counter() - started
            made, calls = summary.counts["created"], summary.calls["salesforce"]
            print(
                f"{name}, {words}: {made:,} in {seconds:.1f} s,"
                f" {calls} Salesforce calls, {made / calls:,.0f} records a call"
            )


if __name__ == "__main__":
    main()
