"""SOQL means over a local org what it means in plain Python, and what rules push down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, time, tzinfo
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.evaluate import Context, evaluate
from dsl.schema import Field, Kind, ObjectType, Side
from dsl.soql import soql
from engine.sandbox.soql import SoqlError, query
from engine.sandbox.soql.tree import Condition
from engine.stores.local import LocalOrg
from engine.stores.local.custom import extended
from engine.stores.local.org import OrgFile
from tests.dsl import conditions_by_chance as rules
from tests.sandbox.soql_by_chance import TODAY, USERS, conditions, holds, printed, records

Record = dict[str, Any]
NAMED = dict(zip(USERS, ("Hot", None), strict=True))


class Noon:
    """A clock that stands still at noon of the day that the date literals go by."""

    def now(self) -> datetime:
        return datetime.combine(TODAY, time(12), UTC)


TOPICS = Field("Topics__c", "Topics", Kind.TEXT, "multipicklist", 255, picklist=("a", "b", "c"))


class WithTopics(OrgFile):
    """An org whose leads have a multi-select picklist, which no administrator can add here yet."""

    def describe(self, type_name: str) -> ObjectType | None:
        found = super().describe(type_name)
        return extended(found, [TOPICS]) if found and type_name == "Lead" else found


@pytest.fixture(scope="module")
def org() -> Iterator[LocalOrg]:
    found = LocalOrg(WithTopics(Side.SALESFORCE, Path(":memory:"), Noon()))
    with found.file.transaction():
        for name in ("Lead", "User"):
            found.file.make(found.file.table(name))
    yield found
    found.close()


def fill(org: LocalOrg, type_name: str, rows: list[Record]) -> None:
    """Put records into a table as they are: an org may hold what nobody can write today."""
    org.file.db.execute("BEGIN")
    org.file.db.execute(f'DELETE FROM "{type_name}"')
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * (len(row) + 1))
        stamp = "2026-11-24T12:00:00.000Z"
        sql = f'INSERT INTO "{type_name}" ({names}, _stamp) VALUES ({marks})'
        org.file.db.execute(sql, (*row.values(), stamp))
    org.file.db.execute("COMMIT")


def ids(count: int) -> list[str]:
    return [f"00QCw0000{n:06}AAA" for n in range(count)]


def selected(org: LocalOrg, condition: str) -> set[str]:
    answer = query(org, f"SELECT Id FROM Lead WHERE {condition}")
    return {record["Id"] for record in answer.records()}


@settings(max_examples=100, deadline=None)
@given(condition=conditions, found=records)
def test_a_condition_finds_what_it_means(
    org: LocalOrg, condition: Condition, found: list[Record]
) -> None:
    fill(org, "User", [{"Id": key, "Name": name} for key, name in NAMED.items()])
    leads = [{"Id": key, **record} for key, record in zip(ids(12), found, strict=False)]
    fill(org, "Lead", leads)
    whole = [{**lead, "Owner.Name": NAMED[lead["OwnerId"]]} for lead in leads]
    wanted = {lead["Id"] for lead in whole if holds(condition, lead)}
    assert selected(org, printed(condition)) == wanted


_WORDS = (
    "SELECT FROM WHERE AND OR NOT IN LIKE ORDER BY GROUP HAVING LIMIT NULLS LAST ( ) , . = <= 'x'"
    " '' 5 -1.5 1e999 2026-01-01 2026-13-01 TODAY LAST_N_DAYS:999999 NEXT_N_YEARS:999999 null Id"
    " Name Lead Owner.Name CreatedDate Address COUNT() COUNT(Id) MAX(CreatedDate) FIELDS(ALL) x"
)
WORDS = _WORDS.split(" ")
HEADS = ("", "SELECT Id FROM Lead WHERE ", "SELECT Id FROM Lead ORDER BY ", "SELECT ")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(HEADS), st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
def test_any_text_is_answered_or_refused(org: LocalOrg, head: str, text: str) -> None:
    with suppress(SoqlError):  # and nothing but a refusal
        query(org, head + text).records()


NAMES = [name for name in rules.SALESFORCE["Owner.Name"] if name is not None]
OWNERS = dict(zip(NAMES, ["0055i000007S72zAAC", *ids(len(NAMES))], strict=False))


@settings(max_examples=60, deadline=None)
@given(
    rules.conditions, st.lists(rules.records, min_size=1, max_size=10), rules.moments, rules.ZONES
)
def test_a_rules_condition_pushed_down_misses_nothing(
    org: LocalOrg, text: str, found: list[Record], now: datetime, zone: tzinfo
) -> None:
    condition = rules.resolved(text)
    pushed = soql(condition, zone=zone, now=now)
    if pushed is None:
        return
    fill(org, "User", [{"Id": key, "Name": name} for name, key in OWNERS.items()])
    # A checkbox is never null, and an owner's name belongs to the owner's id.
    whole = [
        {**r, "DoNotCall": bool(r["DoNotCall"]), "OwnerId": OWNERS.get(r["Owner.Name"])}
        for r in found
    ]
    kept = [name for name in rules.SALESFORCE if name not in ("Owner.Name", "Odd__c")]
    keys = ids(len(whole))
    fill(
        org,
        "Lead",
        [{"Id": k, **{n: r[n] for n in kept}} for k, r in zip(keys, whole, strict=True)],
    )

    def means(record: Record) -> bool:
        changed = Context(lambda ref: record[rules.key(ref)], lambda _ref: False, now, zone)
        return evaluate(condition, changed)

    wanted = {key for key, record in zip(keys, whole, strict=True) if means(record)}
    let_through = selected(org, pushed.text)
    assert let_through >= wanted
    assert not pushed.exact or let_through == wanted
