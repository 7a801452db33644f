"""Why a run stopped before its first write, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dsl.schema import Side
from engine.cycle import Summary
from engine.model import Direction

__all__ = ["objection_lines"]

_SHOWN = 5
_ADVICE = {
    "guard": "look at it with `crosswalk plan`; `crosswalk run --yes` lets it through",
    "plan": "nothing was written, and nothing is lost: make a new plan with `crosswalk plan --out`",
}


def objection_lines(summary: Summary, foretold: bool = False) -> Iterator[str]:
    """Each objection with the first records that it is about, and what to do next."""
    stopped = "a run would stop" if foretold else "stopped"
    for each in summary.objections:
        yield f"{stopped} before its first write: {each.message}"
        records = each.details.get("records", [])
        yield from (f"  {_shown(record)}" for record in records[:_SHOWN])
        more = each.details.get("total", 0) - min(len(records), _SHOWN)
        if more > 0:
            yield f"  … and {more:,} more"
    for kind in dict.fromkeys(each.kind for each in summary.objections):
        yield _ADVICE[kind]


def _shown(record: Mapping[str, Any]) -> str:
    direction = Direction(record["direction"])
    target, source = record[direction.target], record[direction.source]
    fields = f": {', '.join(record['fields'])}" if record.get("fields") else ""
    if target["id"] is not None:
        return f"{_name(direction.target, target)}{fields}"
    if source["type"] is None:
        return f"{_name(direction.target, target)} (new)"
    return f"{_name(direction.target, target)} (new) from {_name(direction.source, source)}"


def _name(side: Side, record: Mapping[str, Any]) -> str:
    known = "" if record["id"] is None else f" {record['id']}"
    return f"{side.title()} {record['type']}{known}"
