"""A local Outreach org behind Outreach's HTTP protocols: OAuth, JSON:API, webhooks."""

from engine.sandbox.outreach.server import app
from engine.sandbox.outreach.setup import Setup

__all__ = ["Setup", "app"]
