"""The Singer tap for Outreach, with its own Python: `singer_tap.py OUTREACH_URL`."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from pathlib import Path

from work import tell

os.environ["OUTREACH_SANDBOX"] = sys.argv[1]
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "clients" / "redirect"))
import sitecustomize  # noqa: F401 - sends what the tap asks of Outreach's address to ours
import tap_outreach
from tap_outreach.discover import discover

CONFIG = {
    "client_id": "sandbox-app",
    "client_secret": "sandbox-app-secret",
    "refresh_token": "sandbox-refresh-token",
    "redirect_uri": "https://acme.example/callback",
    "start_date": "2020-01-01T00:00:00Z",
    "user_agent": "acme",
    "page_size": "1000",
}


class Counter:
    """Takes what the tap prints, and counts the records."""

    records = 0

    def write(self, line: str) -> None:
        self.records += line.startswith('{"type": "RECORD"')

    def flush(self) -> None:
        pass


def main() -> None:
    catalog = discover().to_dict()
    for stream in catalog["streams"]:
        for each in stream["metadata"]:
            if list(each["breadcrumb"]) == []:
                each["metadata"]["selected"] = stream["tap_stream_id"] == "prospects"
    logging.disable()
    shown = sys.stdout
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("config.json", "catalog.json")]
        paths[0].write_text(json.dumps(CONFIG))
        paths[1].write_text(json.dumps(catalog))
        sys.argv[1:] = ["--config", str(paths[0]), "--catalog", str(paths[1])]

        def work() -> int:
            sys.stdout = counter = Counter()
            tap_outreach.main()
            sys.stdout = shown
            return counter.records

        tell(work)


if __name__ == "__main__":
    main()
