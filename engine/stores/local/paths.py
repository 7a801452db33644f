"""Field names and dotted paths as SQL: an expression, and the joins that it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from dsl.schema import Field, Kind, Side, is_custom
from engine.ports import StoreError
from engine.stores.local.org import OrgFile
from engine.stores.local.tables import Table, address_parts, quoted, shape

__all__ = ["Query", "Reading", "address_json"]

_NULL = ("NULL", "plain")
_FALSE = ("0", "boolean")
#: A prospect's latest sequence state, one that still runs before any that broke off. One that has
#: finished is left behind, and its prospect is in no sequence.
_STATE = (
    "(SELECT s.id FROM sequenceState AS s WHERE s.prospect = {key}"
    " AND s.state IS NOT 'finished'"
    " ORDER BY s.state IN ('failed', 'bounced', 'opted_out', 'disabled'), s.id DESC"
    " LIMIT 1)"
)
#: What `sequence.…` reads: the types that must have records, the expression, and its shape.
_SEQUENCE: dict[str, tuple[tuple[str, ...], str, str]] = {
    "id": ((), "{state}.sequence", "plain"),
    "name": (("sequence",), "(SELECT name FROM sequence WHERE id = {state}.sequence)", "plain"),
    "status": ((), "{state}.state", "plain"),
    "active": ((), "({state}.state IS 'active')", "boolean"),
    "step_number": (
        ("sequenceStep",),
        '(SELECT "order" FROM sequenceStep WHERE id = {state}.sequenceStep)',
        "plain",
    ),
    "step_type": (
        ("sequenceStep",),
        "(SELECT stepType FROM sequenceStep WHERE id = {state}.sequenceStep)",
        "plain",
    ),
    "task_due": (
        ("task",),
        "(SELECT min(dueAt) FROM task WHERE sequenceState = {state}.id AND NOT completed)",
        "plain",
    ),
    # Only links tell who this is in Salesforce; a rule's line goes by them, and asks for `user`.
    "user_salesforce_id": ((), "NULL", "plain"),
    "user": ((), "{state}.user", "plain"),
}


@dataclass
class Reading:
    """A query that is being put together: each path that is added gives its expression."""

    org: OrgFile
    table: Table
    joins: dict[tuple[str, str], str] = field(default_factory=dict)
    _aliases: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"t.{quoted(self.table.key)}"

    def expression(self, path: str) -> tuple[str, str]:
        """SQL for a path, and the shape of its value. Raises `StoreError` if there is none."""
        names = path.split(".")
        if self._reads_sequence(names):
            return self._sequence(names[1])
        return self._walk(self.table, "t", names, path)

    def _walk(self, table: Table, alias: str, names: list[str], path: str) -> tuple[str, str]:
        if len(names) == 1:
            return self._field(table, alias, names[0])
        through = table.type.by_relationship(names[0])
        if through is None or through.many:
            raise StoreError(f"`{path}`: {table.type.name} has no relationship `{names[0]}`")
        found = []
        for name in through.references:
            if self.org.describe(name) is None:
                continue
            target = self.org.table(name)
            known = names[1] in (*target.columns, target.key) or len(names) > 2
            if self.org.made(name) and (known or len(through.references) == 1):
                inner = self._joined(alias, through, target)
                found.append(self._walk(target, inner, names[1:], path))
        if not found:
            return _NULL
        if len(found) == 1:
            return found[0]
        return f"coalesce({', '.join(sql for sql, _ in found)})", found[0][1]

    def _joined(self, alias: str, through: Field, target: Table) -> str:
        at = (f"{alias}.{through.name}", target.type.name)
        if at not in self._aliases:
            new = self._aliases[at] = f"j{len(self._aliases)}"
            self.joins[at] = (
                f" LEFT JOIN {target.name} AS {new}"
                f" ON {new}.{quoted(target.key)} = {alias}.{quoted(through.name)}"
            )
        return self._aliases[at]

    def _field(self, table: Table, alias: str, name: str) -> tuple[str, str]:
        if name == table.key:
            return f"{alias}.{quoted(name)}", "plain"
        if name in table.columns:
            return f"{alias}.{quoted(name)}", shape(table.columns[name])
        listed = table.type.fields.get(name)
        if listed is not None and listed.kind is Kind.OBJECT:
            return address_json(address_parts(table.type, listed), alias), "json"
        if is_custom(table.type.side, name):
            return f"json_extract({alias}._extra, '$.fields.\"{name}\"')", "plain"
        near = get_close_matches(name, list(table.type.fields), 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise StoreError(f"{table.type.side} {table.type.name} has no field `{name}`{hint}")

    # -- a prospect's sequence ------------------------------------------------------------------

    def _reads_sequence(self, names: list[str]) -> bool:
        prospect = self.table.type.side is Side.OUTREACH and self.table.type.name == "prospect"
        return prospect and len(names) == 2 and names[0] == "sequence"

    def _sequence(self, word: str) -> tuple[str, str]:
        if word not in _SEQUENCE:
            raise StoreError(f"a prospect's `sequence` has no `{word}`: {', '.join(_SEQUENCE)}")
        needed, sql, form = _SEQUENCE[word]
        if not all(self.org.made(name) for name in ("sequenceState", *needed)):
            return _FALSE if form == "boolean" else _NULL
        at = ("t.sequence", "sequenceState")
        if at not in self._aliases:
            self._aliases[at] = new = "state"
            self.joins[at] = (
                f" LEFT JOIN sequenceState AS {new} ON {new}.id = {_STATE.format(key=self.key)}"
            )
        return sql.format(state=self._aliases[at]), form


def address_json(parts: dict[str, str], alias: str) -> str:
    """SQL for a compound address as JSON, out of the columns of a table by their keys in it."""
    pairs = ", ".join(f"'{key}', {alias}.{quoted(column)}" for key, column in parts.items())
    empty = " AND ".join(f"{alias}.{quoted(column)} IS NULL" for column in parts.values())
    return f"CASE WHEN {empty} THEN NULL ELSE json_object({pairs}) END"


@dataclass(frozen=True)
class Query:
    """`SELECT … FROM …` of a type's id, stamp and fields, ready for a WHERE; `key` is the id."""

    sql: str
    key: str
    expressions: tuple[str, ...]

    @classmethod
    def of(cls, org: OrgFile, table: Table, fields: Iterable[str]) -> Query:
        """The query for fields and dotted paths. Raises `StoreError` for an unknown one."""
        reading = Reading(org, table)
        found = [reading.expression(path) for path in fields]
        columns = [reading.key, "t._stamp"]
        for at, (sql, form) in enumerate(found):
            columns.append(sql if form == "plain" else f'{sql} AS "c{at} [crosswalk_{form}]"')
        select = f"SELECT {', '.join(columns)} FROM {table.name} AS t"
        joins = "".join(reading.joins.values())
        return cls(select + joins, reading.key, tuple(sql for sql, _ in found))
