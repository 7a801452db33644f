"""A store that a plan may write to: reads go through, writes stay here and are read back.

So a plan runs the very interpreter that a run does, and what it foretells is what will happen.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from dsl.paths import SEQUENCE_FIELDS
from dsl.schema import Field, Kind, ObjectType, Side
from dsl.values import canonical_name, is_empty
from engine.model import Cursor, Outcome, Page, RecordId, Result, Row, Value, Write
from engine.ports import Packing, Priced, Store, Sweeping

__all__ = ["Rehearsal", "is_provisional"]

_encode = msgspec.json.encode
_decode = msgspec.json.decode
_NEW = "(new)"


def is_provisional(record: RecordId | None) -> bool:
    """Whether an id stands for a record that does not exist yet."""
    return record is not None and (record < 0 if isinstance(record, int) else _NEW in record)


class Rehearsal:
    """A `Store` over another one that never writes to it.

    What is written is kept in a temporary database, so that memory stays constant. `calls` counts
    what the same requests would have cost. New records have provisional ids. Refused is what the
    type's description tells will be: a required field that is empty, a value that a restricted
    picklist lacks.
    """

    def __init__(self, store: Store) -> None:
        self.side: Side = store.side
        self.page_size = store.page_size
        self.write_size = store.write_size
        self.lag: timedelta = store.lag
        self.sweeps = isinstance(store, Sweeping) and store.sweeps
        self.calls = 0
        self._store = store
        self._db = sqlite3.connect("", isolation_level=None)  # SQLite's own temporary file
        self._db.executescript(
            "PRAGMA synchronous=OFF;"
            "CREATE TABLE record (number INTEGER PRIMARY KEY, type TEXT, id, stamp TEXT, data BLOB,"
            " deleted INTEGER DEFAULT 0, UNIQUE (type, id));"
            "CREATE TABLE element (type TEXT, field TEXT, value, id);"
            "CREATE INDEX element_value ON element (type, field, value);"
        )
        self._new = 0
        self._touched: set[str] = set()
        self._keys: dict[str, set[str]] = {}
        self._asked: dict[str, dict[tuple[RecordId, str], Row | None]] = {}
        self._owed: Counter[str] = Counter()

    def now(self) -> str:
        return self._store.now()

    def describe(self, type_name: str) -> ObjectType | None:
        """As a run asks for it: what it took to know the type is counted then, if anything."""
        found = self._described(type_name)
        self.calls += self._owed.pop(type_name, 0)
        return found

    def _described(self, type_name: str) -> ObjectType | None:
        """As only a rehearsal asks for it."""
        before = self._store.calls
        found = self._store.describe(type_name)
        self._owed[type_name] += self._store.calls - before
        return found

    def close(self) -> None:
        self._db.close()

    # -- reading --------------------------------------------------------------------------------

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        """The store's changes without those written here, and then those written here."""
        before = self._store.calls
        count = 0
        for page in self._store.scan(type_name, fields, since):
            kept = self._untouched(type_name, page.rows)
            count += len(kept)
            if not page.done:
                yield page._replace(rows=kept)
        self.calls += self._store.calls - before
        own = self._own_rows(type_name, fields, since)
        kept_before = bool(kept)
        pages, chunk = 0, kept
        for row in own:
            if len(chunk) == self.page_size:
                yield Page(chunk, page.gone if not pages else [], page.last, done=False)
                pages, chunk = pages + 1, []
            chunk.append(row)
        self.calls += pages
        if chunk and not kept_before:  # what a page of none did not need
            self.calls += self._price(type_name, fields) - 1
        gone = [] if pages else page.gone
        yield Page(chunk, [*gone, *self._own_gone(type_name, since)], page.last, done=True)

    def _own_gone(self, type_name: str, since: Cursor | None) -> list[RecordId]:
        """What was deleted here."""
        rows = self._db.execute(
            "SELECT id FROM record WHERE type = ? AND stamp >= ? AND deleted ORDER BY number",
            (type_name, since.stamp if since else ""),
        )
        return [row[0] for row in rows]

    def _own_rows(
        self, type_name: str, fields: Sequence[str], since: Cursor | None
    ) -> Iterator[Row]:
        if type_name not in self._touched:
            return
        at, number = since.stamp if since else "", 0
        while True:
            rows = self._db.execute(
                "SELECT number, id FROM record WHERE type = ? AND stamp >= ? AND number > ?"
                " AND NOT deleted ORDER BY number LIMIT ?",
                (type_name, at, number, self.page_size),
            ).fetchall()
            if not rows:
                return
            number = rows[-1][0]
            yield from self._read(type_name, fields, [row[1] for row in rows])

    def _untouched(self, type_name: str, rows: list[Row]) -> list[Row]:
        if type_name not in self._touched:
            return rows
        own = self._records(type_name, [row[0] for row in rows])
        return [row for row in rows if row[0] not in own]

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        before = self._store.calls
        below = self._below(type_name, fields, ids)
        self._count(ids, before, self._price(type_name, fields))
        return self._merged(type_name, fields, ids, below)

    def _count(self, ids: Sequence[RecordId], before: int, price: int = 1) -> None:
        """Count a request for these ids: new ones are not asked for here, and will be then."""
        self.calls += max(-(-len(ids) // self.page_size) * price, self._store.calls - before)

    def _price(self, type_name: str, fields: Sequence[str]) -> int:
        return self._store.price(type_name, fields) if isinstance(self._store, Priced) else 1

    def fates(self, type_name: str, ids: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
        before = self._store.calls
        own = self._records(type_name, ids) if type_name in self._touched else {}
        real = [i for i in ids if not is_provisional(i)]
        found = self._store.fates(type_name, real) if real else {}
        self._count(ids, before)
        return found | {record: None for record, (_, _, _, gone) in own.items() if gone}

    def _read(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        """Rows as they are with what was written here, not counted as calls."""
        return self._merged(type_name, fields, ids, self._below(type_name, fields, ids))

    def _below(
        self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]
    ) -> dict[RecordId, Row]:
        real = [i for i in ids if not is_provisional(i)]
        return {r[0]: r for r in self._store.fetch(type_name, fields, real)} if real else {}

    def _merged(
        self,
        type_name: str,
        fields: Sequence[str],
        ids: Sequence[RecordId],
        below: dict[RecordId, Row],
    ) -> list[Row]:
        own = self._records(type_name, ids) if type_name in self._touched else {}
        rows = []
        for record in ids:
            if record in own:
                row = self._patched(type_name, fields, own[record], below.get(record))
            else:
                row = below.get(record)
            if row is not None:
                rows.append(row)
        return rows

    def _records(
        self, type_name: str, ids: Sequence[RecordId]
    ) -> dict[RecordId, tuple[RecordId, str, dict[str, Value], bool]]:
        found = self._db.execute(
            "SELECT r.id, r.stamp, r.data, r.deleted FROM json_each(?) AS j"
            " CROSS JOIN record AS r ON r.type = ? AND r.id = j.value",
            (_encode(ids).decode(), type_name),
        )
        return {i: (i, at, _decode(data), bool(gone)) for i, at, data, gone in found}

    def _patched(
        self,
        type_name: str,
        fields: Sequence[str],
        own: tuple[RecordId, str, dict[str, Value], bool],
        below: Row | None,
    ) -> Row | None:
        record, at, values, deleted = own
        if deleted:
            return None
        base = below[2:] if below is not None else [self._blank(type_name, f) for f in fields]
        return (
            record,
            at,
            *(
                self._value(type_name, values, path, old)
                for path, old in zip(fields, base, strict=True)
            ),
        )

    def _blank(self, type_name: str, path: str) -> Value:
        """What a new record has in a field that it was not given: a checkbox is never empty."""
        word, dot, rest = path.partition(".")
        if dot:
            in_sequence = word == "sequence" and SEQUENCE_FIELDS.get(rest) is Kind.BOOLEAN
            return False if in_sequence else None
        described = self._described(type_name)
        known = described.fields.get(word) if described else None
        return False if known is not None and known.kind is Kind.BOOLEAN else None

    def _value(self, type_name: str, values: dict[str, Value], path: str, old: Value) -> Value:
        if path in values:
            return values[path]
        word, dot, rest = path.partition(".")
        described = self._described(type_name) if dot else None
        reference = described.by_relationship(word) if described else None
        if reference is None or reference.name not in values:
            return old
        target = values[reference.name]
        return None if target is None else self._referred(reference.references, target, rest)

    def _referred(self, types: Sequence[str], target: RecordId, path: str) -> Value:
        """A field of a record that another one refers to, asked for once until its type changes."""
        for name in types:
            known = self._asked.setdefault(name, {})
            if (target, path) not in known:
                rows = self._read(name, [path], [target]) if self._described(name) else []
                known[target, path] = rows[0][2:] if rows else None
            found = known[target, path]
            if found is not None:
                return found[0]
        return None

    def find(
        self,
        type_name: str,
        fields: Sequence[str],
        key: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> list[Row]:
        self._make_findable(type_name, key[0])
        before = self._store.calls
        rows = self._store.find(type_name, fields, key, values)
        self.calls += self._store.calls - before
        if type_name not in self._touched:
            return rows
        own = self._db.execute(
            "SELECT DISTINCT e.id FROM json_each(?) AS j"
            " CROSS JOIN element AS e ON e.type = ? AND e.field = ? AND e.value = j.value",
            (_encode([canonical_name(v[0]) for v in values]).decode(), type_name, key[0]),
        )
        ids = dict.fromkeys([row[0] for row in rows] + [row[0] for row in own])
        return self._read(type_name, fields, list(ids))

    def _make_findable(self, type_name: str, field: str) -> None:
        """Index a field of the records written here, from the first time that it is looked for."""
        keys = self._keys.setdefault(type_name, set())
        if field in keys:
            return
        keys.add(field)
        rows = self._db.execute("SELECT id, data FROM record WHERE type = ?", (type_name,))
        elements = [
            element
            for record, data in rows
            for element in _elements(type_name, record, _decode(data), {field})
        ]
        self._db.executemany("INSERT INTO element VALUES (?, ?, ?, ?)", elements)

    # -- writing --------------------------------------------------------------------------------

    def packed(self, writes: Sequence[Write]) -> int:
        if isinstance(self._store, Packing):
            return self._store.packed(writes)
        return -(-len(writes) // self.write_size)

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        self.calls += self.packed(writes)
        self._touched.add(type_name)
        self._asked.pop(type_name, None)
        described, at = self._described(type_name), self.now()
        keys = self._keys.setdefault(type_name, set())
        strict = _strict_fields(described) if described else ()
        unique = self._borne(type_name, described, writes) if described else {}
        known = self._records(type_name, [w.id for w in writes if w.id is not None])
        results, records, elements = [], [], []
        for write in writes:
            gone = write.id in known and known[write.id][3]
            refused = _refusal(type_name, strict, write) or self._taken(type_name, unique, write)
            if gone:
                results.append(Result(Outcome.GONE, write.id, "NOT_FOUND", "it was deleted"))
                continue
            if refused:
                results.append(refused)
                continue
            record = write.id if write.id is not None else self._provisional()
            values = (known[record][2] if record in known else {}) | write.values
            known[record] = (record, at, values, write.delete)
            for name, bearers in unique.items():
                bearers.update((value, record) for value in _folded(values.get(name)))
            results.append(Result(Outcome.DONE, record))
            records.append((type_name, record, at, _encode(values), write.delete))
            elements += _elements(type_name, record, write.values, keys)
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR REPLACE INTO record (type, id, stamp, data, deleted) VALUES (?, ?, ?, ?, ?)",
            records,
        )
        self._db.executemany("INSERT INTO element VALUES (?, ?, ?, ?)", elements)
        self._db.execute("COMMIT")
        return results

    def _borne(
        self, type_name: str, described: ObjectType, writes: Sequence[Write]
    ) -> dict[str, dict[Value, RecordId]]:
        """Who bears the unique values that are to be written, by field."""
        found: dict[str, dict[Value, RecordId]] = {}
        upserts = {write.upsert for write in writes}
        for known in described.fields.values():
            if not known.unique and known.name not in upserts:
                continue
            wanted = {v for write in writes for v in _folded(write.values.get(known.name))}
            found[known.name] = {}
            if wanted:
                calls, key = self.calls, [known.name]
                rows = self.find(type_name, key, key, [(value,) for value in wanted])
                self.calls = calls  # the vendor looks for itself
                for row in rows:
                    found[known.name].update((value, row[0]) for value in _folded(row[2]))
        return found

    def _taken(
        self, type_name: str, unique: dict[str, dict[Value, RecordId]], write: Write
    ) -> Result | None:
        """The refusal of a unique value that another record bears."""
        for name, bearers in unique.items():
            for value in _folded(write.values.get(name)):
                bearer = bearers.get(value)
                if bearer is not None and bearer != write.id:
                    message = f"{name}: {value} is taken by {type_name} {bearer}"
                    return Result(Outcome.REFUSED, write.id, "DUPLICATE_VALUE", message, (name,))
        return None

    def _provisional(self) -> RecordId:
        self._new += 1
        return f"{_NEW}{self._new:09}" if self.side is Side.SALESFORCE else -self._new


def _folded(value: Value) -> list[Value]:
    """The values of a field in the form in which they are unique, lists by element."""
    values = value if isinstance(value, list) else [value]
    return [canonical_name(v) for v in values if not is_empty(v)]


def _elements(
    type_name: str, record: RecordId, values: dict[str, Value], keys: set[str]
) -> list[tuple[str, str, Value, RecordId]]:
    """What a record can be found by: its values in the form that matches, lists by element."""
    return [
        (type_name, name, canonical_name(element), record)
        for name in keys & values.keys()
        for element in (values[name] if isinstance(values[name], list) else [values[name]])
        if not is_empty(element)
    ]


def _strict_fields(described: ObjectType) -> tuple[Field, ...]:
    return tuple(f for f in described.fields.values() if f.required or f.restricted)


def _refusal(type_name: str, strict: tuple[Field, ...], write: Write) -> Result | None:
    """What the description alone tells will be refused."""
    if write.delete:
        return None
    for known in strict:
        name = known.name
        given: Any = write.values.get(name)
        missing = write.id is None and known.required
        if (missing or (known.required and name in write.values)) and is_empty(given):
            message = f"{type_name} needs a value for {name}"
            return Result(Outcome.REFUSED, write.id, "REQUIRED_FIELD_MISSING", message, (name,))
        if known.restricted and not is_empty(given) and given not in known.picklist:
            message = f"{name} takes no value `{given}`"
            code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
            return Result(Outcome.REFUSED, write.id, code, message, (name,))
    return None
