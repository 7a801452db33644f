"""A sandbox server with a local org behind it, and the real store connected to it over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.ports import Tokens
from engine.sandbox.faults import faults
from engine.sandbox.identity import SALESFORCE
from engine.sandbox.salesforce.app import app
from engine.sandbox.serving import Serving
from engine.secrets import Secrets
from engine.stores.salesforce import SalesforceStore, open_salesforce

__all__ = ["KeptTokens", "connected", "served", "settings"]


@dataclass
class KeptTokens:
    """A vault in memory, which notes what was kept, in order."""

    kept: list[Tokens] = field(default_factory=list)

    def tokens(self) -> Tokens | None:
        return self.kept[-1] if self.kept else None

    def keep(self, tokens: Tokens) -> None:
        self.kept.append(tokens)

    def exclusive(self) -> AbstractContextManager[None]:
        return nullcontext()


@contextmanager
def served(path: Path, spec: str = "", seed: int = 0, **more: Any) -> Iterator[str]:
    """The address of a sandbox server over the org in a file."""
    with Serving(lambda: app(path, faults=faults(spec, seed), **more)) as server:
        yield server.url


def settings(url: str, auth: str = "client_credentials", **more: str) -> dict[str, str]:
    """What stands in [salesforce]; the secrets are those of the sandbox."""
    ways = {
        "client_credentials": {
            "client_id": SALESFORCE.client_id,
            "client_secret": SALESFORCE.client_secret,
        },
        "password": {
            "username": SALESFORCE.username,
            "password": SALESFORCE.password,
            "security_token": SALESFORCE.security_token,
        },
        "web": {"client_id": SALESFORCE.client_id, "client_secret": SALESFORCE.client_secret},
        "jwt": {"client_id": SALESFORCE.client_id, "username": SALESFORCE.username},
        "token": {},
    }
    return {"store": "salesforce", "instance_url": url, "auth": auth, **ways[auth], **more}


@contextmanager
def connected(url: str, vault: KeptTokens | None = None, **more: str) -> Iterator[SalesforceStore]:
    """The real store, connected to a server."""
    given = settings(url, **more)
    store = open_salesforce(given, Secrets(Path(), {}), vault or KeptTokens())
    try:
        yield store
    finally:
        store.close()
