"""Plays the scenarios of `tests/engine/` over HTTP."""

from __future__ import annotations

import pytest

from tests.engine import world
from tests.wire.wired import wired


@pytest.fixture(autouse=True)
def _over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "settle", wired)
