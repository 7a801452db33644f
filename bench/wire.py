"""Leads from a Salesforce server to an Outreach server, beside a loop by hand and other readers.

Each server is a process of its own, and so is each reader and writer: what is told is the time at
work (user and system) of that process alone, that of the servers meanwhile, and all that went by.
The loop by hand pages and writes as we do, with no rules, no ledger and no log; the other readers
only read, each with what it takes by itself: the Singer tap takes all fields.

    python bench/wire.py [LEADS]      10,000 unless said; `make clients` installs two of the readers
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from sync import RULES, make_leads

from engine.cli.sandbox import environment, sections
from engine.model import Side
from engine.stores.local.org import OrgFile
from engine.stores.local.stamps import as_vendor, stamp

HERE = Path(__file__).resolve().parent
BESIDE = HERE / "beside"
CLIENTS = HERE.parent / "tests" / "clients"
PROGRAM = [sys.executable, "-m", "engine.cli.main"]
READERS = {
    "by hand: http.client and msgspec": [sys.executable, BESIDE / "by_hand.py", "read"],
    "our store": [sys.executable, BESIDE / "readers.py", "store"],
    "our store, without a Bulk API job": [sys.executable, BESIDE / "readers.py", "store-by-pages"],
    "requests and json": [sys.executable, BESIDE / "readers.py", "requests"],
    "simple-salesforce": [sys.executable, BESIDE / "readers.py", "simple-salesforce"],
    "dlt, extract only": [sys.executable, BESIDE / "readers.py", "dlt"],
    "Airbyte CDK": [CLIENTS / ".venv-airbyte-cdk/bin/python", BESIDE / "airbyte.py", "leads"],
}
BACK = {
    "our store": [sys.executable, BESIDE / "readers.py", "prospects"],
    "Airbyte CDK": [CLIENTS / ".venv-airbyte-cdk/bin/python", BESIDE / "airbyte.py", "prospects"],
    "Singer tap": [CLIENTS / ".venv-tap-outreach/bin/python", BESIDE / "singer_tap.py"],
}
TICKS = os.sysconf("SC_CLK_TCK")


class Server(NamedTuple):
    """A server's address and its process."""

    url: str
    pid: int

    def work(self) -> float:
        """The seconds that it has been at work; Linux alone tells them of another process."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / TICKS


class Took(NamedTuple):
    """The seconds that something took: at work, the servers' meanwhile, and all that went by."""

    work: float
    servers: float
    all: float


Servers = dict[Side, Server]


