"""Webhooks of Outreach: whose they are is known before anything in them is read."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from engine.sandbox.identity import OUTREACH
from engine.secrets import Secret
from engine.stores.outreach.webhooks import LARGEST, BadWebhook, Hint, Webhooks

SECRET = OUTREACH.webhook_secret
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def event(name: str = "prospect.destroyed", at: str = "2026-11-24T12:00:00.000Z") -> bytes:
    data = {"type": "prospect", "id": 17, "attributes": {"title": "é"}}
    meta = {"eventName": name, "deliveredAt": at}
    return json.dumps({"data": data, "meta": meta}, ensure_ascii=False).encode()


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def webhooks(largest: int = LARGEST) -> Webhooks:
    return Webhooks(Secret(SECRET), largest)


def test_a_signed_event_is_a_hint() -> None:
    at = webhooks()
    hint = at.hint(event(), signed(event()).upper(), NOW)
    assert hint == Hint("prospect", 17, "destroyed")
    body = event("task.completed")
    assert at.hint(body, signed(body), NOW) == Hint("prospect", 17, "completed")


def test_an_event_that_comes_twice_is_taken_once_and_later_ones_do_not_pile_up() -> None:
    at = webhooks()
    assert at.hint(event(), signed(event()), NOW) is not None
    assert at.hint(event(), signed(event()), NOW) is None
    for hour in range(1, 5):
        moment = NOW + timedelta(hours=hour)
        body = event(at=moment.isoformat())
        assert at.hint(body, signed(body), moment) is not None
        assert len(at._seen) == 1


@pytest.mark.parametrize(
    ("body", "signature", "status"),
    [
        (event(), signed(event(), "another"), 401),
        (event(), None, 401),
        (event(), "é" * 64, 401),
        (event() + b" ", signed(event()), 401),
        (b"not json", "0" * 64, 401),
        (b"not json", signed(b"not json"), 400),
        (b'{"data": 1}', signed(b'{"data": 1}'), 400),
        (b'{"data": {}, "meta": [1]}', signed(b'{"data": {}, "meta": [1]}'), 400),
        (b"\xff" * 2000, signed(b"\xff" * 2000), 413),
        (event(at="2026-11-24T11:30:00Z"), signed(event(at="2026-11-24T11:30:00Z")), 409),
        (event(at="2026-11-24T12:30:00Z"), signed(event(at="2026-11-24T12:30:00Z")), 409),
    ],
)
def test_what_is_not_outreachs_is_refused(body: bytes, signature: str | None, status: int) -> None:
    with pytest.raises(BadWebhook) as caught:
        webhooks(largest=1000).hint(body, signature, NOW)
    assert caught.value.status == status
    assert SECRET not in str(caught.value)
