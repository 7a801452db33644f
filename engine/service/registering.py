"""Keeps the webhooks of the service's own address at Outreach as the project has them."""

from __future__ import annotations

import logging

from engine.config import Config
from engine.model import Side
from engine.secrets import Secret, Secrets
from engine.service.desk import Desk
from engine.service.worker import Host
from engine.subscribing import (
    KEPT,
    Wanted,
    address_of,
    has_registered,
    renew,
    secret_of,
    types_pushed,
)
from engine.vault import SealedDrawer

__all__ = ["hook_secret", "renewed"]

_LOG = logging.getLogger("crosswalk.serve")


def hook_secret(host: Host) -> Secret | None:
    """What webhooks' calls are signed with; None if none are taken.

    Raises `SecretError`, or `StoreError` where one cannot be made and kept.
    """
    given = _given(host.config)
    if given is None and not host.config.webhooks:
        return None
    return secret_of(given, SealedDrawer(host.ledger_path, KEPT))


def renewed(host: Host, desk: Desk) -> list[str]:
    """Have the webhooks that the project wants; what was done. Raises `StoreError`.

    Where the project wants none, those that were registered before are removed.
    """
    store, drawer = desk.stores[Side.OUTREACH], SealedDrawer(host.ledger_path, KEPT)
    if host.config.stores[Side.OUTREACH].store != Side.OUTREACH.value:
        return []
    if not host.config.webhooks and not has_registered(drawer):
        return []
    url = host.config.webhooks
    types = types_pushed(desk.program) if url else frozenset()
    wanted = Wanted(address_of(url) if url else "", types, secret_of(_given(host.config), drawer))
    told = renew(store, drawer, wanted)
    for each in told:
        _LOG.info("%s", each, extra={"event": "webhook"})
    return told


def _given(config: Config) -> Secret | None:
    reference = config.stores[Side.OUTREACH].settings.get("webhook_secret")
    return None if reference is None else Secrets(config.root).get("webhook_secret", reference)
