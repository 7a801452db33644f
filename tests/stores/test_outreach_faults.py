"""What the store makes of broken connections, refusals for now, and limits."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.model import Outcome, Result, Write
from engine.ports import BudgetSpent, Unreachable
from engine.sandbox.faults import faults
from tests.stores.outreach import MemoryVault, connected, store_at

BREAKING = "before=0.05,after=0.05,reset=0.05,truncated=0.05"


def test_creates_are_sent_once_whatever_breaks(tmp_path: Path) -> None:
    with connected(tmp_path, faults(BREAKING, 7)) as at:
        results: list[tuple[int, Result]] = []
        for start in range(0, 200, 50):
            writes = [Write(None, {"lastName": f"n{n}"}) for n in range(start, start + 50)]
            try:
                results += enumerate(at.store.write("prospect", writes), start)
            except Unreachable:
                results += [(start + n, Result(Outcome.UNKNOWN)) for n in range(50)]
        there = {
            row[2]: row[0]
            for page in at.org.scan("prospect", ["lastName"], None)
            for row in page.rows
        }
        count = sum(len(page.rows) for page in at.org.scan("prospect", [], None))
    assert count == len(there)
    outcomes = {f"n{n}": result for n, result in results}
    for name, result in outcomes.items():
        match result.outcome:
            case Outcome.DONE:
                assert there[name] == result.id
            case Outcome.TRANSIENT:
                assert name not in there
            case outcome:
                assert outcome is Outcome.UNKNOWN
    kinds = {result.outcome for result in outcomes.values()}
    assert kinds >= {Outcome.DONE, Outcome.UNKNOWN}


def test_updates_deletes_and_reads_are_repeated_until_they_went_through(tmp_path: Path) -> None:
    with connected(tmp_path, faults(BREAKING, 3)) as at:
        ids = [at.org.create("prospect", {"lastName": f"n{n}"}) for n in range(60)]
        done = at.store.write("prospect", [Write(i, {"title": "T"}) for i in ids[:40]])
        done += at.store.write("prospect", [Write(i, delete=True) for i in ids[40:]])
        # A delete that is repeated may find its record gone, which is as it should be.
        assert {each.outcome for each in done[:40]} == {Outcome.DONE}
        assert {each.outcome for each in done[40:]} <= {Outcome.DONE, Outcome.GONE}
        for _ in range(4):
            rows = [row for page in at.store.scan("prospect", ["title"], None) for row in page.rows]
            assert [row[2] for row in rows] == ["T"] * 40
            assert at.store.fates("prospect", ids) == dict.fromkeys(ids[40:])


def test_the_hours_limit_is_never_overrun(tmp_path: Path) -> None:
    with connected(tmp_path, hourly_limit=40) as at:
        at.store.fetch("prospect", [], [1])
        writes = [Write(None, {"lastName": f"n{n}"}) for n in range(60)]
        done = at.store.write("prospect", writes)
        made = [each for each in done if each.outcome is Outcome.DONE]
        waiting = [each for each in done if each.code == "BUDGET"]
        # What writes leave is for reading back.
        assert (len(made), len(waiting)) == (19, 41)
        for number in range(20):
            assert at.store.fetch("prospect", [], [made[number % 19].id or 0])
        assert at.store.calls == 40  # none was sent in vain
        with pytest.raises(BudgetSpent, match="limit of 40 requests an hour") as caught:
            at.store.fetch("prospect", [], [1])
        assert (
            timedelta(0) < caught.value.until - datetime.now(UTC) <= timedelta(hours=1, seconds=2)
        )
        assert at.store.usage()[:2] == (40, 40)
        # Another process learns of it by its first refusal.
        other = store_at(at.server.url, MemoryVault())
        with pytest.raises(BudgetSpent):
            other.fetch("prospect", [], [1])
        (refused,) = other.write("prospect", [Write(None, {"lastName": "x"})])
        assert (refused.outcome, refused.code) == (Outcome.TRANSIENT, "BUDGET")
        other.close()


def test_a_short_pause_is_waited_for(tmp_path: Path) -> None:
    with connected(tmp_path) as at:
        at.store.fetch("user", [], [1])
        pace = at.store.transport.pace
        pace.pause({"Retry-After": "1"})
        begun = time.monotonic()
        at.store.fetch("user", [], [1])
        assert time.monotonic() - begun >= 0.9
        other = store_at(at.server.url, at.vault)
        reset = str(int(time.time()) + 1)
        other.transport.pace.note({"X-RateLimit-Remaining": "5, 0", "X-RateLimit-Reset": reset})
        other.fetch("user", [], [1])
        other.close()
        assert time.time() >= int(reset)


def test_a_server_that_is_gone_is_told_and_what_was_not_sent_was_not(tmp_path: Path) -> None:
    with connected(tmp_path) as at:
        at.store.fetch("user", [], [1])
        at.server.stop()
        with pytest.raises(Unreachable, match="cannot be reached"):
            at.store.write("prospect", [Write(None, {"lastName": "x"})] * 3)
        with pytest.raises(Unreachable, match="cannot be reached"):
            list(at.store.scan("prospect", [], None))
