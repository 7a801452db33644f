"""Records by the value of a field: by a filter where Outreach has one, else by reading them all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from dsl.schema import Field, Kind, ObjectType
from dsl.values import canonical_id, canonical_name, is_empty, stamp
from engine.model import Cursor, RecordId, Row, Value
from engine.stores.outreach.lists import Document
from engine.stores.outreach.paths import Columns
from engine.stores.outreach.reading import Reader

__all__ = ["Finder"]

#: Types of which an org has few records: one page tells all of them, whatever is looked for.
_FEW = frozenset(
    {"callDisposition", "callPurpose", "mailbox", "opportunityStage", "role", "stage", "user"}
)
_SAMPLE = 50
_MOST_SHARP = 3  # places of a text at which both spellings are looked for
_SIGMA, _FINAL_SIGMA = re.compile("\u03c3\\b"), "\u03c2"

_Key = tuple[Any, ...]


@dataclass
class _Index:
    """The records of a type by their key, and up to where its changes have been read."""

    ids: dict[_Key, set[RecordId]] = field(default_factory=dict)
    upto: Cursor | None = None


@dataclass
class Finder:
    """Finds records for one connection.

    Whether a text filter looks at case is written down nowhere, so it is tried once for each
    attribute; where it does, or where an attribute has no filter (`externalId`, `custom1` to
    `custom150`), all records of the type are read once, with that field alone, and then what
    changes.
    """

    reader: Reader
    lag: timedelta
    _indexes: dict[tuple[str, tuple[str, ...]], _Index] = field(default_factory=dict)
    _folds: dict[tuple[str, str], bool] = field(default_factory=dict)

    def find(
        self, columns: Columns, key: Sequence[str], values: Sequence[tuple[Value, ...]], now: str
    ) -> list[Row]:
        """Records whose `key` fields hold one of the values, or some more. Raises `StoreError`."""
        wanted = [v for v in dict.fromkeys(map(_plain, values)) if not any(map(is_empty, v))]
        if not wanted:
            return []
        if "id" in key:
            ids = [_number(value[key.index("id")]) for value in wanted]
            return self.reader.fetch(columns, [i for i in dict.fromkeys(ids) if i is not None])
        if columns.type.name in _FEW:
            return self._by_looking(columns, key, {tuple(map(_folded, value)) for value in wanted})
        at = self._filtered(columns.type, key)
        if at is not None:
            return self._by_filter(columns, key[at], [value[at] for value in wanted])
        index = self._index(columns, tuple(key), now)
        found = [index.ids.get(tuple(map(_folded, value)), set()) for value in wanted]
        return self.reader.fetch(columns, sorted({i for ids in found for i in ids}, key=int))

    # -- by a filter ----------------------------------------------------------------------------

    def _filtered(self, type_: ObjectType, key: Sequence[str]) -> int | None:
        """The key's field that a filter finds best; None if there is none."""
        found = [
            (rank, at)
            for at, name in enumerate(key)
            if (rank := _rank(type_.fields.get(name))) is not None
        ]
        for _, at in sorted(found):
            known = type_.fields[key[at]]
            if _is_reference(known) or self._ignores_case(type_, known):
                return at
        return None

    def _by_filter(self, columns: Columns, name: str, values: Sequence[Value]) -> list[Row]:
        type_, lists = columns.type, self.reader.lists
        if _is_reference(type_.fields[name]):
            ids = [i for i in map(_number, dict.fromkeys(values)) if i is not None]
            found = lists.of_values(type_.name, f"{name}][id", ids, columns.parameters())
            return self.reader.rows(columns, found)
        spelt = (each for value in values for each in _spellings(str(_folded(value))))
        texts = list(dict.fromkeys(spelt))
        odd = [text for text in texts if _is_odd(text)]
        plain = [text for text in texts if not _is_odd(text)]
        parameters = columns.parameters()
        found = lists.of_values(type_.name, name, plain, parameters)
        found += lists.of_texts(type_.name, name, odd, parameters)
        return self.reader.rows(columns, found)

    def _ignores_case(self, type_: ObjectType, known: Field) -> bool:
        """Whether a filter finds a text by its folded form, tried on a record that is there.

        E-mail addresses are taken to be kept folded where no record shows otherwise.
        """
        at = (type_.name, known.name)
        if at not in self._folds:
            sample = self._sample(type_, known)
            if sample is None:
                return known.is_email
            record, text = sample
            lists = self.reader.lists
            asked = [("filter[id]", str(record)), (f"filter[{known.name}]", text.casefold())]
            self._folds[at] = bool(lists.first(type_.name, asked, 1)["data"])
        return self._folds[at]

    def _sample(self, type_: ObjectType, known: Field) -> tuple[int, str] | None:
        """A record whose text has capital letters, as long as one is soon found."""
        asked = [(f"fields[{type_.name}]", known.name)]
        document: Document = self.reader.lists.first(type_.name, asked, _SAMPLE)
        for each in document["data"]:
            value = (each.get("attributes") or {}).get(known.name)
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and text != text.casefold() and not _is_odd(text):
                    return int(each["id"]), text
        return None

    # -- by reading them all --------------------------------------------------------------------

    def _by_looking(self, columns: Columns, key: Sequence[str], wanted: set[_Key]) -> list[Row]:
        """The records of few that bear one of the keys, as they are now."""
        both = Columns.of(columns.type, (*columns.fields, *key), columns.described)
        width = 2 + len(columns.fields)
        return [
            row[:width]
            for page in self.reader.scan(both, None)
            for row in page.rows
            if not wanted.isdisjoint(_keys(row[width:]))
        ]

    def _index(self, columns: Columns, key: tuple[str, ...], now: str) -> _Index:
        """The records by this key, as they are now. Reads what changed since it was last asked."""
        index = self._indexes.setdefault((columns.type.name, key), _Index())
        own = Columns.of(columns.type, key, columns.described)
        for page in self.reader.scan(own, index.upto):
            for row in page.rows:
                for each in _keys(row[2:]):
                    index.ids.setdefault(each, set()).add(row[0])
        index.upto = Cursor(_earlier(now, self.lag), 0)
        return index


