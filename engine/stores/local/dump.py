"""Writes a local org's records to a folder, in the shapes that `load` reads."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.ports import StoreError
from engine.stores.local.custom import FIELDS, as_document
from engine.stores.local.records import json_records
from engine.stores.local.store import LocalOrg

__all__ = ["dump"]


def dump(org: LocalOrg, folder: Path) -> dict[str, int]:
    """Write `TYPE.json` for each type that has records; the number of records by type.

    A record has every field of its type, null where nothing is known, and each is on a line of its
    own. Deleted records are left out. `custom_fields.json` has the custom fields, if there are any.
    Raises `StoreError` if the folder cannot be written.
    """
    counts = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _dump_fields(org, folder / FIELDS)
        for name in org.file.types():
            if count := _dump_type(org, name, folder / f"{name}.json"):
                counts[name] = count
    except OSError as error:
        where = error.filename or folder
        raise StoreError(f"{where} cannot be written: {error.strerror}") from None
    return counts


def _dump_fields(org: LocalOrg, path: Path) -> None:
    documents = [
        {"object": name, **as_document(field)}
        for name, fields in org.file.customized().items()
        for field in fields
    ]
    if documents:
        path.write_bytes(b"[\n" + b",\n".join(map(msgspec.json.encode, documents)) + b"\n]\n")


def _dump_type(org: LocalOrg, name: str, path: Path) -> int:
    """Write one type's file, whole or not at all."""
    draft = path.with_suffix(".json.part")
    count = 0
    with draft.open("wb") as file:
        for record in json_records(org.file, org.file.table(name)):
            file.write(b",\n" if count else b"[\n")
            file.write(msgspec.json.encode(record))
            count += 1
        file.write(b"\n]\n")
    if count:
        draft.replace(path)
    else:
        draft.unlink()
    return count
