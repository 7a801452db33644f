"""Every query that the product builds is SOQL to two parsers that others wrote."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, tzinfo
from pathlib import Path

import pytest
from hypothesis import given, settings

from dsl.soql import soql
from engine.model import Cursor, Side
from engine.stores.local import SAMPLE, load, open_org
from tests.clients.test_javascript import HERE, node
from tests.dsl import conditions_by_chance as rules
from tests.stores import salesforce

pytestmark = pytest.mark.skipif(
    not (HERE / "node_modules" / "@salesforce" / "soql-common").exists() or node() is None,
    reason="the parsers are not installed: make clients",
)


def conditions_pushed_down() -> list[str]:
    """What generated conditions of rules are as queries."""
    found: list[str] = []

    @settings(max_examples=150, deadline=None, database=None, derandomize=True)
    @given(rules.conditions, rules.moments, rules.ZONES)
    def collect(text: str, now: datetime, zone: tzinfo) -> None:
        pushed = soql(rules.resolved(text), zone=zone, now=now)
        if pushed is not None:
            found.append(f"SELECT Id FROM Lead WHERE {pushed.text}")

    collect()
    return found


def queries_of_the_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the store asks a server, whatever it is asked for."""
    from engine.sandbox import soql as server

    found: list[str] = []
    parse = server.parse

    def noted(text: str) -> object:
        found.append(text)
        return parse(text)

    monkeypatch.setattr(server, "parse", noted)
    org = open_org(Side.SALESFORCE, path)
    load(org, SAMPLE / "setup")
    load(org, SAMPLE / "salesforce")
    ids = [row[0] for page in org.scan("Lead", [], None) for row in page.rows]
    org.close()
    fields = ["LastName", "Email", "Owner.Name", "OwnerId", "Contact_Status__c"]
    with salesforce.served(path) as url, salesforce.connected(url) as store:
        contacts = [name for name in fields if name != "Contact_Status__c"]
        list(store.scan("Lead", contacts, None))
        list(
            store.scan(
                "Contact", [*contacts, "Account.Name"], Cursor("2023-01-01T00:00:00.000Z", ids[0])
            )
        )
        store.fetch("Lead", contacts, ids)
        store.fates("Lead", ids)
        store.find("Lead", contacts, ["Email"], [("rose@edge.com",), ("o'hara\\@x.co",), ("ü",)])
        store.find("Lead", contacts, ["LastName", "Company"], [("Boxer", "Acme"), ("B", None)])
        store.find("User", ["Name"], ["Name"], [("Ann Lee",)])
    return found


def test_every_query_is_soql_to_two_other_parsers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = queries_of_the_store(tmp_path / "salesforce.db", monkeypatch)
    queries = [*asked, *conditions_pushed_down()]
    assert len(asked) > 6
    assert len(queries) > 50
    done = subprocess.run(
        [node() or "node", "soql.mjs"],
        cwd=HERE,
        input="".join(json.dumps(query) + "\n" for query in queries),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(queries)
    assert [each for each in told if each["one"] or each["two"]] == []
