"""What Prometheus collects: its form, its names, and who may have it."""

from __future__ import annotations

import re

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from engine.console import Person, console_of
from engine.service.app import app as whole
from engine.web.app import app
from engine.web.passwords import hash_token
from tests.web.served import Served
from tests.web.test_security import Named

UNITS = ("seconds", "calls", "waiting", "held", "info")
WANTED = {
    "crosswalk_cycle_duration_seconds", "crosswalk_runs", "crosswalk_records", "crosswalk_calls",
    "crosswalk_last_success_timestamp_seconds", "crosswalk_lag_seconds",
    "crosswalk_budget_used_calls", "crosswalk_build_info",
}  # fmt: skip


@pytest.fixture
def families(service: Served, client: TestClient) -> dict[str, Metric]:
    service.run_now().result()
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def test_all_is_there_with_a_value(families: dict[str, Metric]) -> None:
    assert {name for name in WANTED if families[name].samples} == WANTED
    (success,) = families["crosswalk_last_success_timestamp_seconds"].samples
    assert success.value > 1.7e9
    lags = families["crosswalk_lag_seconds"].samples
    assert {"pair": "Lead<->prospect", "side": "outreach"} in [lag.labels for lag in lags]
    assert sum(run.value for run in families["crosswalk_runs"].samples) >= 1


def test_names_follow_the_conventions(families: dict[str, Metric]) -> None:
    """As `promtool check metrics` asks: prefix, base units, `_total`, help, no reserved label."""
    for name, family in families.items():
        assert re.fullmatch("crosswalk_[a-z]+(_[a-z]+)*", name)
        assert family.documentation, name
        assert family.type != "gauge" or name.endswith(UNITS), name
        for sample in family.samples:
            assert family.type != "counter" or sample.name.endswith(("_total", "_created"))
            assert not any(label.startswith("__") or label == "job" for label in sample.labels)


def test_open_to_a_network_it_takes_a_token_which_may_do_nothing_else(service: Served) -> None:
    named = Named(service)
    scraper = Person("prometheus", hash_token("t-metrics"), "metrics")
    object.__setattr__(named.config.console, "tokens", (scraper,))
    console = app(named, "0.0.0.0")  # type: ignore[arg-type]  # noqa: S104
    client = TestClient(whole(service, console), base_url="https://sync.acme.example")
    bearer = {"authorization": "Bearer t-metrics"}
    refused = client.get("/metrics")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert client.get("/metrics", headers={"authorization": "Bearer t-other"}).status_code == 401
    assert "crosswalk_build_info" in client.get("/metrics", headers=bearer).text
    assert client.get("/api/v1/status", headers=bearer).status_code == 403
    assert client.get("/metrics", headers={**bearer, "host": "evil.example"}).status_code == 421
    # What anybody may ask tells whether, and nothing of the project.
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"ready": True}


def test_the_role_is_one_of_tokens_alone() -> None:
    problems: list[str] = []
    entry = {"token": "env:T", "password": "env:P", "role": "metrics"}
    for kind in ("users", "tokens"):
        key = "password" if kind == "users" else "token"
        console_of({kind: {"x": {key: entry[key], "role": "metrics"}}}, problems)
    assert problems == ["`role` in [console.users.x] is `metrics`: write `look` or `approve`"]
