"""Whether a webhook's call comes from Outreach, and what it hints at."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from dsl.values import instant
from engine.secrets import Secret

__all__ = ["LARGEST", "SIGNATURE", "BadWebhook", "Hint", "Webhooks"]

#: The header with the hex HMAC-SHA256 of the raw body (developers.outreach.io/api/webhooks).
SIGNATURE = "Outreach-Webhook-Signature"
#: A body may be this long. An event tells of one record.
LARGEST = 1 << 20
_WINDOW = timedelta(minutes=10)  # Outreach tries three times more, a second apart; clocks differ
_HEX = hashlib.sha256().digest_size * 2


class BadWebhook(Exception):
    """A call that is not taken; `status` answers it. It tells nothing about the secret."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Hint(NamedTuple):
    """Something happened to a record: `prospect` 17 was `destroyed`. What it is now, reading tells.

    `id` is None where the event names no record.
    """

    type: str
    id: int | None
    action: str


@dataclass
class Webhooks:
    """Checks calls with one secret; for one thread."""

    secret: Secret
    largest: int = LARGEST
    window: timedelta = _WINDOW

    def __post_init__(self) -> None:
        self._seen: dict[bytes, datetime] = {}

    def hint(self, body: bytes, signature: str | None, now: datetime | None = None) -> Hint | None:
        """What a call hints at; None if it was delivered before. Raises `BadWebhook`.

        The signature is checked before anything in the body is looked at.
        """
        if len(body) > self.largest:
            raise BadWebhook("the body is longer than any event is", 413)
        self._check(body, signature)
        now = now or datetime.now(UTC)
        told = _event(body)
        self._check_time(told, now)
        if self._is_again(body, now):
            return None
        data = told["data"]
        name = str((told.get("meta") or {}).get("eventName") or "")
        type_name = str(data.get("type") or name.partition(".")[0])
        return Hint(type_name, _id(data.get("id")), name.rpartition(".")[2] or "updated")

    def _check(self, body: bytes, signature: str | None) -> None:
        given = (signature or "").strip().casefold()
        wanted = hmac.new(self.secret.reveal().encode(), body, hashlib.sha256).hexdigest()
        # As bytes: `compare_digest` refuses text that is not ASCII.
        same = hmac.compare_digest(given.encode(errors="replace"), wanted.encode())
        if len(given) != _HEX or not same:
            raise BadWebhook(
                f"the {SIGNATURE} does not fit: see that `webhook_secret` in [outreach] of"
                " crosswalk.toml is the webhook's own",
                401,
            )

    def _check_time(self, told: dict[str, Any], now: datetime) -> None:
        """Refuse an old call that somebody plays back; one without a time is only a hint anyway."""
        moment = instant((told.get("meta") or {}).get("deliveredAt"))
        if moment is not None and abs(now - moment) > self.window:
            raise BadWebhook("the event was delivered too long ago, or this clock is wrong", 409)

    def _is_again(self, body: bytes, now: datetime) -> bool:
        while self._seen and now - next(iter(self._seen.values())) > 2 * self.window:
            del self._seen[next(iter(self._seen))]
        mark = hashlib.sha256(body).digest()
        known = mark in self._seen
        self._seen.setdefault(mark, now)
        return known


def _event(body: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("data"), dict):
        raise BadWebhook("the body is no event", 400)
    if not isinstance(told.get("meta") or {}, dict):
        raise BadWebhook("the body is no event", 400)
    return told


def _id(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None
