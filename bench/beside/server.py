"""One sandbox server as a process, so that its time counts apart: `server.py SIDE ORG_FILE`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from engine.model import Side
from engine.sandbox.identity import OUTREACH, SalesforceIdentity
from engine.sandbox.outreach import app as outreach
from engine.sandbox.salesforce.app import app as salesforce
from engine.sandbox.serving import Serving

#: More than a run asks for: with the vendor's 10,000 an hour, 100,000 records would take a day.
LIMIT = 10_000_000


def main() -> None:
    side, org = Side(sys.argv[1]), Path(sys.argv[2])
    if side is Side.SALESFORCE:
        server = Serving(lambda: salesforce(org, SalesforceIdentity()))
    else:
        server = Serving(lambda: outreach(org, OUTREACH, hourly_limit=LIMIT))
    print(server.url, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