@contextmanager
def servers(org: Path) -> Iterator[Servers]:
    """Both orgs of a project, each behind a server."""
    started = {
        side: subprocess.Popen(
            [sys.executable, BESIDE / "server.py", side.value, org / f"{side.value}.db"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for side in Side
    }
    try:
        yield {
            side: Server(process.stdout.readline().strip(), process.pid)  # type: ignore[union-attr]
            for side, process in started.items()
        }
    finally:
        for process in started.values():
            process.terminate()
            process.wait()


def tell(name: str, count: int, took: Took) -> Took:
    us = [1e6 * each / count for each in took]
    print(f"{name:<38} {us[0]:9.1f} {us[1]:9.1f} {us[2]:9.1f}", flush=True)
    return took


def head(what: str) -> None:
    print(f"\n{what:<38} {'at work':>9} {'server':>9} {'in all':>9}   us a record")


def beside(
    name: str, words: list[str | Path], count: int, on: Servers, *sides: Side
) -> Took | None:
    """What a script of `beside` took, which prints what it measured of itself."""
    if not Path(words[0]).exists():
        print(f"{name:<38} not installed")
        return None
    before = sum(on[side].work() for side in sides)
    done = subprocess.run(
        [str(each) for each in [*words, *(on[side].url for side in sides)]],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode == 3:
        print(f"{name:<38} not installed")
        return None
    if done.returncode:
        raise SystemExit(f"{name} failed")
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["records"] == count, (name, told, count)
    served = sum(on[side].work() for side in sides) - before
    return tell(name, count, Took(told["work"], served, told["seconds"]))


def run(
    project: Path, on: Servers, command: str = "run --format json"
) -> tuple[dict[str, int], Took, float]:
    """A command as a process: what it did, what it took, and its peak memory in MB."""
    words = [*PROGRAM, "--project", str(project), *command.split()]
    before, start = sum(each.work() for each in on.values()), perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - start
    if status:
        raise SystemExit(out)
    served = sum(each.work() for each in on.values()) - before
    took = Took(usage.ru_utime + usage.ru_stime, served, seconds)
    told = json.loads(out) if command.endswith("json") else {"counts": {}, "calls": {}}
    return {**told["counts"], **told["calls"]}, took, usage.ru_maxrss / 1024


def project_in(folder: Path, count: int) -> Path:
    """A project with so many leads in its Salesforce org, and nobody in Outreach."""
    org, data = folder / "org", folder / "data"
    subprocess.run([*PROGRAM, "init", str(org)], check=True, stdout=subprocess.DEVNULL)
    for file in (org / "rules").glob("*.sync"):
        if file.stem != "stages":
            file.unlink()
    (org / "rules" / "leads.sync").write_text(RULES)
    data.mkdir()
    (data / "Lead.json").write_text(json.dumps(make_leads(count)))
    load = [*PROGRAM, "--project", str(org), "local", "load", "salesforce", str(data)]
    subprocess.run(load, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return org


def touch(org: Path) -> None:
    """Two hours later every lead was saved as it is, 200 to a second, so that only its stamp moved.

    So what the first run wrote lies behind the overlap of the scans.
    """
    for side in Side:
        file = OrgFile(side, org / f"{side.value}.db")
        file.move_clock(timedelta(hours=2))
        if side is Side.SALESFORCE:
            start = datetime.fromisoformat(file.now()[:19] + "Z") - timedelta(hours=1)
            with file.transaction():
                ids = [row[0] for row in file.rows("SELECT Id FROM Lead ORDER BY Id")]
                at = [stamp(start + timedelta(seconds=n // 200)) for n in range(len(ids))]
                rows = [(a, as_vendor(side, a), i) for a, i in zip(at, ids, strict=True)]
                file.db.executemany(
                    "UPDATE Lead SET _stamp = ?, SystemModstamp = ? WHERE Id = ?", rows
                )
        file.close()


def read(org: Path, count: int) -> None:
    with servers(org) as on:
        head(f"reading {count:,} leads")
        took = {n: beside(n, w, count, on, Side.SALESFORCE) for n, w in READERS.items()}
    hand, ours = (took[name] for name in list(READERS)[:2])
    assert hand is not None
    assert ours is not None
    print(f"our store to the loop by hand, at work: {ours.work / hand.work:.1f}")
    for name, found in list(took.items())[3:]:
        if found is not None:
            print(f"{name} to our store, at work: {found.work / ours.work:.1f}")


def carry_by_hand(org: Path, count: int) -> Took:
    with servers(org) as on:
        head(f"{count:,} leads into prospects")
        words = [sys.executable, BESIDE / "by_hand.py", "carry"]
        found = beside("by hand: no rules, ledger, log", words, count, on, *Side)
    assert found is not None
    return found


def carry(org: Path, count: int, hand: Took) -> None:
    with servers(org) as on:
        text = (org / "crosswalk.toml").read_text().partition("[salesforce]")[0]
        (org / "crosswalk.toml").write_text(
            text + sections({side: each.url for side, each in on.items()})
        )
        _, planned, peak = run(org, on, "plan")
        tell("crosswalk plan, which writes nothing", count, planned)
        print(f"peak memory of the plan {peak:.0f} MB")
        counts, ours, peak = run(org, on)
        tell("crosswalk run", count, ours)
        assert counts["created"] >= count, counts
        print(
            f"created {counts['created']:,}; calls to Salesforce {counts['salesforce']:,},", end=""
        )
        print(f" to Outreach {counts['outreach']:,}; peak memory {peak:.0f} MB (under 300)")
        served = (ours.work + ours.servers) / (hand.work + hand.servers)
        print(f"crosswalk to the loop by hand, at work: {ours.work / hand.work:.2f} (at most 2)")
        print(f"crosswalk to the loop by hand, with the servers at work: {served:.2f}")
        print(f"crosswalk to the loop by hand, in all: {ours.all / hand.all:.2f} (at most 2)")
        head("a cycle")
        touch(org)  # also so that what the first run wrote is behind the scans' overlap
        touched, again, peak = run(org, on)
        tell("all leads touched, nothing differs", count, again)
        assert not touched["created"] + touched["updated"], touched
        _, idle, _ = run(org, on)
        tell("nothing touched", count, idle)
        touching = 1e6 * (again.work - idle.work) / count
        print(f"a touched lead costs {touching:.1f} us at work (under 30); peak {peak:.0f} MB")
        head(f"reading {count:,} prospects back")
        for name, words in BACK.items():
            beside(name, words, count, on, Side.OUTREACH)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ |= environment()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPATH"] = str(HERE.parent)
    with tempfile.TemporaryDirectory(prefix="crosswalk-bench-") as name:
        os.environ["PYTHONPYCACHEPREFIX"] = f"{name}/pycache"
        folders = [Path(name) / each for each in ("ours", "by-hand")]
        for folder in folders:
            folder.mkdir()
        ours, by_hand = (project_in(folder, count) for folder in folders)
        read(ours, count)
        carry(ours, count, carry_by_hand(by_hand, count))


if __name__ == "__main__":
    main()
