"""A local org as a store: scans, fetches, finds and writes over one SQLite file, in process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from dsl.schema import Kind, ObjectType, Side
from dsl.values import canonical_name
from engine.model import Cursor, Outcome, Page, RecordId, Result, Row, Value, Write
from engine.ports import Clock
from engine.stores.embedded.checks import Problem, checker
from engine.stores.embedded.ids import complete
from engine.stores.embedded.paths import Projection, project, value_for_sql
from engine.stores.embedded.tables import Tables, column_of, elements_of, quoted
from engine.stores.embedded.vendors import VENDORS, Vendor

__all__ = ["LocalOrg", "open_org"]

_encode = msgspec.json.encode
_FIND_VALUES = 1000


class LocalOrg:
    """A `Store` in one file. Reading and writing cost calls as they would with the vendor."""

    def __init__(self, side: Side, path: Path, clock: Clock | None = None) -> None:
        self.tables = Tables(side, path, clock)
        self.side = side
        self.vendor: Vendor = VENDORS[side]
        self.page_size = self.vendor.page_size
        self.write_size = self.vendor.write_size
        self.lag = timedelta(0)  # a write is visible as soon as it has its stamp
        self.calls = 0
        self._projections: dict[tuple[str, tuple[str, ...]], Projection] = {}
        self._checks: dict[tuple[str, str, bool], Any] = {}

    def close(self) -> None:
        self.tables.db.close()

    def now(self) -> str:
        return self.tables.now()

    def describe(self, type_name: str) -> ObjectType | None:
        return self.tables.schema.get(self.side, type_name)

    # -- reading --------------------------------------------------------------------------------

    def _projection(self, described: ObjectType, fields: Sequence[str]) -> Projection:
        key = (described.name, tuple(fields))
        if key not in self._projections:
            self._projections[key] = project(self.tables, described, fields)
        return self._projections[key]

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        described = self.tables.type(type_name)
        found = self._projection(described, fields)
        read = found.reader()
        # Row values: SQLite seeks its index on (_stamp, _id) with them, and with OR it does not.
        sql = (
            f"{found.select(described)} WHERE (t._stamp, t._id) > (?, ?) AND NOT t._deleted"
            " ORDER BY t._stamp, t._id LIMIT ?"
        )
        place = since or Cursor("", "" if self.side is Side.SALESFORCE else 0)
        while True:
            rows = self.tables.db.execute(sql, (*place, self.page_size + 1)).fetchall()
            self.calls += 1
            done = len(rows) <= self.page_size
            rows = read(rows[: self.page_size])
            if rows:
                place = Cursor(rows[-1][1], rows[-1][0])
            yield Page(rows, self._gone(type_name, since) if done else [], place, done)
            if done:
                return

    def _gone(self, type_name: str, since: Cursor | None) -> list[RecordId]:
        if since is None:
            return []
        sql = "SELECT id FROM gone WHERE type = ? AND stamp >= ? ORDER BY stamp, id"
        return [row[0] for row in self.tables.db.execute(sql, (type_name, since.stamp))]

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        self.calls += -(-len(ids) // self.page_size)
        described = self.tables.type(type_name)
        found = self._projection(described, fields)
        sql = found.select(described).replace(" FROM ", " FROM json_each(?) AS j CROSS JOIN ", 1)
        sql = sql.replace(" AS t ", " AS t ON t._id = j.value AND NOT t._deleted ", 1)
        wanted = [complete(i) if isinstance(i, str) else i for i in ids]
        rows = self.tables.db.execute(sql, (_encode(wanted).decode(),)).fetchall()
        return found.reader()(rows)

    def find(
        self,
        type_name: str,
        fields: Sequence[str],
        key: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> list[Row]:
        self.calls += -(-len(values) // self.vendor.find_size)
        described = self.tables.type(type_name)
        found = self._projection(described, [*fields, *key])
        wanted = {tuple(canonical_name(v) for v in value) for value in values}
        folded = list({value[0] for value in wanted if value[0] is not None})
        rows: list[Row] = []
        for at in range(0, len(folded), _FIND_VALUES):
            sql = self._find_sql(described, found, key[0])
            some = _encode(folded[at : at + _FIND_VALUES]).decode()
            rows += found.reader()(self.tables.db.execute(sql, (some,)).fetchall())
        width = 2 + len(fields)
        return [row[:width] for row in rows if _bears(row[width:], wanted)]

    def _find_sql(self, described: ObjectType, found: Projection, name: str) -> str:
        known = described.fields.get(name)
        select = found.select(described)
        if known is None or known.name in ("Id", "id"):
            column = self._projection(described, [name]).columns[0]
            return f"{select} WHERE NOT t._deleted AND fold({column}) IN (SELECT value FROM json_each(?))"
        if known.kind is Kind.LIST:
            return (
                f"{select} WHERE NOT t._deleted AND t._id IN (SELECT e.id FROM json_each(?) AS j"
                f" CROSS JOIN element AS e ON e.type = '{described.name}'"
                f" AND e.field = '{known.name}' AND e.value = j.value)"
            )
        self.tables.index(described.name, name)
        return (
            f"{select} WHERE NOT t._deleted"
            f" AND fold(t.{quoted(name)}) IN (SELECT value FROM json_each(?))"
        )

    # -- writing --------------------------------------------------------------------------------

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        self.calls += -(-len(writes) // self.write_size)
        described = self.tables.type(type_name)
        with self.tables.transaction():
            return _Batch(self, described).write(writes)

    def check(self, described: ObjectType, name: str, creating: bool) -> Any:
        """The (check, problem) of a field, made once."""
        key = (described.name, name, creating)
        if key not in self._checks:
            self._checks[key] = checker(described, name, creating)
        return self._checks[key]


def _bears(found: Row, wanted: set[tuple[Any, ...]]) -> bool:
    """Whether a record's key values are one of those wanted; a list by any of its elements."""
    if len(found) == 1 and not isinstance(found[0], list):
        return (canonical_name(found[0]),) in wanted
    return any(
        all(
            canonical_name(w) in [canonical_name(v) for v in f]
            if isinstance(f, list)
            else canonical_name(f) == w
            for f, w in zip(found, key, strict=True)
        )
        for key in wanted
    )


