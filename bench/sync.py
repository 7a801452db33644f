"""100,000 leads into 100,000 prospects between local orgs, and a cycle with nothing changed.

Runs each step as a process of its own, as a user would: `python bench/sync.py [RECORDS]`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling every 10 minutes when IsConverted = false
    inbound create when Email is present
    inbound update
    pushing
    outbound update
    fields {
        FirstName    <-> firstName
        LastName     <-> lastName     prevent empty
        Email        <-> emails       prevent empty
        Title        <-> title
        Company       -> company
        Phone         -> workPhones
        City          -> addressCity
        State         -> addressState
        PostalCode    -> addressZip
        Country       -> addressCountry
        LeadSource    -> source
        Status       <-> stage        via lead_status
    }
}
"""


def make_leads(count: int) -> list[dict[str, object]]:
    sources = ["Web", "Phone Inquiry", "Partner Referral", "Purchased List", None]
    statuses = ["Open - Not Contacted", "Working - Contacted", "Closed - Not Converted"]
    stamp = "2026-05-03T10:37:48.000+0000"
    return [
        {
            "attributes": {"type": "Lead"},
            "Id": f"00QXX{n:010}",
            "FirstName": f"First{n % 977}",
            "LastName": f"Last{n}",
            "Email": f"person{n}@company{n % 5003}.example",
            "Title": f"VP, Region {n % 31}",
            "Company": f"Company {n % 5003}",
            "Phone": f"(555) {n % 1000:03}-{n % 10000:04}",
            "City": "Springfield",
            "State": "IL",
            "PostalCode": f"{n % 100000:05}",
            "Country": "USA",
            "LeadSource": sources[n % 5],
            "Status": statuses[n % 3],
            "IsConverted": False,
            "HasOptedOutOfEmail": False,
            "CreatedDate": stamp,
            "LastModifiedDate": stamp,
            "SystemModstamp": stamp,
        }
        for n in range(count)
    ]


def timed(name: str, *words: str) -> tuple[float, str]:
    start = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.cli.main", *words], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - start
    if status:
        raise SystemExit(f"{name} failed: {out}")
    work = usage.ru_utime + usage.ru_stime  # what it takes on a machine with nobody else on it
    peak = usage.ru_maxrss / 1024
    print(f"{name:<44} {seconds:7.2f} s, {work:6.2f} s at work   peak {peak:6.0f} MB", flush=True)
    return seconds, out


def linked_project(folder: Path, count: int) -> tuple[Path, tuple[str, ...]]:
    """A project whose leads were all made prospects by a first run, and the words of a run."""
    # As for a user, modules are compiled once, by the first step; and nothing of that is left here.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "pycache")
    org, data = folder / "org", folder / "data"
    timed("init", "init", str(org))
    for file in (org / "rules").glob("*.sync"):
        if file.stem != "stages":
            file.unlink()
    (org / "rules" / "leads.sync").write_text(RULES)
    data.mkdir()
    # In a process of its own: what this one held would count as its children's peak memory.
    words = [sys.executable, __file__, "--leads", str(count), str(data / "Lead.json")]
    subprocess.run(words, check=True)
    project = ("--project", str(org))
    timed("local load", *project, "local", "load", "salesforce", str(data))
    run = (*project, "run", "--format", "json")
    seconds, out = timed(f"run: {count:,} leads", *run)
    created = json.loads(out)["counts"]["created"]
    print(f"{'':<44} {created / seconds:7,.0f} records a second (at least 5,000)")
    print(f"{'':<44} calls {json.loads(out)['calls']}")
    return org, run


def print_size(org: Path, count: int) -> None:
    size = sum(f.stat().st_size for f in org.glob("crosswalk.db*"))
    print(f"{'ledger':<44} {size / count:7,.0f} bytes a record")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="crosswalk-bench-") as name:
        org, run = linked_project(Path(name), count)
        for number in ("second", "third"):
            _, out = timed(f"{number} run, nothing changed (under 2 s)", *run)
            print(f"{'':<44} counts {json.loads(out)['counts']} calls {json.loads(out)['calls']}")
        print_size(org, count)


if __name__ == "__main__":
    if "--leads" in sys.argv:
        Path(sys.argv[3]).write_text(json.dumps(make_leads(int(sys.argv[2]))))
    else:
        main()
