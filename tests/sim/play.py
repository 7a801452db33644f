"""One history from one seed: weather, users and crashes, then calm; what it must have led to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path
from random import Random
from typing import Any

from engine.case import Change
from engine.cycle import Summary, run_cycle
from engine.ledger import Ledger
from engine.model import SIDES, Action, Side
from engine.ports import Store, StoreError
from engine.stores.local import LocalOrg, open_org
from tests.sim.book import Book
from tests.sim.invariants import amiss
from tests.sim.lands import LANDS, Land
from tests.sim.sky import LAG, Crash, Sky, Temper
from tests.sim.users import Users
from tests.sim.weather import Commits, Weather

__all__ = ["ACTS", "History", "play"]

ACTS = 14
_MEMORY = Path(":memory:")
_CYCLES = 3
_WRITING = ("created", "updated", "linked", "unlinked", "deleted", "failed", "conflicts")


@dataclass
class History:
    """What came of a seed: the trace, and all that is not as it must be."""

    seed: int
    trace: list[str]
    amiss: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([f"seed {self.seed}", *self.trace, *(f"AMISS {a}" for a in self.amiss)])


#: Gives the stores by which cycles see these orgs, which a stack closes; the orgs themselves here.
Connect = Callable[[dict[Side, Any], Random, ExitStack], dict[Side, Any]]


def play(
    seed: int,
    acts: int = ACTS,
    folder: Path | None = None,
    connect: Connect | None = None,
    land: Land | None = None,
) -> History:
    """Play one history; with a folder, the ledger is a file that a crash closes and opens again.

    With `connect` the orgs are files as well, and cycles see them through what it gives.
    """
    rng = Random(seed)  # noqa: S311 - chance that repeats itself
    land = land or LANDS[seed % len(LANDS)]
    sky = Sky(rng, Temper.drawn(rng))
    with _world(land, sky, folder, connect) as world:
        sky.note(f"{land.name}; {sky.temper}")
        for _ in range(acts):
            world.act()
        found = world.calm_down()
    return History(seed, sky.trace, found)


@dataclass
class World:
    """The orgs, the ledger and everybody who acts on them."""

    land: Land
    sky: Sky
    orgs: dict[Side, LocalOrg]
    views: dict[Side, Any]
    ledger: Ledger
    book: Book
    users: Users
    file: Path | None = None

    def act(self) -> None:
        """Users, time or a cycle."""
        sky = self.sky
        match sky.rng.choice(("users", "users", "time", "cycle", "cycle")):
            case "users":
                for _ in range(sky.rng.randint(1, 4)):
                    sky.pass_(seconds=sky.rng.choice((1, 20, 90)))
                    self.users.act()
            case "time":
                sky.pass_(minutes=sky.rng.choice((1, 10, 30, 70)))
            case _:
                self.cycle()

    def cycle(self) -> Summary | None:
        """One cycle, unless something ends it."""
        sky = self.sky
        sky.pass_(minutes=1)
        sky.dead = False
        sky.meanwhile = self.users.act
        stores: dict[Side, Store] = {
            side: Weather(view, sky, self.book, self.ledger, self._behind(side))
            for side, view in self.views.items()
        }
        ledger: Any = Commits(self.ledger, sky)
        try:
            summary = run_cycle(
                self.land.program(),
                stores,
                ledger,
                UTC,
                clock=sky,
                report=self._report,
                compiled=self.land.compiled(),
            )
        except Crash:
            self._restart()
            summary = None
        except StoreError as error:
            sky.note(f"the cycle ends: {error}")
            summary = None
        sky.unread.clear()
        if summary is not None:
            counts = {name: count for name, count in summary.counts.items() if count}
            sky.note(f"cycle {summary.status} {counts}")
        return summary

    def _report(self, change: Change) -> None:
        ids = change.salesforce_id, change.outreach_id
        self.sky.note(f"  {change.action} {change.direction} {ids}: {change.reason}")
        if change.action is Action.LINK and change.rule.startswith("rules/"):
            self._meeting(change)

    def _meeting(self, change: Change) -> None:
        """Whether two records meet of which one had other matches as well, as the run saw it."""
        side = change.direction.source
        mine = change.id(side)
        sync, other = self.land.sync_of(side, change.types[side]), side.other
        key = self.book.last((side, sync.types[side], mine), sync.key.names[side]) if mine else None
        records = self.book.living(other, sync.types[other])
        linked = self.ledger.others(sync.name, other, records)
        alike = []
        for record in sorted(set(records) - linked.keys(), key=str):
            spot = (other, sync.types[other], record)
            last = self.book.last(spot, sync.key.names[other])
            # An edit after the run looked is no fault of its.
            if key and last and last.tick < self.sky.read.get(spot, -1):
                alike += [record] if key.value == last.value is not None else []
        if len(alike) > 1:
            self.book.wrongs.append(f"{mine} was linked, and matches {alike}")

    def _behind(self, side: Side) -> LocalOrg | None:
        """The org itself, where cycles see it through a server."""
        return None if self.views[side] is self.orgs[side] else self.orgs[side]

    def _restart(self) -> None:
        if self.file is not None:
            self.ledger.close()
            self.ledger = self.users.ledger = Ledger(self.file)

    def calm_down(self) -> list[str]:
        """Let faults and edits stop, and tell what is not as it must be then."""
        sky = self.sky
        sky.calm()
        sky.note("calm")
        for _ in range(_CYCLES):
            sky.pass_(seconds=LAG.total_seconds() + 60)
            self.cycle()
        found = amiss(self.land, self.orgs, self.ledger, self.book, sky.began)
        sky.pass_(seconds=LAG.total_seconds() + 60)
        before = self.book.attempts
        summary = self.cycle()
        counts = summary.counts if summary else {}
        if self.book.attempts > before or any(counts[name] for name in _WRITING):
            found.append("a fourth cycle still had something to do")
        return found


@contextmanager
def _world(land: Land, sky: Sky, folder: Path | None, connect: Connect | None) -> Iterator[World]:
    orgs = {}
    for side in SIDES:
        skew = timedelta(seconds=sky.rng.choice((0, 0, 1, -1)) * sky.rng.randint(0, 600))
        path = folder / f"{side}.db" if folder and connect else _MEMORY
        orgs[side] = open_org(side, path, sky.clock(skew))
        orgs[side].page_size = sky.rng.choice((1, 2, 3, 50))
    for type_name, name in land.external_ids:
        orgs[Side.SALESFORCE].add_field(type_name, name, "text", external_id=True)
    file = folder / "ledger.db" if folder else None
    ledger = Ledger(file or _MEMORY)
    book = Book(land)
    stack = ExitStack()
    views = connect(orgs, sky.rng, stack) if connect else dict(orgs)
    users = Users(land, orgs, ledger, sky, book)
    world = World(land, sky, orgs, views, ledger, book, users, file)
    try:
        yield world
    finally:
        stack.close()
        for org in orgs.values():
            org.close()
        world.ledger.close()
