"""Webhooks as Outreach keeps them (developers.outreach.io/api/webhooks), each for one resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from engine.ports import StoreError
from engine.secrets import Secret
from engine.stores.outreach.failures import body_of, refused
from engine.stores.outreach.lists import Lists
from engine.stores.outreach.transport import Answer, Request
from engine.subscribing import Webhook

__all__ = ["Subscriptions"]

_WHAT = "webhooks"


@dataclass
class Subscriptions:
    """The webhooks that one connection may see."""

    lists: Lists

    def all(self) -> list[Webhook]:
        """Whosever they are. Raises `StoreError`."""
        pages = self.lists.all("webhook", [])
        return [_webhook(each) for page in pages for each in page["data"]]

    def own(self, webhook: Webhook) -> bool:
        """Whether this connection's application made it."""
        mine = self.lists.transport.settings.client_id
        return bool(mine) and webhook.app == mine

    def make(self, type_name: str, url: str, secret: Secret) -> int:
        """One for all that happens to a type; its id. Raises `StoreError`."""
        values = _values(url, secret) | {"resource": type_name}
        body = {"data": {"type": "webhook", "attributes": values}}
        answer = self._send("POST", "", body, once=True)
        try:
            return int(body_of(answer.body)["data"]["id"])
        except (KeyError, TypeError, ValueError):
            raise StoreError("Outreach's answer does not say which webhook it made") from None

    def renew(self, webhook: int, url: str, secret: Secret) -> None:
        """Turn one on, with this address and secret. Raises `StoreError`."""
        values = _values(url, secret)
        body = {"data": {"type": "webhook", "id": webhook, "attributes": values}}
        self._send("PATCH", f"/{webhook}", body)

    def drop(self, webhook: int) -> None:
        """Drop one, if it is there. Raises `StoreError`."""
        self._send("DELETE", f"/{webhook}", gone=True)

    def _send(
        self, method: str, path: str, body: Any = None, *, once: bool = False, gone: bool = False
    ) -> Answer:
        transport = self.lists.transport
        url = f"{transport.settings.base}/webhooks{path}"
        encoded = None if body is None else msgspec.json.encode(body)
        (answer,) = transport.all([Request(method, url, encoded, once)], _WHAT)
        if isinstance(answer, StoreError):
            raise answer
        if answer.status >= 300 and not (gone and answer.status == 404):
            raise refused(answer.status, answer.body, _WHAT)
        return answer


def _values(url: str, secret: Secret) -> dict[str, Any]:
    return {"url": url, "secret": secret.reveal(), "active": True, "action": "*"}


def _webhook(found: dict[str, Any]) -> Webhook:
    values = found.get("attributes") or {}
    return Webhook(
        int(found["id"]),
        str(values.get("resource") or ""),
        str(values.get("action") or ""),
        str(values.get("url") or ""),
        bool(values.get("active")) and values.get("disabledSince") is None,
        str(values.get("creatorAppId") or ""),
        str(values.get("disabledReason") or ""),
    )
