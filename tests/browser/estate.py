"""A sample org behind both sandbox servers, `crosswalk serve` over it, and what people do there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from engine.cli.init import make_project
from engine.cli.project import load_project
from engine.cli.sandbox import environment, sections, serve
from engine.ledger import Ledger
from engine.ledger.logbook import log_rows
from engine.ledger.looking import Filters, linked
from engine.model import SIDES, Side
from engine.play import read_script
from engine.stores.local import LocalOrg, open_org
from engine.stores.local.play import Stage
from engine.web.passwords import hash_password
from tests.cli.program import PROGRAM

__all__ = ["LIMITS", "PASSWORD", "Estate", "until"]

PASSWORD = "correct horse battery"  # noqa: S105 - of these tests
LIMITS = """limits {{
    salesforce own {salesforce} per day
    outreach   own {outreach} per hour
}}
"""
_ANN = "0055i000007S72zAAC"
_SLOW = 60.0  # seconds; a busy machine fails no test short of that


def until(holds: Callable[[], Any], what: str) -> Any:
    """What something comes to, as soon as that is true."""
    end = time.monotonic() + _SLOW
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError(f"still not so after {_SLOW:.0f} s: {what}")


class Estate:
    """The project, its two servers and the service; `url` is the console's address."""

    def __init__(self, root: Path) -> None:
        self.root = root / "acme"
        self._stack = ExitStack()
        make_project(self.root, sample=True)
        self._connect()
        self.limits(8000, 9000)
        self.hasten("2 seconds")
        names = {"FirstName": "Ann", "LastName": "Lee", "Email": "ann@example.com"}
        self.edit(Side.SALESFORCE, "User", _ANN, IsActive=True, **names)
        self._port = 0
        self.start()

    def _connect(self) -> None:
        project = load_project(str(self.root))
        urls = {side: self._stack.enter_context(serve(side, project, 0)).url for side in SIDES}
        path = self.root / "crosswalk.toml"
        head = path.read_text("utf-8").partition("[salesforce]")[0]
        hashed = hash_password(PASSWORD)
        users = "".join(
            f'\n[console.users.{name}]\npassword = "{hashed}"\nrole = "{role}"\n'
            for name, role in (("ada", "approve"), ("bob", "look"))
        )
        path.write_text(head + sections(urls) + users, "utf-8")

    def hasten(self, every: str) -> None:
        """How often it is looked for what Outreach's users do."""
        for file in (self.root / "rules").glob("*.sync"):
            text = file.read_text("utf-8")
            line = f"    pushing every {every}"
            file.write_text(re.sub(r"^    pushing\b.*$", line, text, flags=re.MULTILINE), "utf-8")

    def start(self) -> None:
        """Start the service, on the port that it had before."""
        with (self.root.parent / "serve.log").open("a") as err:
            self.process = subprocess.Popen(
                [*PROGRAM, "serve", "--port", str(self._port)],
                cwd=self.root,
                env={**os.environ, **environment()},
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]
        self._port = int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        """End the service, as an operator would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop()
        self._stack.close()

    # -- what people do -------------------------------------------------------------------------

    @contextmanager
    def org(self, side: Side) -> Iterator[LocalOrg]:
        """The org behind a server, as its users act on it."""
        with closing(open_org(side, self.root / f"{side}.db")) as org:
            yield org

    def edit(self, side: Side, type_name: str, record: str | int, **values: Any) -> None:
        with self.org(side) as org:
            org.edit(type_name, record, values)

    def create(self, side: Side, type_name: str, **values: Any) -> Any:
        with self.org(side) as org:
            return org.create(type_name, values)

    def value(self, side: Side, type_name: str, record: str | int, field: str) -> Any:
        with self.org(side) as org:
            return org.fetch(type_name, (field,), [record])[0][2]

    def play(self, script: str) -> None:
        """Acts of a day, as `crosswalk local play` reads them."""
        with ExitStack() as stack:
            orgs = {side: stack.enter_context(self.org(side)) for side in SIDES}
            for _ in Stage(orgs).play(read_script(script)[0]):
                pass

    def limits(self, salesforce: int, outreach: int) -> None:
        text = LIMITS.format(salesforce=salesforce, outreach=outreach)
        (self.root / "rules" / "limits.sync").write_text(text, "utf-8")

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        with closing(Ledger(self.root / "crosswalk.db")) as ledger:
            yield ledger

    def linked(self, type_name: str, record: str) -> int:
        """The prospect of a lead or a contact, 0 before it has one."""
        with self.ledger() as ledger:
            found = list(ledger.rows(linked(Filters(type=type_name, id=record))))
        return int(found[0]["outreach_id"]) if found else 0

    def log(self, **filters: Any) -> list[Any]:
        with self.ledger() as ledger:
            return list(ledger.rows(log_rows(Filters(limit=50, **filters))))
