"""Local orgs: a small, real Salesforce or Outreach in one file."""

from engine.stores.embedded.files import SAMPLE, dump, load
from engine.stores.embedded.org import LocalOrg, open_org

__all__ = ["SAMPLE", "LocalOrg", "dump", "load", "open_org"]
