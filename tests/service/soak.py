"""Minutes of a service's life by a seed: users on both sides, faults everywhere, then calm."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dsl.program import Program
from engine.budgeted import budgeted
from engine.cli.project import Project
from engine.ledger import Ledger
from engine.ledger.locking import run_lock
from engine.model import SIDES, Page, Side
from engine.ports import Store, Wait
from engine.sandbox.outreach import Setup as OutreachSetup
from engine.sandbox.salesforce.setup import Setup as SalesforceSetup
from engine.service import Pace, Service
from engine.stores.local import open_org
from engine.stores.outreach import transport
from engine.stores.salesforce import connection
from tests.service.place import Post, until
from tests.service.wired import Wired, wired
from tests.sim.book import Book
from tests.sim.invariants import amiss
from tests.sim.lands import LANDS, Land
from tests.sim.sky import Sky, Temper
from tests.sim.users import Users
from tests.sim.weather import Weather

__all__ = ["Soak", "soaked"]

S, O = Side.SALESFORCE, Side.OUTREACH  # noqa: E741
SPEED = 15  # simulated seconds to a real one
STEP = 0.05  # real seconds from one act of the driver to the next
PACE = Pace(debounce=1 / SPEED, first_rest=2 / SPEED, longest_rest=300 / SPEED, look=1 / SPEED)
SPEC = "before=0.004,503=0.01,after=0.004,401=0.01,reset=0.004,lost=0.3,doubled=0.2,reordered=0.2"
TOML = '[webhooks]\nurl = "URL"\n[alerts]\nwebhook = "POST"\n'
LIMITS = "limits { outreach own 12 per hour }\n"
BROKEN = "sync Lead <-> nobody { polling }\n"
_FILES = Path("/proc/self/fd")
# Connections that were broken off may linger for a while; what each of a minute's twenty runs, or
# each of the faults, left behind would be more than that.
_LEFT = {"threads": 1, "files": 5}
MEMORY = 3 << 20  # bytes that the engine may hold more of at the end


class _Gated:
    """A store whose calls and the users' edits come one after the other."""

    def __init__(self, store: Weather, gate: threading.RLock) -> None:
        self._store, self._gate = store, gate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def call(*args: Any) -> Any:
            with self._gate:
                return found(*args)

        return self._paged(found) if name == "scan" else call

    def _paged(self, scan: Callable[..., Iterator[Page]]) -> Callable[..., Iterator[Page]]:
        def pages(*args: Any) -> Iterator[Page]:
            with self._gate:
                found = scan(*args)
            while True:
                with self._gate:
                    page = next(found, None)
                if page is None:
                    return
                yield page

        return pages


class _Seen(Weather):
    """A store over HTTP, seen from the simulation; its webhooks are its own."""

    def __getattr__(self, name: str) -> Any:
        if name in ("webhooks", "own", "subscribe", "resubscribe", "unsubscribe"):
            return getattr(self.org, name)
        raise AttributeError(name)


@dataclass(frozen=True)
class _Host(Project):
    """The project, whose stores the simulation looks at."""

    sky: Sky
    book: Book
    gate: threading.RLock

    def open_budgeted(
        self, stack: ExitStack, program: Program, ledger: Ledger, wait: Wait | None = None
    ) -> dict[Side, Store]:
        raw: dict[Side, Any] = {}
        for side, store in self.open_stores(stack).items():
            org = open_org(side, self.root / f"{side}.db", self.sky)
            stack.callback(org.close)
            seen = _Seen(store, self.sky, self.book, ledger, org)
            raw[side] = _Gated(seen, self.gate)
        return budgeted(raw, program.limits, ledger, self.config.timezone, self.sky, wait)


@dataclass
class Soak:
    """What came of a seed."""

    seed: int
    amiss: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        wrong = "\n".join(f"AMISS {each}" for each in self.amiss)
        return "\n".join([f"seed {self.seed}: {self.figures}", *self.trace[-400:], wrong])


def soaked(seed: int, minutes: float, root: Path, environ: pytest.MonkeyPatch) -> Soak:
    """Live through so many simulated minutes; what must hold afterwards."""
    rng = Random(seed)  # noqa: S311 - chance that repeats itself
    land = LANDS[seed % len(LANDS)]
    sky, gate, book = Sky(rng, Temper()), threading.RLock(), Book(land)
    setups = (
        SalesforceSetup(session=timedelta(minutes=7)),
        OutreachSetup(access=timedelta(minutes=6), refresh=timedelta(days=3)),
    )
    # Time passes as much faster for those who try again.
    environ.setattr(connection, "_FIRST_PAUSE", connection._FIRST_PAUSE / SPEED)
    environ.setattr(transport, "_FIRST_WAIT", transport._FIRST_WAIT / SPEED)
    environ.setattr(transport, "_LONGEST_WAIT", transport._LONGEST_WAIT / SPEED)
    before = _held()
    with Post() as post:

        def host(project: Project) -> Project:
            return _Host(project.config, sky, book, gate)

        with wired(
            root,
            _quick(land),
            environ,
            clock=sky,
            spec=SPEC,
            seed=seed,
            toml=TOML.replace("POST", post.url),
            setups=setups,
            make=host,
        ) as world:
            life = _Life(land, sky, gate, book, world, rng, post)
            try:
                life.live(minutes)
                found = life.end()
            finally:
                life.close()
        found.seed = seed
    after = _settled_down(before)
    found.amiss += [
        f"{what}: {before[what]} before, {after[what]} after"
        for what in before
        if after[what] > before[what] + _LEFT[what]
    ]
    return found


