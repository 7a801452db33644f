"""Limits, Activity, Logs and Explain as pages."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import TimeoutError as Late
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import IO, Any
from urllib.parse import urlencode

from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from dsl.schema import Side
from engine.harmless import harmless
from engine.ledger.logbook import log_rows
from engine.told import LOG_COLUMNS, log_told
from engine.web.queries import activity_of, filters_of
from engine.web.routes import Ask, Wrong, go
from engine.web.usage import usage_of

__all__ = ["activity", "explain", "export", "home", "limits", "logs"]

_ROWS = 100
_WEEK = "7d"  # how far back the history is shown unless asked otherwise
_NEARLY = 80  # percent of a threshold from which a warning is due
_PATIENCE = 5.0
_CHUNK = 64 * 1024


def home(_ask: Ask) -> Response:
    """The console opens on its types."""
    return go("/types")


def limits(ask: Ask) -> Response:
    """The budgets, what is left of them, and what waits."""
    zone, now = ask.service.config.timezone, datetime.now(UTC)
    with ask.service.looking() as ledger:
        rows = []
        for budget in ask.service.budgets():
            most = budget.threshold if budget.threshold is not None else budget.max
            share = None if most is None else min(100 * budget.used // max(most, 1), 999)
            picture = usage_of(ledger, budget, now, zone)
            rows.append(
                {
                    "budget": budget,
                    "share": share,
                    "nearly": budget.threshold is not None and (share or 0) >= _NEARLY,
                    "picture": picture,
                }
            )
        waiting, stalled = ledger.calls.waiting(), ledger.calls.stalled()
    return ask.page("limits.html", rows=rows, waiting=waiting, stalled=stalled)


def activity(ask: Ask) -> Response:
    """What was synced, and what changed in the rules."""
    limit = ask.count("limit", _ROWS, 5_000)
    if ask.text("since") is None:
        ask.query = {**ask.query, "since": _WEEK}
    with ask.service.looking() as ledger:
        found = list(activity_of(ask, ledger, limit + 1))
    return ask.page(
        "activity.html",
        entries=found[:limit],
        more=_link("/activity", ask, limit=str(limit * 2)) if len(found) > limit else None,
        names=_type_names(ask),
    )


def logs(ask: Ask) -> Response:
    """One page of the technical log."""
    with ask.service.looking() as ledger:
        rows = [log_told(r) for r in ledger.rows(log_rows(filters_of(ask, _ROWS + 1)))]
    older = _link("/logs", ask, after=rows[_ROWS - 1]["row"]) if len(rows) > _ROWS else None
    return ask.page(
        "logs.html",
        rows=rows[:_ROWS],
        older=older,
        newest=_link("/logs", ask, after="") if ask.text("after") else None,
        exports=[
            (form, _link("/logs/export", ask, after="", form=form)) for form in ("csv", "json")
        ],
        names=_type_names(ask),
    )


def _type_names(ask: Ask) -> list[str]:
    pairs = ask.service.program().pairs
    return sorted({pair.type(side).name for pair in pairs for side in Side})


def _link(path: str, ask: Ask, **changed: str) -> str:
    """A page's own address with some values changed."""
    values = {**{k: v for k, v in ask.query.items() if v}, **changed}
    return f"{path}?{urlencode({k: v for k, v in values.items() if v})}"


def export(ask: Ask) -> Response:
    """All rows that the filters let through, as CSV or JSON."""
    form = ask.text("form") or "csv"
    if form not in ("csv", "json"):
        raise Wrong("`form` is `csv` or `json`")
    # A connection to the ledger stays in its thread and an answer's chunks do not, so the rows
    # are written to a file first.
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - closed once it was sent
    with ask.service.looking() as ledger:
        rows = map(log_told, ledger.rows(log_rows(filters_of(ask, None))))
        text = TextIOWrapper(file, encoding="utf-8", newline="")
        (_write_csv if form == "csv" else _write_json)(text, rows)
        text.flush()
        text.detach()
    file.seek(0)
    return StreamingResponse(
        iter(lambda: file.read(_CHUNK), b""),
        media_type="text/csv; charset=utf-8" if form == "csv" else "application/json",
        headers={"content-disposition": f'attachment; filename="crosswalk-log.{form}"'},
        background=BackgroundTask(file.close),
    )


def _write_csv(out: IO[str], rows: Iterator[dict[str, Any]]) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(LOG_COLUMNS)
    writer.writerows([harmless(row[key]) for key in LOG_COLUMNS] for row in rows)


def _write_json(out: IO[str], rows: Iterator[dict[str, Any]]) -> None:
    out.write('{"version": 1, "rows": [')
    for place, row in enumerate(rows):
        out.write((",\n" if place else "\n") + json.dumps(row, ensure_ascii=False))
    out.write("]}\n")


def explain(ask: Ask) -> Response:
    """Why a record did or did not sync."""
    type_name, record = ask.text("type"), ask.text("id")
    context: dict[str, Any] = {"names": _type_names(ask), "type": type_name, "id": record}
    if type_name is None or record is None:
        return ask.page("explain.html", told=None, problem="", busy=False, **context)
    future = ask.service.explain(type_name, record)
    try:
        told = future.result(_PATIENCE)
    except Late:
        return ask.page("explain.html", 202, told=None, problem="", busy=True, **context)
    except ValueError as error:
        return ask.page("explain.html", 404, told=None, problem=str(error), busy=False, **context)
    return ask.page("explain.html", told=told, problem="", busy=False, **context)
