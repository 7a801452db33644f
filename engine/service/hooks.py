"""Webhooks of Outreach: a signed event is a hint that its record's steps are due."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Self

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.service.service import Service
from engine.stores.outreach.webhooks import LARGEST, SIGNATURE, BadWebhook, Webhooks

__all__ = ["Hooks"]

_LOG = logging.getLogger("crosswalk.serve")


@dataclass(frozen=True)
class Hooks:
    """Takes webhooks' calls; on one event loop."""

    service: Service
    webhooks: Webhooks | None

    @classmethod
    def of(cls, service: Service) -> Self:
        """Those of a project; without a secret none is taken.

        Raises `SecretError`, or `StoreError` where a secret cannot be kept.
        """
        secret = service.hook_secret()
        return cls(service, None if secret is None else Webhooks(secret))

    async def receive(self, request: Request) -> Response:
        """Answer one call; what it hints at is done later."""
        if self.webhooks is None:
            return _told("set `url` in [webhooks] of crosswalk.toml", 404)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return _told("the body is longer than any event is", 413)
        now = self.service.clock.now()
        try:
            hint = self.webhooks.hint(bytes(body), request.headers.get(SIGNATURE), now)
        except BadWebhook as error:
            _LOG.warning("a webhook's call is refused: %s", error, extra={"event": "webhook"})
            return _told(str(error), error.status)
        if hint is not None:
            self.service.hint(hint.type, hint.action)
        return Response(status_code=204)


def _told(message: str, status: int) -> Response:
    return JSONResponse({"error": message}, status)
