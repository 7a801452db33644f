"""Outreach as a store: each call of the port as requests of its API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from dsl.schema import ObjectType, Side, shipped_schema
from dsl.values import stamp
from engine.model import Cursor, Outcome, Page, RecordId, Result, Row, Value, Write
from engine.ports import Checkup, Need, StoreError, Usage, Vault, Wait
from engine.secrets import Secret, Secrets
from engine.stores.outreach.auth import Auth
from engine.stores.outreach.checkups import checkups
from engine.stores.outreach.describing import Types
from engine.stores.outreach.finding import Finder
from engine.stores.outreach.lists import Lists
from engine.stores.outreach.paths import Columns
from engine.stores.outreach.reading import Reader
from engine.stores.outreach.settings import Settings, read_settings
from engine.stores.outreach.subscriptions import Subscriptions
from engine.stores.outreach.transport import Transport
from engine.stores.outreach.writing import Writer
from engine.subscribing import Webhook

__all__ = ["OutreachStore", "open_outreach"]

#: Outreach says nowhere when a record may be read after its stamp. `updatedAt` is taken before a
#: transaction ends, and lists may be answered by a copy that follows behind; both take seconds
#: where all is well. What is read twice costs nothing but its bytes.
_LAG = timedelta(minutes=3)
_PAGE = 1000


class OutreachStore:
    """One connection to Outreach; for one thread at a time.

    Its scans tell of no deletes but its own and those that Outreach keeps for a while."""

    side = Side.OUTREACH
    page_size = _PAGE
    write_size = 1
    lag = _LAG
    sweeps = True

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self.calls = 0
        self.transport = Transport(settings, counted=self._count)
        self.auth = Auth(settings, vault, self.transport.plain)
        if settings.is_sandbox:
            self.auth.apart = 0.0  # where a sandbox server wants a pause, it says so
        self.transport.access = self.auth.access
        lists = Lists(self.transport)
        self._types = Types(lists)
        self._reader = Reader(lists)
        self._finder = Finder(self._reader, self.lag)
        self._writer = Writer(self.transport)
        self._subscriptions = Subscriptions(lists)
        self._deleted: dict[str, dict[RecordId, str]] = {}

    def now(self) -> str:
        """The server's time, by the `Date` of its answers: to the second, and never too late."""
        moment = self.transport.now()
        if moment is None:
            self._types.labels()
            moment = self.transport.now()
        return stamp(moment or datetime.now(UTC))

    def describe(self, type_name: str) -> ObjectType | None:
        """The type with this org's labels; None if Outreach's API has none such here."""
        return self._types.of(type_name)

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        """Records that changed since, page by page.

        Trashed ones come as gone, and those that were deleted through this very store.
        """
        gone = [
            record
            for record, at in self._deleted.get(type_name, {}).items()
            if since is not None and at >= since.stamp
        ]
        for page in self._reader.scan(self._columns(type_name, fields), since):
            yield page._replace(gone=[*gone, *page.gone])
            gone = []

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        """The records of these ids that exist and are not trashed."""
        return self._reader.fetch(self._columns(type_name, fields), ids)

    def fates(self, type_name: str, ids: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
        """Those of these records that were deleted; Outreach does not tell of merges."""
        return self._reader.fates(self._columns(type_name, ()), ids)

    def find(
        self,
        type_name: str,
        fields: Sequence[str],
        key: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> list[Row]:
        """Records whose `key` fields hold one of the values, or some more."""
        columns = self._columns(type_name, fields)
        return self._finder.find(columns, key, values, self.now())

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        """Create, update and delete, one record a request, several requests at a time."""
        results = self._writer.write(self._type(type_name), writes)
        done = (Outcome.DONE, Outcome.GONE)
        deleted = [
            w.id for w, r in zip(writes, results, strict=True) if w.delete and r.outcome in done
        ]
        if deleted:
            ids = [record for record in deleted if record is not None]
            self._deleted.setdefault(type_name, {}).update(dict.fromkeys(ids, self.now()))
        return results

    def price(self, type_name: str, fields: Sequence[str]) -> int:
        """A request, and one more for the places of prospects in their sequences."""
        return 2 if self._columns(type_name, fields).sequence else 1

    def wait_by(self, wait: Wait) -> None:
        self.transport.wait = wait

    def usage(self) -> Usage:
        """The requests of this hour, by whomever, as Outreach told last."""
        return self.transport.pace.usage()

    def checkups(self, needs: Sequence[Need]) -> Iterator[Checkup]:
        """Whether the connection lets the rules do what they need. Raises `Unreachable`."""
        return checkups(self._reader.lists, self._types, self.auth, needs)

    # -- webhooks, as `Subscribing` ----------------------------------------------------------------

    def webhooks(self) -> list[Webhook]:
        return self._subscriptions.all()

    def own(self, webhook: Webhook) -> bool:
        return self._subscriptions.own(webhook)

    def subscribe(self, type_name: str, url: str, secret: Secret) -> int:
        return self._subscriptions.make(type_name, url, secret)

    def resubscribe(self, webhook: int, url: str, secret: Secret) -> None:
        self._subscriptions.renew(webhook, url, secret)

    def unsubscribe(self, webhook: int) -> None:
        self._subscriptions.drop(webhook)

    def _count(self) -> None:
        self.calls += 1

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def _type(self, name: str) -> ObjectType:
        found = self._types.plain(name)
        if found is None:
            near = get_close_matches(name, shipped_schema().names(Side.OUTREACH), 1)
            hint = f"; did you mean {near[0]}?" if near and near[0] != name else ""
            raise StoreError(f"Outreach has no `{name}` here{hint}")
        return found

    def _columns(self, type_name: str, fields: Sequence[str]) -> Columns:
        return Columns.of(self._type(type_name), fields, self._types.plain)


def open_outreach(settings: Mapping[str, str], secrets: Secrets, vault: Vault) -> OutreachStore:
    """The store that `[outreach]` in crosswalk.toml describes; nothing is sent yet.

    Raises `StoreError` for settings that cannot be right.
    """
    return OutreachStore(read_settings(settings, secrets), vault)
