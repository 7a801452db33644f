"""One act's hands on an Outreach org: finds, makes and changes records within a transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine.model import Outcome, Write
from engine.stores.local.lives import touch
from engine.stores.local.opening import folded
from engine.stores.local.org import OrgFile
from engine.stores.local.refusals import Refused
from engine.stores.local.stamps import later
from engine.stores.local.tables import quoted
from engine.stores.local.writing import write_within

__all__ = ["Prospect", "Scene", "nothing"]


def nothing(what: str) -> Refused:
    """The refusal of an act whose object is not there."""
    return Refused("resourceNotFound", f"there is no {what}")


@dataclass(frozen=True, slots=True)
class Prospect:
    """Whom an act is about; `phone` is the first that it has."""

    id: int
    email: str | None
    phone: str | None
    owner: int | None
    account: int | None
    opportunity: int | None


@dataclass
class Scene:
    """The org in one act: its moment, who acts by name, and the records that the act has left."""

    org: OrgFile
    moment: str
    acting: str | None = None
    records: list[tuple[str, int]] = field(default_factory=list)

    @property
    def now(self) -> str:
        """The moment as Outreach writes it."""
        return self.org.as_vendor(self.moment)

    def after(self, time: timedelta) -> str:
        """A moment so much later, or earlier, than the act's."""
        return self.org.as_vendor(later(self.moment, time))

    # -- finding --------------------------------------------------------------------------------

    def ask(self, type_name: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query on a type; none if it has no table yet."""
        return self.org.rows(sql, values) if self.org.made(type_name) else []

    def values(self, type_name: str, record: int, *names: str) -> tuple[Any, ...]:
        """Some fields of a record, as they are kept."""
        columns = ", ".join(map(quoted, names))
        [row] = self.org.rows(f"SELECT {columns} FROM {quoted(type_name)} WHERE id = ?", (record,))
        return row

    def prospect(self, who: str) -> Prospect:
        """The prospect of an e-mail address or an id. Raises `Refused`."""
        sql = (
            "SELECT id, json_extract(emails, '$[0]'), coalesce(json_extract(workPhones, '$[0]'),"
            " json_extract(mobilePhones, '$[0]')), owner, account FROM prospect WHERE "
        )
        if "@" in who:
            sql += (
                "id IN (SELECT id FROM element WHERE type = 'prospect' AND attribute = 'emails'"
                " AND folded = ?)"
            )
        else:
            sql += "id = ?"
        found = self.ask(
            "prospect", sql, folded(who) if "@" in who else int(who) if who.isdigit() else 0
        )
        if not found:
            raise nothing(f"prospect {who}")
        [(record, email, phone, owner, account)] = found
        return Prospect(record, email, phone, owner, account, self._opportunity(record))

    def _opportunity(self, prospect: int) -> int | None:
        """The prospect's latest opportunity, as `opportunityAssociation` recent_created has it."""
        sql = (
            "SELECT opportunity FROM opportunityProspectRole WHERE prospect = ?"
            " ORDER BY id DESC LIMIT 1"
        )
        found = self.ask("opportunityProspectRole", sql, prospect)
        return found[0][0] if found else None

    def user(self, named: str | None, owner: int | None = None) -> int | None:
        """Who acts: who is named, or is at play, or the owner, or the first user; if any is there.

        Raises `Refused` for a name that no user goes by.
        """
        who = named or self.acting
        if who is not None:
            sql = "SELECT id FROM user WHERE folded(email) = ?1 OR folded(name) = ?1 OR id = ?2"
            found = self.ask("user", sql, folded(who), int(who) if who.isdigit() else 0)
            if len(found) != 1:
                raise nothing(f"user {who}" if not found else f"single user {who}: name an id")
            return int(found[0][0])
        if owner is not None:
            return owner
        first = self.ask("user", "SELECT id FROM user ORDER BY id LIMIT 1")
        return first[0][0] if first else None

    def named(self, type_name: str, name: str, **more: Any) -> int:
        """The record of a name, made if there is none."""
        sql = f"SELECT id FROM {quoted(type_name)} WHERE folded(name) = ?"
        found = self.ask(type_name, sql, folded(name))
        if found:
            return int(found[0][0])
        return self.make(type_name, {"name": name, **more}, {}, told=False)

    # -- making and changing --------------------------------------------------------------------

    def make(
        self,
        type_name: str,
        written: Mapping[str, Any],
        stamped: Mapping[str, Any],
        *,
        told: bool = True,
    ) -> int:
        """Make a record of what a user writes, checked, and what Outreach itself adds; its id.

        Raises `Refused`.
        """
        values = {k: v for k, v in written.items() if v is not None}
        record = self._write(type_name, Write(None, values))
        table = self.org.table(type_name)
        if stamped:
            touch(self.org, table, record, self.moment, _encoded(stamped))
        if told:
            self.records.append((type_name, record))
        return record

    def change(self, type_name: str, record: int, **stamped: Any) -> None:
        """Set what only Outreach itself sets, and the stamps with it."""
        touch(self.org, self.org.table(type_name), record, self.moment, _encoded(stamped))
        if (type_name, record) not in self.records and type_name not in ("prospect", "sequence"):
            self.records.append((type_name, record))

    def edit(self, type_name: str, record: int, **written: Any) -> None:
        """Write as a user does, checked. Raises `Refused`."""
        self._write(type_name, Write(record, written))
        if (type_name, record) not in self.records:
            self.records.append((type_name, record))

    def drop(self, type_name: str, records: Sequence[int]) -> None:
        """Delete records."""
        for record in records:
            self._write(type_name, Write(record, delete=True))

    def _write(self, type_name: str, write: Write) -> int:
        [result] = write_within(self.org, self.org.table(type_name), [write], self.moment)
        if result.outcome is not Outcome.DONE or result.id is None:
            raise Refused(result.code, result.message, result.fields)
        return int(result.id)

    def count(self, type_name: str, record: int | None, name: str) -> None:
        """Count one more, where there is a record to count on."""
        if record is None or not self.org.made(type_name):
            return
        (before,) = self.values(type_name, record, name)
        touch(self.org, self.org.table(type_name), record, self.moment, {name: (before or 0) + 1})

    def touched(self, prospect: int, **stamped: Any) -> None:
        """Stamp a prospect that was written to, called or otherwise touched."""
        self.change("prospect", prospect, touchedAt=self.now, **stamped)


def _encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: json.dumps(v) if isinstance(v, list) else v for k, v in values.items()}