def _is_odd(text: str) -> bool:
    """Whether a text in a filter would be taken for a list or a range."""
    return "," in text or ".." in text


def _spellings(text: str) -> list[str]:
    """How a folded text may be spelt in small letters: with a sharp s, or with a final sigma.

    A filter that ignores case does not fold.
    """
    whole = _SIGMA.sub(_FINAL_SIGMA, text).split("ss")
    parts, rest = whole[: _MOST_SHARP + 1], whole[_MOST_SHARP + 1 :]
    joints = product(("ss", "ß"), repeat=len(parts) - 1)
    tails = "".join(f"ss{each}" for each in rest)
    found = ["".join(p + j for p, j in zip(parts, (*js, ""), strict=True)) + tails for js in joints]
    return list(dict.fromkeys([text, *found]))


def _plain(value: tuple[Value, ...]) -> tuple[Value, ...]:
    """A value with the first element of each list, by which a list is looked for."""
    return tuple((v[0] if v else None) if isinstance(v, list) else v for v in value)


def _folded(value: Value) -> Any:
    return canonical_name(value) if isinstance(value, str) else value


def _keys(values: Sequence[Value]) -> Iterator[_Key]:
    """All keys that a record answers to: one for each choice of elements from its lists."""
    choices = [value if isinstance(value, list) else [value] for value in values]
    yield from product(*([_folded(each) for each in some] for some in choices))


def _number(value: Value) -> int | None:
    found = canonical_id(value)
    return found if isinstance(found, int) and found > 0 else None


def _is_reference(known: Field) -> bool:
    return known.vendor_type == "relationship"


def _rank(known: Field | None) -> int | None:
    """How well a filter by this field finds few records; None if there is no such filter."""
    if known is None or known.many or not known.filterable:
        return None
    if known.unique:
        return 0
    if _is_reference(known):
        return 2
    if known.kind not in (Kind.TEXT, Kind.LIST):
        return None  # a number or a moment may be written in several ways
    return 1


def _earlier(now: str, lag: timedelta) -> str:
    return stamp(datetime.fromisoformat(now) - lag)
