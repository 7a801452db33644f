"""Webhooks of Outreach, from its sandbox to `crosswalk serve` and back, all over HTTP."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from engine.ledger import Ledger
from engine.model import Side
from engine.sandbox.identity import OUTREACH
from tests.cli.served import LEADS, RULES, acme
from tests.cli.test_canaries import answers
from tests.cli.test_own_org import free_port
from tests.sandbox.outreach_client import Client
from tests.service.test_serve import until

SLOWLY = RULES.replace("polling", "polling every 1 hour").replace("pushing", "pushing every 1 hour")


def test_a_destroyed_webhook_is_a_hint_that_the_record_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours before the next push is due; and what the hint says is believed by nobody."""
    with acme(tmp_path, monkeypatch) as at:
        at.rules(SLOWLY.replace("outbound update", "outbound update\n    outbound delete"))
        at.set("outreach", {"webhook_secret": "env:OUTREACH_WEBHOOK_SECRET"})
        url = f"http://127.0.0.1:{free_port()}"
        client = Client(at.urls[Side.OUTREACH])
        client.log_in()
        hook = {"url": f"{url}/hooks/outreach", "secret": OUTREACH.webhook_secret}
        troubles: list[BaseException] = []

        def counted() -> int:
            return len(client.get("prospects")["data"])

        def linked() -> int:
            ledger = Ledger(tmp_path / "crosswalk.db")
            try:
                return ledger.link_count("Lead<->prospect")
            finally:
                ledger.close()

        def follow() -> None:
            try:
                assert until(lambda: answers(url))
                assert until(lambda: counted() == LEADS)
                client.make("webhook", resource="prospect", **hook)
                client.ask("DELETE", "prospects/1")
                assert until(lambda: linked() == LEADS - 1)
            except AssertionError as error:
                troubles.append(error)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        asker = threading.Thread(target=follow)
        asker.start()
        served = at.type("serve", "--port", url.rpartition(":")[2], "--log-format", "json")
        asker.join()
        client.session.close()
        assert troubles == []
        assert "hint prospect.destroyed" in served.err
        assert len(at.type("links", "--format", "json").json["links"]) == LEADS - 1
