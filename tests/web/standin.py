"""A service over a real project, small enough for tests: one worker, local orgs, a real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from dsl.program import Program
from engine.activity import keep_rules
from engine.again import held_records
from engine.approved import calls_of, run_plan
from engine.budget import State
from engine.chosen import Chosen, Partner
from engine.cli.budgets import states
from engine.cli.explain import record_of
from engine.cli.project import Failure, Project
from engine.config import Config, read_config
from engine.cycle import Summary, SystemClock, rehearse, rules_digest, run_cycle
from engine.explain import Unknown, explain
from engine.ledger import Ledger
from engine.model import Side
from engine.planfile import Plan, PlanFile, read, schema_digest
from engine.stores.local import open_org


@dataclass(frozen=True)
class Step:
    pair: str
    direction: str
    interval: timedelta
    due: datetime | None = None
    last: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Running:
    what: str
    since: datetime


@dataclass(frozen=True)
class Now:
    started: datetime
    running: Running | None = None
    steps: Sequence[Step] = ()
    findings: Sequence[str] = ()


@dataclass(frozen=True)
class Drawn:
    plan: Plan
    summary: Summary


@dataclass
class StandIn:
    """Does what is asked in one thread, in which the orgs were opened."""

    project: Project
    folder: Path
    findings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.config: Config = self.project.config
        self._program = self.project.program()
        self._worker = ThreadPoolExecutor(1)
        self._stack = ExitStack()
        self._plans: dict[str, Path] = {}
        self.rejected: list[tuple[str, str]] = []
        self._states: Sequence[State] = ()
        self._worker.submit(self._open).result()

    def _open(self) -> None:
        self.ledger = self.project.open_ledger()
        self._stack.callback(self.ledger.close)
        self.stores = self.project.open_budgeted(self._stack, self._program, self.ledger)
        self._states = states(self.stores)

    def close(self) -> None:
        self._worker.submit(self._stack.close).result()
        self._worker.shutdown()

    def do(self, work: Any) -> Any:
        """Something that touches the orgs."""
        return self._worker.submit(work).result()

    # -- the port -------------------------------------------------------------------------------

    def state(self) -> Now:
        pairs = self._program.pairs
        steps = [Step(pair.name, "inbound", timedelta(minutes=10)) for pair in pairs]
        return Now(datetime.now(UTC), None, steps, self.findings)

    def program(self) -> Program:
        return self._program

    @contextmanager
    def looking(self) -> Iterator[Ledger]:
        ledger = self.project.open_ledger()
        try:
            yield ledger
        finally:
            ledger.close()

    def budgets(self) -> Sequence[State]:
        return self._states

    def run_now(self, types: Sequence[str] | None = None) -> Future[Summary]:
        return self._worker.submit(self._cycle, only=self._only(types))

    def plan(self, types: Sequence[str] | None = None) -> Future[Drawn]:
        return self._worker.submit(self._plan, self._only(types))

    def approve(self, plan: str, who: str) -> Future[Summary]:
        del who
        return self._worker.submit(self._approve, plan)

    def reject(self, plan: str, who: str) -> None:
        self.rejected.append((plan, who))

    def retry(self, letting: Any) -> Future[Summary]:
        return self._worker.submit(self._let_go, letting, {"refused", "transient"})

    def resume(self, letting: Any) -> Future[Summary]:
        return self._worker.submit(self._let_go, letting, {"review", "resumed", "paused"})

    def explain(self, type_name: str, record: str) -> Future[dict[str, Any]]:
        return self._worker.submit(self._explain, type_name, record)

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        yield {"event": "state"}

    # -- the worker -----------------------------------------------------------------------------

    def _only(self, types: Sequence[str] | None) -> frozenset[str] | None:
        if types is None:
            return None
        pairs = self._program.pairs
        return frozenset(p.name for p in pairs if {p.salesforce.name, p.outreach.name} & set(types))

    def _cycle(self, **options: Any) -> Summary:
        keep_rules(self._program, self.ledger)
        zone = self.config.timezone
        summary = run_cycle(self._program, self.stores, self.ledger, zone, **options)
        self._states = states(self.stores)
        return summary

    def _plan(self, only: frozenset[str] | None) -> Drawn:
        program, zone = self._program, self.config.timezone
        path = self.folder / f"plan-{len(self._plans)}.toml"
        with PlanFile(path) as file, rehearse(self.stores, self.ledger) as (stores, copy):
            summary = run_cycle(program, stores, copy, zone, only=only, keep=file.add)
            costs = partial(calls_of, program, self.stores, self.ledger, zone)
            schema = schema_digest(program, self.stores)
            now, types = datetime.now(UTC), sorted(only or ())
            file.write(summary, rules_digest(program), schema, types, now, costs)
        made = read(path)
        self._plans[made.plan] = path
        return Drawn(made, summary)

    def _approve(self, plan: str) -> Summary:
        zone = self.config.timezone
        return run_plan(self._program, self.stores, self.ledger, zone, read(self._plans[plan]))

    def _let_go(self, letting: Any, whys: set[str]) -> Summary:
        only = self._only([letting.type]) if letting.type else None
        held = held_records(self.ledger, whys, only, letting.id)
        options: dict[str, Any] = {}
        if letting.link:
            (pair, side), *_ = held
            type_name = next(p for p in self._program.pairs if p.name == pair).type(side.other).name
            _, record = record_of(self._program, letting.type, letting.id)
            _, other = record_of(self._program, type_name, letting.link)
            options["partner"] = Partner(pair, side, record, other, letting.relink)
        only = frozenset(pair for pair, _ in held)
        return self._cycle(only=only, chosen=Chosen(held), **options)

    def _explain(self, type_name: str, record: str) -> dict[str, Any]:
        try:
            name = (*record_of(self._program, type_name, record),)
            return explain(
                self._program, self.stores, self.ledger, self.config.timezone, SystemClock(),
                (name[0], type_name, name[1]),
            )  # fmt: skip
        except (Unknown, Failure) as unknown:
            raise ValueError(str(unknown)) from None


TOML = """[project]
name = "Acme"

[salesforce]
store = "local"
path = "salesforce.db"

[outreach]
store = "local"
path = "outreach.db"
"""


def project_in(folder: Path, rules: Path, sample: Sequence[Path], console: str = "") -> StandIn:
    """A project on the sample org."""
    (folder / "crosswalk.toml").write_text(TOML + console, encoding="utf-8")
    (folder / "rules").mkdir()
    for file in rules.glob("*.sync"):
        (folder / "rules" / file.name).write_text(file.read_text(encoding="utf-8"), "utf-8")
    org = open_org(Side.SALESFORCE, folder / "salesforce.db")
    try:
        from engine.stores.local import load

        for part in sample:
            load(org, part)
    finally:
        org.close()
    return StandIn(Project(read_config(folder)), folder)
