"""Rows that are written, and not yet what queries see: an index that lags, on request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.model import Outcome, Result, Write
from engine.sandbox.faults import Faults
from engine.sandbox.salesforce.setup import Setup
from engine.stores.local.org import OrgFile, TakeBack
from engine.stores.local.tables import Table, quoted

__all__ = ["Late"]

#: A row's columns and values as they were, or None where there was none.
_Row = dict[str, Any] | None


@dataclass
class Late:
    """The rows that are late, each with what it was before.

    A query is evaluated in a transaction in which they are as they were; that is then taken back.
    """

    file: OrgFile
    faults: Faults
    setup: Setup
    _rows: dict[tuple[str, str], tuple[datetime, _Row]] = field(default_factory=dict)

    def before(self, table: Table, writes: Sequence[Write]) -> list[tuple[bool, _Row]]:
        """For each write that is about to be, whether it will be late, and the row as it is."""
        if not self.faults.odds.get("late"):
            return []
        return [self._draw(table, write) for write in writes]

    def _draw(self, table: Table, write: Write) -> tuple[bool, _Row]:
        if write.delete or not self.faults.happens("late"):
            return False, None
        if write.id is None:
            return True, None
        return True, self._row(table, str(self.file.record_id(write.id)))

    def _row(self, table: Table, record: str) -> _Row:
        if not self.file.made(table.type.name):
            return None
        sql = f"SELECT * FROM {table.name} WHERE {quoted(table.key)} = ?"
        cursor = self.file.db.execute(sql, (record,))
        found = cursor.fetchone()
        names = [column[0] for column in cursor.description]
        return None if found is None else dict(zip(names, found, strict=True))

    def after(
        self, table: Table, before: Sequence[tuple[bool, _Row]], results: Sequence[Result]
    ) -> None:
        """Keep those of `before` that were written."""
        until = self.file.instant() + self.setup.late
        for (late, row), result in zip(before, results, strict=False):
            if late and result.outcome is Outcome.DONE:
                self._rows.setdefault((table.type.name, str(result.id)), (until, row))

    @contextmanager
    def kept_back(self) -> Iterator[None]:
        """The org as queries see it."""
        now = self.file.instant()
        self._rows = {at: row for at, row in self._rows.items() if row[0] > now}
        if not self._rows:
            yield
            return
        with self.file.transaction():
            for (type_name, record), (_, row) in self._rows.items():
                self._restore(self.file.table(type_name), record, row)
            yield
            raise TakeBack

    def _restore(self, table: Table, record: str, row: _Row) -> None:
        where = f"WHERE {quoted(table.key)} = ?"
        if row is None:
            self.file.db.execute(f"DELETE FROM {table.name} {where}", (record,))
            return
        parts = ", ".join(f"{quoted(name)} = ?" for name in row)
        sql = f"UPDATE {table.name} SET {parts} {where}"
        self.file.db.execute(sql, (*row.values(), record))
