"""What the API does besides records: actions, bulk upserts, labels and the activity feed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.outreach_client import Client, outreach


@pytest.fixture
def org(tmp_path: Path) -> Path:
    return tmp_path / "outreach.db"


@pytest.fixture
def client(org: Path) -> Iterator[Client]:
    with outreach(org) as found:
        found.make("user", email="u@example.com", firstName="U", lastName="V")
        found.make("prospect", firstName="Al", emails=["al@example.com"])
        yield found
