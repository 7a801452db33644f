"""What a connection to Salesforce lacks for the rules, each with the setting to change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.ports import Checkup, Need, StoreError, Unreachable
from engine.stores.salesforce.connection import Connection
from engine.stores.salesforce.types import Types, missing_type

__all__ = ["checkups"]

_CLOCKS = timedelta(minutes=2)  # apart; a JWT lives three
_FEW = 0.1  # of the org's calls of 24 hours
_SECURITY = "Set Field-Level Security"


def checkups(connection: Connection, types: Types, needs: Sequence[Need]) -> Iterator[Checkup]:
    """Each thing looked at; what the others need comes first, and ends it if it is wrong."""
    try:
        connection.log_in()
        usage = connection.usage()
        server = datetime.fromisoformat(connection.now())
    except Unreachable:
        raise
    except StoreError as error:
        yield Checkup("login and API access", False, str(error))
        return
    yield Checkup("login and API access", True)
    yield _clock(server)
    left = usage.max - usage.used
    yield Checkup(
        f"API calls: {left:,} of {usage.max:,} left in 24 hours",
        left > usage.max * _FEW,
        "lower `limits` in the rules, or buy calls: Setup, Company Information, API Requests",
    )
    for need in needs:
        yield from _type(types, need)


def _clock(server: datetime) -> Checkup:
    """The server's date is the only time the store goes by; a login by JWT also needs ours."""
    apart = abs(datetime.now(UTC) - server)
    seconds = round(apart.total_seconds())
    return Checkup(
        f"clocks: {seconds} s apart",
        apart <= _CLOCKS,
        "set this machine's clock, or let it be set by NTP: a login by JWT fails where they differ",
    )


def _type(types: Types, need: Need) -> Iterator[Checkup]:
    raw = types.raw(need.type)
    if raw is None or not raw.get("queryable", True):
        yield Checkup(f"object {need.type}", False, missing_type(need.type))
        return
    wanted = [
        ("Create", "createable", need.creates),
        ("Edit", "updateable", need.updates),
        ("Delete", "deletable", need.deletes),
    ]
    missing = [right for right, key, needed in wanted if needed and raw.get(key) is False]
    rights = ", ".join(f"`{right}`" for right in missing)
    yield Checkup(
        f"object {need.type}",
        not missing,
        f"give the connected user's profile or permission set {rights} on {need.type}"
        if missing
        else "",
    )
    yield _visible(raw, need)
    if need.writes:
        yield _writable(raw, need)


def _fields(raw: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in raw["fields"]}


def _visible(raw: dict[str, Any], need: Need) -> Checkup:
    fields = _fields(raw)
    relationships = {f.get("relationshipName") for f in raw["fields"]} - {None}
    unseen = sorted((need.reads | need.writes) - fields.keys() - relationships)
    return Checkup(f"fields of {need.type} that the rules read", not unseen, _see(need, unseen))


def _see(need: Need, names: Sequence[str]) -> str:
    if not names:
        return ""
    advice = (
        f"let the connected user see {_listed(names)}: Setup, Object Manager, {need.type},"
        f" Fields & Relationships, {_SECURITY}"
    )
    if need.type in ("Task", "Event") and "Type" in names:
        advice += "; `Type` is hidden in new orgs until somebody makes it visible there"
    return advice


def _writable(raw: dict[str, Any], need: Need) -> Checkup:
    fields = _fields(raw)
    # What is set once, as a contact role's opportunity is, has to be createable and no more.
    right = "createable" if need.creates else "updateable"
    closed = sorted(n for n in need.writes & fields.keys() if fields[n].get(right) is False)
    advice = (
        f"let the connected user edit {_listed(closed)}: Setup, Object Manager, {need.type},"
        f" Fields & Relationships, {_SECURITY}, without `Read-Only`; a formula or a field that"
        " Salesforce fills by itself cannot be written: take it out of the rules"
    )
    return Checkup(
        f"fields of {need.type} that the rules write", not closed, advice if closed else ""
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
