"""A local Outreach org behind its vendor's protocol, and the store that speaks it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.model import Side
from engine.ports import Tokens
from engine.sandbox.faults import Faults
from engine.sandbox.identity import OUTREACH, OutreachIdentity
from engine.sandbox.outreach import app
from engine.sandbox.serving import Serving
from engine.secrets import Secrets
from engine.stores.local import open_org
from engine.stores.local.store import LocalOrg
from engine.stores.outreach import OutreachStore, open_outreach

__all__ = ["Connected", "MemoryVault", "connected", "store_at"]


@dataclass
class MemoryVault:
    """Keeps tokens for one test, and what happened to them in which order."""

    kept: Tokens | None = None
    told: list[str] = field(default_factory=list)

    def tokens(self) -> Tokens | None:
        return self.kept

    def keep(self, tokens: Tokens) -> None:
        self.told.append("kept")
        self.kept = tokens

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        self.told.append("locked")
        try:
            yield
        finally:
            self.told.append("unlocked")


@dataclass
class Connected:
    """An org as its users see it, the server, and a store that is connected to it."""

    org: LocalOrg
    server: Serving
    store: OutreachStore
    vault: MemoryVault


def store_at(url: str, vault: MemoryVault, root: Path = Path(), **settings: str) -> OutreachStore:
    """A store with the sandbox's own credentials, unless others are given."""
    environment = {"SECRET": OUTREACH.client_secret, "REFRESH": OUTREACH.refresh_token}
    given = {
        "base_url": url,
        "client_id": OUTREACH.client_id,
        "client_secret": "env:SECRET",
        "refresh_token": "env:REFRESH",
    }
    return open_outreach(given | settings, Secrets(root, environment), vault)


@contextmanager
def connected(
    folder: Path,
    going_wrong: Faults | None = None,
    identity: OutreachIdentity = OUTREACH,
    **more: Any,
) -> Iterator[Connected]:
    """A server over an org's file in a folder, and a store."""
    path = folder / "outreach.db"
    org = open_org(Side.OUTREACH, path)
    vault = MemoryVault()
    with Serving(lambda: app(path, identity, going_wrong, **more)) as server:
        store = store_at(server.url, vault)
        try:
            yield Connected(org, server, store, vault)
        finally:
            store.close()
            org.close()
