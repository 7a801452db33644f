"""Local orgs: a small Salesforce and a small Outreach, each in one SQLite file."""

from __future__ import annotations

from pathlib import Path

from engine.stores.local.dump import dump
from engine.stores.local.load import load
from engine.stores.local.refusals import Refused
from engine.stores.local.store import LocalOrg, open_org

__all__ = ["SAMPLE", "LocalOrg", "Refused", "dump", "load", "open_org"]

#: The sample data of a Salesforce Developer Edition org, in `salesforce/`; and in `setup/` the
#: custom fields that Outreach's guide asks an administrator to add.
SAMPLE = Path(__file__).parent / "sample"
