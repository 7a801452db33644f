"""The console over the stock rules on the sample org, after a first run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from engine.shipped import RULES
from engine.stores.local import SAMPLE
from engine.web.app import app
from tests.web.served import Served, served


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("console")
    made = served(folder, RULES, [SAMPLE / "setup", SAMPLE / "salesforce"])
    made.run_now().result()
    yield made
    made.stop()


@pytest.fixture
def client(service: Served) -> TestClient:
    return TestClient(app(service), base_url="http://127.0.0.1:8000", follow_redirects=False)
