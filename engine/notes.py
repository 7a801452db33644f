"""Rows for the technical log: what was done to which records, in words."""

from __future__ import annotations

from dsl.schema import Side
from engine.case import Change
from engine.ledger import LogRow
from engine.mapping import Mapping
from engine.model import SIDES, Action, RecordId

__all__ = ["conflict_rows", "log_row"]


def log_row(
    mapping: Mapping, status: str, message: str, ids: dict[Side, RecordId | None]
) -> LogRow:
    """A row about two records of a pair, or one of them."""
    return LogRow(
        status,
        message,
        mapping.type_name(Side.OUTREACH),
        ids[Side.OUTREACH],
        mapping.type_name(Side.SALESFORCE),
        ids[Side.SALESFORCE],
    )


def conflict_rows(mapping: Mapping, change: Change) -> list[LogRow]:
    """A row for each field of a change that both sides had changed, with both values."""
    end = "won"
    if change.action is Action.SKIP:
        end = f"wins, but nothing was written ({change.reason})"
    ids = {side: change.id(side) for side in SIDES}
    return [
        log_row(
            mapping,
            "conflict",
            f"{f.source} and {f.target} were both changed: Salesforce has"
            f" {f.conflict.salesforce!r}, Outreach has {f.conflict.outreach!r};"
            f" {f.conflict.winner.title()} {end}",
            ids,
        )
        for f in change.fields
        if f.conflict is not None
    ]
