"""Who may come in to the sandbox servers; no secret, since both are on loopback only."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OUTREACH", "SALESFORCE", "OutreachIdentity", "SalesforceIdentity"]


@dataclass(frozen=True)
class SalesforceIdentity:
    """A connected app and its one user; `certificate` (PEM) is for checking JWT assertions."""

    client_id: str = "sandbox-app"
    client_secret: str = "sandbox-app-secret"  # noqa: S105 - loopback only, and documented
    username: str = "admin@crosswalk.example"
    password: str = "sandbox-password"  # noqa: S105 - likewise
    security_token: str = "sandbox-token"  # noqa: S105 - likewise
    certificate: str | None = None


@dataclass(frozen=True)
class OutreachIdentity:
    """An OAuth app, with a refresh token to start from, and the secret that signs its webhooks."""

    client_id: str = "sandbox-app"
    client_secret: str = "sandbox-app-secret"  # noqa: S105 - likewise
    refresh_token: str = "sandbox-refresh-token"  # noqa: S105 - likewise
    webhook_secret: str = "sandbox-webhook-secret"  # noqa: S105 - likewise
    scopes: tuple[str, ...] = ("all",)


SALESFORCE = SalesforceIdentity()
OUTREACH = OutreachIdentity()
