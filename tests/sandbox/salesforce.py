"""A Salesforce sandbox at work, and simple-salesforce as its client, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from dsl.schema import Side
from engine.sandbox.faults import Faults, faults
from engine.sandbox.identity import SALESFORCE, SalesforceIdentity
from engine.sandbox.salesforce.app import app
from engine.sandbox.salesforce.setup import Setup
from engine.sandbox.serving import Serving
from engine.stores.local import SAMPLE, LocalOrg, load, open_org

ME = SALESFORCE
VERSION = "60.0"
DATA = f"/services/data/v{VERSION}"


class Plain(HTTPAdapter):
    """Sends what is meant for any https host to the sandbox, which speaks plain http."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__()

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url)
        request.url = self.url + request.url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        return super().send(request, *args, **kwargs)


def session(url: str) -> requests.Session:
    """What simple-salesforce is given, since it knows nothing but https."""
    made = requests.Session()
    made.mount("https://", Plain(url))
    return made


class Sandbox:
    """A server, its org's file, and the faults that it has from now on."""

    def __init__(self, serving: Serving, path: Path, drawn: Faults, clock: Any = None) -> None:
        self.url, self.path, self.faults, self.clock = serving.url, path, drawn, clock
        self.http = requests.Session()

    def token(self) -> str:
        given = {"client_id": ME.client_id, "client_secret": ME.client_secret}
        answer = self.oauth("token", grant_type="client_credentials", **given)
        return str(answer.json()["access_token"])

    def oauth(self, path: str, **given: str) -> requests.Response:
        return requests.post(f"{self.url}/services/oauth2/{path}", given, timeout=30)

    def client(self) -> Salesforce:
        where = self.url.replace("http:", "https:")
        return Salesforce(
            session_id=self.token(),
            instance_url=where,
            session=session(self.url),
            version=VERSION,
        )

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """A request with a token to an address below the version."""
        if "Authorization" not in self.http.headers:
            self.http.headers["Authorization"] = f"Bearer {self.token()}"
        return self.http.request(method, f"{self.url}{DATA}{path}", timeout=30, **more)

    def get(self, path: str, **params: str) -> Any:
        return self.ask("GET", path, params=params).json()

    def suffers(self, **odds: float) -> None:
        """Let these go wrong from now on, and nothing else."""
        self.faults.odds = {kind.strip("_"): each for kind, each in odds.items()}

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.ask("POST", path, json=body, headers=headers).json()

    @contextmanager
    def org(self) -> Iterator[LocalOrg]:
        """The same org, for what a user does there meanwhile."""
        org = open_org(Side.SALESFORCE, self.path, self.clock)
        yield org
        org.close()


@contextmanager
def sandbox(
    path: Path,
    spec: str = "",
    seed: int = 0,
    identity: SalesforceIdentity = ME,
    clock: Any = None,
    daily_limit: int = 100_000,
    **setup: Any,
) -> Iterator[Sandbox]:
    """A sandbox over the sample data."""
    org = open_org(Side.SALESFORCE, path, clock)
    load(org, SAMPLE / "salesforce")
    org.close()
    drawn = faults(spec, seed)
    with Serving(
        lambda: app(
            path,
            identity,
            drawn,
            clock=clock,
            daily_limit=daily_limit,
            setup=Setup(**setup),
        )
    ) as serving:
        made = Sandbox(serving, path, drawn, clock)
        yield made
        made.http.close()