def _quick(land: Land) -> str:
    """A land's rules, at the defaults' intervals but for the speed, which the schedule rounds."""
    rules = land.rules.replace("    polling\n", "    polling every 3 seconds\n")
    return rules.replace("    pushing\n", "    pushing every 1 second\n")


@dataclass
class _Life:
    """The users, the weather, and whoever looks after the service."""

    land: Land
    sky: Sky
    gate: threading.RLock
    book: Book
    world: Wired
    rng: Random
    post: Post

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.world.project.ledger_path)
        self.users = Users(self.land, self.world.orgs, self.ledger, self.sky, self.book)
        self.edges: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.figures: Counter[str] = Counter()
        self.listeners: list[threading.Thread] = []
        self.service = self._begin()

    def close(self) -> None:
        self.ledger.close()

    # -- the service ----------------------------------------------------------------------------

    def _begin(self) -> Service:
        host = self.world.project
        service = self.world.serve(Service(host, host.program(), self.sky, PACE))
        worker, alerts = service._worker, service._alerts
        do, see = worker._do, alerts.see

        def done(found: Any) -> None:
            do(found)
            with self.gate:
                self.sky.unread.clear()

        active: set[str] = {mark.partition(" ")[2] for mark in self.ledger.alerted()}

        def seen(
            ledger: Ledger | None, troubles: Mapping[str, str], is_open: Callable[[str], bool]
        ) -> None:
            nonlocal active
            self.edges.update(troubles.keys() - active)
            active = set(troubles) | {each for each in active - set(troubles) if is_open(each)}
            see(ledger, troubles, is_open)

        worker._do, alerts.see = done, seen  # type: ignore[method-assign, assignment]
        service.start(self.world.public.url)
        self.listeners.append(threading.Thread(target=_listen, args=(service,)))
        self.listeners[-1].start()
        return service

    def _restart(self) -> None:
        self._note("the service ends, and another one begins")
        if not self.service.stop(30):
            self.wrong.append("the service did not end")
        self.service = self._begin()

    # -- the driver -----------------------------------------------------------------------------

    def live(self, minutes: float) -> None:
        """Everything goes wrong once, in turn, while users are at work."""
        steps = int(minutes * 60 / SPEED / STEP)
        events = self._events()
        at = {int(steps * (n + 1) / (len(events) + 1)): each for n, each in enumerate(events)}
        marked = steps // 3
        for step in range(steps):
            time.sleep(STEP)
            with self.gate:
                self.sky.pass_(seconds=STEP * SPEED)
                if self.sky.happens(0.25):
                    self.users.act()
            if step in at:
                at[step]()
            if step == marked:
                self._measure("third")
        self._measure("end")

    def _events(self) -> Sequence[Callable[[], None]]:
        world, broken = self.world, self._rules(BROKEN)
        base, limited = self._rules(""), self._rules(LIMITS)
        return [
            self._restart,
            lambda: self._lose(O),
            lambda: self._find(O),
            broken,
            base,
            limited,
            self._hour,
            base,
            lambda: self._lose(S),
            lambda: self._find(S),
            lambda: self._by_hand(world),
            self._tokens,
        ]

    def _note(self, text: str) -> None:
        with self.gate:
            self.sky.note(text)

    def _rules(self, more: str) -> Callable[[], None]:
        def write() -> None:
            self._note(f"other rules: {more!r}")
            file = self.world.root / "rules" / "all.sync"
            file.write_text(_quick(self.land) + more)
            self.service.reload()

        return write

    def _lose(self, side: Side) -> None:
        self._note(f"{side} is gone")
        self.world.down(side)

    def _find(self, side: Side) -> None:
        self._note(f"{side} is back")
        self.world.up(side)

    def _hour(self) -> None:
        """Budgets end with the hour."""
        waits = self.service.state().waits
        self.figures["waits"] += len(waits)
        with self.gate:
            self.sky.note(f"an hour passes: {waits}")
            self.sky.pass_(hours=1)

    def _by_hand(self, world: Wired) -> None:
        """Somebody else is at work on the ledger for a while."""
        self._note("a run from the command line")
        with run_lock(world.project.ledger_path, lambda nap: time.sleep(nap) or False):
            time.sleep(0.3)

    def _tokens(self) -> None:
        """Every token ends before its time."""
        self._note("tokens end")
        for side in SIDES:
            self.world.faults[side].odds = {"401": 1.0}
        time.sleep(0.3)
        for side in SIDES:
            self.world.faults[side].odds = {"401": 0.05}

    # -- afterwards -----------------------------------------------------------------------------

    def end(self) -> Soak:
        """Let edits and faults stop; all that is not as it must be then."""
        self._note("calm")
        for side in SIDES:
            self.world.faults[side].odds = {}
        self._rules("")()
        time.sleep(0.2)
        for _ in range(4):
            with self.gate:
                self.sky.pass_(hours=1)
            self._cycle()
        with self.gate:
            found = self.wrong + amiss(
                self.land, self.world.orgs, self.ledger, self.book, self.sky.began
            )
        found += self._runs() + self._alerts()
        if self.service.state().unreachable or not self.service.ready:
            found.append(f"the service is not well: {self.service.state()}")
        for service in self.world.services:
            service.stop(30)
        for thread in self.listeners:
            thread.join(30)
        listening = [len(each._events._listeners) for each in self.world.services]
        if any(listening):
            found.append(f"listeners are left: {listening}")
        found += self._memory()
        return Soak(0, found, self.sky.trace, dict(self.figures))

    def _cycle(self) -> None:
        """All steps, until nothing is due."""
        agenda, board = self.service._agenda, self.service._board
        for _ in range(3):
            agenda.rested()
            agenda.mark(board.steps)
            until(lambda: not board.running and not agenda.waits(), "it is never done")
        self.service.run_now().result(60)

    def _runs(self) -> list[str]:
        """Whether two cycles overlapped, by the ledger."""
        with self.ledger._driver() as connection:
            rows = connection.execute(
                "SELECT id, started_at, finished_at FROM run ORDER BY rowid"
            ).fetchall()
        self.figures["runs"] = len(rows)
        return [
            f"{later[0]} began at {later[1]}, and {one[0]} ended at {one[2]}"
            for one, later in pairwise(rows)
            if one[2] is None or later[1] < one[2]
        ]

    def _alerts(self) -> list[str]:
        """Whether each trouble was told once, each time that it came."""
        until(lambda: not self.service._alerts._tries, "alerts are never sent")
        told = Counter(self.post.troubles)
        self.figures["alerts"] = told.total()
        return [
            f"{trouble} was told {count} times, and came {self.edges[trouble]} times"
            for trouble, count in told.items()
            if count > self.edges[trouble]
        ]

    # -- leaks ----------------------------------------------------------------------------------

    def _measure(self, when: str) -> None:
        """What the process holds while all is at work."""
        for what, count in _held().items():
            self.figures[f"{what} {when}"] = count
        if when == "third":
            tracemalloc.start()
            gc.collect()
            self._memory_then = _of_engine()

    def _memory(self) -> list[str]:
        grown = _of_engine() - self._memory_then
        tracemalloc.stop()
        self.figures["bytes"] = grown
        found = [] if grown < MEMORY else [f"the engine holds {grown:,} bytes more"]
        for what in ("threads", "files"):
            then, now = self.figures[f"{what} third"], self.figures[f"{what} end"]
            if now > then + 12:  # threads and connections of requests that are under way
                found.append(f"{what} grew from {then} to {now}")
        return found


def _of_engine() -> int:
    gc.collect()
    engine = tracemalloc.Filter(True, "*/engine/*")
    sim = tracemalloc.Filter(False, "*/engine/sandbox/*")
    shot = tracemalloc.take_snapshot().filter_traces([engine, sim])
    return sum(each.size for each in shot.statistics("filename"))


def _held() -> dict[str, int]:
    """Threads and open files of this process."""
    return {
        "threads": threading.active_count(),
        "files": len(list(_FILES.iterdir())) if _FILES.exists() else 0,
    }


def _settled_down(before: Mapping[str, int]) -> dict[str, int]:
    """What is held once threads had the time to end."""
    gc.collect()
    for _ in range(100):
        after = _held()
        if all(after[what] <= before[what] for what in before):
            break
        time.sleep(0.05)
    return after


def _listen(service: Service) -> None:
    """Somebody looks at the console now and then, and goes away."""

    async def some() -> None:
        for _ in range(1000):
            events = service.events()
            try:
                async with asyncio.timeout(0.5):
                    async for _event in events:
                        pass
            except TimeoutError:
                continue
            else:
                return
            finally:
                await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(some())
