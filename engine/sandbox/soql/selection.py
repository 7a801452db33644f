"""What a query selects: the columns to read, and the REST records that are made of their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from dsl.schema import Field, Side, is_custom
from engine.sandbox.soql.errors import malformed, pointed
from engine.sandbox.soql.formats import formatted
from engine.sandbox.soql.functions import DATE_PARTS, PRESENTED, operand_place
from engine.sandbox.soql.scope import Place, Scope
from engine.sandbox.soql.tree import Call, Children, Item, Path, Plain, Query, TypeOf
from engine.stores.local.ids import type_of

__all__ = ["Record", "Selection"]

_Kids = Sequence[Mapping[Any, Any]]

_MOST_FIELDS = 200  # rows that a query with FIELDS(ALL) may ask for


@dataclass(frozen=True, slots=True)
class Kids:
    """An entry that is a relationship to children: which of the selection's subqueries it is."""

    number: int


@dataclass
class Record:
    """A record to be made of a row: entries by name, each a column, another record, or children.

    `id` is the column of its id; `type` is None where the id tells the type. `choices` are the
    entries by type of a TYPEOF.
    """

    id: int
    type: str | None
    entries: dict[str, int | Record | Kids] = field(default_factory=dict)
    choices: dict[str, dict[str, int]] | None = None
    formats: list[tuple[str, Field]] = field(default_factory=list)

    def paths(self) -> Iterator[tuple[str, ...]]:
        """The names that lead to each selected field."""
        for name, entry in self.entries.items():
            if isinstance(entry, Record):
                yield from ((name, *rest) for rest in entry.paths())
            elif isinstance(entry, int):
                yield (name,)

    def ready(self) -> Callable[[Sequence[Any], str, _Kids], Any]:
        """A function that makes the record of a row: of the row, the address of the types' folder
        and the children by subquery and parent. It gives None where there is no record."""
        names = ("attributes", *self.entries)
        columns = [entry if isinstance(entry, int) else self.id for entry in self.entries.values()]
        plain = itemgetter(*columns, self.id) if columns else itemgetter(self.id, self.id)
        inner = {
            name: entry.ready() for name, entry in self.entries.items() if isinstance(entry, Record)
        }
        kin = {name: e.number for name, e in self.entries.items() if isinstance(e, Kids)}
        key, kind, choices, formats = self.id, self.type, self.choices, tuple(self.formats)
        named = kind is not None and kind != "Name"

        def made(row: Sequence[Any], base: str, kids: _Kids) -> Any:
            record = row[key]
            if record is None:
                return None
            actual = kind if named else type_of(record)
            head = {"type": kind or actual, "url": f"{base}{actual}/{record}"}
            if choices is not None:
                chosen = choices.get(actual or "", choices[""])
                return {"attributes": head, **{name: row[at] for name, at in chosen.items()}}
            found = dict(zip(names, (head, *plain(row)), strict=False))
            for name, make in inner.items():
                found[name] = make(row, base, kids)
            for name, number in kin.items():
                found[name] = kids[number].get(record)
            for name, known in formats:
                found[name] = formatted(known, found[name])
            return found

        return made


