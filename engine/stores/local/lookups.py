"""What a batch of writes must know of the org beforehand: records, references, owners."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsl.schema import Side
from engine.model import RecordId, Write
from engine.stores.local.checks import Rules
from engine.stores.local.ids import full_id, type_of
from engine.stores.local.opening import folded
from engine.stores.local.org import OrgFile
from engine.stores.local.tables import Table, quoted

__all__ = ["FIRST_USER", "Known", "bearers", "elements_of", "known_to"]

#: The user that owns and acts where no other is named.
FIRST_USER = 'SELECT "Id" FROM "User" WHERE "IsActive" IS NOT 0 ORDER BY rowid LIMIT 1'

_STAGES = (
    'SELECT "ApiName", "DefaultProbability", "IsClosed", "IsWon", "ForecastCategory",'
    ' "ForecastCategoryName" FROM "OpportunityStage"'
)


@dataclass
class Known:
    """What is there while a batch is written, kept up to date as its records are accepted.

    `records` are the batch's own that exist, with the values of `guards`; `owners` says whose an
    element of a unique or indexed attribute is. `inactive` users can own nothing.
    """

    guards: tuple[str, ...]
    indexed: tuple[str, ...]
    records: dict[RecordId, tuple[Any, ...]] = field(default_factory=dict)
    deleted: frozenset[RecordId] = frozenset()
    references: set[tuple[str, RecordId]] = field(default_factory=set)
    inactive: set[RecordId] = field(default_factory=set)
    owners: dict[tuple[str, Any], RecordId] = field(default_factory=dict)
    user: str | None = None
    stages: dict[str, tuple[Any, ...]] = field(default_factory=dict)


def known_to(org: OrgFile, table: Table, rules: Rules, writes: Sequence[Write]) -> Known:
    """Look up, in a few queries, what the checks of these writes need."""
    name = table.type.name
    sql = "SELECT attribute FROM indexed WHERE type = ? ORDER BY attribute"
    indexed = tuple(row[0] for row in org.rows(sql, (name,)))
    guards = indexed
    if org.side is Side.SALESFORCE and name == "Lead":
        guards = (*indexed, "IsConverted")
    known = Known(guards, indexed)
    _owners(org, table, writes, known)
    ids = [org.record_id(w.id) for w in writes if w.id is not None]
    if ids := [*ids, *(record for w in writes for record in bearers(w, known))]:
        columns = ", ".join(map(quoted, (table.key, *guards)))
        sql = f"SELECT {columns} FROM {table.name} WHERE {quoted(table.key)} IN"
        listed = json.dumps(ids)
        rows = org.rows(f"{sql} (SELECT value FROM json_each(?))", (listed,))
        known.records = {row[0]: row[1:] for row in rows}
        if len(rows) < len(set(ids)):
            sql = "SELECT id FROM deleted WHERE type = ? AND id IN (SELECT value FROM json_each(?))"
            known.deleted = frozenset(row[0] for row in org.rows(sql, (name, listed)))
    _references(org, rules, writes, known)
    if org.side is Side.SALESFORCE:
        if org.made("User") and (found := org.rows(FIRST_USER)):
            known.user = found[0][0]
        if name == "Opportunity" and org.made("OpportunityStage"):
            known.stages = {row[0]: row[1:] for row in org.rows(_STAGES)}
    return known


def _references(org: OrgFile, rules: Rules, writes: Sequence[Write], known: Known) -> None:
    wanted: dict[str, set[Any]] = {}
    fields = rules.references
    for write in writes:
        for name in fields.keys() & write.values.keys():
            value = write.values[name]
            if isinstance(value, str):
                value = full_id(value)
                target = type_of(value)
                if target is not None:
                    wanted.setdefault(target, set()).add(value)
            elif isinstance(value, int | list | tuple):
                given = [value] if isinstance(value, int) else value
                for target in fields[name][0]:
                    wanted.setdefault(target, set()).update(i for i in given if isinstance(i, int))
    for target, ids in wanted.items():
        if org.made(target):
            key = quoted(org.table(target).key)
            sql = f"SELECT {key} FROM {quoted(target)} WHERE {key} IN"
            # An id that SQLite cannot hold is none that is there.
            good = [i for i in ids if isinstance(i, str) or abs(i) < 1 << 63]
            rows = org.rows(f"{sql} (SELECT value FROM json_each(?))", (json.dumps(good),))
            known.references.update((target, row[0]) for row in rows)
    if (users := wanted.get("User")) and "OwnerId" in fields and org.made("User"):
        sql = 'SELECT "Id" FROM "User" WHERE "IsActive" IS 0 AND "Id" IN'
        rows = org.rows(f"{sql} (SELECT value FROM json_each(?))", (json.dumps(list(users)),))
        known.inactive.update(row[0] for row in rows)


def _owners(org: OrgFile, table: Table, writes: Iterable[Write], known: Known) -> None:
    for attribute in set(known.indexed) & set(table.unique):
        wanted = {
            e for w in writes if attribute in w.values for e in elements_of(w.values[attribute])
        }
        if wanted:
            sql = (
                "SELECT folded, id FROM element WHERE type = ? AND attribute = ?"
                " AND folded IN (SELECT value FROM json_each(?))"
            )
            listed = json.dumps([e for e in wanted if isinstance(e, str)])
            rows = org.rows(sql, (table.type.name, attribute, listed))
            known.owners.update({(attribute, row[0]): row[1] for row in rows})


def bearers(write: Write, known: Known) -> list[RecordId]:
    """The records that bear the external id by which a create goes, if it goes by one."""
    if write.upsert is None:
        return []
    keys = elements_of(write.values.get(write.upsert))
    return [known.owners[write.upsert, key] for key in keys if (write.upsert, key) in known.owners]


def elements_of(value: Any) -> set[Any]:
    """The values by which a record is found in an attribute: of a list, each; folded, not empty."""
    if isinstance(value, str):
        value = (value,)
    elif not isinstance(value, list | tuple):
        return set() if value is None else {value}
    plain = {folded(v) for v in value if isinstance(v, str | int | float)}
    plain.discard("")
    return plain
