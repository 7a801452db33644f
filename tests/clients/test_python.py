"""Clients in Python that others wrote, unchanged, against the Outreach sandbox server."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.model import Side
from engine.sandbox.identity import OUTREACH
from engine.sandbox.outreach import app
from engine.sandbox.serving import Serving
from engine.stores.local import LocalOrg, open_org

HERE = Path(__file__).parent
PEOPLE = 130  # more than one page of either client's


def program(client: str, name: str) -> str:
    """A client's program, or a skip that says how to install it."""
    path = HERE / f".venv-{client}" / "bin" / name
    if not path.exists():
        pytest.skip(f"{client} is not installed: make clients")
    return str(path)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    made = open_org(Side.OUTREACH, tmp_path_factory.mktemp("clients") / "outreach.db")
    user = made.create("user", {"email": "ann@edge.com", "firstName": "Ann", "lastName": "Lee"})
    account = made.create("account", {"name": "Edge", "owner": user})
    for number in range(PEOPLE):
        made.create(
            "prospect",
            {"lastName": f"P{number}", "emails": [f"p{number}@edge.com"], "account": account},
        )
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(org: LocalOrg) -> Iterator[Serving]:
    with Serving(lambda: app(org.file.path)) as serving:
        yield serving


def lines_of(words: list[str], **more: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        words,
        env=os.environ | more,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class Tap:
    """The Singer tap, with its files in a folder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.program = program("tap-outreach", "tap-outreach")
        self.config = self.file(
            "config.json",
            {
                "client_id": OUTREACH.client_id,
                "client_secret": OUTREACH.client_secret,
                "refresh_token": OUTREACH.refresh_token,
                "redirect_uri": "https://acme.example/callback",
                "start_date": "2020-01-01T00:00:00Z",
                "user_agent": "acme",
                "page_size": "100",
            },
        )

    def file(self, name: str, content: Any) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    def run(self, *words: str) -> list[dict[str, Any]]:
        paths = {"PYTHONPATH": str(HERE / "redirect"), "OUTREACH_SANDBOX": self.url}
        return lines_of([self.program, "--config", self.config, *words], **paths)

    def catalog(self) -> str:
        paths = os.environ | {"PYTHONPATH": str(HERE / "redirect"), "OUTREACH_SANDBOX": self.url}
        words = [self.program, "--config", self.config, "--discover"]
        found = json.loads(subprocess.check_output(words, env=paths, timeout=60))
        for stream in found["streams"]:
            for each in stream["metadata"]:
                if each["breadcrumb"] == []:
                    each["metadata"]["selected"] = True
        return self.file("catalog.json", found)


def test_the_singer_tap_reads_all_and_then_what_changed(
    org: LocalOrg, server: Serving, tmp_path: Path
) -> None:
    tap = Tap(tmp_path, server.url)
    catalog = tap.catalog()
    first = tap.run("--catalog", catalog)
    counts = Counter(line["stream"] for line in first if line["type"] == "RECORD")
    assert counts == {"prospects": PEOPLE, "accounts": 1, "users": 1, "events": PEOPLE + 1}
    streams = {line["stream"] for line in first if line["type"] == "SCHEMA"}
    assert {"events", "personas", "sequence_states", "tasks", "teams"} <= streams
    state = tap.file("state.json", [line for line in first if line["type"] == "STATE"][-1]["value"])
    org.edit("prospect", 7, {"title": "CFO"})
    second = tap.run("--catalog", catalog, "--state", state)
    read = [line["record"] for line in second if line["type"] == "RECORD"]
    assert any(each["id"] in (7, "7") and each.get("title") == "CFO" for each in read)
    assert len(read) < PEOPLE
    bookmark = json.loads(Path(state).read_text())["bookmarks"]["prospects"]["updatedAt"]
    people = [each for each in second if each["type"] == "RECORD" and each["stream"] == "prospects"]
    assert all(each["record"]["updatedAt"][:23] >= bookmark[:23] for each in people)


def test_the_singer_tap_discovers_what_there_is(server: Serving, tmp_path: Path) -> None:
    found = json.loads(Path(Tap(tmp_path, server.url).catalog()).read_text())
    streams = {stream["tap_stream_id"]: stream for stream in found["streams"]}
    synced = {"accounts", "calls", "mailings", "opportunities", "prospects", "stages", "tasks"}
    assert streams.keys() >= synced | {"events", "sequence_states", "users"}
    assert all(stream["key_properties"] == ["id"] for stream in streams.values())
    fields = streams["prospects"]["schema"]["properties"]
    assert fields.keys() >= {"accountId", "company", "custom150", "emails", "stageId", "updatedAt"}
    about = {tuple(each["breadcrumb"]): each["metadata"] for each in streams["tasks"]["metadata"]}
    assert about[()]["valid-replication-keys"] == ["updatedAt"]


def manifest() -> dict[str, Any]:
    """An Airbyte source of our own, in the declarative language of its kit."""
    auth = {
        "type": "OAuthAuthenticator",
        "token_refresh_endpoint": "{{ config['url'] }}/oauth/token",
        "client_id": "{{ config['client_id'] }}",
        "client_secret": "{{ config['client_secret'] }}",
        "refresh_token": "{{ config['refresh_token'] }}",
    }

    def stream(name: str) -> dict[str, Any]:
        return {
            "type": "DeclarativeStream",
            "name": name,
            "primary_key": ["id"],
            "schema_loader": {
                "type": "InlineSchemaLoader",
                "schema": {
                    "type": "object",
                    "properties": {"id": {"type": "integer"}, "updatedAt": {"type": "string"}},
                },
            },
            "incremental_sync": {
                "type": "DatetimeBasedCursor",
                "cursor_field": "updatedAt",
                "datetime_format": "%Y-%m-%dT%H:%M:%S.%_msZ",
                "start_datetime": "2020-01-01T00:00:00.000Z",
            },
            "transformations": [
                {
                    "type": "AddFields",
                    "fields": [
                        {
                            "path": ["updatedAt"],
                            "value": "{{ record['attributes']['updatedAt'] }}",
                        }
                    ],
                }
            ],
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester",
                    "url_base": "{{ config['url'] }}/api/v2/",
                    "path": name,
                    "http_method": "GET",
                    "authenticator": auth,
                    "request_parameters": {
                        "page[size]": "50",
                        "sort": "updatedAt",
                        "filter[updatedAt]": "{{ stream_slice['start_time'] }}..inf",
                    },
                },
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
                },
                "paginator": {
                    "type": "DefaultPaginator",
                    "page_token_option": {"type": "RequestPath"},
                    "pagination_strategy": {
                        "type": "CursorPagination",
                        "cursor_value": "{{ response.get('links', {}).get('next') }}",
                        "stop_condition": "{{ not response.get('links', {}).get('next') }}",
                    },
                },
            },
        }

    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["prospects"]},
        "streams": [stream(name) for name in ("prospects", "accounts")],
        "spec": {
            "type": "Spec",
            "connection_specification": {"type": "object", "properties": {}},
        },
    }


class Source:
    """Our Airbyte source, with its files in a folder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.program = program("airbyte-cdk", "source-declarative-manifest")
        given = {
            "url": url,
            "client_id": OUTREACH.client_id,
            "client_secret": OUTREACH.client_secret,
            "refresh_token": OUTREACH.refresh_token,
            "__injected_declarative_manifest": manifest(),
        }
        self.config = self.file("config.json", given)

    def file(self, name: str, content: Any) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    def run(self, *words: str) -> list[dict[str, Any]]:
        return lines_of([self.program, words[0], "--config", self.config, *words[1:]])

    def read(self, mode: str, *words: str) -> list[dict[str, Any]]:
        streams = [
            {
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": [mode]},
                "sync_mode": mode,
                "destination_sync_mode": "overwrite",
            }
            for name in ("prospects", "accounts")
        ]
        return self.run(
            "read", "--catalog", self.file("catalog.json", {"streams": streams}), *words
        )


def records(lines: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    found = [line["record"] for line in lines if line["type"] == "RECORD"]
    return [each["data"] for each in found if each["stream"] == name]


@pytest.fixture
def source(server: Serving, tmp_path: Path) -> Source:
    return Source(tmp_path, server.url)


@pytest.mark.long  # each command of it takes seconds to start
def test_a_source_of_the_airbyte_kit_checks_discovers_and_reads_in_full(
    org: LocalOrg, source: Source
) -> None:
    checked = source.run("check")
    status = [line["connectionStatus"] for line in checked if line["type"] == "CONNECTION_STATUS"]
    assert [each["status"] for each in status] == ["SUCCEEDED"], checked[-3:]
    (found,) = (line["catalog"] for line in source.run("discover") if line["type"] == "CATALOG")
    streams = {stream["name"]: stream for stream in found["streams"]}
    assert streams.keys() == {"prospects", "accounts"}
    assert streams["prospects"]["supported_sync_modes"] == ["full_refresh", "incremental"]
    assert streams["prospects"]["default_cursor_field"] == ["updatedAt"]
    read = source.read("full_refresh")
    assert (len(records(read, "prospects")), len(records(read, "accounts"))) == (PEOPLE, 1)


def test_a_source_of_the_airbyte_kit_reads_what_changed_since(
    org: LocalOrg, source: Source
) -> None:
    first = source.read("incremental")
    assert len(records(first, "prospects")) == PEOPLE
    states = {
        line["state"]["stream"]["stream_descriptor"]["name"]: line["state"]
        for line in first
        if line["type"] == "STATE"
    }
    reached = states["prospects"]["stream"]["stream_state"]["updatedAt"]
    org.edit("prospect", 9, {"title": "COO"})
    state = source.file("state.json", list(states.values()))
    second = records(source.read("incremental", "--state", state), "prospects")
    assert [each["attributes"]["title"] for each in second if each["id"] == 9] == ["COO"]
    assert all(each["updatedAt"] >= reached for each in second)
    assert len(second) < PEOPLE / 10


def test_requests_made_from_the_description_break_nothing(server: Serving, tmp_path: Path) -> None:
    """schemathesis: no answer of the server fails, or is other than its description says."""
    import requests

    form = {
        "grant_type": "refresh_token",
        "client_id": OUTREACH.client_id,
        "client_secret": OUTREACH.client_secret,
        "refresh_token": OUTREACH.refresh_token,
    }
    token = requests.post(f"{server.url}/oauth/token", data=form, timeout=20).json()["access_token"]
    words = [program("schemathesis", "schemathesis"), "run", f"{server.url}/openapi.json"]
    words += ["--header", f"Authorization: Bearer {token}", "--phases", "fuzzing"]
    words += ["--max-examples", "1", "--seed", "1", "--generation-deterministic", "--workers", "2"]
    words += ["--checks", "not_a_server_error,response_schema_conformance"]
    words += ["--exclude-method", "DELETE", "--suppress-health-check", "all"]
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
