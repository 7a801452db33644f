"""A call's writes: each checked by itself, all in one transaction, in few statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec

from dsl.schema import Side
from engine.model import Outcome, RecordId, Result, Write
from engine.stores.local.checks import Check, Rules, rules_for
from engine.stores.local.ids import type_of
from engine.stores.local.lookups import Known, bearers, elements_of, known_to
from engine.stores.local.org import OrgFile
from engine.stores.local.records import as_json_text
from engine.stores.local.refusals import Problem, problem_with
from engine.stores.local.tables import DERIVED, Table, quoted

__all__ = ["insertion", "write_all", "write_within"]

_CREATED = ("CreatedDate", "LastModifiedDate", "SystemModstamp", "createdAt", "updatedAt")
_CHANGED = ("LastModifiedDate", "SystemModstamp", "updatedAt")
_STAGE = ("Probability", "IsClosed", "IsWon", "ForecastCategory", "ForecastCategoryName")

_Values = dict[str, Any]
_Statement = tuple[str, Callable[[_Values], tuple[Any, ...]]]


def write_all(org: OrgFile, table: Table, writes: Sequence[Write]) -> list[Result]:
    """Carry out the writes; one result each, in order. Raises `StoreError`."""
    with org.transaction() as moment:
        return write_within(org, table, writes, moment)


def write_within(org: OrgFile, table: Table, writes: Sequence[Write], moment: str) -> list[Result]:
    """As `write_all`, in a transaction that is under way and has a stamp."""
    rules = rules_for(org.side, table.type.name, org.custom_fields(table.type.name))
    org.make(table)
    batch = _Batch(org, table, rules, known_to(org, table, rules, writes), moment)
    before = _in_sequences(org, table, [w.id for w in writes])
    results = [batch.add(write) for write in writes]
    batch.flush()
    org.keep_number(table.type.name, batch.number)
    if whose := before | _in_sequences(org, table, [r.id for r in results]):
        _stamp_prospects(org, whose, moment)
    return results


def _in_sequences(org: OrgFile, table: Table, ids: Sequence[RecordId | None]) -> set[RecordId]:
    """The prospects whose places in sequences these records are; none of another type's."""
    if table.type.name != "sequenceState" or not org.made("prospect"):
        return set()
    sql = "SELECT prospect FROM sequenceState WHERE id IN (SELECT value FROM json_each(?))"
    wanted = [org.record_id(i) for i in ids if i is not None]
    return {row[0] for row in org.rows(sql, (msgspec.json.encode(wanted).decode(),)) if row[0]}


def _stamp_prospects(org: OrgFile, prospects: set[RecordId], moment: str) -> None:
    """`sequence.…` is read through the prospect, so that a reader must see the prospect change."""
    sql = "UPDATE prospect SET _stamp = ?, updatedAt = ?, touchedAt = ? WHERE id = ?"
    at = org.as_vendor(moment)
    org.db.executemany(sql, [(moment, at, at, record) for record in prospects])


