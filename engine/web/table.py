"""All that the console answers: add a route here, and it is checked, described and tested."""

from __future__ import annotations

from starlette.responses import Response

from engine.web import api, login, pages, review, types
from engine.web import plan as plans
from engine.web.openapi import described
from engine.web.routes import Ask, Entry, Parameter, data

__all__ = ["ROUTES"]


def _openapi(_ask: Ask) -> Response:
    return data(described(ROUTES))


_FILTERS = (
    Parameter("status", "a whole status, or its last word (updated, refused, conflict, …)"),
    Parameter("type", "a type of either side (Lead, prospect, …)"),
    Parameter("id", "a record of either side"),
    Parameter("run", "a run, or `last`"),
    Parameter("search", "words of the message"),
    Parameter("since", "from when on: 12h, `2 days ago`, 2026-03-31"),
    Parameter("until", "up to when, as `since`"),
    Parameter("after", "only rows after this one: the `row` of the last one of a page"),
)
_LIMIT = Parameter("limit", "at most so many rows")
_TYPE = Parameter("type", "only of this type", "body")
_ID = Parameter("id", "only this record; needs `type`", "body")
_LINK = (
    Parameter("link", "link the record to this one of the other side", "body"),
    Parameter("relink", "with `link`: though that one is linked already", "body"),
)
_PLAN = Parameter("plan", "the plan's id", "body", required=True)

ROUTES: tuple[Entry, ...] = (
    Entry("GET", "/", pages.home),
    Entry("GET", "/types", types.types),
    Entry("GET", "/types/{pair}", types.type_page),
    Entry("GET", "/limits", pages.limits),
    Entry("GET", "/activity", pages.activity),
    Entry("GET", "/logs", pages.logs),
    Entry("GET", "/logs/export", pages.export),
    Entry("GET", "/plan", plans.plan),
    Entry("GET", "/plan/graph.svg", plans.graph),
    Entry("POST", "/plan", plans.make, "look"),
    Entry("POST", "/plan/approve", plans.approve, "approve"),
    Entry("POST", "/plan/reject", plans.reject, "approve"),
    Entry("POST", "/run", plans.run, "approve"),
    Entry("GET", "/explain", pages.explain),
    Entry("GET", "/review", review.review),
    Entry("POST", "/review/retry", review.retry, "approve"),
    Entry("POST", "/review/resume", review.resume, "approve"),
    Entry("GET", "/login", login.form, ""),
    Entry("POST", "/login", login.log_in, ""),
    Entry("POST", "/logout", login.log_out, ""),
    # -- the API ----------------------------------------------------------------------------
    Entry("GET", "/api/v1/openapi.json", _openapi, "", "this description"),
    Entry(
        "GET",
        "/api/v1/status",
        api.status,
        about="what `crosswalk status` tells",
        parameters=(_LIMIT,),
    ),
    Entry("GET", "/api/v1/service", api.service, about="the schedule, and what is under way"),
    Entry("GET", "/api/v1/types", api.types, about="each pair, with its toggles"),
    Entry("GET", "/api/v1/limits", api.limits, about="what `crosswalk limits` tells"),
    Entry(
        "GET",
        "/api/v1/log",
        api.log,
        about="what `crosswalk log` tells",
        parameters=(*_FILTERS, _LIMIT),
    ),
    Entry(
        "GET",
        "/api/v1/activity",
        api.activity,
        about="what `crosswalk activity` tells",
        parameters=(
            Parameter("type", "only of this type"),
            Parameter("kind", "`rules` or `synced`"),
            Parameter("since", "from when on"),
            _LIMIT,
        ),
    ),
    Entry(
        "GET",
        "/api/v1/links",
        api.links,
        about="what `crosswalk links` tells",
        parameters=(
            Parameter("type", "only of this type"),
            Parameter("id", "only of this record"),
            _LIMIT,
        ),
    ),
    Entry("GET", "/api/v1/graph", api.graph, about="what `crosswalk graph` tells"),
    Entry(
        "GET",
        "/api/v1/explain/{type}/{id}",
        api.explain,
        about="what `crosswalk explain` tells",
        parameters=(
            Parameter("type", "a type of either side", "path", True),
            Parameter("id", "a record's id", "path", True),
        ),
    ),
    Entry(
        "GET",
        "/api/v1/review",
        api.review,
        about="what `crosswalk review` tells",
        parameters=(
            Parameter("type", "only of this type"),
            Parameter("why", "only for this reason"),
            _LIMIT,
        ),
    ),
    Entry("GET", "/api/v1/plan", api.plan, about="the last plan, as `crosswalk plan` tells it"),
    Entry("POST", "/api/v1/plan", api.make_plan, "look", "make a plan", (_TYPE,)),
    Entry("POST", "/api/v1/plan/approve", api.approve, "approve", "carry a plan out", (_PLAN,)),
    Entry("POST", "/api/v1/plan/reject", api.reject, "approve", "let a plan be", (_PLAN,)),
    Entry("POST", "/api/v1/run", api.run, "approve", "a cycle now", (_TYPE,)),
    Entry("POST", "/api/v1/retry", api.retry, "approve", "try refused writes again", (_TYPE, _ID)),
    Entry(
        "POST", "/api/v1/resume", api.resume, "approve", "let go what is held", (_TYPE, _ID, *_LINK)
    ),
    Entry(
        "GET",
        "/api/v1/jobs/{job}",
        api.job,
        about="what became of a request to the worker",
        parameters=(Parameter("job", "its id", "path", True),),
    ),
)
