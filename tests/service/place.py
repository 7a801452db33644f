"""A project on two local orgs under a real service, with a clock that a test sets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import loads
from pathlib import Path
from threading import Thread
from typing import Any

from dsl.program import Program
from engine.budgeted import budgeted
from engine.cli.project import Project
from engine.config import read_config
from engine.ledger import Ledger
from engine.model import SIDES, RecordId, Side, Write
from engine.ports import Store, Unreachable, Wait
from engine.service import Pace, Service
from engine.stores.local import LocalOrg, open_org

__all__ = ["LEADS", "PACE", "Moment", "Place", "Post", "place", "until"]

S, O = Side.SALESFORCE, Side.OUTREACH  # noqa: E741
PACE = Pace(debounce=0.01, first_rest=0.02, longest_rest=0.1, look=0.02)
LEADS = """sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound update
    fields {
        LastName <-> lastName prevent empty
        Company   -> company
        Email    <-> emails prevent empty
    }
}
"""
_TOML = """[project]
name = "acme"
[salesforce]
store = "local"
path = "salesforce.db"
[outreach]
store = "local"
path = "outreach.db"
"""


def until(holds: Callable[[], object], what: str = "") -> None:
    """Wait until something holds; how long it takes fails no test short of a minute."""
    for _ in range(6000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError(what or "it never came to hold")


@dataclass
class Moment:
    """A clock that stands still until it is told to move on."""

    moment: datetime = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def pass_(self, **time: float) -> None:
        self.moment += timedelta(**time)


class _Moody:
    """A store that cannot be reached while its side is down."""

    def __init__(self, org: LocalOrg, down: set[Side], meanwhile: Callable[[], None]) -> None:
        self._org, self._down, self._meanwhile = org, down, meanwhile

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._org, name)
        if name not in ("scan", "fetch", "find", "write", "fates"):
            return found

        def call(*args: Any) -> Any:
            self._meanwhile()
            if self._org.side in self._down:
                raise Unreachable(f"{self._org.side.title()} is down")
            return found(*args)

        return call


@dataclass(frozen=True)
class _Host(Project):
    """The project, whose orgs can be down."""

    clock: Moment
    down: set[Side] = field(default_factory=set)
    calls: list[Callable[[], None]] = field(default_factory=list)

    def _meanwhile(self) -> None:
        for each in self.calls:
            each()

    def open_budgeted(
        self, stack: ExitStack, program: Program, ledger: Ledger, wait: Wait | None = None
    ) -> dict[Side, Store]:
        raw: dict[Side, Any] = {}
        for side in SIDES:
            org = open_org(side, self.root / f"{side}.db", self.clock)
            stack.callback(org.close)
            raw[side] = _Moody(org, self.down, self._meanwhile)
        return budgeted(raw, program.limits, ledger, self.config.timezone, self.clock, wait)


@dataclass
class Place:
    """What users and operators of a served project do."""

    root: Path
    clock: Moment
    host: _Host
    service: Service

    @property
    def down(self) -> set[Side]:
        return self.host.down

    def tick(self) -> None:
        """All steps are due at once; returns when they had their turn."""
        self.clock.pass_(minutes=5)
        self.service._agenda.mark(self.service._board.steps)
        self.rest()

    def rest(self) -> None:
        """Return when nothing is due and nothing under way."""
        self.service._ask("look", lambda _desk: None).exception(60)
        agenda, board = self.service._agenda, self.service._board
        until(lambda: not agenda._due and board.running is None, "it is never done")
        self.service._ask("look", lambda _desk: None).exception(60)

    def create(self, number: int = 1) -> list[RecordId]:
        """Leads, each by another name."""
        made = [self._write(S, "Lead", Write(None, _lead(at))) for at in range(number)]
        self.clock.pass_(minutes=5)
        return made

    def edit(self, side: Side, record: RecordId, **values: Any) -> None:
        self._write(side, "Lead" if side is S else "prospect", Write(record, values))
        self.clock.pass_(minutes=5)

    def delete(self, side: Side, records: list[RecordId]) -> None:
        for record in records:
            self._write(side, "Lead" if side is S else "prospect", Write(record, delete=True))
        self.clock.pass_(minutes=5)

    def _write(self, side: Side, type_name: str, write: Write) -> RecordId:
        with self.org(side) as org:
            (result,) = org.write(type_name, [write])
        assert result.id is not None, result
        return result.id

    def names(self, side: Side) -> list[str]:
        """The last names that a side has."""
        type_name, field_ = ("Lead", "LastName") if side is S else ("prospect", "lastName")
        with self.org(side) as org:
            pages = org.scan(type_name, [field_], None)
            return sorted(str(row[2]) for page in pages for row in page.rows)

    @contextmanager
    def org(self, side: Side) -> Iterator[LocalOrg]:
        org = open_org(side, self.root / f"{side}.db", self.clock)
        try:
            yield org
        finally:
            org.close()

    def again(self) -> Service:
        """End the service, and begin another one on the same ledger."""
        assert self.service.stop(30)
        self.service = _service(self.host)
        self.service.open()
        return self.service


def _lead(at: int) -> dict[str, Any]:
    return {"LastName": f"Ng{at:04}", "Company": "Acme", "Email": f"ng{at}@acme.co"}


def _service(host: _Host) -> Service:
    service = Service(host, host.program(), host.clock, PACE)
    service._alerts._first_wait = 0.01
    return service


@contextmanager
def place(root: Path, rules: str = LEADS, alerts: str = "") -> Iterator[Place]:
    """A project with these rules, and `[alerts]` if it has some; nothing is done by the clock."""
    (root / "rules").mkdir(parents=True)
    (root / "rules" / "leads.sync").write_text(rules)
    (root / "crosswalk.toml").write_text(_TOML + (f"[alerts]\n{alerts}" if alerts else ""))
    clock = Moment()
    host = _Host(read_config(root), clock)
    found = Place(root, clock, host, _service(host))
    found.service.open()
    try:
        yield found
    finally:
        assert found.service.stop(30)


class Post:
    """A small server that keeps what it is sent, and refuses the first so many."""

    def __init__(self, refusals: int = 0) -> None:
        self.taken: list[dict[str, Any]] = []
        self.refusals = refusals
        post = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = loads(self.rfile.read(int(self.headers["Content-Length"])))
                refused = post.refusals > 0
                post.refusals -= refused
                if not refused:
                    post.taken.append(told)
                self.send_response(503 if refused else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def troubles(self) -> list[str]:
        return [each["trouble"] for each in self.taken]

    def __enter__(self) -> Post:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
