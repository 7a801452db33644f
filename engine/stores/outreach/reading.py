"""Records out of Outreach: by change, by id, and what became of those that are not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.model import Cursor, Page, RecordId, Row
from engine.ports import StoreError
from engine.stores.outreach.failures import refused
from engine.stores.outreach.lists import Document, Lists, next_of, page_size_of
from engine.stores.outreach.paths import Columns, Resource, included_of, plural
from engine.stores.outreach.sequences import Sequences
from engine.stores.outreach.transport import Request

__all__ = ["Reader"]


@dataclass
class Reader:
    """Reads what `Columns` ask for."""

    lists: Lists

    def scan(self, columns: Columns, since: Cursor | None) -> Iterator[Page]:
        """Pages of what changed, in order of stamp and id; trashed records come as gone.

        Each page is asked for by the last one's stamp, not by the server's cursor: a record that is
        written meanwhile comes again behind, and none is skipped over. Where more records than a
        page bear one stamp, or where a page is out of order, only the server's cursor leads on. A
        page's own cursor stands before its last stamp, since nobody knows in which order records of
        one stamp come.
        """
        if since is not None and columns.sequence:
            yield from self._moved(columns, since)
        name = columns.type.name
        at, seen = since.stamp if since else "", frozenset[int]()
        url = self._from(columns, at)
        while True:
            document = self.lists.page(url, name)
            data: list[Resource] = document["data"]
            following = next_of(document) if data else None
            stamps = [columns.stamp_of(each) for each in data]
            last = stamps[-1] if stamps and stamps == sorted(stamps) else at
            fresh = [each for each in data if int(each["id"]) not in seen]
            yield self._page(columns, document, fresh, Cursor(last, 0), following is None)
            if following is None:
                return
            ids = frozenset(int(e["id"]) for e, s in zip(data, stamps, strict=True) if s == last)
            url = following if last == at else self._from(columns, last)
            at, seen = last, seen | ids if last == at else ids

    def _moved(self, columns: Columns, since: Cursor) -> Iterator[Page]:
        """Prospects that did not change themselves, but whose place in a sequence did.

        Nothing says that Outreach stamps a prospect for that.
        """
        size = page_size_of(columns.type.name)
        ids = Sequences(self.lists).moved(since.stamp)
        for start in range(0, len(ids), size):
            found = self.fetch(columns, ids[start : start + size])
            older = sorted((row for row in found if row[1] < since.stamp), key=_place)
            if older:
                yield Page(older, [], since, done=False)

    def _from(self, columns: Columns, at: str) -> str:
        bounds = [(f"filter[{columns.stamp}]", f"{at}..inf")] if at else []
        order = [("sort", columns.stamp)]
        return self.lists.url(columns.type.name, [*bounds, *order, *columns.parameters()])

    def _page(
        self, columns: Columns, document: Document, data: list[Resource], last: Cursor, done: bool
    ) -> Page:
        gone: list[RecordId] = [int(each["id"]) for each in data if columns.is_trashed(each)]
        rows = self.rows(columns, [document | {"data": data}])
        return Page(sorted(rows, key=_place), gone, last, done)

    def fetch(self, columns: Columns, ids: Sequence[RecordId]) -> list[Row]:
        """The records of these ids that are there and not trashed."""
        if not ids:
            return []
        wanted = list(dict.fromkeys(ids))
        found = self.lists.of_values(columns.type.name, "id", wanted, columns.parameters())
        return self.rows(columns, found)

    def rows(self, columns: Columns, documents: Sequence[Document]) -> list[Row]:
        """The rows of what lists answered, each record once, without trashed ones."""
        there: dict[int, tuple[Resource, Document]] = {}
        for document in documents:
            for each in document["data"]:
                if not columns.is_trashed(each):
                    there[int(each["id"])] = each, document
        along = {id(document): included_of(document) for document in documents}
        sequences = Sequences(self.lists).of(list(there), columns.sequence)
        return [
            columns.row(each, along[id(document)], sequences.get(record, {}))
            for record, (each, document) in there.items()
        ]

    def fates(self, columns: Columns, ids: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
        """Those of these records that were deleted: trashed, or not there when asked for alone."""
        if not ids:
            return {}
        name, wanted = columns.type.name, list(dict.fromkeys(ids))
        there: set[RecordId] = set()
        gone: dict[RecordId, RecordId | None] = {}
        for document in self.lists.of_values(name, "id", wanted, columns.parameters()):
            for each in document["data"]:
                there.add(int(each["id"]))
                if columns.is_trashed(each):
                    gone[int(each["id"])] = None
        lost = [record for record in wanted if record not in there]
        base = self.lists.transport.settings.base
        requests = [Request("GET", f"{base}/{plural(name)}/{int(record)}") for record in lost]
        for record, answer in zip(
            lost, self.lists.transport.all(requests, plural(name)) if lost else [], strict=True
        ):
            if isinstance(answer, StoreError):
                raise answer
            if answer.status == 404:
                gone[record] = None
            elif answer.status not in (200, 403):
                raise refused(answer.status, answer.body, plural(name))
        return gone


def _place(row: Row) -> tuple[str, int]:
    return row[1], row[0]
