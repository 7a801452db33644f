"""What a service does when something goes wrong, and that it goes on by itself afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from engine.ledger import opening
from engine.ledger.locking import Busy, run_lock
from engine.ledger.records import LedgerError
from engine.model import Direction
from engine.service import Letting, Pace, Service, Step
from engine.service.agenda import Agenda
from engine.service.app import app
from engine.service.schedule import Schedule
from tests.service.place import LEADS, Moment, O, Place, Post, S, place, until

INBOUND, OUTBOUND = (Step("Lead<->prospect", each) for each in Direction)


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as found:
        yield found


def test_a_side_that_is_down_is_waited_for_and_told_of_once_each_time(
    tmp_path: Path, post: Post
) -> None:
    with place(tmp_path, alerts=f'webhook = "{post.url}"') as at:
        at.create()
        at.tick()
        for outage in (1, 2):
            at.down.add(O)
            at.service._agenda.mark([OUTBOUND])
            until(lambda: at.service.state().unreachable == "Outreach is down")
            assert not at.service.ready
            for _ in range(3):  # Salesforce has nothing new, so Outreach is not asked for it
                at.service.run_now(["nothing"]).exception(60)
                at.service._agenda._rest_until = 0.0
                at.service._agenda.mark([INBOUND])
                until(lambda: at.service._board.running is None)
            assert at.service.state().unreachable == "Outreach is down"
            until(lambda: len(post.taken) == outage)  # noqa: B023 - it is asked for at once
            at.edit(O, 1, lastName=f"Li{outage}")
            at.down.clear()
            at.rest()
            assert at.names(S) == [f"Li{outage}"], "it goes on without another tick"
            assert at.service.ready
        assert post.troubles == ["unreachable outreach"] * 2


def test_rests_become_longer_up_to_a_bound_and_short_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.service.agenda.monotonic", lambda: 100.0)
    agenda = Agenda(Moment(), Pace())
    rests = []
    for _ in range(60):
        agenda.rest()
        rests.append(agenda._rest_until - 100.0)
    assert all(2.0**n <= rest <= 2.0 ** (n + 1) for n, rest in enumerate(rests[:7]))
    assert all(150.0 <= rest <= 300.0 for rest in rests[8:])
    agenda.rested()
    agenda.rest()
    assert agenda._rest_until <= 102.0


LIMITED = LEADS + "limits { outreach own 8 per hour }\n"


def test_what_waits_for_calls_goes_on_at_the_reset_and_not_before(
    tmp_path: Path, post: Post
) -> None:
    with place(tmp_path, LIMITED, f'webhook = "{post.url}"') as at:
        at.create(30)
        at.service._agenda.mark([INBOUND])
        until(lambda: at.service.state().waits)
        until(lambda: at.service._board.running is None)
        done = len(at.names(O))
        assert 0 < done < 30
        ((side, reset),) = at.service.state().waits
        assert (side, reset.minute) == (O, 0)
        for _ in range(5):
            runs = len(_runs(at))
            at.service._agenda.mark([INBOUND, OUTBOUND])
            at.service._ask("look", lambda _desk: None).result(60)
            assert len(_runs(at)) == runs, "no cycle is worth its calls before the reset"
        for _ in range(40):
            if len(at.names(O)) == 30:
                break
            at.clock.moment = max(at.clock.moment, reset) + timedelta(seconds=1)
            until(lambda: not at.service.state().waits)
            until(lambda: at.service._board.running is None and _quiet(at))
            waits = at.service.state().waits
            reset = waits[0][1] if waits else reset
        assert len(at.names(O)) == 30
        assert "budget Outreach own per hour" in post.troubles


def _quiet(at: Place) -> bool:
    return bool(at.service.state().waits) or not at.service._agenda._due


def _runs(at: Place) -> list[Any]:
    with at.service.looking() as ledger, ledger._driver() as connection:
        return connection.execute("SELECT id, status FROM run ORDER BY started_at").fetchall()


GUARDED = LEADS + "guard { creates 5 per run }\n"


def test_a_guard_stops_each_cycle_and_is_told_once_until_a_plan_is_approved(
    tmp_path: Path, post: Post
) -> None:
    with place(tmp_path, GUARDED, f'webhook = "{post.url}"') as at:
        at.create(6)
        for step in (INBOUND, OUTBOUND, INBOUND, OUTBOUND):
            at.service._agenda.mark([step])
            at.rest()
        assert at.names(O) == []
        assert "lets it create 5" in at.service.state().steps[0].trouble
        at.again()  # which knows of no step yet how it ended
        for step in (OUTBOUND, INBOUND):
            at.service._agenda.mark([step])
            at.rest()
        assert post.troubles == ["stopped Lead<->prospect inbound"]
        drawn = at.service.plan().result(60)
        assert at.service.approve(drawn.plan.plan, "Ann").result(60).counts["created"] == 6
        at.tick()
        assert at.service.state().steps[0].trouble == ""
        at.create(12)  # of which six have addresses of their own
        at.tick()
        until(lambda: post.troubles == ["stopped Lead<->prospect inbound"] * 2)
        assert at.service.run_now(yes=True).result(60).counts["created"] == 6


def test_plans_are_rejected_runs_undone_and_refusals_tried_again(tmp_path: Path) -> None:
    with place(tmp_path) as at:
        at.create(2)
        drawn = at.service.plan().result(60)
        at.service.reject(drawn.plan.plan, "Ann").result(60)
        with pytest.raises(ValueError, match="no plan"):
            at.service.approve(drawn.plan.plan, "Ann").result(60)
        run = at.service.run_now().result(60)
        assert run.counts["created"] == 2
        assert at.service.undo(run.run).result(60).counts["deleted"] == 2
        assert at.names(O) == []
        with pytest.raises(ValueError, match="is not held"):
            at.service.retry(Letting("prospect", "1")).result(60)


def test_deletions_that_came_all_at_once_are_let_go_by_themselves(
    tmp_path: Path, post: Post
) -> None:
    rules = LEADS.replace("inbound update", "inbound update\n    inbound delete")
    with place(tmp_path, rules, f'webhook = "{post.url}"') as at:
        made = at.create(25)
        at.tick()
        at.delete(S, made)
        at.tick()
        assert len(at.names(O)) == 25
        until(lambda: post.troubles == ["held Lead<->prospect"])
        assert at.service.resume_vanished(["Lead"]).result(60).counts["deleted"] == 25
        assert at.names(O) == []


def test_refused_rules_change_nothing_and_everybody_hears_of_it_once(
    tmp_path: Path, post: Post
) -> None:
    with place(tmp_path, alerts=f'webhook = "{post.url}"') as at:
        before, file = at.service.program(), tmp_path / "rules" / "leads.sync"
        file.write_text(LEADS.replace("LastName <->", "LastNaem <->"))
        for _ in range(3):
            at.service.reload()
            at.rest()
        assert at.service.program() is before
        assert any("LastNaem" in each for each in at.service.state().findings)
        until(lambda: post.troubles == ["rules"])
        at.create()
        at.tick()
        assert at.names(O) == ["Ng0000"]
        file.write_text(LEADS.replace("Company   -> company", "Company <-> company"))
        at.service.reload()
        at.rest()
        assert at.service.program() is not before
        assert at.service.state().findings == ()
        at.edit(O, 1, company="Umbrella")
        at.tick()
        assert at.service.explain("prospect", "1").result(60)["record"]


# -- the ledger ---------------------------------------------------------------------------------


def test_a_ledger_that_is_gone_is_not_made_anew_and_goes_on_once_it_is_back(
    tmp_path: Path, post: Post
) -> None:
    with place(tmp_path, alerts=f'webhook = "{post.url}"') as at:
        at.create(3)
        at.tick()
        ledger, aside = at.host.ledger_path, tmp_path / "aside"
        aside.mkdir()
        files = list(tmp_path.glob("crosswalk.db*"))
        for file in files:
            file.rename(aside / file.name)
        at.service._agenda.mark([INBOUND])
        until(lambda: "was removed or replaced" in at.service._board.ledger)
        with pytest.raises(LedgerError, match="put it back"), at.service.looking():
            pass
        assert not ledger.exists()
        assert not at.service.ready
        until(lambda: post.troubles == ["ledger"])
        at.create(4)
        for file in files:
            (aside / file.name).rename(file)
        at.rest()
        assert at.service.ready
        assert len(at.names(O)) == 4, "three of them have addresses that are linked already"


def test_a_full_disk_and_a_locked_ledger_pass(
    tmp_path: Path, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_BUSY_SECONDS", 0.05)
    with place(tmp_path, alerts=f'webhook = "{post.url}"') as at:
        at.create(1)
        at.tick()

        def bound(pages: int) -> None:
            at.service._ask(
                "bound",
                lambda desk: desk.ledger._connection.execute(f"PRAGMA max_page_count = {pages}"),
            ).result(60)

        at.create(300)
        bound(1)
        at.service._agenda.mark([INBOUND])
        until(lambda: "full" in at.service._board.ledger)
        until(lambda: post.troubles == ["ledger"])
        bound(1 << 30)
        at.rest()
        assert len(at.names(O)) == 301 - 1  # the first of the 300 has the address of another one
        at.service.reload()
        other = sqlite3.connect(at.host.ledger_path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        at.service._agenda.mark([INBOUND])
        until(lambda: "locked" in at.service._board.ledger)
        other.execute("ROLLBACK")
        other.close()
        at.rest()
        assert at.service.ready


def test_a_run_from_the_command_line_and_a_cycle_do_not_meet(tmp_path: Path) -> None:
    with place(tmp_path) as at:
        at.create()
        with run_lock(at.host.ledger_path):
            at.service._agenda.mark([INBOUND])
            until(lambda: at.service._board.running)
            assert at.names(O) == []
        at.rest()
        assert at.names(O) == ["Ng0000"]
        met: list[bool] = []

        def meet() -> None:
            try:
                with run_lock(at.host.ledger_path):
                    met.append(True)
            except Busy:
                met.append(False)

        at.host.calls.append(meet)
        at.tick()
        assert met
        assert not any(met)


def test_a_second_service_is_told_who_is_at_work(tmp_path: Path) -> None:
    with place(tmp_path) as at:
        at.service.stop()
        first = Service(at.host, at.host.program())
        first.open("http://127.0.0.1:8420")
        second = Service(at.host, at.host.program())
        with pytest.raises(Busy, match=r"\(process \d+ at http://127.0.0.1:8420\) is at work"):
            second.open()
        assert second.stop()
        assert first.stop()
        third = at.again()
        assert third.ready


def test_a_worker_that_breaks_is_told_of_and_is_not_healthy(tmp_path: Path) -> None:
    with place(tmp_path) as at:
        at.service.stop()
        broken: list[bool] = []
        service = Service(at.host, at.host.program())
        service.open(when_broken=lambda: broken.append(True))

        def none(_known: object) -> None:
            raise MemoryError

        service._agenda.next = none  # type: ignore[method-assign, assignment]
        service.run_now()
        until(lambda: broken and not service.alive)
        assert not service.ready
        client = TestClient(app(service))
        assert client.get("/healthz").status_code == 503
        assert service.stop()


# -- time ---------------------------------------------------------------------------------------


def test_ticks_that_were_slept_through_come_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    due: list[Step] = []
    schedule = Schedule(due.append)
    schedule.start({INBOUND: timedelta(seconds=600)})
    try:
        until(lambda: due == [INBOUND])
        slept = datetime.now(UTC) - timedelta(hours=8)
        schedule._scheduler.modify_job(f"{INBOUND.pair} {INBOUND.direction}", next_run_time=slept)
        until(lambda: len(due) == 2)
        monkeypatch.setattr("engine.service.schedule.time", lambda: 0.0)
        later = datetime.now(UTC) + timedelta(hours=8)  # as if the clock had been set back
        schedule._scheduler.modify_job(f"{INBOUND.pair} {INBOUND.direction}", next_run_time=later)
        schedule.look()
        until(lambda: len(due) == 3)
        coming = schedule.next(INBOUND)
        assert coming is not None
        assert coming - datetime.now(UTC) < timedelta(seconds=700)
    finally:
        schedule.stop()
    assert len(due) == 3


def test_a_stop_in_the_middle_of_a_cycle_hands_back_and_the_next_service_goes_on(
    tmp_path: Path,
) -> None:
    with place(tmp_path) as at:
        at.create(450)
        calls: list[int] = []

        def hurry() -> None:
            calls.append(1)
            if len(calls) == 4:
                at.service.hurry()

        at.host.calls.append(hurry)
        at.service._agenda.mark([INBOUND])
        waiting = at.service.run_now()
        until(lambda: not at.service.alive or len(calls) >= 4)
        assert at.service.stop(30)
        assert waiting.cancelled() or waiting.done()
        at.host.calls.clear()
        at.again()
        at.tick()
        names = at.names(O)
        assert len(names) == len(set(names)) == 450


def test_the_clock_that_a_service_is_given_is_the_one_it_goes_by(tmp_path: Path) -> None:
    with place(tmp_path) as at:
        assert at.service.state().started == Moment().now()
