"""A running Outreach sandbox, and a plain HTTP client that knows nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from engine.sandbox.faults import faults
from engine.sandbox.identity import OUTREACH, OutreachIdentity
from engine.sandbox.outreach import Setup, app
from engine.sandbox.serving import Serving

MEDIA_TYPE = "application/vnd.api+json"


class Ticking:
    """A clock that tests can move."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Client:
    """One session with a sandbox."""

    def __init__(self, url: str, identity: OutreachIdentity = OUTREACH) -> None:
        self.url, self.api, self.identity = url, f"{url}/api/v2", identity
        self.session = requests.Session()
        self.session.trust_env = False

    def token(self, **form: str) -> requests.Response:
        known = {"client_id": self.identity.client_id, "client_secret": self.identity.client_secret}
        return self.session.post(f"{self.url}/oauth/token", data=known | form, timeout=60)

    def refresh(self, token: str) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=token)

    def log_in(self) -> None:
        self.use(self.refresh(self.identity.refresh_token).json()["access_token"])

    def use(self, access: str) -> None:
        self.session.headers["Authorization"] = f"Bearer {access}"

    def ask(self, method: str, path: str, document: Any = None, **more: Any) -> requests.Response:
        """A request below the API's address, or to an address that a link gave."""
        address = path if path.startswith("http") else f"{self.api}/{path}"
        headers = {} if document is None else {"Content-Type": MEDIA_TYPE}
        return self.session.request(
            method, address, json=document, headers=headers, timeout=60, **more
        )

    def get(self, path: str, **more: Any) -> Any:
        answer = self.ask("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def make(self, type_name: str, related: Mapping[str, int] | None = None, **values: Any) -> int:
        """Make a record; its id. `related` are relationships named like the types they go to."""
        answer = self.ask("POST", _plural(type_name), resource(type_name, values, related))
        assert answer.status_code == 201, answer.text
        return int(answer.json()["data"]["id"])

    def change(
        self, type_name: str, record: int, related: Mapping[str, int] | None = None, **values: Any
    ) -> Any:
        document = resource(type_name, values, related, record)
        answer = self.ask("PATCH", f"{_plural(type_name)}/{record}", document)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


def _plural(type_name: str) -> str:
    return type_name[:-1] + "ies" if type_name.endswith("y") else type_name + "s"


def resource(
    type_name: str,
    values: Mapping[str, Any],
    related: Mapping[str, int] | None = None,
    record: int | None = None,
) -> dict[str, Any]:
    """A document with one resource object."""
    data: dict[str, Any] = {"type": type_name, "attributes": dict(values)}
    if record is not None:
        data["id"] = record
    if related:
        data["relationships"] = {
            name: {"data": {"type": name, "id": other}} for name, other in related.items()
        }
    return {"data": data}


def errors(answer: requests.Response) -> list[tuple[str, str]]:
    """The ids of an answer's errors, each with the place it is about."""
    found = []
    for error in answer.json()["errors"]:
        assert error["title"]
        assert error["detail"]
        source = error.get("source", {})
        found.append((error["id"], source.get("pointer") or source.get("parameter") or ""))
    return found


@contextmanager
def outreach(
    path: Path,
    spec: str = "",
    *,
    identity: OutreachIdentity = OUTREACH,
    clock: Ticking | None = None,
    hourly_limit: int = 1_000_000,
    setup: Setup | None = None,
    seed: int = 0,
) -> Iterator[Client]:
    """A sandbox over the org in a file, and a client that is logged in."""

    def make() -> Any:
        return app(
            path,
            identity,
            faults(spec, seed),
            clock=clock,
            hourly_limit=hourly_limit,
            setup=setup,
        )

    with Serving(make) as serving:
        client = Client(serving.url, identity)
        with client.session:
            if not spec:
                client.log_in()
            yield client
