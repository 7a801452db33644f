"""What `connect` and `check` do about the webhooks of the project's own address at Outreach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from dsl.schema import Side

if TYPE_CHECKING:  # `--help` must not wait for an HTTP library
    from engine.cli.project import Project
    from engine.ports import Checkup, Store
    from engine.subscribing import Wanted
    from engine.vault import SealedDrawer

__all__ = ["register_webhooks", "remove_webhooks", "webhook_checkups"]


def register_webhooks(project: Project) -> None:
    """Have the webhooks that the project wants, if it wants some. Raises `StoreError`."""
    if project.config.webhooks:
        drawer = _drawer(project)
        _print(project, drawer, _wanted(project, drawer))


def remove_webhooks(project: Project) -> int:
    """Remove those that were registered for this project; exit code 0. Raises `StoreError`."""
    drawer = _drawer(project)
    wanted = _wanted(project, drawer)
    _print(project, drawer, wanted._replace(types=frozenset()))
    if project.config.webhooks:
        print("`crosswalk serve` registers them again, until you take [webhooks] out")
    return 0


def webhook_checkups(project: Project, store: Store) -> Iterator[Checkup]:
    """Whether Outreach calls the project's address, if it has one. Raises `StoreError`."""
    from engine.ports import Checkup
    from engine.subscribing import amiss

    config = project.config.stores[Side.OUTREACH]
    if store.side is not Side.OUTREACH or config.store != config.side:
        return
    if not project.config.webhooks:
        return
    drawer = _drawer(project)
    wanted = _wanted(project, drawer)
    found = amiss(store, drawer, wanted)
    advice = "; ".join(found)
    if found:
        advice += ": `crosswalk serve` sees to it, and so does `crosswalk connect outreach`"
    yield Checkup(f"it calls {wanted.url} of changes", not found, advice)


def _drawer(project: Project) -> SealedDrawer:
    from engine.subscribing import KEPT
    from engine.vault import SealedDrawer

    return SealedDrawer(project.ledger_path, KEPT)


def _wanted(project: Project, drawer: SealedDrawer) -> Wanted:
    from engine.cli.project import Failure
    from engine.secrets import SecretError, Secrets
    from engine.subscribing import Wanted, address_of, secret_of, types_pushed

    reference = project.config.stores[Side.OUTREACH].settings.get("webhook_secret")
    try:
        given = Secrets(project.root).get("webhook_secret", reference) if reference else None
    except SecretError as error:
        raise Failure(f"[outreach] {error}") from None
    url = project.config.webhooks
    secret = secret_of(given, drawer)
    return Wanted(address_of(url) if url else "", types_pushed(project.program()), secret)


def _print(project: Project, drawer: SealedDrawer, wanted: Wanted) -> None:
    from engine.subscribing import renew

    with closing(project.open_store(Side.OUTREACH)) as store:
        done = renew(store, drawer, wanted)
    for line in done or ["the webhooks at Outreach are as they should be"]:
        print(line)
