"""What the ledger says in the documented JSON, for commands and the console alike."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any

from dsl.pairs import types_of_pair
from dsl.schema import Side
from dsl.values import stamp
from engine.ledger import Ledger
from engine.ledger.looking import cursors, last_run, link_counts, pending_counts, waiting
from engine.whys import HELD, WHYS

if TYPE_CHECKING:  # what tells the status must not wait for what tells the history
    from engine.activity import Entry
    from engine.budget import State

__all__ = [
    "ACTIVITY_COLUMNS",
    "HELD",
    "HELD_COLUMNS",
    "LIMIT_COLUMNS",
    "LOG_COLUMNS",
    "WHYS",
    "activity_told",
    "budget_told",
    "held_rows",
    "held_told",
    "link_told",
    "log_place",
    "log_told",
    "pairs_told",
    "record_id",
    "runs_told",
    "waiting_told",
]

HELD_COLUMNS = ("sync", "side", "type", "id", "why", "message", "since")
LIMIT_COLUMNS = ("side", "scope", "period", "used", "threshold", "max", "resets_at")
LOG_COLUMNS = (
    "timestamp",
    "status",
    "message",
    "internal_type",
    "internal_id",
    "external_type",
    "external_id",
)
ACTIVITY_COLUMNS = ("timestamp", "kind", "run", "type", "message", "before", "after", "rule")

_SALESFORCE_ID = 15  # and longer; no id of Outreach is


def record_id(text: str | None) -> str | int | None:
    """A record's id out of a text column, where Outreach's, which are numbers, are text as well."""
    if text is None or len(text) >= _SALESFORCE_ID or not (text.isascii() and text.isdigit()):
        return text
    return int(text)


# -- status -------------------------------------------------------------------------------------


def runs_told(ledger: Ledger) -> list[dict[str, Any]]:
    """The last run, or nothing."""
    return [
        {
            "run": row["id"],
            "status": row["status"],
            "started_at": row["started_at"],
            "finished_at": row["finished_at"],
            "counts": json.loads(row["counts"] or "{}"),
            "calls": json.loads(row["calls"] or "{}"),
        }
        for row in ledger.rows(last_run())
    ]


def pairs_told(ledger: Ledger) -> list[dict[str, Any]]:
    """Each pair that the ledger knows, by name: `type`, `links`, `cursors`, `pending`."""
    pairs: dict[str, dict[str, Any]] = defaultdict(
        lambda: {
            "links": 0,
            "cursors": {side.value: None for side in Side},
            "pending": dict.fromkeys(WHYS, 0),
        }
    )
    for row in ledger.rows(link_counts()):
        pairs[row["pair"]]["links"] = row["links"]
    for row in ledger.rows(cursors()):
        pairs[row["pair"]]["cursors"][row["side"]] = row["stamp"]
    for row in ledger.rows(pending_counts()):
        pairs[row["pair"]]["pending"][row["why"]] = row["records"]
    return [{"type": name, **pairs[name]} for name in sorted(pairs)]


def waiting_told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A record that waits: why, for what, and in whose words."""
    return {
        "type": row["pair"],
        "record": {
            "side": row["side"],
            "type": _type(row["pair"], row["side"]),
            "id": record_id(row["record_id"]),
        },
        "why": row["why"],
        "message": row["message"],
        "needs": {"type": row["needs_pair"], "id": record_id(row["needs_id"])}
        if row["needs_pair"] and row["why"] != "review"
        else None,
        "since": row["since"],
    }


def _type(pair: str, side: str) -> str:
    return types_of_pair(pair).get(Side(side), "")


# -- what is held -------------------------------------------------------------------------------


def held_rows(
    ledger: Ledger, whys: Set[str], type_name: str | None = None, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """What is held for these reasons, the newest first, by `HELD_COLUMNS`."""
    found = 0
    for row in list(ledger.rows(waiting(None, whys))):
        types = types_of_pair(row["pair"])
        if type_name and type_name not in types.values():
            continue
        if limit is not None and found >= limit:
            return
        found += 1
        kind = types.get(Side(row["side"]), "")
        values = (row["pair"], row["side"], kind, record_id(row["record_id"]))
        told = (*values, row["why"], row["message"], row["since"])
        yield dict(zip(HELD_COLUMNS, told, strict=True))


def held_told(row: Mapping[str, Any]) -> dict[str, Any]:
    """One of `held_rows` in the documented JSON."""
    record = {key: row[key] for key in ("side", "type", "id")}
    return {"record": record} | {key: row[key] for key in ("sync", "why", "message", "since")}


# -- rows ---------------------------------------------------------------------------------------


def budget_told(state: State) -> dict[str, Any]:
    """One budget."""
    return {
        "side": state.side.value,
        "scope": state.scope,
        "period": state.period,
        "used": state.used,
        "threshold": state.threshold,
        "max": state.max,
        "resets_at": stamp(state.resets_at),
    }


def log_told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the technical log; `row` is its place, from which a next page begins."""
    place = f"{row['timestamp']}/{row['source']}/{row['number']}"
    shown = {key: row[key] for key in LOG_COLUMNS}
    return shown | {"internal_id": record_id(row["internal_id"]), "row": place}


def log_place(text: str) -> tuple[str, int, int]:
    """The place of a row of the log, as `log_told` writes it. Raises `ValueError`."""
    found = re.fullmatch(r"([0-9TZ:.-]{24})/([01])/([0-9]{1,18})", text)
    if found is None:
        raise ValueError(f"`{text}` is no row of the log: take the `row` of one, as JSON has it")
    return found[1], int(found[2]), int(found[3])


def link_told(row: Mapping[str, Any]) -> dict[str, Any]:
    """One link."""
    sides = {
        side: {"type": row[f"{side}_type"], "id": row[f"{side}_id"]}
        for side in ("salesforce", "outreach")
    }
    return sides | {"linked_at": row["linked_at"]}


def activity_told(entry: Entry) -> dict[str, Any]:
    """One row of the history."""
    row = {name: getattr(entry, name) for name in ACTIVITY_COLUMNS}
    return row | {"counts": entry.counts} if entry.kind == "synced" else row
