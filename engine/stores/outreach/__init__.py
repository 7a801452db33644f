"""The real Outreach as a store: its API v2, JSON:API over HTTPS."""

from engine.stores.outreach.store import OutreachStore, open_outreach

__all__ = ["OutreachStore", "open_outreach"]