class _Batch:
    """Accepts writes one by one, and keeps them until `flush` in groups of the same columns."""

    def __init__(self, org: OrgFile, table: Table, rules: Rules, known: Known, moment: str) -> None:
        self._org, self._table, self._rules, self._known = org, table, rules, known
        self._name = table.type.name
        self.number = org.last_number(self._name)
        at = org.as_vendor(moment)
        self._on_create = {"_stamp": moment} | {c: at for c in _CREATED if c in table.columns}
        self._on_update = {"_stamp": moment} | {c: at for c in _CHANGED if c in table.columns}
        if known.user is not None:
            who = {c: known.user for c in ("CreatedById", "LastModifiedById") if c in table.columns}
            self._on_create |= who
            self._on_update |= {c: w for c, w in who.items() if c != "CreatedById"}
        self._moment = moment
        self._groups: dict[tuple[bool, tuple[str, ...]], list[_Values]] = {}
        self._touched: set[RecordId] = set()
        self._old: list[tuple[Any, ...]] = []
        self._new: list[tuple[Any, ...]] = []

    def add(self, write: Write) -> Result:
        """Accept or refuse one write."""
        try:
            if write.id is None:
                if (there := self._there(write)) is not None:
                    values = {k: v for k, v in write.values.items() if k != write.upsert}
                    self._update(there, values)
                    return Result(Outcome.DONE, there, met=True)
                return Result(Outcome.DONE, self._create(write.values))
            record = self._existing(write)
            if write.delete:
                self._delete(record)
            else:
                self._update(record, write.values)
            return Result(Outcome.DONE, record)
        except Problem as problem:
            outcome = Outcome.GONE if problem.gone else Outcome.REFUSED
            given = None if write.id is None else self._org.record_id(write.id)
            return Result(outcome, given, problem.code, problem.message, problem.fields)

    # -- one record -----------------------------------------------------------------------------

    def _create(self, values: _Values) -> RecordId:
        kept = self._checked(self._rules.create, values)
        if missing := [n for n in self._rules.required if kept.get(n) in (None, "", "[]")]:
            raise self._problem("required", ", ".join(missing))
        for name, value in self._defaults().items():
            if kept.get(name) is None:
                kept[name] = value
        self._check_unique(kept, values, None)
        self._complete(kept, values)
        self.number += 1
        record = self._org.new_id(self._name, self.number)
        self._index(record, kept, ())
        kept.update(self._on_create)
        kept[self._table.key] = record
        self._group(True, kept)
        return record

    def _defaults(self) -> _Values:
        if self._known.user is None or "OwnerId" not in self._rules.create:
            return dict(self._rules.defaults)
        return {**self._rules.defaults, "OwnerId": self._known.user}

    def _update(self, record: RecordId, values: _Values) -> None:
        guards = self._known.records[record]
        if self._known.guards[-1:] == ("IsConverted",) and guards[-1]:
            raise self._problem("converted")
        kept = self._checked(self._rules.update, values)
        self._check_unique(kept, values, record)
        self._complete(kept, values)
        if self._known.indexed:
            self._known.records[record] = self._index(record, kept, guards)
        kept.update(self._on_update)
        kept[self._table.key] = record
        self._touch(record)
        self._group(False, kept)

    def _there(self, write: Write) -> RecordId | None:
        """The record that an upsert goes to; one of the same call is none, as Salesforce has it."""
        return next((r for r in bearers(write, self._known) if r in self._known.records), None)

    def _existing(self, write: Write) -> RecordId:
        record = self._org.record_id(write.id)
        if record in self._known.records:
            return record
        if self._org.side is Side.SALESFORCE and record in self._known.deleted:
            raise self._problem("deleted")
        raise self._problem("gone", None, write.id)

    def _delete(self, record: RecordId) -> None:
        self.flush()
        kept = as_json_text(self._org, self._table, record)
        db, key = self._org.db, quoted(self._table.key)
        db.execute(f"DELETE FROM {self._table.name} WHERE {key} = ?", (record,))
        self._index(record, dict.fromkeys(self._known.indexed), self._known.records[record])
        deleted = (self._name, record, self._moment, kept)
        db.execute("INSERT OR REPLACE INTO deleted VALUES (?, ?, ?, ?)", deleted)
        del self._known.records[record]
        self._known.deleted |= {record}

    # -- checks ---------------------------------------------------------------------------------

    def _problem(self, kind: str, name: str | None = None, value: object = None) -> Problem:
        return problem_with(self._table.type, kind, name, value)

    def _checked(self, checks: dict[str, Check] | Any, values: _Values) -> _Values:
        kept = {}
        references = self._rules.references
        for name, value in values.items():
            check = checks.get(name)
            if check is None:
                known = name in self._table.type.fields
                raise self._problem("read-only" if known else "unknown", name)
            kept[name] = check(value)
            if value is not None and name in references:
                many = isinstance(value, list | tuple)
                for one in value if many else [kept[name]]:
                    self._check_reference(name, one)
        return kept

    def _check_reference(self, name: str, value: RecordId | None) -> None:
        if value is None:
            return
        if name == "OwnerId" and value in self._known.inactive:
            raise self._problem("inactive", name, value)
        types, complete = self._rules.references[name]
        target = type_of(value) if isinstance(value, str) else None
        if target is None:
            if not complete or any((t, value) in self._known.references for t in types):
                return
        elif target in types and (target, value) in self._known.references:
            return
        field = self._table.type.fields[name]
        wanted = " or ".join(types[:3])
        raise problem_with(self._table.type, "reference", field, value, wanted or "record")

    def _check_unique(self, kept: _Values, values: _Values, record: RecordId | None) -> None:
        for name in self._table.unique:
            if name in kept:
                for element in elements_of(values[name]):
                    owner = self._known.owners.get((name, element))
                    if owner is not None and owner != record:
                        field = self._table.type.fields[name]
                        raise problem_with(self._table.type, "taken", field, element, owner)

    def _complete(self, kept: _Values, values: _Values) -> None:
        """What Salesforce sets by an opportunity's stage, where the write does not."""
        facts = self._known.stages.get(values.get("StageName", "")) if self._known.stages else None
        if facts is not None:
            for name, value in zip(_STAGE, facts, strict=True):
                kept.setdefault(name, value)

    # -- what goes to the file ------------------------------------------------------------------

    def _index(self, record: RecordId, kept: _Values, guards: tuple[Any, ...]) -> tuple[Any, ...]:
        """Move a record's elements from its old values (as guarded) to its new ones."""
        after = list(guards)
        for at, name in enumerate(self._known.indexed):
            if name not in kept or (guards and guards[at] == kept[name]):
                continue
            before: set[Any] = set()
            if guards:
                before = self._kept_elements(name, guards[at])
                after[at] = kept[name]
            now = self._kept_elements(name, kept[name])
            self._old += [(self._name, name, element, record) for element in before - now]
            self._new += [(self._name, name, element, record) for element in now - before]
            owners = self._known.owners
            for element in before - now:
                owners.pop((name, element), None)
            for element in now:
                owners[name, element] = record
        return tuple(after)

    def _kept_elements(self, name: str, value: Any) -> set[Any]:
        many = isinstance(value, str) and self._table.shapes[name] == "json"
        return elements_of(msgspec.json.decode(value) if many else value)

    def _touch(self, record: RecordId) -> None:
        """Write out first what stands before a second write of one record."""
        if record in self._touched:
            self.flush()
        self._touched.add(record)

    def _group(self, creating: bool, kept: _Values) -> None:
        self._groups.setdefault((creating, tuple(kept)), []).append(kept)

    def flush(self) -> None:
        """Write out what has been accepted so far."""
        db = self._org.db
        for (creating, columns), rows in self._groups.items():
            make = insertion if creating else _update
            sql, pick = make(self._org.side, self._name, columns)
            db.executemany(sql, map(pick, rows))
        where = "type = ? AND attribute = ? AND folded = ? AND id = ?"
        db.executemany(f"DELETE FROM element WHERE {where}", self._old)
        db.executemany("INSERT OR IGNORE INTO element VALUES (?, ?, ?, ?)", self._new)
        self._groups, self._old, self._new, self._touched = {}, [], [], set()


