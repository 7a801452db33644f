"""Tells webhooks what happened: signed, once and in order, unless faults are asked for."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec

from engine.ports import StoreError
from engine.sandbox.faults import Faults
from engine.sandbox.outreach.resources import Resource, by_type
from engine.sandbox.outreach.watching import Event, Watcher
from engine.sandbox.outreach.webhooks import WATCHED, Webhooks, wants

__all__ = ["Delivery", "payload", "signature"]

_PATIENCE = 5.0  # seconds that the vendor waits for an answer
_HELD = 5.0  # seconds that one waits for a later one to be told before it
_EVERY = 0.25  # seconds from one look for others' changes to the next
SIGNATURE = "Outreach-Webhook-Signature"


def signature(secret: str, body: bytes) -> str:
    """The hex HMAC-SHA256 of a raw body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def payload(event: Event, now: datetime, version: int = 1) -> dict[str, Any]:
    """What a webhook is sent: the changed fields; in version 2 with what they were before."""
    resource = by_type(event.resource)
    data = {"type": event.resource, "id": event.id, **_parts(resource, event.after)}
    meta = {
        "deliveredAt": now.astimezone(UTC).isoformat(timespec="milliseconds"),
        "eventName": f"{event.resource}.{event.action}",
        "jobId": str(uuid.uuid4()),
    }
    found: dict[str, Any] = {"data": data, "meta": meta}
    if version == 2 and event.before:
        found["beforeUpdate"] = _parts(resource, event.before)
    return found


def _parts(resource: Resource | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """The vendor names a related record by the relationship, not by its type."""
    related = resource.relationships if resource is not None else {}
    return {
        "attributes": {n: v for n, v in values.items() if n not in related},
        "relationships": {
            n: None if v is None else {"type": n, "id": v}
            for n, v in values.items()
            if n in related
        },
    }


@dataclass
class Delivery:
    """A task that looks for changes, at once when `wake` is called, and delivers them.

    Each webhook is told in order; one that is slow to answer keeps no other waiting.
    """

    webhooks: Webhooks
    watcher: Watcher
    faults: Faults
    now: Callable[[], datetime]
    _queues: dict[int, asyncio.Queue[Event]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _known: int = -1

    def wake(self) -> None:
        """Something may have changed."""
        self._woken.set()

    def tell(self, event: Event) -> None:
        """Tell of an event that is no change of a record."""
        for webhook in self.webhooks.active():
            if wants(webhook, event.resource, event.action):
                self._queue(webhook["id"]).put_nowait(event)

    async def run(self) -> None:
        """Look and deliver until cancelled."""
        try:
            while True:
                # An org that is in use elsewhere may be looked at again later.
                with suppress(StoreError):
                    await self.step()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), _EVERY)
                self._woken.clear()
        finally:
            for task in self._tasks:
                task.cancel()

    async def step(self) -> None:
        """Look once, and hand on what is found; new webhooks are told of what comes after."""
        async with self._one:
            if self._known != self.webhooks.changes:
                self._known = self.webhooks.changes
                await self.watcher.watch(_types(self.webhooks.active()))
            for event in self.watcher.look():
                self.tell(event)

    def _queue(self, number: int) -> asyncio.Queue[Event]:
        if number not in self._queues:
            self._queues[number] = asyncio.Queue()
            task = asyncio.create_task(self._deliver(number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return self._queues[number]

    async def _deliver(self, number: int) -> None:
        queue, held = self._queues[number], list[Event]()
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                event = await _next(queue, held)
                if event is not None and not held and self.faults.happens("reordered"):
                    held.append(event)
                    continue
                for each in ([] if event is None else [event]) + held:
                    await self._send(session, number, each)
                held.clear()

    async def _send(self, session: aiohttp.ClientSession, number: int, event: Event) -> None:
        webhook = self.webhooks.kept.get(number)
        if webhook is None or not webhook["active"] or self.faults.happens("lost"):
            return
        times = 2 if self.faults.happens("doubled") else 1
        body = msgspec.json.encode(payload(event, self.now(), webhook["payloadVersion"]))
        secret = webhook["secret"] or self.webhooks.identity.webhook_secret
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(secret, body),
            "outreach-webhook-cleanup-token": webhook["cleanupToken"],
        }
        for _ in range(times):
            # Whatever comes of it counts as delivered: a webhook is a hint.
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                async with session.post(
                    webhook["url"], data=body, headers=headers, allow_redirects=False
                ) as answer:
                    await answer.read()


async def _next(queue: asyncio.Queue[Event], held: list[Event]) -> Event | None:
    """The next event; None if one is held back, and none follows it for too long."""
    if not held:
        return await queue.get()
    try:
        return await asyncio.wait_for(queue.get(), _HELD)
    except TimeoutError:
        return None


def _types(webhooks: Sequence[Mapping[str, Any]]) -> set[str]:
    """The types that webhooks want to hear of."""
    asked = {webhook["resource"] for webhook in webhooks}
    return set(WATCHED) if "*" in asked else asked & set(WATCHED)
