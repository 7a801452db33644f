"""People are told of a trouble once while it lasts, and a restart does not tell them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.ledger import Ledger
from engine.secrets import Secrets
from engine.service.alerts import Alerts
from tests.sandbox.test_outreach_webhooks import Receiver


def told(ledger: Ledger, url: str, *looks: dict[str, str]) -> None:
    """What a service tells at these looks, before it ends."""
    secrets = Secrets(Path(), {"SLACK": url})
    alerts = Alerts({"slack": "env:SLACK", "webhook": url}, secrets, "acme")
    for troubles in looks:
        alerts.see(ledger, troubles)
    alerts._sender.shutdown(wait=True)


def test_a_trouble_is_told_once_until_it_was_over() -> None:
    receiver, ledger = Receiver(), Ledger(Path(":memory:"))
    try:
        down = {"unreachable": "Outreach cannot be reached"}
        told(ledger, receiver.url, down, down)
        told(ledger, receiver.url, down, down | {"held x": "2 held"}, {})
        told(ledger, receiver.url, down)
        sent = receiver.documents(6)
    finally:
        receiver.close()
        ledger.close()
    hooks = [each["trouble"] for each in sent if "trouble" in each]
    assert hooks == ["unreachable", "held x", "unreachable"]
    texts = [each["text"] for each in sent if "text" in each]
    assert texts[1:] == ["Crosswalk acme: 2 held", "Crosswalk acme: Outreach cannot be reached"]


def test_an_address_that_refuses_is_logged_without_its_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = Ledger(Path(":memory:"))
    told(ledger, "http://127.0.0.1:9/secret-path", {"rules": "refused"})
    ledger.close()
    assert "the alert cannot be sent by `slack`" in caplog.text
    assert "secret-path" not in caplog.text
