"""Fills a local org from a folder with a JSON file for each type, keeping ids and stamps."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

from dsl.schema import ObjectType, Side, shipped_schema
from engine.model import RecordId
from engine.ports import StoreError
from engine.stores.local import shapes
from engine.stores.local.custom import FIELDS, of_document
from engine.stores.local.files import array_elements
from engine.stores.local.ids import minted_number
from engine.stores.local.lookups import elements_of
from engine.stores.local.org import OrgFile
from engine.stores.local.refusals import Refused
from engine.stores.local.shapes import Loaded
from engine.stores.local.store import LocalOrg
from engine.stores.local.tables import Table, quoted
from engine.stores.local.writing import insertion

__all__ = ["load"]

#: Told after each chunk: the type, how many of its records are loaded, and how many there are by
#: what is read of the file.
Progress = Callable[[str, int, int], None]

_CHUNK = 500
#: By what a record without an id is known again, so that loading it twice does not double it.
_NATURAL_KEYS = {
    "LeadStatus": "ApiName",
    "OpportunityStage": "ApiName",
    "UserRole": "DeveloperName",
}


def load(org: LocalOrg, folder: Path, progress: Progress | None = None) -> dict[str, int]:
    """Load every `TYPE.json` of a folder, all or nothing; the number of records by type.

    Salesforce files hold REST records, Outreach ones JSON:API resource objects. Ids and stamps are
    kept; a record whose id is there already replaces it. What a user may not write may be loaded.
    `custom_fields.json` has the custom fields that the org is given first.
    Raises `StoreError`, which names the file, for an unknown type and for what is no such array.
    """
    files = _files(org, folder)
    counts: dict[str, int] = {}
    with org.file.transaction() as moment:
        if (folder / FIELDS).is_file():
            _load_fields(org.file, folder / FIELDS)
        for path in files:
            loader = _Loader(org.file, org.file.table(path.stem), path, moment)
            counts[path.stem] = loader.load(progress or (lambda *_: None))
    return counts


def _files(org: LocalOrg, folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise StoreError(f"there is no folder {folder}: name one that has a JSON file per type")
    found = sorted(folder.glob("*.json"))
    files = [path for path in found if path.name != FIELDS]
    if not found:
        raise StoreError(
            f"{folder} has no JSON file: a type's records are in a file named after it"
        )
    for path in files:
        if org.describe(path.stem) is None:
            known = _known_types(org)
            near = get_close_matches(path.stem, known, 1)
            hint = f"did you mean `{near[0]}.json`?" if near else f"known are {', '.join(known)}"
            raise StoreError(f"{path}: {org.side.title()} has no type `{path.stem}`; {hint}")
    return files


def _load_fields(org: OrgFile, path: Path) -> None:
    """Give the org the custom fields of a file, each with its `object`."""
    for at, (raw, _) in enumerate(array_elements(path), 1):
        try:
            type_ = _object(org, raw)
            org.keep_field(type_.name, of_document(type_, raw))
        except (ValueError, Refused) as error:  # msgspec's own errors are ValueErrors
            raise StoreError(f"{path}, field {at}: {error}") from None


def _object(org: OrgFile, raw: Any) -> ObjectType:
    name = raw.get("object") if isinstance(raw, dict) else None
    type_ = org.describe(name) if isinstance(name, str) else None
    if type_ is None:
        raise ValueError(f"its `object` names no type of {org.side.title()}: {name}")
    return type_


def _known_types(org: LocalOrg) -> list[str]:
    return list(shipped_schema().names(org.side))


class _Loader:
    """Loads one type's file."""

    def __init__(self, org: OrgFile, table: Table, path: Path, moment: str) -> None:
        self._org, self._table, self._path, self._moment = org, table, path, moment
        self._name = table.type.name
        self._shape = shapes.from_rest if org.side is Side.SALESFORCE else shapes.from_resource
        org.make(table)
        self._number = org.last_number(self._name)
        self._latest = ""
        self._count = 0
        self._parents: list[tuple[RecordId, str]] = []
        sql = "SELECT attribute FROM indexed WHERE type = ?"
        self._indexed = [row[0] for row in org.rows(sql, (self._name,))]
        self._natural = self._natural_ids()

    def _natural_ids(self) -> dict[Any, RecordId]:
        if self._name not in _NATURAL_KEYS:
            return {}
        columns = f"{quoted(_NATURAL_KEYS[self._name])}, {quoted(self._table.key)}"
        return dict(self._org.rows(f"SELECT {columns} FROM {self._table.name}"))

    def load(self, progress: Progress) -> int:
        elements = array_elements(self._path)
        while chunk := list(islice(elements, _CHUNK)):
            self._chunk([raw for raw, _ in chunk])
            self._count += len(chunk)
            progress(self._name, self._count, round(self._count / chunk[-1][1]))
        self._org.keep_number(self._name, self._number)
        self._org.seen(self._latest)
        self._resolve_parents()
        return self._count

    def _chunk(self, raws: list[Any]) -> None:
        records: dict[RecordId, Loaded] = {}
        for at, raw in enumerate(raws, self._count + 1):
            try:
                loaded = self._shape(self._org, self._table, raw, self._moment)
                loaded.id = self._identified(loaded)
            except ValueError as error:
                raise StoreError(f"{self._path}, record {at}: {error}") from None
            records[loaded.id] = loaded
            self._latest = max(self._latest, loaded.stamp)
            if loaded.parent:
                self._parents.append((loaded.id, loaded.parent))
        self._replace(list(records))
        self._insert(list(records.values()))

    def _identified(self, loaded: Loaded) -> RecordId:
        """The record's id, or a new one if it has none."""
        if loaded.id is not None:
            number = loaded.id if isinstance(loaded.id, int) else minted_number(loaded.id)
            self._number = max(self._number, number)
            return loaded.id
        natural = loaded.values.get(_NATURAL_KEYS.get(self._name, ""))
        if natural is not None and natural in self._natural:
            return self._natural[natural]
        self._number += 1
        made = self._org.new_id(self._name, self._number)
        if natural is not None:
            self._natural[natural] = made
        return made

    def _replace(self, ids: list[RecordId]) -> None:
        db, key = self._org.db, quoted(self._table.key)
        each = [(i,) for i in ids]
        gone = db.executemany(f"DELETE FROM {self._table.name} WHERE {key} = ?", each).rowcount
        if gone and self._indexed:
            sql = "DELETE FROM element WHERE type = ? AND id IN (SELECT value FROM json_each(?))"
            db.execute(sql, (self._name, str(ids)))
        typed = [(self._name, i) for i in ids]
        db.executemany("DELETE FROM deleted WHERE type = ? AND id = ?", typed)

    def _insert(self, records: list[Loaded]) -> None:
        db, key = self._org.db, self._table.key
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        elements = []
        for loaded in records:
            if loaded.deleted is not None:
                deleted = (self._name, loaded.id, loaded.stamp, loaded.deleted)
                db.execute("INSERT OR REPLACE INTO deleted VALUES (?, ?, ?, ?)", deleted)
                continue
            for name in self._indexed:
                found = elements_of(loaded.lists.get(name, loaded.values.get(name)))
                elements += [(self._name, name, element, loaded.id) for element in found]
            row = {**loaded.values, key: loaded.id, "_stamp": loaded.stamp, "_extra": loaded.extra}
            groups.setdefault(tuple(row), []).append(row)
        for columns, rows in groups.items():
            sql, pick = insertion(self._org.side, self._name, columns)
            db.executemany(sql, map(pick, rows))
        db.executemany("INSERT OR IGNORE INTO element VALUES (?, ?, ?, ?)", elements)

    def _resolve_parents(self) -> None:
        """Roles name their parents by `DeveloperName` where the ids are not known."""
        for record, parent in self._parents:
            if parent not in self._natural:
                raise StoreError(f"{self._path}: no role has the DeveloperName `{parent}`")
            sql = 'UPDATE "UserRole" SET "ParentRoleId" = ? WHERE "Id" = ?'
            self._org.db.execute(sql, (self._natural[parent], record))
