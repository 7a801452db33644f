"""Readers of a Salesforce server, ours among them: `readers.py NAME SALESFORCE_URL`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests
from work import FIELDS, salesforce_token, tell

QUERY = f"SELECT {FIELDS} FROM Lead"
NOT_INSTALLED = 3
PATH = "/services/data/v60.0/query"


def by_store(url: str, bulk_from: int | None = None) -> Callable[[], int]:
    from engine.secrets import Secrets
    from engine.stores.salesforce import SalesforceStore
    from engine.stores.salesforce.bulk import WORTH
    from engine.stores.salesforce.connection import Connection
    from engine.stores.salesforce.settings import settings_of

    given = {
        "store": "salesforce",
        "instance_url": url,
        "auth": "client_credentials",
        "client_id": "sandbox-app",
        "client_secret": "env:SF_CLIENT_SECRET",
    }
    connection = Connection(settings_of(given, Secrets(Path())), _NoVault())
    store = SalesforceStore(connection, bulk_from=bulk_from or WORTH)
    store.usage()  # which logs in
    fields = [name for name in FIELDS.split(",") if name not in ("Id", "SystemModstamp")]
    return lambda: sum(len(page.rows) for page in store.scan("Lead", fields, None))


def by_store_in_pages(url: str) -> Callable[[], int]:
    return by_store(url, bulk_from=sys.maxsize)


def prospects(url: str) -> Callable[[], int]:
    from engine.secrets import Secrets
    from engine.stores.outreach import open_outreach

    given = {
        "store": "outreach",
        "base_url": url,
        "client_id": "sandbox-app",
        "client_secret": "env:OUTREACH_CLIENT_SECRET",
        "refresh_token": "env:OUTREACH_REFRESH_TOKEN",
    }
    store = open_outreach(given, Secrets(Path()), _NoVault())
    store.now()  # which logs in
    fields = ["firstName", "lastName", "emails", "title", "company", "addressCity", "stage"]

    def read() -> int:
        found = sum(len(page.rows) for page in store.scan("prospect", fields, None))
        store.close()
        return found

    return read


class _NoVault:
    def tokens(self) -> None:
        return None

    def keep(self, tokens: object) -> None:
        pass

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        yield


def by_requests(url: str) -> Callable[[], int]:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {salesforce_token(url)}"

    def read() -> int:
        count, path = 0, f"{PATH}?q={quote(QUERY)}"
        while path:
            page = session.get(url + path).json()
            count += len(page["records"])
            path = page.get("nextRecordsUrl")
        return count

    return read


class _Plain(requests.adapters.HTTPAdapter):
    """simple-salesforce knows https alone, and the server is on loopback."""

    def send(self, request: requests.PreparedRequest, **more: object) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, **more)


def by_simple_salesforce(url: str) -> Callable[[], int]:
    from simple_salesforce import Salesforce

    host, session = urlsplit(url).netloc, requests.Session()
    session.mount(f"https://{host}", _Plain())
    client = Salesforce(session_id=salesforce_token(url), instance=host, session=session)
    return lambda: sum(1 for _ in client.query_all_iter(QUERY))


def by_dlt(url: str) -> Callable[[], int]:
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
        yield from client.paginate(PATH, params={"q": QUERY})

    return lambda: sum(1 for _ in leads())


READERS = {
    "store": by_store,
    "store-by-pages": by_store_in_pages,
    "prospects": prospects,
    "requests": by_requests,
    "simple-salesforce": by_simple_salesforce,
    "dlt": by_dlt,
}


if __name__ == "__main__":
    try:
        work = READERS[sys.argv[1]](sys.argv[2])
    except ImportError:
        sys.exit(NOT_INSTALLED)
    tell(work)
