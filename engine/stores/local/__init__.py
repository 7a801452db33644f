"""Local orgs: a small, real Salesforce or Outreach in one file."""

from engine.stores.local.files import SAMPLE, dump, load
from engine.stores.local.org import LocalOrg, open_org

__all__ = ["SAMPLE", "LocalOrg", "dump", "load", "open_org"]
