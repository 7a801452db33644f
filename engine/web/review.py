"""Review: what is held and why, conflicts with both values, and letting it go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from dsl.pairs import types_of_pair
from dsl.schema import Side
from engine.ledger import Ledger
from engine.ledger.looking import conflicts_lately, waiting
from engine.told import HELD, record_id
from engine.web.letting import letting_of
from engine.web.routes import Ask, Wrong, go

__all__ = ["resume", "retry", "review"]

_ROWS, _RUNS, _CONFLICTS = 200, 50, 50
_OFFERED = 5
_REFUSED = ("refused", "transient")


def review(ask: Ask) -> Response:
    """What waits for a person, and what was decided where both sides changed a field."""
    why = ask.text("why")
    if why is not None and why not in HELD:
        raise Wrong(f"`why` is one of {', '.join(HELD)}")
    whys = frozenset((why,) if why else (*HELD, "vanished"))
    with ask.service.looking() as ledger:
        rows = list(ledger.rows(waiting(_ROWS + 1, whys)))
        held = [_held(row, ledger) for row in rows[:_ROWS]]
        conflicts = list(ledger.rows(conflicts_lately(_RUNS, _CONFLICTS)))
    return ask.page(
        "review.html",
        held=held,
        more=len(rows) > _ROWS,
        conflicts=conflicts,
        whys=HELD,
        why=why,
    )


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
        "let_go": "retry" if row["why"] in _REFUSED else "resume",
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
    ask.jobs.add("retry", ask.service.retry(letting_of(ask)), ask.who)
    ask.session.notices.append("What was refused is tried again.")
    return go("/review")


def resume(ask: Ask) -> Response:
    """Decide again on what is held, perhaps linked to a record that somebody names."""
    ask.jobs.add("resume", ask.service.resume(letting_of(ask)), ask.who)
    ask.session.notices.append("What was held is decided on again.")
    return go("/review")
