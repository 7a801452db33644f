"""Plan: the graph, what the next run would do record by record, and whether it may."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from dsl.program import Program
from engine.draw import as_json
from engine.graph import build
from engine.svg import as_svg
from engine.web.jobs import Job
from engine.web.letting import types_of
from engine.web.routes import Ask, Wrong, go

__all__ = ["approve", "graph", "make", "plan", "reject", "run"]

_ROWS = 100


def plan(ask: Ask) -> Response:
    """The last plan, a page of its changes, and what became of it."""
    made = ask.jobs.latest("plan")
    job = made[0] if made else None
    drawn = job.result if job else None
    page = ask.count("page", 1, 1_000_000)
    changes = drawn.plan.changes if drawn else []
    shown = changes[(page - 1) * _ROWS : page * _ROWS]
    return ask.page(
        "plan.html",
        job=job,
        busy=job is not None and not job.future.done(),
        drawn=drawn,
        changes=shown,
        page=page,
        pages=max(1, -(-len(changes) // _ROWS)),
        total=len(changes),
        fate=_fate(ask, drawn),
        names=sorted({each.salesforce.name for each in ask.service.program().pairs}),
        steps=_steps(ask.service.program()),
        work=[each for each in ask.jobs.latest(most=8) if each.what != "plan"],
    )


def _steps(program: Program) -> list[dict[str, Any]]:
    """The graph for who does not see it: the steps in order, and the numbers of those before."""
    told = as_json(build(program))
    number = {node["id"]: place for place, node in enumerate(told["nodes"], 1)}
    return [
        node | {"after": [number[e["from"]] for e in told["edges"] if e["to"] == node["id"]]}
        for node in told["nodes"]
    ]


def _fate(ask: Ask, drawn: Any) -> Job | None:
    """The job that carries this plan out, or did."""
    if drawn is None:
        return None
    name = f"approve {drawn.plan.plan}"
    return next(iter(ask.jobs.latest(name)), None)


def graph(ask: Ask) -> Response:
    """The plan graph as a picture, for an `img`."""
    return Response(
        as_svg(build(ask.service.program())),
        media_type="image/svg+xml",
        headers={
            # A picture's own style is inline, and nothing else may be.
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
            "cache-control": "no-cache",
        },
    )


def make(ask: Ask) -> Response:
    """Ask for a plan."""
    types = types_of(ask)
    ask.jobs.once("plan", lambda: ask.service.plan(types), ask.who, tuple(types or ()))
    return go("/plan")


def approve(ask: Ask) -> Response:
    """Carry out the plan that is shown, as it stands."""
    name = _named(ask)
    ask.jobs.once(f"approve {name}", lambda: ask.service.approve(name, ask.who), ask.who)
    return go("/plan")


def reject(ask: Ask) -> Response:
    """Let it be."""
    name = _named(ask)
    ask.jobs.once("reject", lambda: ask.service.reject(name, ask.who), ask.who, (name,))
    ask.jobs.drop("plan", lambda drawn: drawn.plan.plan == name)
    ask.session.notices.append("The plan is rejected. Nothing was written.")
    return go("/plan")


def _named(ask: Ask) -> str:
    name = ask.text("plan", form=True)
    if name is None:
        raise Wrong("the form names no plan: load the page again")
    return name


def run(ask: Ask) -> Response:
    """A cycle now."""
    types = types_of(ask)
    new = ask.jobs.once("run", lambda: ask.service.run_now(types), ask.who, tuple(types or ()))
    if not new:
        ask.session.notices.append("A run is asked for already.")
    return go("/plan")
