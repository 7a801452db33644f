"""Webhooks of our own address at Outreach: which there should be, and with which secret."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast
from urllib.parse import urlsplit

import msgspec

from dsl.program import Program
from engine.ports import Store, StoreError
from engine.secrets import Secret

__all__ = [
    "HOOK",
    "KEPT",
    "Subscribed",
    "Subscribing",
    "Wanted",
    "Webhook",
    "address_of",
    "amiss",
    "has_registered",
    "renew",
    "secret_of",
    "types_pushed",
]

#: The path that a webhook of Outreach calls.
HOOK = "/hooks/outreach"
#: The name by which the ledger keeps what we registered.
KEPT = "webhooks"
_BYTES = 32


class Webhook(NamedTuple):
    """A webhook as Outreach has it; `app` is the OAuth application that made it."""

    id: int
    type: str
    action: str
    url: str
    active: bool
    app: str
    why: str = ""


class Wanted(NamedTuple):
    """One webhook for each of these types, at an address; an empty one wants none."""

    url: str
    types: frozenset[str]
    secret: Secret


class Subscribed(msgspec.Struct, frozen=True):
    """What we registered: the address, its secret, and the ids by type."""

    url: str
    secret: str
    ids: dict[str, int]

    def __repr__(self) -> str:
        return f"Subscribed({self.url!r}, {self.ids!r})"  # without the secret


class Subscribing(Protocol):
    """What Outreach's own store has besides a `Store`; every method raises `StoreError`."""

    def webhooks(self) -> list[Webhook]:
        """All that the connection may see, whosever they are."""
        ...

    def own(self, webhook: Webhook) -> bool:
        """Whether our own application made a webhook."""
        ...

    def subscribe(self, type_name: str, url: str, secret: Secret) -> int:
        """Make a webhook for all that happens to a type; its id."""
        ...

    def resubscribe(self, webhook: int, url: str, secret: Secret) -> None:
        """Turn a webhook on, with this address and secret."""
        ...

    def unsubscribe(self, webhook: int) -> None:
        """Drop a webhook, if it is still there."""
        ...


class Drawer(Protocol):
    """A place for one sealed text."""

    def read(self) -> bytes | None: ...

    def keep(self, text: bytes) -> None: ...


@dataclass(frozen=True)
class _Work:
    """What differs from what should be."""

    missing: tuple[str, ...]
    stale: tuple[Webhook, ...]
    right: tuple[Webhook, ...]
    extra: tuple[Webhook, ...]


def types_pushed(program: Program) -> frozenset[str]:
    """The types of Outreach whose changes the rules carry to Salesforce."""
    return frozenset(pair.outreach.name for pair in program.pairs if pair.toggle("pushing").on)


def address_of(url: str) -> str:
    """Where a webhook calls: the path is ours where the address has none."""
    return url.rstrip("/") + HOOK if urlsplit(url).path.strip("/") == "" else url


def secret_of(given: Secret | None, drawer: Drawer) -> Secret:
    """The one that the project names, or one that is made once, and kept sealed."""
    if given is not None:
        return given
    kept = _kept(drawer)
    if kept is None:
        kept = Subscribed("", secrets.token_hex(_BYTES), {})
        drawer.keep(msgspec.json.encode(kept))
    return Secret(kept.secret)


def has_registered(drawer: Drawer) -> bool:
    """Whether there may be webhooks of ours."""
    kept = _kept(drawer)
    return kept is not None and bool(kept.ids)


def amiss(store: Store, drawer: Drawer, wanted: Wanted) -> list[str]:
    """What is not as it should be, in words; nothing is changed."""
    work = _work(cast("Subscribing", store), _kept(drawer), wanted)
    told = [f"there is no webhook for {each}" for each in work.missing]
    for each in work.stale:
        why = f" ({each.why})" if each.why else ""
        what = "has another secret or address" if each.active else f"is turned off{why}"
        told.append(f"the webhook {each.id} for {each.type} {what}")
    return told + [f"the webhook {each.id} for {each.type} is one too many" for each in work.extra]


def renew(store: Store, drawer: Drawer, wanted: Wanted) -> list[str]:
    """Have the webhooks that are wanted, and no others of ours; what was done, in words.

    Ours are those that we know to have registered, and those of our own application that call the
    very same address, as after an answer that never came. Others are never touched.
    """
    there, kept, told = cast("Subscribing", store), _kept(drawer), []
    work = _work(there, kept, wanted)
    ids = {each.type: each.id for each in work.right}
    for hook in work.stale:
        there.resubscribe(hook.id, wanted.url, wanted.secret)
        ids[hook.type] = hook.id
        told.append(f"the webhook {hook.id} for {hook.type} is renewed")
    refused: StoreError | None = None
    for type_name in work.missing:
        try:
            ids[type_name] = there.subscribe(type_name, wanted.url, wanted.secret)
        except StoreError as error:  # what was made is to be known, whatever comes of the others
            refused = error
            break
        told.append(f"a webhook for {type_name} is made ({ids[type_name]})")
    for hook in work.extra:
        there.unsubscribe(hook.id)
        told.append(f"the webhook {hook.id} for {hook.type} is removed")
    found = Subscribed(wanted.url, wanted.secret.reveal(), ids)
    if found != kept:
        drawer.keep(msgspec.json.encode(found))
    if refused is not None:
        raise refused
    return told


def _work(store: Subscribing, kept: Subscribed | None, wanted: Wanted) -> _Work:
    known = set(kept.ids.values()) if kept else set()
    mine = [
        each
        for each in store.webhooks()
        if each.id in known or (each.url == wanted.url and store.own(each))
    ]
    first: dict[str, Webhook] = {}
    for each in sorted(mine, key=lambda hook: (hook.id not in known, hook.id)):
        if each.type in wanted.types:
            first.setdefault(each.type, each)
    same_secret = kept is not None and kept.secret == wanted.secret.reveal()

    def is_right(hook: Webhook) -> bool:
        told = same_secret and hook.id in known and hook.url == wanted.url
        return told and hook.active and hook.action == "*"

    return _Work(
        missing=tuple(sorted(wanted.types - first.keys())),
        stale=tuple(each for each in first.values() if not is_right(each)),
        right=tuple(each for each in first.values() if is_right(each)),
        extra=tuple(each for each in mine if first.get(each.type) is not each),
    )


def _kept(drawer: Drawer) -> Subscribed | None:
    text = drawer.read()
    return None if text is None else msgspec.json.decode(text, type=Subscribed)
