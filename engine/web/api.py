"""The HTTP API: the command line's JSON, from the functions that the command line asks."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import Any

from starlette.responses import Response

from engine.draw import as_json
from engine.graph import build
from engine.ledger.logbook import log_rows
from engine.ledger.looking import Filters, linked, waiting
from engine.service import Drawn
from engine.told import (
    activity_told,
    held_rows,
    held_told,
    link_told,
    log_told,
    pairs_told,
    runs_told,
    waiting_told,
)
from engine.web.jobs import Job
from engine.web.letting import letting_of, types_of
from engine.web.queries import activity_of, filters_of, limits_told
from engine.web.routes import Ask, Wrong, data
from engine.web.types import type_told
from engine.whys import REVIEWED

__all__ = [
    "activity",
    "approve",
    "explain",
    "graph",
    "job",
    "limits",
    "links",
    "log",
    "make_plan",
    "plan",
    "reject",
    "resume",
    "retry",
    "review",
    "run",
    "service",
    "status",
    "types",
]

_ROWS, _MOST = 100, 10_000
_PATIENCE = 20.0  # seconds that a request waits for the worker before it is told of the job


def status(ask: Ask) -> Response:
    """What `crosswalk status --format json` prints."""
    with ask.service.looking() as ledger:
        return data(
            {
                "runs": runs_told(ledger),
                "waits": [each._asdict() for each in ledger.calls.stalled()],
                "pairs": pairs_told(ledger),
                "pending": list(
                    map(waiting_told, ledger.rows(waiting(ask.count("limit", 20, _MOST))))
                ),
            }
        )


def service(ask: Ask) -> Response:
    """The schedule, and what the worker is at."""
    state = ask.service.state()
    running = state.running
    steps = [
        {
            "type": each.pair,
            "direction": str(each.direction),
            "every_seconds": int(each.interval.total_seconds()),
            "due": each.due.isoformat() if each.due else None,
            "last": each.last,
            "trouble": each.trouble,
        }
        for each in state.steps
    ]
    return data(
        {
            "started": state.started.isoformat(),
            "running": {"what": running.what, "since": running.since.isoformat()}
            if running
            else None,
            "steps": steps,
            "findings": list(state.findings),
        }
    )


def types(ask: Ask) -> Response:
    """Each pair of the rules with its toggles."""
    program = ask.service.program()
    return data({"types": [type_told(pair) for pair in program.pairs]})


def limits(ask: Ask) -> Response:
    """What `crosswalk limits --format json` prints."""
    with ask.service.looking() as ledger:
        return data(limits_told(ask, ledger))


def log(ask: Ask) -> Response:
    """What `crosswalk log --format json` prints."""
    with ask.service.looking() as ledger:
        rows = ledger.rows(log_rows(filters_of(ask, ask.count("limit", _ROWS, _MOST))))
        return data({"rows": [log_told(row) for row in rows]})


def activity(ask: Ask) -> Response:
    """What `crosswalk activity --format json` prints."""
    with ask.service.looking() as ledger:
        found = activity_of(ask, ledger, ask.count("limit", _ROWS, _MOST))
        return data({"rows": [activity_told(each) for each in found]})


def links(ask: Ask) -> Response:
    """What `crosswalk links --format json` prints."""
    wanted = Filters(
        type=ask.text("type"), id=ask.text("id"), limit=ask.count("limit", _ROWS, _MOST)
    )
    with ask.service.looking() as ledger:
        return data({"links": [link_told(row) for row in ledger.rows(linked(wanted))]})


def graph(ask: Ask) -> Response:
    """What `crosswalk graph --format json` prints."""
    return data(as_json(build(ask.service.program())))


def explain(ask: Ask) -> Response:
    """What `crosswalk explain --format json` prints."""
    future = ask.service.explain(str(ask.path["type"]), str(ask.path["id"]))
    try:
        return data(future.result(_PATIENCE))
    except Late:
        raise Wrong("a run is at work: try again when it is done", 503) from None
    except ValueError as error:
        raise Wrong(str(error), 404) from None


def review(ask: Ask) -> Response:
    """What `crosswalk review --format json` prints."""
    why = ask.text("why")
    if why is not None and why not in REVIEWED:
        raise Wrong(f"`why` is one of {', '.join(REVIEWED)}")
    whys = frozenset((why,) if why else REVIEWED)
    with ask.service.looking() as ledger:
        rows = held_rows(ledger, whys, ask.text("type"), ask.count("limit", _ROWS, _MOST))
        return data({"held": [held_told(row) for row in rows]})


# -- what the worker does -----------------------------------------------------------------------


def plan(ask: Ask) -> Response:
    """The last plan that was made."""
    for made in ask.jobs.latest("plan", 50):
        if made.result is not None:
            return data(_plan_told(made.result))
    raise Wrong("no plan was made yet: POST /api/v1/plan makes one", 404)


def make_plan(ask: Ask) -> Response:
    """Make a plan."""
    return _asked(ask, "plan", ask.service.plan(types_of(ask)))


def approve(ask: Ask) -> Response:
    """Carry a plan out."""
    return _asked(ask, f"approve {_plan_id(ask)}", ask.service.approve(_plan_id(ask), ask.who))


def reject(ask: Ask) -> Response:
    """Let a plan be."""
    name = _plan_id(ask)
    ask.jobs.drop("plan", lambda drawn: bool(drawn.plan.plan == name))
    return _asked(ask, "reject", ask.service.reject(name, ask.who))


def run(ask: Ask) -> Response:
    """A cycle now."""
    return _asked(ask, "run", ask.service.run_now(types_of(ask)))


def retry(ask: Ask) -> Response:
    """Try refused writes again."""
    return _asked(ask, "retry", ask.service.retry(letting_of(ask)))


def resume(ask: Ask) -> Response:
    """Let go what is held for a person."""
    return _asked(ask, "resume", ask.service.resume(letting_of(ask)))


def job(ask: Ask) -> Response:
    """What became of a job."""
    found = ask.jobs.get(str(ask.path["job"]))
    if found is None:
        raise Wrong("no such job; the latest 50 are kept until the service stops", 404)
    return _job_told(found, 200)


def _plan_id(ask: Ask) -> str:
    found = ask.text("plan", form=True)
    if found is None:
        raise Wrong("name the `plan`")
    return found


def _asked(ask: Ask, what: str, future: Future[Any]) -> Response:
    """The result, if the worker has it soon."""
    made = ask.jobs.add(what, future, ask.who)
    try:
        future.exception(_PATIENCE)
    except Late:
        return _job_told(made, 202)
    return _job_told(made, 200)


def _job_told(made: Job, status_: int) -> Response:
    if made.trouble:
        return data({"error": made.trouble, "job": made.id, "state": made.state}, 409)
    head = {"job": made.id, "what": made.what, "state": made.state}
    result = made.result
    if result is None:
        return data(head, status_)
    told = _plan_told(result) if made.what == "plan" else result.as_json()
    return data(head | told)


def _plan_told(drawn: Drawn) -> dict[str, Any]:
    changes = [_change_told(entry) for entry in drawn.plan.changes]
    return drawn.summary.as_json() | {"plan": drawn.plan.plan, "changes": changes}


def _change_told(entry: Any) -> dict[str, Any]:
    """A change of a saved plan in the documented JSON."""
    none = {"type": None, "id": None}
    ends = {
        side: none if end is None else {"type": end.type, "id": end.id}
        for side, end in (("salesforce", entry.salesforce), ("outreach", entry.outreach))
    }
    fields = []
    for field in entry.fields:
        told = {k: getattr(field, k) for k in ("source", "target", "before", "after")}
        fields.append(told | ({"conflict": field.conflict} if field.conflict else {}))
    words = {k: getattr(entry, k) for k in ("action", "direction", "reason", "rule")}
    return words | ends | {"fields": fields}
