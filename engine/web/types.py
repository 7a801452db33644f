"""Types: what flows where at a glance, and each pair's rules in words and in their own text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from dsl.describe import condition_in_words, duration_in_words
from dsl.program import Line, Pair, ToggleRule, Translation
from engine.ledger import Ledger
from engine.ledger.looking import last_scans
from engine.model import DIRECTIONS, Direction, Side
from engine.moments import span
from engine.service.state import StepState
from engine.told import pairs_told, runs_told
from engine.web.chart import measure
from engine.web.routes import Ask, Wrong
from engine.web.rules import block_of

__all__ = ["type_page", "type_told", "types"]

_POLLED, _PUSHED = 600, 15  # seconds, where a rule does not say
_INBOUND = ("polling", "inbound create", "inbound update", "inbound delete", "sync down")
_OUTBOUND = ("pushing", "outbound create", "outbound update", "outbound delete")
_USUAL = ("inbound create", "inbound update", "outbound create", "outbound update")
_EVERY = {"polling": _POLLED, "pushing": _PUSHED}
_FROM = {Direction.INBOUND: Side.SALESFORCE.value, Direction.OUTBOUND: Side.OUTREACH.value}
_LATE, _GRACE = 2.0, 60.0  # intervals, and seconds for a busy worker, until a side is late
_SHORT = 44  # letters of a condition that are shown beside its toggle


def types(ask: Ask) -> Response:
    """Each pair of the rules, with what waits or is in trouble."""
    program, state = ask.service.program(), ask.service.state()
    with ask.service.looking() as ledger:
        known = _known(ledger)
        last = next(iter(runs_told(ledger)), None)
    rows = [_row(pair, known, state.steps) for pair in program.pairs]
    for row in rows:  # told once, above all of them
        row["troubles"] = [each for each in row["troubles"] if each != state.unreachable]
    return ask.page(
        "types.html",
        syncs=[row for row in rows if not row["pair"].label],
        activities=[row for row in rows if row["pair"].label],
        last=last,
        linked=sum(row["links"] for row in rows),
        budgets=[each for each in ask.service.budgets() if each.threshold is not None],
        findings=state.findings,
        unreachable=state.unreachable,
    )


def _known(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """What the ledger knows of each pair, by its name."""
    scanned: dict[str, dict[str, str]] = defaultdict(dict)
    for row in ledger.rows(last_scans()):
        scanned[row["pair"]][row["side"]] = row["at"]
    return {row["type"]: row | {"scanned": scanned[row["type"]]} for row in pairs_told(ledger)}


def _row(pair: Pair, known: Mapping[str, Any], steps: Sequence[StepState]) -> dict[str, Any]:
    found = known.get(pair.name, {})
    mine = {step.direction: step for step in steps if step.pair == pair.name}
    scanned = found.get("scanned", {})
    return {
        "pair": pair,
        "lanes": [
            _lane(pair, direction, scanned.get(_FROM[direction]), mine.get(direction))
            for direction in DIRECTIONS
        ],
        "mapped": len(pair.lines),
        "links": found.get("links", 0),
        "waits": {why: count for why, count in found.get("pending", {}).items() if count},
        "last": max(scanned.values(), default=None),
        "ended": sorted({step.last for step in mine.values() if step.last}),
        "troubles": [
            *dict.fromkeys(step.trouble for step in mine.values() if step.trouble),
            *pair.troubles,
        ],
    }


def _lane(
    pair: Pair, direction: Direction, scanned: str | None, step: StepState | None
) -> dict[str, Any]:
    """What flows in one direction, how often, and how far behind it is."""
    toggles = _toggles(pair, _INBOUND if direction is Direction.INBOUND else _OUTBOUND)
    writes = [toggle for toggle in toggles if toggle["name"] not in _EVERY]
    return {
        "direction": direction,
        "toggles": toggles,
        "on": step is not None and any(toggle["on"] for toggle in writes),
        "scanned": scanned,
        "lag": None if step is None or scanned is None else _lag(scanned, step),
    }


def _lag(scanned: str, step: StepState) -> dict[str, Any]:
    """How long ago a side was read, in words and as a bar whose half is the interval."""
    behind = max((datetime.now(UTC) - datetime.fromisoformat(scanned)).total_seconds(), 0.0)
    every = max(step.interval.total_seconds(), 1.0)
    late = behind > every * _LATE + _GRACE
    state = "late" if late else "fine"
    words = f"read {span(behind)} ago, every {duration_in_words(int(every))}"
    return {"bar": measure(behind / (2 * every), words, state), "late": late}


def _toggles(pair: Pair, names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        _toggle(name, rule)
        for name in names
        if (rule := pair.toggle(name)).span is not None or name in (*_EVERY, *_USUAL)
    ]


def _toggle(name: str, rule: ToggleRule) -> dict[str, Any]:
    every = rule.every or _EVERY.get(name)
    when = condition_in_words(rule.when) if rule.when is not None else None
    return {
        "name": name,
        "short": name.removeprefix("inbound ").removeprefix("outbound "),
        "on": rule.on,
        "every": duration_in_words(every) if every else None,
        "when": when,
        "brief": when if when is None or len(when) <= _SHORT else "…",
        "rule": rule.span.place if rule.span is not None else None,
    }


def type_page(ask: Ask) -> Response:
    """One pair: its toggles with their conditions, lines and maps, and its rule as written."""
    name = str(ask.path["pair"])
    pair = next((p for p in ask.service.program().pairs if p.name == name), None)
    if pair is None:
        raise Wrong(f"the rules have no sync of {name}", 404)
    with ask.service.looking() as ledger:
        known = _known(ledger)
    row = _row(pair, known, ask.service.state().steps)
    maps = {line.via.name: line.via for line in pair.lines if line.via is not None}
    return ask.page(
        "type.html",
        row=row,
        pair=pair,
        lines=[_line(line) for line in pair.lines],
        maps=[_map(each) for each in maps.values()],
        matches=[[(left.path, right.path) for left, right in match.keys] for match in pair.matches],
        block=block_of(pair),
    )


def _line(line: Line) -> dict[str, Any]:
    return {
        "salesforce": " ".join(line.salesforce.span.text.split()),
        "arrow": line.arrow,
        "outreach": " ".join(line.outreach.span.text.split()),
        "how": _how(line),
        "rule": line.span.place,
    }


def _how(line: Line) -> list[str]:
    """The modifiers of a line, in words."""
    told = [f"through the map {line.via.name}"] if line.via else []
    if len(line.prevent_empty) == 2 or (line.prevent_empty and line.arrow != "<->"):
        told.append("an empty value never overwrites")
    elif line.prevent_empty:
        told.append(f"an empty value never overwrites, {next(iter(line.prevent_empty))}")
    if line.prefer:
        winner = "the newest" if line.prefer == "newest" else line.prefer.title()
        told.append(f"in a conflict {winner} wins")
    if line.once:
        told.append("only when the record is created")
    if line.when is not None:
        told.append(f"when {condition_in_words(line.when)}")
    return told


def _map(known: Translation) -> dict[str, Any]:
    otherwise = {
        "hold": "stays as it is on the other side",
        "clear": "clears the other side",
        "same": "is taken over as it is",
        "text": f"becomes “{known.otherwise_text}”",
    }[known.otherwise]
    return {"name": known.name, "entries": known.entries, "otherwise": otherwise}


def type_told(pair: Pair) -> dict[str, Any]:
    """A pair in JSON, for the API."""
    toggles = [*_toggles(pair, _INBOUND), *_toggles(pair, _OUTBOUND)]
    return {
        "type": pair.name,
        "salesforce": pair.salesforce.name,
        "outreach": pair.outreach.name,
        "rule": pair.span.place,
        "conflict": str(pair.conflict),
        "toggles": [{k: t[k] for k in ("name", "on", "every", "when", "rule")} for t in toggles],
        "fields": [_line(line) for line in pair.lines],
    }
