"""How long the console's pages take, with 200,000 links and a million rows of the log.

The ledger is filled by its own tables; the rest is the real console over the stock rules.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1]))

from dsl.values import stamp
from engine.ledger.words import learn
from engine.service.desk import Desk
from engine.shipped import RULES
from engine.stores.local import SAMPLE
from engine.web.app import app
from tests.web.served import Served, served

LINKS, LOG, WRITES, RUNS = 200_000, 1_000_000, 300_000, 5_000
TARGET = 100.0  # ms
PAGES = (
    "/types", "/types/Lead%3C-%3Eprospect", "/limits", "/activity", "/logs", "/logs?type=Lead",
    "/logs?id=17", "/logs?id=00Q000000000017", "/logs?run=r-4000", "/logs?status=conflict",
    "/logs?status=refused", "/logs?status=updated", "/logs?type=stage", "/logs?search=nowhere",
    "/logs?search=records", "/logs?search=Initech+9", "/logs?search=condition&type=Lead",
    "/logs?search=records&until=20d", "/plan", "/review", "/api/v1/status",
    "/api/v1/links?type=Lead",
)  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        service = served(Path(folder), RULES, [SAMPLE / "setup", SAMPLE / "salesforce"])
        try:
            service.run_now().result()
            service._ask("fill", fill).result()
            measure(service)
        finally:
            service.stop()


def measure(service: Served) -> None:
    client = TestClient(app(service), base_url="http://127.0.0.1")
    for path in PAGES:
        took = []
        for _ in range(5):
            start = time.perf_counter()
            assert client.get(path).status_code == 200
            took.append(1000 * (time.perf_counter() - start))
        mark = "" if statistics.median(took) <= TARGET else f"  over {TARGET:.0f} ms"
        print(f"{path:<32} {statistics.median(took):7.1f} ms{mark}")


def fill(desk: Desk) -> None:
    """A history as a month of a large org would leave it."""
    now = datetime.now(UTC)

    def at(share: float) -> str:
        return stamp(now - timedelta(days=29) * share)

    with desk.ledger._driver() as connection:
        connection.execute("BEGIN")
        insert(connection, "link", (
            ("Lead<->prospect", f"00Q{i:015}", i, 1, b"[]", b"[]", at(0.5))
            for i in range(1000, 1000 + LINKS)
        ))  # fmt: skip
        insert(connection, "log", (
            (None, at(1 - i / LOG), f"r-{i * RUNS // LOG}", "completed poll",
             "3 records read", "prospect", str(i % LINKS), "Lead", f"00Q{i % LINKS:015}")
            for i in range(LOG)
        ))  # fmt: skip
        insert(connection, "change", (
            (None, f"r-{i * RUNS // WRITES}", at(1 - i / WRITES), "Lead<->prospect", 1, "update",
             "inbound", f"00Q{i % LINKS:015}", i % LINKS, b"[[0, \"a\", \"b\"]]",
             "inbound update: condition holds", "rules/leads.sync:14",
             "done" if i % 1000 else "refused", None if i % 1000 else f"Initech {i} is no company")
            for i in range(WRITES)
        ))  # fmt: skip
        insert(connection, "run", (
            (f"r-{i}", at(1 - i / RUNS), at(1 - i / RUNS), "done", "x", "{}", "{}")
            for i in range(RUNS)
        ))  # fmt: skip
        learn(connection)
        connection.execute("COMMIT")


def insert(connection: Any, table: str, rows: Any) -> None:
    rows = iter(rows)
    first = next(rows)
    marks = ", ".join("?" * len(first))
    connection.execute(f"INSERT INTO {table} VALUES ({marks})", first)
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


if __name__ == "__main__":
    main()
