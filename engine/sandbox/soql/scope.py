"""What the names of a query mean in an org: fields and dotted paths as SQL, and the joins."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from dsl.schema import Field, Kind, ObjectType, Side, shipped_schema
from engine.sandbox.soql.errors import SoqlError, pointed
from engine.sandbox.soql.relations import NAME_FIELDS
from engine.sandbox.soql.tree import Path, Query
from engine.sandbox.soql.virtual import is_virtual, rows_of, virtual_type
from engine.stores.local.org import OrgFile
from engine.stores.local.paths import address_json
from engine.stores.local.tables import address_parts, quoted, shape

__all__ = ["Place", "Related", "Scope", "field_named", "instant_sql", "type_named"]

_LEVELS = 5  # relationships in one path
_CUSTOM = (
    " If you are attempting to use a custom {what}, be sure to append the '{end}' after the"
    " {of} name. Please reference your WSDL or the describe call for the appropriate names."
)
#: Relationships of users that also a reference to users and others leads on to.
_OF_USERS = ("profile", "userrole")
_NAME = "Name"  # the vendor's type for what a reference to several types goes to


@dataclass(frozen=True, slots=True)
class Place:
    """A field in the SQL of a query.

    `form` is its shape there (`plain`, `boolean`, `json`); `certain` means that it is never null;
    `stamp` is the row's own change stamp where the field is one.
    """

    sql: str
    field: Field
    form: str = "plain"
    certain: bool = False
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """What a relationship in a path goes to: SQL for its id, and its type or `Name`."""

    id: str
    type: str


@cache
def _type_names() -> dict[str, str]:
    return {name.lower(): name for name in shipped_schema().names(Side.SALESFORCE)}


def type_named(org: OrgFile, name: str) -> ObjectType | None:
    """The type of a name in any case."""
    return org.describe(_type_names().get(name.lower(), name)) or virtual_type(name)


def field_named(type_: ObjectType, name: str) -> Field | None:
    """The field of a name in any case."""
    found = type_.fields.get(name)
    if found is None:
        low = name.lower()
        found = next((f for key, f in type_.fields.items() if key.lower() == low), None)
    return found


def instant_sql(place: Place) -> str:
    """A date-time as a stamp, `YYYY-MM-DDTHH:MM:SS.mmmZ`, that compares as text."""
    if place.stamp is not None:
        return place.stamp
    sql = place.sql
    usual = f"substr({sql}, 24) = '+0000'"
    return f"CASE WHEN {usual} THEN substr({sql}, 1, 23) || 'Z' ELSE stamp_of({sql}) END"


class Scope:
    """One SELECT over a type: each path that is looked up adds the joins that it needs.

    `text` is the whole query, for the place of what is wrong in it; `made` tells whether there can
    be records of the type at all.
    """

    def __init__(
        self, org: OrgFile, type_: ObjectType, text: str, query: Query, root: str = "t"
    ) -> None:
        self.org, self.type, self.text, self.root = org, type_, text, root
        self.key = f'{root}."Id"'
        self.made = is_virtual(type_.name) or org.made(type_.name)
        self._own = {name.lower() for name in (query.alias, type_.name) if name}
        self._others: dict[str, tuple[str, ...]] = {}
        for path, alias in query.others:
            self._others[alias.lower()] = self._without_alias(path)
            self.trail(Path((*path.names, "Id"), path.at))  # what is named has to be there
        self._used: dict[str, None] = {"Id": None}
        self._joins: dict[tuple[str, str, str], tuple[str, str]] = {}

    # -- fields ---------------------------------------------------------------------------------

    def place(self, path: Path) -> Place:
        """What a path reads. Raises `SoqlError` for a name that is none."""
        names = self._without_alias(path)
        return self._walk(self.root, self.type, names, path)

    def trail(self, path: Path) -> tuple[str, ...]:
        """A path's names as the org spells them, without the alias of FROM."""
        names, type_, found = self._without_alias(path), self.type, []
        for name in names[:-1]:
            through = self._relationship(type_, name, path)
            found.append(through.relationship or name)
            targets = self._targets(through)
            through = self._narrowed(through, names[len(found) :])
            if len(through.references) > 1:
                break
            type_ = next(t for t in targets if t.name in through.references)
        last = names[-1]
        known = field_named(type_, last) if len(found) == len(names) - 1 else None
        if found and len(through.references) > 1:
            known = None
            last = next((n for n in NAME_FIELDS if n.lower() == last.lower()), last)
        return (*found, known.name if known is not None else last)

    def related(self, relationships: tuple[str, ...], path: Path) -> Related:
        """What a path's relationships lead to."""
        alias, type_ = self.root, self.type
        for at, name in enumerate(relationships):
            through = self._relationship(type_, name, path)
            through = self._narrowed(through, (*relationships[at + 1 :], "Id"))
            targets = self._targets(through)
            joined = [self._joined(alias, through, target) for target in targets]
            if len(through.references) > 1 or at == len(relationships) - 1:
                kind = _NAME if len(through.references) > 1 else targets[0].name
                return Related(_first([f'{j}."Id"' for j in joined if j]), kind)
            if not joined[0]:
                return Related("NULL", "")
            alias, type_ = joined[0], targets[0]
        raise AssertionError("no relationship")

    def branch(self, path: Path, target: str, field: Path) -> tuple[ObjectType, Place]:
        """What a field of one of a reference's types reads, as in TYPEOF … WHEN target."""
        through = self._relationship(self.type, path.names[-1], path)
        type_ = next((t for t in self._targets(through) if t.name.lower() == target.lower()), None)
        if type_ is None:
            message = f"Entity '{target}' is not a valid type of relationship '{path}'"
            raise pointed("INVALID_FIELD", message, self.text, field.at)
        alias = self._joined(self.root, through, type_)
        found = self._field(alias or "", type_, field.names[0], field)
        null = Place("NULL", found.field)
        return type_, found if alias else null

    def _without_alias(self, path: Path) -> tuple[str, ...]:
        names = path.names
        if len(names) > 1 and names[0].lower() in self._own:
            names = names[1:]
        elif len(names) > 1 and names[0].lower() in self._others:
            names = (*self._others[names[0].lower()], *names[1:])
        if len(names) > _LEVELS + 1:
            message = f"a relationship path cannot have more than {_LEVELS} levels: {path}"
            raise pointed("INVALID_FIELD", message, self.text, path.at)
        return names

    def _walk(self, alias: str, type_: ObjectType, names: tuple[str, ...], path: Path) -> Place:
        if len(names) == 1:
            return self._field(alias, type_, names[0], path)
        through = self._narrowed(self._relationship(type_, names[0], path), names[1:])
        targets = self._targets(through)
        if len(through.references) > 1:
            return self._of_name(alias, through, targets, names[1:], path)
        joined = self._joined(alias, through, targets[0])
        found = self._walk(joined, targets[0], names[1:], path)
        # Without records of the type there is no table to join.
        return found if joined else Place("NULL", found.field)

    def _relationship(self, type_: ObjectType, word: str, path: Path) -> Field:
        low = word.lower()
        for field in type_.fields.values():
            if field.relationship is not None and field.relationship.lower() == low:
                if self._targets(field):
                    return field
                break
        message = f"Didn't understand relationship '{word}' in field path."
        message += _CUSTOM.format(what="relationship", end="__r", of="custom relationship")
        raise pointed("INVALID_FIELD", message, self.text, path.at)

    def _narrowed(self, through: Field, rest: tuple[str, ...]) -> Field:
        """A reference to several types as one to users, where what follows only they have."""
        ours = len(through.references) > 1 and "User" in through.references
        if ours and len(rest) > 1 and rest[0].lower() in _OF_USERS:
            return replace(through, references=("User",))
        return through

    def _targets(self, through: Field) -> list[ObjectType]:
        found = (self.org.describe(name) or virtual_type(name) for name in through.references)
        return [type_ for type_ in found if type_ is not None]

    def _of_name(
        self,
        alias: str,
        through: Field,
        targets: list[ObjectType],
        names: tuple[str, ...],
        path: Path,
    ) -> Place:
        known = {name.lower(): name for name in NAME_FIELDS}.get(names[0].lower())
        if known is None or len(names) > 1:
            raise self._no_column(names[0], _NAME, path)
        joined = [(j, t) for t in targets if (j := self._joined(alias, through, t))]
        if known == "Type":
            cases = " ".join(f"WHEN {j}.\"Id\" IS NOT NULL THEN '{t.name}'" for j, t in joined)
            return Place(f"CASE {cases} END" if cases else "NULL", _text("Type"))
        name = "Name" if known == "NameOrAlias" else known
        places = [self._field(j, t, name, path) for j, t in joined if name in t.fields]
        listed = next((t.fields[name] for t in targets if name in t.fields), _text(known))
        if not places:
            return Place("NULL", listed)
        if len(places) == 1:
            return Place(places[0].sql, listed, places[0].form)
        return Place(_first([place.sql for place in places]), listed, places[0].form)

    def _field(self, alias: str, type_: ObjectType, name: str, path: Path) -> Place:
        field = field_named(type_, name)
        if field is None:
            raise self._no_column(name, type_.name, path)
        own = alias == self.root
        if field.kind is Kind.OBJECT:
            parts = address_parts(type_, field)
            if own:
                self._used |= dict.fromkeys(parts.values())
            return Place(address_json(parts, alias), field, "json")
        if own:
            self._used[field.name] = None
        sql = f"{alias}.{quoted(field.name)}"
        stamp = f"{alias}._stamp" if field.name == "SystemModstamp" else None
        certain = own and (field.kind is Kind.ID or stamp is not None)
        return Place(sql, field, shape(field), certain, stamp)

    def _no_column(self, name: str, type_name: str, path: Path) -> SoqlError:
        message = f"No such column '{name}' on entity '{type_name}'."
        message += _CUSTOM.format(what="field", end="__c", of="custom field")
        return pointed("INVALID_FIELD", message, self.text, path.at)

    # -- FROM -----------------------------------------------------------------------------------

    def _joined(self, alias: str, through: Field, target: ObjectType) -> str:
        """The alias of a joined type; "" if it has no table, or nothing leads to it."""
        listed = is_virtual(target.name)
        if not alias or not (listed or self.org.made(target.name)):
            return ""
        at = (alias, through.name, target.name)
        if at not in self._joins:
            new = f"{self.root}{len(self._joins)}"
            if alias == self.root:
                self._used[through.name] = None
            on = f'{new}."Id" = {alias}.{quoted(through.name)}'
            rows = quoted(target.name)
            if listed:
                rows = f"({self._listed(target.name, target.fields)})"
            self._joins[at] = new, f" LEFT JOIN {rows} AS {new} ON {on}"
        return self._joins[at][0]

    def joins(self) -> str:
        """The joins of all that was looked up, each behind what it hangs on."""
        return "".join(sql for _, sql in self._joins.values())

    def source(self, rows: str) -> str:
        """The type's rows for FROM: `live`, `gone` (deleted) or `all`."""
        if is_virtual(self.type.name):
            return f"({self._listed(self.type.name, self._used)}) AS {self.root}"
        if rows == "live":
            return f"{quoted(self.type.name)} AS {self.root}"
        parts = [self._live()] if rows == "all" else []
        return f"({' UNION ALL '.join([*parts, self._gone()])}) AS {self.root}"

    def _listed(self, type_name: str, names: Iterable[str]) -> str:
        """Rows that are in no table, as a table."""
        rows = json.dumps(rows_of(self.org, type_name)).replace("'", "''")
        columns = ", ".join(
            f"json_extract(value, '$.{quoted(name)}') AS {quoted(name)}" for name in names
        )
        return f"SELECT {columns} FROM json_each('{rows}')"

    def _live(self) -> str:
        columns = ", ".join(map(quoted, self._used))
        return f"SELECT {columns}, _stamp FROM {quoted(self.type.name)}"

    def _gone(self) -> str:
        columns = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in self._of_deleted())
        kept = f"type = '{self.type.name}' AND record IS NOT NULL"
        return f"SELECT {columns}, stamp AS _stamp FROM deleted WHERE {kept}"

    def _of_deleted(self) -> Iterator[tuple[str, str]]:
        for name in self._used:
            if name == "Id":
                yield name, "id"
            elif name == "IsDeleted":
                yield name, "1"
            elif name in ("SystemModstamp", "LastModifiedDate"):
                yield name, "substr(stamp, 1, 19) || '.000+0000'"
            else:
                yield name, f"json_extract(record, '$.{quoted(name)}')"


def _first(sqls: list[str]) -> str:
    if not sqls:
        return "NULL"
    return sqls[0] if len(sqls) == 1 else f"coalesce({', '.join(sqls)})"


def _text(name: str) -> Field:
    return Field(name, name, Kind.TEXT, "string")
