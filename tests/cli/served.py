"""A project over both sandbox servers, and the command line in this very process: it is quick."""

from __future__ import annotations

import io
import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from engine.cli.sandbox import environment
from engine.model import Side, Write
from engine.sandbox.identity import OUTREACH, SALESFORCE, OutreachIdentity, SalesforceIdentity
from engine.sandbox.outreach import app as outreach_app
from engine.sandbox.salesforce.app import app as salesforce_app
from engine.sandbox.serving import Serving
from engine.stores.local import LocalOrg, open_org
from tests.cli.program import Answer

__all__ = ["LEADS", "Acme", "acme"]

LEADS = 4
_SALESFORCE = {"client_secret": "env:SF_CLIENT_SECRET"}
_OUTREACH = {
    "client_secret": "env:OUTREACH_CLIENT_SECRET",
    "refresh_token": "env:OUTREACH_REFRESH_TOKEN",
}
RULES = """sync Lead <-> prospect {
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


@dataclass
class Acme:
    """A project's folder, its configuration by section, and both orgs as their users have them."""

    root: Path
    urls: dict[Side, str]
    orgs: dict[Side, LocalOrg]
    config: dict[str, dict[str, Any]] = field(default_factory=dict)

    def set(self, section: str, given: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Change keys of a section; None takes one out."""
        found = self.config.setdefault(section, {}) | dict(given or {}) | more
        self.config[section] = {key: value for key, value in found.items() if value is not None}
        lines = []
        for name, values in self.config.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(v)}" for key, v in values.items())]
        (self.root / "crosswalk.toml").write_text("\n".join(lines) + "\n")

    def rules(self, text: str) -> None:
        (self.root / "rules" / "leads.sync").write_text(text)

    def type(self, *words: str, stdin: str = "") -> Answer:
        """Type a command."""
        out, err = io.StringIO(), io.StringIO()
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
                patch.setattr("sys.stdin", io.StringIO(stdin))
                code = main(["--project", str(self.root), *words])
        finally:
            signal.signal(signal.SIGTERM, before)
        return Answer(code, out.getvalue(), err.getvalue())

    def held(self) -> tuple[int, int]:
        """How many leads and prospects there are."""
        names = {Side.SALESFORCE: "Lead", Side.OUTREACH: "prospect"}
        found = {side: self.orgs[side].scan(name, [], None) for side, name in names.items()}
        leads, prospects = (sum(len(p.rows) for p in found[side]) for side in Side)
        return leads, prospects


@contextmanager
def acme(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    salesforce: dict[str, Any] | None = None,
    outreach: dict[str, Any] | None = None,
    who: tuple[SalesforceIdentity, OutreachIdentity] = (SALESFORCE, OUTREACH),
) -> Iterator[Acme]:
    """A project that is connected as it should be; more for the two servers' `app`."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(root / "own"))
    monkeypatch.delenv("CROSSWALK_KEY", raising=False)
    for name, secret in environment().items():
        monkeypatch.setenv(name, secret)
    (root / "rules").mkdir()
    paths = {side: root / f"{side}.db" for side in Side}
    one, two = salesforce or {}, outreach or {}
    with ExitStack() as stack:
        orgs = {}
        for side in Side:
            orgs[side] = open_org(side, paths[side])
            stack.callback(orgs[side].close)
        leads = [
            {"LastName": f"L{n}", "Company": "Acme", "Email": f"l{n}@acme.co"} for n in range(LEADS)
        ]
        orgs[Side.SALESFORCE].write("Lead", [Write(None, each) for each in leads])
        first = Serving(lambda: salesforce_app(paths[Side.SALESFORCE], who[0], **one))
        second = Serving(lambda: outreach_app(paths[Side.OUTREACH], who[1], **two))
        urls = {
            Side.SALESFORCE: stack.enter_context(first).url,
            Side.OUTREACH: stack.enter_context(second).url,
        }
        made = Acme(root, urls, orgs)
        made.rules(RULES)
        made.set("project", name="acme")
        made.set(
            "salesforce",
            store="salesforce",
            instance_url=urls[Side.SALESFORCE],
            login_url=urls[Side.SALESFORCE],
            auth="client_credentials",
            client_id=SALESFORCE.client_id,
            **_SALESFORCE,
        )
        made.set(
            "outreach",
            store="outreach",
            base_url=urls[Side.OUTREACH],
            client_id=OUTREACH.client_id,
            **_OUTREACH,
        )
        yield made
