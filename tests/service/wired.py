"""A real service over both sandbox servers, with the service's own address served as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.cli.project import Project
from engine.cli.sandbox import environment, sections
from engine.config import read_config
from engine.model import SIDES, RecordId, Side, Write
from engine.ports import Clock
from engine.sandbox.faults import Faults, faults
from engine.sandbox.outreach import Setup as OutreachSetup
from engine.sandbox.outreach import app as outreach
from engine.sandbox.salesforce.app import app as salesforce
from engine.sandbox.salesforce.setup import Setup as SalesforceSetup
from engine.sandbox.serving import Serving
from engine.service import Service
from engine.service.app import app
from engine.stores.local import SAMPLE, LocalOrg, load, open_org

__all__ = ["Later", "Wired", "wired"]


class Later:
    """An application that is named later, so that its address is known before."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()
        self._blank = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._blank if scope["type"] == "lifespan" else self.app
        await asked(scope, receive, send)


@dataclass
class Wired:
    """Two orgs as their users act on them, both servers, and a project that connects to these."""

    root: Path
    orgs: dict[Side, LocalOrg]
    servers: dict[Side, Serving]
    begin: dict[Side, Callable[[int], Serving]]
    faults: dict[Side, Faults]
    public: Serving
    front: Later
    project: Project
    services: list[Service] = field(default_factory=list)

    def serve(self, service: Service) -> Service:
        """Answer for a service from now on; the last one is ended with the world."""
        self.front.app = app(service)
        self.services.append(service)
        return service

    def down(self, side: Side) -> None:
        """A server is gone."""
        self.servers[side].stop()

    def up(self, side: Side) -> None:
        """It is back, at its old address."""
        self.servers[side] = self.begin[side](self.servers[side].port)

    def write(self, side: Side, type_name: str, record: RecordId | None, **values: Any) -> RecordId:
        (result,) = self.orgs[side].write(type_name, [Write(record, values)])
        assert result.id is not None, result
        return result.id

    def value(self, side: Side, type_name: str, name: str) -> list[Any]:
        """A field of all records of a type."""
        pages = self.orgs[side].scan(type_name, [name], None)
        return [row[2] for page in pages for row in page.rows]


@contextmanager
def wired(  # noqa: PLR0917 - each is a part of the world
    root: Path,
    rules: str,
    environ: pytest.MonkeyPatch,
    clock: Clock | None = None,
    spec: str = "",
    seed: int = 0,
    toml: str = "",
    setups: tuple[SalesforceSetup, OutreachSetup] | None = None,
    make: Callable[[Project], Project] = lambda project: project,
) -> Iterator[Wired]:
    """All of it, with no service yet."""
    (root / "rules").mkdir(parents=True)
    (root / "rules" / "all.sync").write_text(rules)
    for name, value in {**environment(), "CROSSWALK_KEY": Fernet.generate_key().decode()}.items():
        environ.setenv(name, value)
    wrong = {side: faults(spec, seed + at) for at, side in enumerate(SIDES)}
    one, two = setups or (SalesforceSetup(), OutreachSetup())
    paths = {side: root / f"{side}.db" for side in SIDES}
    given: dict[str, Any] = {} if clock is None else {"clock": clock}
    with ExitStack() as stack:
        orgs = {}
        for side in SIDES:
            orgs[side] = open_org(side, paths[side], *given.values())
            stack.callback(orgs[side].close)
        load(orgs[Side.SALESFORCE], SAMPLE / "setup")
        begin: dict[Side, Callable[[int], Serving]] = {
            Side.SALESFORCE: lambda port: Serving(
                lambda: salesforce(
                    paths[Side.SALESFORCE], faults=wrong[Side.SALESFORCE], setup=one, **given
                ),
                port,
            ),
            Side.OUTREACH: lambda port: Serving(
                lambda: outreach(
                    paths[Side.OUTREACH], faults=wrong[Side.OUTREACH], setup=two, **given
                ),
                port,
            ),
        }
        servers = {side: begin[side](0) for side in SIDES}
        front = Later()
        public = stack.enter_context(Serving(lambda: front))
        told = sections({side: servers[side].url for side in SIDES})
        told = "\n".join(line for line in told.splitlines() if "webhook_secret" not in line)
        extra = toml.replace("URL", public.url)
        (root / "crosswalk.toml").write_text(f'[project]\nname = "acme"\n{told}\n{extra}\n')
        project = make(Project(read_config(root)))
        found = Wired(root, orgs, servers, begin, wrong, public, front, project)
        try:
            yield found
        finally:
            ended = all(service.stop(30) for service in found.services)
            for server in found.servers.values():
                server.stop()
            assert ended
