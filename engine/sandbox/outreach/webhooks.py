"""Webhooks as a resource: who wants to be told of what, and where."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from engine.sandbox.identity import OutreachIdentity
from engine.sandbox.outreach.changing import resource_object
from engine.sandbox.outreach.errors import ApiError, invalid, not_found
from engine.sandbox.outreach.kept import Kept
from engine.sandbox.outreach.resources import resources
from engine.stores.local.org import OrgFile

__all__ = ["EXTRA", "WATCHED", "Webhooks", "wants"]

_PLAIN = ("created", "updated", "destroyed")
#: What happens to records of a type besides, by the vendor's names.
EXTRA: Mapping[str, tuple[str, ...]] = {
    "mailing": ("bounced", "delivered", "opened", "replied"),
    "sequenceState": ("advanced", "finished"),
    "task": ("completed",),
}
WATCHED = tuple(name for name in resources() if name != "event")
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "*": _PLAIN,
    **{name: (*_PLAIN, *EXTRA.get(name, ())) for name in WATCHED},
    "import": ("created", "finished"),
}
_WRITABLE = ("action", "active", "payloadVersion", "resource", "secret", "url")


class Webhooks:
    """The webhooks of an org. `changes` counts up with each change to them."""

    def __init__(self, org: OrgFile, identity: OutreachIdentity) -> None:
        self.kept = Kept(org, "webhook")
        self.identity = identity
        self.changes = 0
        self._org = org
        self._active: list[dict[str, Any]] | None = None

    def active(self) -> list[dict[str, Any]]:
        """Those that are to be told, each with its `id`."""
        if self._active is None:
            found = self.kept.all().items()
            self._active = [{"id": n, **doc} for n, doc in found if doc["active"]]
        return self._active

    def create(self, document: Any) -> int:
        """Make a webhook; its id. Raises `ApiError`."""
        values = _values(document, None)
        now = self._org.as_vendor(self._org.now())
        found = {
            "action": "*",
            "active": True,
            "cleanupToken": secrets.token_urlsafe(24),
            "createdAt": now,
            "creatorAppId": self.identity.client_id,
            "creatorAppName": "Crosswalk sandbox",
            "disabledReason": None,
            "disabledSince": None,
            "disabledUntil": None,
            "payloadVersion": 1,
            "resource": "*",
            "secret": None,
            "updatedAt": now,
        } | values
        if "url" not in found:
            raise invalid("Url can't be blank.", "/data/attributes/url")
        _check(found)
        number = self.kept.add(found)
        self._changed()
        return number

    def update(self, number: int, document: Any) -> None:
        """Change a webhook. Raises `ApiError`."""
        known = self.kept.get(number)
        if known is None:
            raise not_found("webhook", number)
        found = known | _values(document, number)
        found["updatedAt"] = self._org.as_vendor(self._org.now())
        _check(found)
        self.kept.put(number, found)
        self._changed()

    def delete(self, number: int) -> None:
        """Drop a webhook. Raises `ApiError`."""
        if self.kept.get(number) is None:
            raise not_found("webhook", number)
        self.kept.drop(number)
        self._changed()

    def _changed(self) -> None:
        self._active = None
        self.changes += 1


def wants(webhook: Mapping[str, Any], resource: str, action: str) -> bool:
    """Whether a webhook is to be told. One for all resources hears of what all of them have."""
    if webhook["resource"] not in ("*", resource):
        return False
    if webhook["action"] == "*":
        return action in _ACTIONS[webhook["resource"]]
    return bool(webhook["action"] == action)


def _values(document: Any, number: int | None) -> dict[str, Any]:
    data = resource_object("webhook", document, number)
    attributes = data.get("attributes", {})
    if not isinstance(attributes, dict):
        raise invalid("'attributes' must be an object.", "/data/attributes")
    for name in attributes:
        if name not in _WRITABLE:
            what = f"'{name[:80]}' is not an attribute of webhook that can be written."
            raise invalid(what, f"/data/attributes/{name[:80]}")
    return attributes


def _check(found: Mapping[str, Any]) -> None:
    """Raises `ApiError` for a value that does not fit."""
    if not isinstance(found["resource"], str) or found["resource"] not in _ACTIONS:
        raise _wrong("resource", "is none that webhooks tell of")
    if found["action"] not in ("*", *_ACTIONS[found["resource"]]):
        raise _wrong("action", f"does not happen to {found['resource']}")
    if not isinstance(found["active"], bool):
        raise _wrong("active", "must be true or false")
    if found["payloadVersion"] not in (1, 2) or isinstance(found["payloadVersion"], bool):
        raise _wrong("payloadVersion", "must be 1 or 2")
    secret = found["secret"]
    if secret is not None and not (isinstance(secret, str) and 0 < len(secret) <= 255):
        raise _wrong("secret", "must be a text of at most 255 characters")
    if not _is_loopback(found["url"]):
        raise _wrong("url", "must be an address on loopback: a sandbox calls no other machine")


def _wrong(name: str, what: str) -> ApiError:
    return invalid(f"'{name}' {what}.", f"/data/attributes/{name}")


def _is_loopback(url: Any) -> bool:
    if not isinstance(url, str) or len(url) > 1024:
        return False
    try:
        target = urlsplit(url)
        host = target.hostname or ""
        if target.scheme not in ("http", "https") or target.port == 0:
            return False
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
