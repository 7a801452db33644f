"""A local Outreach org behind Outreach's HTTP protocols: OAuth, JSON:API, webhooks."""

from engine.sandbox.outreach.server import app

__all__ = ["app"]