class _Batch:
    """One writing call: each record is checked by itself, what is right is written together."""

    def __init__(self, org: LocalOrg, described: ObjectType) -> None:
        self._org = org
        self._described = described
        self._tables = org.tables
        self._at = org.vendor.tick(org.tables.tick())
        self._claims: dict[tuple[str, Any], RecordId] = {}
        self._required = [f for f in described.fields.values() if f.required]
        self._unique = [f for f in described.fields.values() if f.unique]
        self._rows: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = defaultdict(list)

    def write(self, writes: Sequence[Write]) -> list[Result]:
        existing = self._existing(writes)
        references = self._references(writes)
        taken = self._taken(writes)
        creates = sum(w.id is None for w in writes)
        numbers = iter(self._tables.numbers(self._described.name, creates) if creates else ())
        results = []
        elements: list[tuple[Any, ...]] = []
        for write in writes:
            result, values = self._one(write, existing, references, taken, numbers)
            results.append(result)
            if result.outcome is Outcome.DONE:
                lists = {k: v for k, v in values.items() if isinstance(v, list)}
                if lists or write.delete:
                    elements += elements_of(self._described.name, result.id, lists)
                    if write.id is not None:
                        self._drop_elements(result.id, lists, write.delete)
        self._flush()
        self._tables.db.executemany("INSERT INTO element VALUES (?, ?, ?, ?)", elements)
        return results

    def _drop_elements(self, record: RecordId | None, lists: dict[str, Any], every: bool) -> None:
        if every:
            self._tables.db.execute(
                "DELETE FROM element WHERE type = ? AND id = ?", (self._described.name, record)
            )
        for name in lists:
            self._tables.db.execute(
                "DELETE FROM element WHERE type = ? AND id = ? AND field = ?",
                (self._described.name, record, name),
            )

    # -- what the checks look up, once a batch --------------------------------------------------

    def _existing(self, writes: Sequence[Write]) -> dict[RecordId, dict[str, Any]]:
        ids = [
            complete(w.id) if isinstance(w.id, str) else w.id for w in writes if w.id is not None
        ]
        if not ids:
            return {}
        watched = [n for n in self._org.vendor.watched if n in self._described.fields]
        columns = "".join(f", t.{column_of(self._described.fields[n])}" for n in watched)
        rows = self._tables.db.execute(
            f"SELECT t._id, t._deleted{columns} FROM json_each(?) AS j"
            f" CROSS JOIN {quoted(self._described.name)} AS t ON t._id = j.value",
            (_encode(ids).decode(),),
        )
        return {
            row[0]: {"_deleted": row[1], **dict(zip(watched, row[2:], strict=True))} for row in rows
        }

    def _references(self, writes: Sequence[Write]) -> dict[str, set[RecordId]]:
        """For each reference field that is written: those of the ids that exist."""
        wanted: dict[str, set[RecordId]] = defaultdict(set)
        for name, known in self._described.fields.items():
            if known.kind is Kind.REFERENCE:
                for write in writes:
                    value = write.values.get(name)
                    if value is not None:
                        wanted[name].add(complete(value) if isinstance(value, str) else value)
        found: dict[str, set[RecordId]] = {}
        for name, ids in wanted.items():
            found[name] = set()
            for target in self._described.fields[name].references:
                if self._tables.known(target):
                    self._tables.type(target)
                    rows = self._tables.db.execute(
                        f"SELECT t._id FROM json_each(?) AS j CROSS JOIN {quoted(target)} AS t"
                        " ON t._id = j.value AND NOT t._deleted",
                        (_encode(list(ids)).decode(),),
                    )
                    found[name].update(row[0] for row in rows)
        return found

    def _taken(self, writes: Sequence[Write]) -> dict[tuple[str, Any], RecordId]:
        """Who bears the unique values that are to be written."""
        taken: dict[tuple[str, Any], RecordId] = {}
        for known in self._unique:
            wanted = list(
                {v for w in writes for v in _folded(w.values.get(known.name)) if v is not None}
            )
            if not wanted:
                continue
            listed = known.kind is Kind.LIST
            if listed:
                sql = (
                    "SELECT e.value, e.id FROM json_each(?) AS j CROSS JOIN element AS e"
                    " ON e.type = ? AND e.field = ? AND e.value = j.value"
                )
                some: tuple[Any, ...] = (self._described.name, known.name)
            else:
                self._tables.index(self._described.name, known.name)
                column = quoted(known.name)
                sql = (
                    f"SELECT fold(t.{column}), t._id FROM {quoted(self._described.name)} AS t"
                    f" WHERE NOT t._deleted AND fold(t.{column}) IN (SELECT value FROM json_each(?))"
                )
                some = ()
            for value, record in self._tables.db.execute(sql, (_encode(wanted).decode(), *some)):
                taken[known.name, value] = record
        return taken

    # -- one record -----------------------------------------------------------------------------

    def _one(
        self,
        write: Write,
        existing: dict[RecordId, dict[str, Any]],
        references: dict[str, set[RecordId]],
        taken: dict[tuple[str, Any], RecordId],
        numbers: Iterator[int],
    ) -> tuple[Result, dict[str, Any]]:
        creating = write.id is None
        record = complete(write.id) if isinstance(write.id, str) else write.id
        if record is not None:
            problem = self._org.vendor.forbids(self._described, existing.get(record), record)
            if problem:
                gone = problem.code in ("ENTITY_IS_DELETED", "NOT_FOUND", "resourceNotFound")
                return _refused(record, problem, Outcome.GONE if gone else Outcome.REFUSED), {}
        if write.delete and record is not None:
            self._delete(record)
            return Result(Outcome.DONE, record), {}
        values = self._checked(write, creating, record, references, taken)
        if isinstance(values, Problem):
            return _refused(record, values, Outcome.REFUSED), {}
        vendor = self._org.vendor
        if record is None:
            record = vendor.new_id(self._described.name, next(numbers))
            values = vendor.defaults(self._described, self._tables) | values
            values |= vendor.created(self._described, self._at)
        values |= vendor.changed(self._described, self._at)
        for known in self._unique:
            for value in _folded(values.get(known.name)):
                self._claims[known.name, value] = record
        stored = tuple(values)
        self._rows["insert" if creating else "update", stored].append(
            (record, *(value_for_sql(v) for v in values.values()))
        )
        return Result(Outcome.DONE, record), values

    def _checked(
        self,
        write: Write,
        creating: bool,
        record: RecordId | None,
        references: dict[str, set[RecordId]],
        taken: dict[tuple[str, Any], RecordId],
    ) -> dict[str, Any] | Problem:
        """The values in their stored form, or the first thing that is wrong with them."""
        values: dict[str, Any] = {}
        described, org = self._described, self._org
        for name, value in write.values.items():
            check, problem = org.check(described, name, creating)
            if problem is not None:
                return problem  # type: ignore[no-any-return]
            stored = check(value)
            if type(stored) is Problem:
                return stored
            if stored is not None and name in references and stored not in references[name]:
                code = org.vendor.bad_reference
                return Problem(code, f"{name}: there is no record {value} to refer to", name)
            values[name] = stored
        if creating:
            for known in self._required:
                if values.get(known.name) is None:
                    code = org.vendor.missing
                    return Problem(code, f"Required fields are missing: [{known.name}]", known.name)
        for known in self._unique:
            for value in _folded(values.get(known.name)):
                owner = self._claims.get((known.name, value), taken.get((known.name, value)))
                if owner is not None and owner != record:
                    text = f"{known.name}: {value} is already used by {described.name} {owner}"
                    return Problem(org.vendor.duplicate, text, known.name)
        return values

    def _delete(self, record: RecordId) -> None:
        name, at = self._described.name, self._at.normal
        if self._org.vendor.keeps_deleted:
            self._rows["update", ("_deleted", "_stamp")].append((record, 1, at))
        else:
            self._rows["delete", ()].append((record,))
        self._tables.db.execute("INSERT OR REPLACE INTO gone VALUES (?, ?, ?)", (name, record, at))

    def _flush(self) -> None:
        table = quoted(self._described.name)
        for (kind, names), rows in self._rows.items():
            columns = [self._column(name) for name in names]
            if kind == "insert":
                marks = ", ".join("?" * (len(columns) + 1))
                sql = f"INSERT INTO {table} ({', '.join(['_id', *columns])}) VALUES ({marks})"
            elif kind == "delete":
                sql = f"DELETE FROM {table} WHERE _id = ?1"
            else:
                sets = ", ".join(f"{c} = ?{n}" for n, c in enumerate(columns, 2))
                sql = f"UPDATE {table} SET {sets} WHERE _id = ?1"
            self._tables.db.executemany(sql, rows)
            if kind != "delete":
                self._org.vendor.derive(self._tables, self._described, [r[0] for r in rows], names)

    def _column(self, name: str) -> str:
        return name if name.startswith("_") else column_of(self._described.fields[name])


def _folded(value: Any) -> list[Any]:
    values = value if isinstance(value, list) else [value]
    return [canonical_name(v) for v in values if v is not None and v != ""]


def _refused(record: RecordId | None, problem: Problem, outcome: Outcome) -> Result:
    return Result(outcome, record, problem.code, problem.message, (problem.field,))


def open_org(side: Side, path: Path, clock: Clock | None = None) -> LocalOrg:
    """Open a local org, which is made if the file is not there. Raises `StoreError`."""
    return LocalOrg(side, path, clock)
