"""Filling a local org from files and writing it out again: a JSON array for each type."""

from __future__ import annotations

import json
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from dsl.schema import ObjectType, Side
from engine.ports import StoreError
from engine.stores.embedded.org import LocalOrg
from engine.stores.embedded.paths import value_for_sql
from engine.stores.embedded.shapes import from_json, to_json
from engine.stores.embedded.tables import column_of, elements_of, quoted

__all__ = ["SAMPLE", "Progress", "dump", "load"]

#: The sample org that ships: `salesforce/*.json`.
SAMPLE = Path(__file__).parent / "sample"

#: Told a type and how many of its records are done.
Progress = Callable[[str, int], None]

_CHUNK = 2000


def load(
    org: LocalOrg, folder: Path, progress: Progress = lambda _type, _count: None
) -> dict[str, int]:
    """Load every `TYPE.json` of a folder; how many records of each type there were.

    Ids and stamps are kept as the files give them, and history is taken as it is: values that are
    no longer in a picklist, owners that are not there. A record without an id is given one; a
    record whose id is there already replaces it. Raises `StoreError`, with nothing changed, for a
    file that is no JSON array of records of a known type.
    """
    if not folder.is_dir():
        raise StoreError(f"there is no folder {folder}")
    files = sorted(folder.glob("*.json"))
    if not files:
        raise StoreError(f"there is no .json file in {folder}: one for each type, as Lead.json")
    for file in files:
        _known_type(org, file)
    counts = {}
    with org.tables.transaction():
        for file in files:
            described = org.tables.type(file.stem)
            records = _records(file)
            counts[file.stem] = len(records)
            _load_type(org, described, records, file, progress)
    return counts


def _known_type(org: LocalOrg, file: Path) -> None:
    if org.tables.known(file.stem):
        return
    names = org.tables.schema.names(org.side)
    near = get_close_matches(file.stem, names, 1)
    hint = f"did you mean {near[0]}.json?" if near else f"its types are {', '.join(names)}"
    raise StoreError(f"{file}: {org.side.title()} has no type `{file.stem}`; {hint}")


def _records(file: Path) -> list[dict[str, Any]]:
    try:
        data = msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise StoreError(f"{file} is not valid JSON in UTF-8: {error}") from None
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}") from None
    if not isinstance(data, list) or not all(isinstance(record, dict) for record in data):
        raise StoreError(f"{file} has to hold one JSON array of records")
    return data


def _load_type(
    org: LocalOrg,
    described: ObjectType,
    records: list[dict[str, Any]],
    file: Path,
    progress: Progress,
) -> None:
    now = org.tables.tick()
    try:
        rows = [from_json(described, record, now) for record in records]
    except (AttributeError, TypeError, ValueError) as error:
        raise StoreError(
            f"{file}: a record has not the shape of {described.name}: {error}"
        ) from None
    _give_ids(org, described, rows)
    _resolve_roles(described, rows)
    fields = [f for n, f in described.fields.items() if column_of(f) != "_id"]
    names = [f.name for f in fields]
    columns = ["_id", "_stamp", "_deleted", "_extra", *map(column_of, fields)]
    marks = ", ".join("?" * len(columns))
    sql = f"INSERT OR REPLACE INTO {quoted(described.name)} ({', '.join(columns)}) VALUES ({marks})"
    for at in range(0, len(rows), _CHUNK):
        chunk = rows[at : at + _CHUNK]
        org.tables.db.executemany(
            sql,
            [
                (
                    row["_id"],
                    row["_stamp"],
                    row["_deleted"],
                    row["_extra"],
                    *(value_for_sql(row.get(name)) for name in names),
                )
                for row in chunk
            ],
        )
        _load_elements(org, described, chunk)
        progress(described.name, at + len(chunk))


def _load_elements(org: LocalOrg, described: ObjectType, rows: list[dict[str, Any]]) -> None:
    if org.side is not Side.OUTREACH:
        return
    org.tables.db.executemany(
        "DELETE FROM element WHERE type = ? AND id = ?",
        [(described.name, row["_id"]) for row in rows],
    )
    elements = [e for row in rows for e in elements_of(described.name, row["_id"], row)]
    org.tables.db.executemany("INSERT INTO element VALUES (?, ?, ?, ?)", elements)


def _give_ids(org: LocalOrg, described: ObjectType, rows: list[dict[str, Any]]) -> None:
    """Ids for records that come without; one that was loaded before keeps the id it was given."""
    missing = [row for row in rows if row["_id"] is None]
    if not missing:
        return
    key = next((n for n in ("DeveloperName", "ApiName", "Name") if n in described.fields), None)
    known = {}
    if key is not None:
        sql = f"SELECT {quoted(key)}, _id FROM {quoted(described.name)} WHERE NOT _deleted"
        known = dict(org.tables.db.execute(sql).fetchall())
    new = [row for row in missing if key is None or row.get(key) not in known]
    numbers = iter(org.tables.numbers(described.name, len(new)) if new else ())
    for row in missing:
        found = known.get(row.get(key)) if key is not None else None
        row["_id"] = found or org.vendor.new_id(described.name, next(numbers))


def _resolve_roles(described: ObjectType, rows: list[dict[str, Any]]) -> None:
    """Roles without ids name their parent by its developer name, which is no field of Salesforce."""
    if described.name != "UserRole":
        return
    by_name = {row.get("DeveloperName"): row["_id"] for row in rows}
    for row in rows:
        extra = json.loads(row["_extra"]) if row["_extra"] else {}
        parent = extra.pop("_ParentRoleDeveloperName", None)
        row["_extra"] = json.dumps(extra) if extra else None
        if parent is not None:
            row["ParentRoleId"] = by_name.get(parent)


def dump(org: LocalOrg, folder: Path) -> dict[str, int]:
    """Write every type that has records to `TYPE.json`, a record a line; how many of each.

    Raises `StoreError` if the folder cannot be written.
    """
    counts = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in org.tables.schema.names(org.side):
            described = org.tables.type(name)
            cursor = org.tables.db.execute(
                f"SELECT * FROM {quoted(name)} WHERE NOT _deleted ORDER BY rowid"
            )
            names = [c[0] for c in cursor.description]
            first = cursor.fetchone()
            if first is None:
                continue
            counts[name] = 1
            with (folder / f"{name}.json").open("w", encoding="utf-8") as out:
                out.write("[\n" + _line(described, names, first))
                for row in cursor:
                    counts[name] += 1
                    out.write(",\n" + _line(described, names, row))
                out.write("\n]\n")
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}") from None
    return counts


def _line(described: ObjectType, names: list[str], row: tuple[Any, ...]) -> str:
    record = to_json(described, dict(zip(names, row, strict=True)))
    return json.dumps(record, ensure_ascii=False)
