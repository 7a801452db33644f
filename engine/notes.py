"""Rows for the technical log: what was done to which records, in words."""

from __future__ import annotations

import ast
import re
from typing import Any, NamedTuple

from dsl.schema import Side
from engine.case import Change
from engine.ledger import LogRow
from engine.mapping import Mapping
from engine.model import SIDES, Action, RecordId

__all__ = ["Clash", "conflict_rows", "log_row", "read_conflict"]

_CONFLICT = re.compile(
    r"(?P<source>.+?) and (?P<target>.+?) were both changed:"
    r" Salesforce has (?P<salesforce>.+), Outreach has (?P<outreach>.+);"
    r" (?P<winner>Salesforce|Outreach) (?:won|wins, but nothing was written \((?P<unwritten>.*)\))",
    re.DOTALL,
)


class Clash(NamedTuple):
    """A conflict that was noted: the field by both names, both values, the system that won.

    `unwritten` says why the winner's value was not written, None if it was.
    """

    source: str
    target: str
    salesforce: Any
    outreach: Any
    winner: str
    unwritten: str | None


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


def read_conflict(message: str) -> Clash | None:
    """What a row of `conflict_rows` tells; None if it was written in other words."""
    found = _CONFLICT.fullmatch(message)
    if found is None:
        return None
    told = found.groupdict()
    try:
        values = {side: ast.literal_eval(told[side]) for side in ("salesforce", "outreach")}
    except (ValueError, SyntaxError):
        return None
    return Clash(**(told | values))
