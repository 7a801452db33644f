"""A Salesforce org as the engine sees a store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from dsl.schema import ObjectType
from engine.model import Cursor, Listing, Page, RecordId, Result, Row, Side, Value, Write
from engine.ports import Checkup, Need, Usage, Vault, Wait
from engine.secrets import Secrets
from engine.stores.salesforce.bulk import WORTH
from engine.stores.salesforce.checkups import checkups
from engine.stores.salesforce.connection import Connection
from engine.stores.salesforce.lists import list_views, listed, reports
from engine.stores.salesforce.reading import PAGE_SIZE, Reading
from engine.stores.salesforce.settings import settings_of
from engine.stores.salesforce.types import Types
from engine.stores.salesforce.writing import WRITE_SIZE, packed, write_all

__all__ = ["SalesforceStore", "open_salesforce"]

#: How long after its stamp a record may become visible, with a margin: seconds as a rule, and
#: longer where a transaction stays open.
_LAG = timedelta(minutes=10)


class SalesforceStore:
    """One connected org, as a `Store`; it can also tell its usage, its lists and what it lacks.

    `bulk_from` is how many records must be still to come for a first load by Bulk API 2.0.
    """

    side = Side.SALESFORCE
    page_size = PAGE_SIZE
    write_size = WRITE_SIZE
    lag = _LAG

    def __init__(self, connection: Connection, *, bulk_from: int = WORTH) -> None:
        self._connection = connection
        self._types = Types(connection)
        self._reading = Reading(connection, self._types, bulk_from)

    @property
    def calls(self) -> int:
        """The requests that Salesforce counts."""
        return self._connection.calls

    def now(self) -> str:
        return self._connection.now()

    def describe(self, type_name: str) -> ObjectType | None:
        return self._types.describe(type_name)

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        return self._reading.scan(type_name, fields, since)

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        return self._reading.fetch(type_name, fields, ids) if ids else []

    def fates(self, type_name: str, ids: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
        return self._reading.fates(type_name, ids) if ids else {}

    def find(
        self,
        type_name: str,
        fields: Sequence[str],
        key: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> list[Row]:
        return self._reading.find(type_name, fields, key, values) if values else []

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        return write_all(self._connection, type_name, writes) if writes else []

    def packed(self, writes: Sequence[Write]) -> int:
        return packed(writes)

    def wait_by(self, wait: Wait) -> None:
        self._connection.wait = wait

    def usage(self) -> Usage:
        return self._connection.usage()

    def reports(self) -> list[Listing]:
        return reports(self._connection)

    def list_views(self) -> list[Listing]:
        return list_views(self._connection)

    def listed(self, listing: Listing) -> Iterator[list[RecordId]]:
        return listed(self._connection, self._reading, listing)

    def checkups(self, needs: Sequence[Need]) -> Iterator[Checkup]:
        return checkups(self._connection, self._types, needs)

    def close(self) -> None:
        self._connection.close()


def open_salesforce(settings: Mapping[str, str], secrets: Secrets, vault: Vault) -> SalesforceStore:
    """The org that [salesforce] names; nothing is sent before something is asked of it.

    Raises `StoreError` where the settings are wrong.
    """
    return SalesforceStore(Connection(settings_of(settings, secrets), vault))
