"""The queries that the store asks: names checked, values through one encoder, paged by key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dsl.ids import ID, full_id
from dsl.schema import Field, Kind
from dsl.soql import literal
from dsl.values import instant
from engine.model import Cursor, RecordId, Value
from engine.ports import StoreError

__all__ = ["checked_name", "checked_path", "having", "id_queries", "ids_of", "select", "since"]

#: Characters of one query; SOQL takes 100,000, and each answer 2,000 rows.
LONGEST = 60_000
_MOST_IDS = 2_000
_LONGEST_TEXT = 4_000  # characters of one literal in a WHERE clause
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")


def checked_name(name: str) -> str:
    """A type's name, fit to stand in a query. Raises `StoreError`."""
    if not _NAME.fullmatch(name):
        raise StoreError(f"`{name}` is no name of a Salesforce object")
    return name


def checked_path(path: str) -> str:
    """A field's name or path, fit to stand in a query. Raises `StoreError`."""
    if not _PATH.fullmatch(path):
        raise StoreError(f"`{path}` is no name of a Salesforce field")
    return path


def select(type_name: str, paths: Iterable[str]) -> str:
    """`SELECT … FROM …`, each path once."""
    names = ", ".join(dict.fromkeys(map(checked_path, paths)))
    return f"SELECT {names} FROM {checked_name(type_name)}"


def since(stamp_field: str, last: Cursor | None) -> str:
    """The condition and order by which a scan goes on behind `last`, as ` WHERE … ORDER BY …`."""
    order = f" ORDER BY {stamp_field}, Id"
    if last is None or not last.stamp:
        return order
    at = instant(last.stamp)
    if at is None:
        raise StoreError(f"the cursor `{last.stamp}` is no time")
    moment = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
    if not last.id:
        return f" WHERE {stamp_field} >= {moment}{order}"
    behind = f"{stamp_field} = {moment} AND Id > {literal(str(last.id))}"
    return f" WHERE ({stamp_field} > {moment} OR ({behind})){order}"


def ids_of(ids: Sequence[RecordId]) -> list[str]:
    """Ids in 18 characters, each once; what is no id of Salesforce is no record of it."""
    found = (str(record) for record in ids)
    return list(dict.fromkeys(full_id(text) for text in found if ID.fullmatch(text)))


def id_queries(start: str, ids: Sequence[str], more: str = "") -> Iterator[str]:
    """Queries of the records of these ids, as few as there can be."""
    for at in range(0, len(ids), _MOST_IDS):
        listed = ", ".join(map(literal, ids[at : at + _MOST_IDS]))
        yield f"{start} WHERE Id IN ({listed}){more}"


def having(
    start: str,
    key: Sequence[tuple[str, Field | None]],
    values: Sequence[tuple[Value, ...]],
) -> Iterator[str]:
    """Queries of the records whose fields hold the values, as few as their length allows.

    Of several fields, each may hold a value of another tuple: more is found, and never less.
    """
    forms = [
        texts
        for value in values
        if None
        not in (texts := tuple(_written(f, v) for (_, f), v in zip(key, value, strict=True)))
    ]
    part: list[tuple[str | None, ...]] = []
    length = 0
    for form in dict.fromkeys(forms):
        size = sum(len(text or "") + 2 for text in form)
        if part and (length + size > LONGEST - len(start) or len(part) == _MOST_IDS):
            yield start + _where(key, part)
            part, length = [], 0
        part.append(form)
        length += size
    if part:
        yield start + _where(key, part)


def _where(key: Sequence[tuple[str, Field | None]], forms: Sequence[tuple[str | None, ...]]) -> str:
    terms = []
    for at, (path, field) in enumerate(key):
        listed = ", ".join(dict.fromkeys(str(form[at]) for form in forms))
        several = field is not None and field.vendor_type == "multipicklist"
        terms.append(f"{checked_path(path)} {'INCLUDES' if several else 'IN'} ({listed})")
    return " WHERE " + " AND ".join(terms)


def _written(field: Field | None, value: Value) -> str | None:
    """A key's value in SOQL, by the kind of its field; None if no record can hold it."""
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or value == "":
        return None
    match field.kind if field is not None else Kind.TEXT:
        case Kind.ID | Kind.REFERENCE:
            text = full_id(str(value))
            return literal(text) if ID.fullmatch(text) else None
        case Kind.NUMBER:
            return _number(value)
        case Kind.BOOLEAN:
            return {"true": "true", "false": "false"}.get(str(value).casefold())
        case Kind.DATE:
            moment = instant(value)
            return None if moment is None else moment.date().isoformat()
        case Kind.DATETIME:
            moment = instant(value)
            return None if moment is None else literal(moment)
        case _:
            text = str(value).strip()
            return literal(text) if 0 < len(text) <= _LONGEST_TEXT else None


def _number(value: Value) -> str | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return literal(int(number) if number.is_integer() else number)
