"""Changes and summaries as people read them in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsl.schema import Side
from engine.model import Action, Direction, Value

__all__ = ["activity_lines", "change_lines", "paint", "rows_line", "shown", "summary_lines"]

_MARKS = {
    Action.CREATE: ("+", "32"),
    Action.UPDATE: ("~", "33"),
    Action.LINK: ("=", "36"),
    Action.UNLINK: ("x", "35"),
    Action.DELETE: ("-", "31"),
    Action.HOLD: ("!", "31"),
    Action.SKIP: (".", "2"),
}
_WIDTH = 60
# One call takes five collections of 200 records each (Salesforce REST API Developer Guide,
# "Composite").
_RECORDS_A_CALL = 1000
_COUNTS = {
    "created": ("to create", "created"),
    "updated": ("to update", "updated"),
    "linked": ("to link", "linked"),
    "unlinked": ("to unlink", "unlinked"),
    "deleted": ("to delete", "deleted"),
    "conflicts": ("in conflict", "in conflict"),
    "held": ("to hold for review", "held for review"),
    "failed": ("that will be refused", "refused"),
    "skipped": ("left alone by a condition", "left alone by a condition"),
}


def paint(text: str, code: str, on: bool) -> str:
    """The text in an ANSI style, if colour is on."""
    return f"\033[{code}m{text}\033[0m" if on else text


def change_lines(change: Mapping[str, Any], colour: bool) -> list[str]:
    """One change, in the shape of the documented JSON, with its fields, reason and rule."""
    action, direction = Action(change["action"]), Direction(change["direction"])
    mark, code = _MARKS[action]
    lines = [paint(f"{mark} {action:<6} {_subject(change, action, direction)}", code, colour)]
    width = max((len(f["target"]) for f in change["fields"]), default=0)
    for f in change["fields"]:
        before = "" if action is Action.CREATE else f"{shown(f['before'])} -> "
        after = "(new)" if f["after"] is None and f["before"] is None else shown(f["after"])
        lines.append(f"      {f['target']:<{width}}  {before}{after}")
        if conflict := f.get("conflict"):
            text = (
                f"conflict: Salesforce has {shown(conflict['salesforce'])}, Outreach has"
                f" {shown(conflict['outreach'])}; {conflict['winner'].title()} wins"
            )
            lines.append(paint(f"      {'':<{width}}  {text}", "31", colour))
    lines.append(paint(f"      {change['reason']}  ({change['rule']})", "2", colour))
    return lines


def _subject(change: Mapping[str, Any], action: Action, direction: Direction) -> str:
    target, source = (_record(change[side]) for side in (direction.target, direction.source))
    if change[direction.source]["type"] is None:
        return target
    match action:
        case Action.SKIP | Action.HOLD:
            return source
        case Action.LINK:
            return f"{_record(change[Side.SALESFORCE])} with {_record(change[Side.OUTREACH])}"
        case _:
            return f"{target} from {source}"


def _record(record: Mapping[str, Any]) -> str:
    return f"{record['type']} {'(new)' if record['id'] is None else record['id']}"


def shown(value: Value) -> str:
    """A value in one short line."""
    match value:
        case None | "" | []:
            return "(empty)"
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(map(shown, value))
        case str():
            line = " ".join(value.split())
            return f'"{line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"}"'
        case _:
            return str(value)


def activity_lines(written: Mapping[str, int]) -> list[str]:
    """What each kind of activity comes to, and costs in calls of Salesforce."""
    lines = []
    for kind, count in sorted(written.items()):
        calls = -(-count // _RECORDS_A_CALL)
        words = "1 call" if calls == 1 else f"{calls:,} calls"
        lines.append(f"  {kind}: {count:,}, about {words}")
    return lines


def summary_lines(counts: Mapping[str, int], calls: Mapping[str, int], foretold: bool) -> list[str]:
    """What a plan (`foretold`) or a run comes to, in words."""
    parts = [
        f"{counts[key]:,} {words[0 if foretold else 1]}"
        for key, words in _COUNTS.items()
        if counts[key]
    ]
    nothing = "nothing to do" if foretold else "nothing to write"
    spent = f"calls: Salesforce {calls['salesforce']:,}, Outreach {calls['outreach']:,}"
    return [", ".join(parts) or nothing, spent]


def rows_line(rows: Mapping[str, Any], foretold: bool) -> str:
    """What becomes of the rows of a list, in words."""
    parts = [f"rows: {rows['read']:,} read", f"{rows['imported']:,} "]
    parts[1] += "to import" if foretold else "imported"
    if rows["skipped"]:
        parts.append(f"{rows['skipped']:,} left alone")
    wrong = rows["read"] - rows["imported"] - rows["skipped"]
    return ", ".join([*parts, *([f"{wrong:,} bad"] if wrong else [])])
