"""Histories by chance over real sockets: both servers go wrong by a seed, and all ends well."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.model import Side
from engine.sandbox import outreach as outreach_server
from engine.sandbox.faults import faults
from engine.sandbox.outreach import Setup as OutreachSetup
from engine.sandbox.salesforce.app import app as salesforce_app
from engine.sandbox.salesforce.setup import Setup as SalesforceSetup
from engine.sandbox.serving import Serving
from tests.sim.play import play
from tests.stores import outreach, salesforce

#: A history passes weeks in seconds: tokens live as long, or each would wait a real minute.
_LONG = timedelta(days=3650)
_SPECS = (
    "",
    "before=0.02,503=0.02",
    "after=0.03",
    "401=0.03,500=0.02",
    "reset=0.02,truncated=0.02",
    "lock=0.05,half=0.03",
)


def over_http(orgs: dict[Side, Any], rng: Random, stack: ExitStack) -> dict[Side, Any]:
    """A server over each org's file, which goes wrong in one of some ways, and its store."""
    spec, seed = rng.choice(_SPECS), rng.randrange(1 << 30)
    clocks = {side: org.file._clock for side, org in orgs.items()}
    paths = {side: org.file.path for side, org in orgs.items()}
    one = stack.enter_context(
        Serving(
            lambda: salesforce_app(
                paths[Side.SALESFORCE],
                faults=faults(spec, seed),
                clock=clocks[Side.SALESFORCE],
                setup=SalesforceSetup(session=_LONG),
            )
        )
    )
    two = stack.enter_context(
        Serving(
            lambda: outreach_server.app(
                paths[Side.OUTREACH],
                faults=faults(spec, seed + 1),
                clock=clocks[Side.OUTREACH],
                setup=OutreachSetup(access=_LONG, refresh=_LONG),
            )
        )
    )
    views = {
        Side.SALESFORCE: stack.enter_context(salesforce.connected(one.url)),
        Side.OUTREACH: outreach.store_at(two.url, outreach.MemoryVault()),
    }
    stack.callback(views[Side.OUTREACH].close)
    return views


def assert_all_well(seed: int, folder: Path) -> None:
    history = play(seed, folder=folder, connect=over_http)
    assert not history.amiss, str(history)


@pytest.mark.parametrize("seed", range(20_000, 20_006))
def test_a_history_over_sockets_ends_in_agreement(seed: int, tmp_path: Path) -> None:
    assert_all_well(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20_006, 20_200))
def test_a_long_search_over_sockets_ends_in_agreement(seed: int, tmp_path: Path) -> None:
    assert_all_well(seed, tmp_path)
