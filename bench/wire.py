"""Leads from a Salesforce server to an Outreach server, beside a loop by hand and other readers.

Both sandbox servers run as a process of their own. The loop by hand pages and writes as we do, with
no rules, no ledger and no log; the other readers only read. `python bench/wire.py [LEADS]`.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from urllib.parse import quote, urlsplit

import msgspec
import requests
from sync import RULES, make_leads

from engine.cli.sandbox import environment, sections
from engine.model import Side

FIELDS = (
    "Id,SystemModstamp,FirstName,LastName,Email,Title,Company,Phone,City,State,PostalCode,Country,"
    "LeadSource,Status,IsConverted"
)
PAGE = 2_000
AT_ONCE = 16
PROGRAM = [sys.executable, "-m", "engine.cli.main"]


class Plain(requests.adapters.HTTPAdapter):
    """simple-salesforce knows https alone, and the server is on loopback."""

    def send(self, request: requests.PreparedRequest, **more: object) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, **more)


class Lead(msgspec.Struct):
    Id: str
    SystemModstamp: str
    FirstName: str | None
    LastName: str
    Email: str | None
    Title: str | None
    Company: str


class Answer(msgspec.Struct):
    totalSize: int  # noqa: N815 - as the vendor has it
    done: bool
    records: list[Lead]


@contextmanager
def servers(project: Path) -> Iterator[dict[Side, str]]:
    words = ["sandbox", "--salesforce-port", "0", "--outreach-port", "0", "--format", "json"]
    process = subprocess.Popen(
        [*PROGRAM, "--project", str(project), *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield {side: told[side.value]["url"] for side in Side}
    finally:
        process.terminate()
        process.wait()


def salesforce_token(url: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": "sandbox-app",
        "client_secret": "sandbox-app-secret",
    }
    return str(requests.post(f"{url}/services/oauth2/token", data=form).json()["access_token"])


def outreach_token(url: str) -> str:
    form = {
        "grant_type": "refresh_token",
        "client_id": "sandbox-app",
        "client_secret": "sandbox-app-secret",
        "refresh_token": "sandbox-refresh-token",
    }
    return str(requests.post(f"{url}/oauth/token", data=form).json()["access_token"])


def pages_by_hand(url: str, token: str) -> Iterator[list[Lead]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    decode, after = msgspec.json.Decoder(Answer).decode, ""
    while True:
        query = f"SELECT {FIELDS} FROM Lead {after} ORDER BY SystemModstamp, Id LIMIT {PAGE}"
        connection.request(
            "GET",
            f"/services/data/v60.0/query?q={quote(query)}",
            headers={"Authorization": f"Bearer {token}"},
        )
        found = decode(connection.getresponse().read()).records
        if found:
            yield found
        if len(found) < PAGE:
            connection.close()
            return
        stamp, last = found[-1].SystemModstamp.replace("+0000", "Z"), found[-1].Id
        after = f"WHERE (SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{last}'))"


async def write_by_hand(url: str, token: str, pages: Iterator[list[Lead]]) -> int:
    import aiohttp

    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/vnd.api+json",
        "Accept": "application/vnd.api+json",
    }
    made = 0
    async with aiohttp.ClientSession(headers=headers) as session:

        async def write(leads: Iterator[Lead]) -> None:
            nonlocal made
            for lead in leads:
                if not lead.Email:
                    continue
                body = {
                    "data": {
                        "type": "prospect",
                        "attributes": {
                            "firstName": lead.FirstName,
                            "lastName": lead.LastName,
                            "emails": [lead.Email],
                            "title": lead.Title,
                            "company": lead.Company,
                        },
                    }
                }
                async with session.post(
                    f"{url}/api/v2/prospects", data=msgspec.json.encode(body)
                ) as answer:
                    await answer.read()
                    made += answer.status == 201

        for page in pages:
            leads = iter(page)
            await asyncio.gather(*(write(leads) for _ in range(AT_ONCE)))
    return made


def read_by_simple_salesforce(url: str) -> int:
    from simple_salesforce import Salesforce

    session = requests.Session()
    session.mount(f"https://{urlsplit(url).netloc}", Plain())
    client = Salesforce(
        session_id=salesforce_token(url), instance=urlsplit(url).netloc, session=session
    )
    return len(client.query_all(f"SELECT {FIELDS} FROM Lead")["records"])


def read_by_dlt(url: str) -> int:
    import dlt
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
    from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator

    client = RESTClient(
        base_url=url,
        auth=BearerTokenAuth(salesforce_token(url)),
        paginator=JSONLinkPaginator(next_url_path="nextRecordsUrl"),
        data_selector="records",
    )

    @dlt.resource(name="leads")
    def leads() -> Iterator[list[dict[str, object]]]:
        yield from client.paginate(
            "/services/data/v60.0/query", params={"q": f"SELECT {FIELDS} FROM Lead"}
        )

    return sum(1 for _ in leads())


def read_by_store(url: str) -> int:
    from engine.secrets import Secrets
    from engine.stores.salesforce import open_salesforce

    given = {
        "store": "salesforce",
        "instance_url": url,
        "auth": "client_credentials",
        "client_id": "sandbox-app",
        "client_secret": "env:SF_CLIENT_SECRET",
    }
    store = open_salesforce(given, Secrets(Path()), _NoVault())
    fields = [name for name in FIELDS.split(",") if name not in ("Id", "SystemModstamp")]
    count = sum(len(page.rows) for page in store.scan("Lead", fields, None))
    store.close()
    return count


class _NoVault:
    def tokens(self) -> None:
        return None

    def keep(self, tokens: object) -> None:
        pass

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        yield


def timed(name: str, count: int, work: Callable[[], int]) -> float:
    start = perf_counter()
    found = work()
    seconds = perf_counter() - start
    assert found == count, (name, found, count)
    print(f"{name:<52} {seconds:7.2f} s   {1e6 * seconds / count:7.1f} us a record", flush=True)
    return seconds


def run(project: Path) -> tuple[int, float]:
    """A run; what it made, and its peak memory in MB."""
    words = [*PROGRAM, "--project", str(project), "run", "--format", "json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(out)
    counts, calls = json.loads(out)["counts"], json.loads(out)["calls"]
    print(f"{'':<52} counts {counts} calls {calls}")
    return counts["created"], usage.ru_maxrss / 1024


def project_in(folder: Path, count: int) -> Path:
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


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ |= environment()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    with tempfile.TemporaryDirectory(prefix="crosswalk-bench-") as name:
        os.environ["PYTHONPYCACHEPREFIX"] = f"{name}/pycache"
        org = project_in(Path(name), count)
        with servers(org) as urls:
            url = urls[Side.SALESFORCE]
            print(f"reading {count:,} leads from one server")
            hand = timed(
                "http.client and msgspec, by hand",
                count,
                lambda: sum(map(len, pages_by_hand(url, salesforce_token(url)))),
            )
            ours = timed("our store", count, lambda: read_by_store(url))
            timed("simple-salesforce, query_all", count, lambda: read_by_simple_salesforce(url))
            try:
                timed("dlt, extract only", count, lambda: read_by_dlt(url))
            except ImportError:
                print("dlt is not installed")
            print(f"our store to the loop by hand: {ours / hand:.2f}\n")

        other = Path(name) / "by-hand"
        other.mkdir()
        print(f"{count:,} leads into prospects over HTTP")
        by_hand = project_in(other, count)
        with servers(by_hand) as urls:
            hand = timed(
                "by hand: no rules, no ledger, no log",
                count,
                lambda: asyncio.run(
                    write_by_hand(
                        urls[Side.OUTREACH],
                        outreach_token(urls[Side.OUTREACH]),
                        pages_by_hand(
                            urls[Side.SALESFORCE], salesforce_token(urls[Side.SALESFORCE])
                        ),
                    )
                ),
            )
        with servers(org) as urls:
            text = (org / "crosswalk.toml").read_text().partition("[salesforce]")[0]
            (org / "crosswalk.toml").write_text(text + sections(urls))
            peaks: list[float] = []

            def first() -> int:
                made, peak = run(org)
                peaks.append(peak)
                return min(made, count)  # the stages aside, which it makes first

            ours = timed("crosswalk run, stages made and all read back", count, first)
            print(f"peak memory {peaks[0]:.0f} MB (under 300)")
            print(f"crosswalk to the loop by hand: {ours / hand:.2f} (at most 2)")
            start = perf_counter()
            run(org)
            print(f"a cycle right after: {1e6 * (perf_counter() - start) / count:.1f} us a record")


if __name__ == "__main__":
    main()