class Selection:
    """The select list of a query over a scope. Raises `SoqlError` for what cannot be selected."""

    def __init__(self, scope: Scope, query: Query, *, extra: Sequence[str] = ()) -> None:
        """`extra` is SQL to be read in front, behind the id; rows begin with it."""
        self.scope = scope
        self.columns: list[str] = [scope.key, *extra]
        self.children: list[Query] = []
        self.record = Record(0, scope.type.name)
        self._query = query
        for item in query.items:
            self._add(item)

    def sql(self, source: str, rest: str) -> str:
        """The whole SELECT, `source` being what stands in FROM before the joins."""
        return f"SELECT {', '.join(self.columns)} FROM {source}{self.scope.joins()}{rest}"

    def _add(self, item: Item) -> None:
        match item:
            case Children(query=query):
                self._put(self.record, query.type, Kids(len(self.children)), query.at)
                self.children.append(query)
            case TypeOf():
                self._add_typeof(item)
            case Plain(operand=Path() as path, alias=alias):
                if alias is not None:
                    text = self.scope.text
                    message = "only aggregate expressions use field aliasing"
                    raise malformed(message, text, path.at)
                self._add_path(path)
            case Plain(operand=Call() as call):
                self._add_call(call, item.alias)

    def _column(self, place: Place) -> int:
        at = len(self.columns)
        plain = place.form == "plain"
        self.columns.append(
            place.sql if plain else f'{place.sql} AS "c{at} [crosswalk_{place.form}]"'
        )
        return at

    def _put(self, record: Record, name: str, entry: int | Record | Kids, at: int) -> None:
        if name in record.entries:
            message = f"duplicate field selected: {name}"
            raise pointed("INVALID_FIELD", message, self.scope.text, at)
        record.entries[name] = entry

    def _add_path(self, path: Path, name: str | None = None) -> Record:
        place = self.scope.place(path)
        trail = self.scope.trail(path)
        record = self.record
        for depth, word in enumerate(trail[:-1], 1):
            inner = record.entries.get(word)
            if not isinstance(inner, Record):
                related = self.scope.related(trail[:depth], path)
                self.columns.append(related.id)
                inner = Record(len(self.columns) - 1, related.type)
                self._put(record, word, inner, path.at)
            record = inner
        at = 0 if place.sql == self.scope.key else self._column(place)
        self._put(record, name or trail[-1], at, path.at)
        return record

    def _add_call(self, call: Call, alias: str | None) -> None:
        argument, scope = call.argument, self.scope
        if call.name == "FIELDS" and isinstance(argument, Path):
            self._add_fields(str(argument).upper(), call)
        elif call.name in PRESENTED and isinstance(argument, Path | Call):
            inner = argument
            while isinstance(inner, Call) and inner.name in PRESENTED and inner.argument:
                inner = inner.argument
            if not isinstance(inner, Path):
                raise malformed(f"unexpected token: '{call.name}'", scope.text, call.at)
            record = self._add_path(inner, alias)
            if call.name == "FORMAT":
                shown = alias or scope.trail(inner)[-1]
                record.formats.append((shown, scope.place(inner).field))
        elif call.name in DATE_PARTS:
            place = operand_place(call, scope, "selected")
            message = f"field {place.field.name} must be grouped"
            raise malformed(message, scope.text, call.at)
        else:
            raise malformed(f"unexpected token: '{call.name}'", scope.text, call.at)

    def _add_fields(self, which: str, call: Call) -> None:
        scope, limit = self.scope, self._query.limit
        if which not in ("ALL", "STANDARD", "CUSTOM"):
            raise malformed(f"unexpected token: '{which}'", scope.text, call.at)
        if which != "STANDARD" and (limit is None or limit > _MOST_FIELDS):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {_MOST_FIELDS}"
            raise pointed("MALFORMED_QUERY", message, scope.text, call.at)
        for name in scope.type.fields:
            custom = is_custom(Side.SALESFORCE, name)
            if which == "ALL" or custom == (which == "CUSTOM"):
                self._add_path(Path((name,), call.at))

    def _add_typeof(self, item: TypeOf) -> None:
        scope, path = self.scope, item.path
        related = scope.related(path.names, path)
        if len(path.names) > 1 or related.type != "Name":
            message = f"TYPEOF is only for references to several types, which {path} is not"
            raise pointed("INVALID_FIELD", message, scope.text, path.at)
        self.columns.append(related.id)
        choices: dict[str, dict[str, int]] = {"": {}}
        record = Record(len(self.columns) - 1, None, choices=choices)
        for branch in item.branches:
            chosen: dict[str, int] = {}
            for each in branch.paths:
                type_, place = scope.branch(path, branch.type, each)
                chosen[place.field.name] = self._column(place)
                choices[type_.name] = chosen
        for each in item.otherwise:
            whole = Path((*path.names, *each.names), each.at)
            place = scope.place(whole)
            choices[""][scope.trail(whole)[-1]] = self._column(place)
        word = scope.trail(Path((*path.names, "Id"), path.at))[0]
        self._put(self.record, word, record, path.at)