@lru_cache(maxsize=256)
def insertion(side: Side, type_name: str, columns: tuple[str, ...]) -> _Statement:
    """An INSERT of these columns, with those derived from them; takes a dictionary of values."""
    derived = {
        name: d
        for name, d in DERIVED.get((side, type_name), {}).items()
        if name not in columns and any(part in columns for part in d.parts)
    }
    slots = list(columns)
    values = ["?"] * len(columns)
    for d in derived.values():
        values.append(_sql_of(d.sql, d.parts, dict.fromkeys(columns, "?"), "NULL", slots))
    names = ", ".join(map(quoted, (*columns, *derived)))
    sql = f"INSERT INTO {quoted(type_name)} ({names}) VALUES ({', '.join(values)})"
    return sql, itemgetter(*slots)


@lru_cache(maxsize=256)
def _update(side: Side, type_name: str, columns: tuple[str, ...]) -> _Statement:
    key = columns[-1]
    written = columns[:-1]
    slots = list(written)
    parts = [f"{quoted(name)} = ?" for name in written]
    for name, d in DERIVED.get((side, type_name), {}).items():
        if name not in columns and any(part in written for part in d.parts):
            own = dict.fromkeys(written, "?")
            parts.append(f"{quoted(name)} = {_sql_of(d.sql, d.parts, own, None, slots)}")
    slots.append(key)
    sql = f"UPDATE {quoted(type_name)} SET {', '.join(parts)} WHERE {quoted(key)} = ?"
    return sql, itemgetter(*slots)


def _sql_of(
    sql: str,
    parts: tuple[str, ...],
    written: dict[str, str],
    other: str | None,
    slots: list[str],
) -> str:
    """A derived column's SQL, its written parts as `?` whose names go to `slots` in their order."""
    places = sorted((at, p) for p in parts for at in _places(sql, f"{{{p}}}"))
    slots += [part for _, part in places if part in written]
    return sql.format_map({p: written.get(p, other or quoted(p)) for p in parts})


def _places(text: str, word: str) -> list[int]:
    found, at = [], text.find(word)
    while at >= 0:
        found.append(at)
        at = text.find(word, at + 1)
    return found
