"""Review: what is held and why, conflicts with both values, and letting it go on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from dsl.pairs import types_of_pair
from dsl.schema import Side
from dsl.values import stamp
from engine.cycle import Summary
from engine.ledger import Ledger
from engine.ledger.looking import conflicts_lately, waiting
from engine.notes import read_conflict
from engine.service import Letting
from engine.told import HELD, record_id
from engine.web.jobs import Job
from engine.web.letting import letting_of
from engine.web.routes import Ask, Wrong, go
from engine.whys import RETRIES

__all__ = ["resume", "retry", "review"]

_ROWS, _RUNS, _CONFLICTS = 200, 50, 50
_LATELY = timedelta(days=7)  # how far back conflicts are shown
_OFFERED = 5
_VANISHED = "vanished"
_NAMED = 10  # of the records that vanished


def review(ask: Ask) -> Response:
    """What waits for a person, and what was decided where both sides changed a field."""
    why = ask.text("why")
    if why is not None and why not in HELD:
        raise Wrong(f"`why` is one of {', '.join(HELD)}")
    whys = frozenset((why,) if why else HELD)
    since = stamp(datetime.now(UTC) - _LATELY)
    with ask.service.looking() as ledger:
        rows = list(ledger.rows(waiting(_ROWS + 1, whys)))
        held = [_held(row, ledger) | {"job": _job(ask, row)} for row in rows[:_ROWS]]
        vanished = [] if why else _vanished(ask, ledger)
        conflicts = [
            row | {"clash": read_conflict(row["message"])}
            for row in map(dict, ledger.rows(conflicts_lately(since, _RUNS, _CONFLICTS)))
        ]
    return ask.page(
        "review.html",
        held=held,
        vanished=vanished,
        more=len(rows) > _ROWS,
        conflicts=conflicts,
        whys=HELD,
        why=why,
        job=ask.jobs.concerning(("", "")),
        busy=any(not each.future.done() for each in ask.jobs.latest(most=5)),
    )


def _job(ask: Ask, row: Mapping[str, Any]) -> Job | None:
    """What was asked about a record, and what came of it."""
    kind = types_of_pair(row["pair"]).get(Side(row["side"]), "")
    return ask.jobs.concerning((kind, str(row["record_id"])))


def _vanished(ask: Ask, ledger: Ledger) -> list[dict[str, Any]]:
    """Deletions that are held since too many came at once, by pair and side."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in ledger.rows(waiting(None, {_VANISHED})):
        groups[row["pair"], row["side"]].append(row)
    return [
        {
            "pair": pair,
            "side": Side(side),
            "type": types_of_pair(pair).get(Side(side), ""),
            "count": len(rows),
            "since": rows[-1]["since"],
            "records": [record_id(row["record_id"]) for row in rows[:_NAMED]],
            "job": ask.jobs.concerning((pair, "")),
        }
        for (pair, side), rows in groups.items()
    ]


def _held(row: Mapping[str, Any], ledger: Ledger) -> dict[str, Any]:
    types = types_of_pair(row["pair"])
    side = Side(row["side"])
    return {
        "pair": row["pair"],
        "side": side,
        "type": types.get(side, ""),
        "id": record_id(row["record_id"]),
        "why": row["why"],
        "message": row["message"],
        "since": row["since"],
        "let_go": "retry" if row["why"] in RETRIES else "resume",
        "other": types.get(side.other, ""),
        "offered": _offered(row, side, ledger),
    }


def _offered(row: Mapping[str, Any], side: Side, ledger: Ledger) -> list[dict[str, Any]]:
    """Records of the other side that stand in the way: to which of them it may be linked."""
    if row["why"] != "review" or not str(row["needs_pair"]).startswith("about "):
        return []
    try:
        found = [record_id(str(each)) for each in json.loads(row["needs_id"])]
    except (ValueError, TypeError):
        return []
    ids = [each for each in found if _is_of(each, side.other)][:_OFFERED]
    taken = ledger.others(row["pair"], side.other, [each for each in ids if each is not None])
    return [{"id": each, "linked": taken.get(each)} for each in ids if each is not None]


def _is_of(record: str | int | None, side: Side) -> bool:
    return isinstance(record, int) if side is Side.OUTREACH else isinstance(record, str)


def retry(ask: Ask) -> Response:
    """Try refused writes again."""
    return _let_go(ask, "retry", ask.service.retry)


def resume(ask: Ask) -> Response:
    """Decide again on what is held, perhaps linked to a record that somebody names."""
    return _let_go(ask, "resume", ask.service.resume)


def _let_go(ask: Ask, what: str, start: Callable[[Letting], Future[Summary]]) -> Response:
    """Ask the worker; what came of it, or why it cannot be, is told beside the record."""
    about = (str(ask.form.get("type", "")), str(ask.form.get("id", "")))
    try:
        letting = letting_of(ask)
    except Wrong as wrong:
        failed: Future[Summary] = Future()
        failed.set_exception(ValueError(str(wrong)))
        ask.jobs.once(what, lambda: failed, ask.who, about)
    else:
        ask.jobs.once(what, lambda: start(letting), ask.who, about)
    return go("/review")
