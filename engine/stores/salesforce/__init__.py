"""A real Salesforce org as a store, through simple-salesforce."""

from __future__ import annotations

from engine.stores.salesforce.store import SalesforceStore, open_salesforce

__all__ = ["SalesforceStore", "open_salesforce"]
