"""Records out of Salesforce: by change, by id, by the value of a field, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from dsl.ids import full_id
from engine.model import Cursor, Page, RecordId, Row, Value
from engine.ports import StoreError
from engine.stores.salesforce.answers import Answer, Reader, reader_of
from engine.stores.salesforce.bulk import bulk_pages
from engine.stores.salesforce.connection import ROOT, Connection
from engine.stores.salesforce.problems import UNSEEN, VendorProblem, problem_in
from engine.stores.salesforce.soql import checked_path, having, id_queries, ids_of, select, since
from engine.stores.salesforce.types import Types

__all__ = ["PAGE_SIZE", "Reading"]

PAGE_SIZE = 2_000
#: One more than a page, so that an answer still says whether more is to come.
_ONE_PAGE = f" LIMIT {PAGE_SIZE + 1}"
_LONGEST_URI = 15_000  # bytes; at about 16,000 Salesforce answers 414 or 431
_QUERIES = 5  # that one composite request takes
_DELETED = "IsDeleted"
_WRONG_ID = "INVALID_QUERY_FILTER_OPERATOR"

_T = TypeVar("_T")


class _Part(msgspec.Struct, rename="camel"):
    """One answer within a composite one."""

    http_status_code: int
    body: msgspec.Raw


class _Composite(msgspec.Struct, rename="camel"):
    composite_response: list[_Part]


_composite = msgspec.json.Decoder(_Composite).decode


@dataclass
class Reading:
    """Reads one org; by Bulk API where a first load has `bulk_from` records still to come."""

    connection: Connection
    types: Types
    bulk_from: int

    # -- by change ------------------------------------------------------------------------------

    def scan(self, type_name: str, fields: Sequence[str], last: Cursor | None) -> Iterator[Page]:
        """The pages of a scan, each one call: what was deleted comes in its place among the rest.

        Each query goes on behind the last row, so that records that change between two pages are
        read later on, as they are then. It asks for one page, so that Salesforce does not look up
        all that is still to come; only where that decides on a job, it has to count.
        """
        first = last is None
        all_ = not first and self.types.has(type_name, _DELETED)
        stamp = self.types.stamp(type_name)
        if stamp is None:
            raise StoreError(f"Salesforce does not tell when a {type_name} was changed")
        names = (*fields, _DELETED) if all_ else tuple(fields)
        start = select(type_name, ("Id", stamp, *names))
        reader = reader_of(stamp, names)
        while True:
            query = start + since(stamp, last) + ("" if first else _ONE_PAGE)
            answer = self._seen(type_name, fields, partial(self._ask, query, reader, all_))
            rows = reader.rows(answer.records)
            done = answer.next is None and (first or len(rows) <= PAGE_SIZE)
            if rows:
                last = Cursor(rows[-1][1], rows[-1][0])
            elif not done:
                raise StoreError(f"Salesforce answers with none of its {answer.total} {type_name}")
            live, gone = _parted(rows) if all_ else (rows, [])
            yield Page(live, gone, last or Cursor("", ""), done)
            if done:
                return
            if first and answer.total - len(rows) >= self.bulk_from:
                rest = bulk_pages(
                    self.connection, self.types, type_name, fields, start + since(stamp, last)
                )
                for page in rest:
                    yield page
                    last = page.last
                    done = page.done
                if done:
                    return
            first = False

    def _ask(self, query: str, reader: Reader, all_: bool = False) -> Answer:
        path = f"{'queryAll' if all_ else 'query'}?q={quote(query, safe='')}"
        if len(ROOT) + len(path) <= _LONGEST_URI:
            return self.connection.read(path, reader.answer)
        (answer,) = self._together([path], reader)
        return answer

    # -- by id and by value ---------------------------------------------------------------------

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        """The records of these ids that the user sees."""
        start, reader = self._selecting(type_name, fields)

        def ask(known: Sequence[str]) -> list[Row]:
            return self._rows(list(id_queries(start, known)), reader)

        return self._seen(type_name, fields, lambda: _by_ids(ids, ask))

    def find(
        self,
        type_name: str,
        fields: Sequence[str],
        key: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> list[Row]:
        """The records whose `key` fields hold one of the values, and maybe more."""
        start, reader = self._selecting(type_name, fields)
        keys = [(path, self.types.field(type_name, checked_path(path))) for path in key]
        queries = list(having(start, keys, values))
        found = self._seen(type_name, (*fields, *key), lambda: self._rows(queries, reader))
        return found if len(queries) < 2 else list({row[0]: row for row in found}.values())

    def fates(self, type_name: str, ids: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
        """Those of these records that are in the recycle bin, or were merged."""
        if not self.types.has(type_name, _DELETED):
            return {}
        merged = self.types.has(type_name, "MasterRecordId")
        paths = ("Id", "MasterRecordId") if merged else ("Id",)
        start = select(type_name, paths)
        reader = reader_of("MasterRecordId" if merged else "Id", ())

        def ask(known: Sequence[str]) -> list[Any]:
            queries = list(id_queries(start, known, f" AND {_DELETED} = true"))
            return self._records(queries, reader, all_=True)

        found = self._seen(type_name, paths, lambda: _by_ids(ids, ask))
        return {r.Id: r.MasterRecordId if merged else None for r in found}

    def _selecting(self, type_name: str, fields: Sequence[str]) -> tuple[str, Reader]:
        """The start of a query whose answers are rows, and what reads them."""
        stamp = self.types.stamp(type_name) or "Id"
        return select(type_name, ("Id", stamp, *fields)), reader_of(stamp, tuple(fields))

    # -- several queries in one call ------------------------------------------------------------

    def _rows(self, queries: Sequence[str], reader: Reader) -> list[Row]:
        return reader.rows(self._records(queries, reader))

    def _records(self, queries: Sequence[str], reader: Reader, *, all_: bool = False) -> list[Any]:
        """All records of these queries, in as few calls as there can be."""
        if not queries:
            return []
        if len(queries) == 1:
            return list(self._whole([self._ask(queries[0], reader, all_)], reader))
        resource = "queryAll" if all_ else "query"
        paths = [f"{resource}?q={quote(query, safe='')}" for query in queries]
        found: list[Any] = []
        for start in range(0, len(paths), _QUERIES):
            answers = self._together(paths[start : start + _QUERIES], reader)
            found += self._whole(answers, reader)
        return found

    def _together(self, paths: Sequence[str], reader: Reader) -> list[Answer]:
        """The answers to several queries by one composite request, whose body may be long."""
        requests = [
            {"method": "GET", "url": ROOT + path, "referenceId": f"q{at}"}
            for at, path in enumerate(paths)
        ]

        def answers(body: bytes) -> list[Answer]:
            return [_taken(part, reader) for part in _composite(body).composite_response]

        body = {"allOrNone": False, "compositeRequest": requests}
        return self.connection.ask("POST", "composite", answers, again=True, json=body)

    def _whole(self, answers: Iterable[Answer], reader: Reader) -> Iterator[Any]:
        """All records of queries whose answers came in pages, as short as Salesforce likes."""
        for first in answers:
            answer = first
            yield from answer.records
            while answer.next is not None:
                path = answer.next.rpartition(ROOT)[2]
                answer = self.connection.read(path, reader.answer)
                yield from answer.records

    # -- queries for those who know the form of the answer ---------------------------------------

    def pages(self, query: str) -> Iterator[list[RecordId]]:
        """The ids that a query finds, page by page, each one call."""
        reader = reader_of("Id", ())
        answer = self._ask(query, reader)
        while True:
            yield [record.Id for record in answer.records]
            if answer.next is None:
                return
            answer = self.connection.read(answer.next.rpartition(ROOT)[2], reader.answer)

    def _seen(self, type_name: str, paths: Sequence[str], ask: Callable[[], _T]) -> _T:
        try:
            return ask()
        except VendorProblem as problem:
            if problem.code in UNSEEN:
                raise self.types.unseen(type_name, paths, problem) from None
            raise


def _by_ids(ids: Sequence[RecordId], ask: Callable[[Sequence[str]], list[_T]]) -> list[_T]:
    """What is asked about records by id; nothing about what only looks like an id.

    Salesforce refuses a whole query for one wrong checksum, and working out those of all ids costs
    more than the rest of reading.
    """
    known = ids_of(ids)
    try:
        return ask(known)
    except VendorProblem as problem:
        right = [each for each in known if each == full_id(each[:15])]
        if problem.code != _WRONG_ID or len(right) == len(known):
            raise
        return ask(right)


def _taken(part: _Part, reader: Reader) -> Answer:
    if part.http_status_code == 200:
        return reader.answer(bytes(part.body))
    raise problem_in(part.http_status_code, msgspec.json.decode(part.body))


def _parted(rows: list[Row]) -> tuple[list[Row], list[RecordId]]:
    """Those that are there, and the ids of the deleted, as their last column tells."""
    gone = [row[0] for row in rows if row[-1]]
    if gone:
        return [row[:-1] for row in rows if not row[-1]], gone
    return [row[:-1] for row in rows], gone
