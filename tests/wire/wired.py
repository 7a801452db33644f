"""Worlds whose cycles see their orgs over HTTP: the real stores, and a sandbox server each."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from engine.model import SIDES, Side
from engine.ports import Clock
from engine.sandbox.faults import faults
from engine.sandbox.outreach import app as outreach_app
from engine.sandbox.salesforce.app import app as salesforce_app
from engine.sandbox.serving import Serving
from engine.stores.local import SAMPLE, load, open_org
from tests.stores import outreach, salesforce

__all__ = ["wired"]


def wired(
    clock: Clock,
    closing: ExitStack,
    spec: str = "",
    seed: int = 0,
    daily_limit: int = 100_000,
    hourly_limit: int = 10_000,
) -> tuple[dict[Side, Any], dict[Side, Any]]:
    """Two orgs in files, as users act on them, and the stores of both vendors connected to them."""
    folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="crosswalk-wire-")))
    orgs = {}
    for side in SIDES:
        orgs[side] = open_org(side, folder / f"{side}.db", clock)
        closing.callback(orgs[side].close)
    load(orgs[Side.SALESFORCE], SAMPLE / "setup")  # a vendor refuses a field that it has not
    one = closing.enter_context(
        Serving(
            lambda: salesforce_app(
                orgs[Side.SALESFORCE].file.path,
                faults=faults(spec, seed),
                clock=clock,
                daily_limit=daily_limit,
            )
        )
    )
    two = closing.enter_context(
        Serving(
            lambda: outreach_app(
                orgs[Side.OUTREACH].file.path,
                faults=faults(spec, seed),
                clock=clock,
                hourly_limit=hourly_limit,
            )
        )
    )
    stores = {
        Side.SALESFORCE: closing.enter_context(salesforce.connected(one.url)),
        Side.OUTREACH: outreach.store_at(two.url, outreach.MemoryVault()),
    }
    closing.callback(stores[Side.OUTREACH].close)
    for side, name in ((Side.SALESFORCE, "Lead"), (Side.OUTREACH, "prospect")):
        stores[side].now()  # what is asked once in a process shall be no run's cost, nor a plan's
        stores[side].describe(name)
    return orgs, stores
