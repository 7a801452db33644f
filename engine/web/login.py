"""Logging in and out."""

from __future__ import annotations

from starlette.responses import Response

from engine.web.access import TooMany
from engine.web.routes import Ask, go

__all__ = ["form", "log_in", "log_out"]


def form(ask: Ask) -> Response:
    """The form, for whoever has not logged in."""
    return go("/types") if ask.session.role else ask.page("login.html", problem="", name="")


def log_in(ask: Ask) -> Response:
    """Log in, or say that it failed, and never why."""
    name, password = str(ask.form.get("name", "")), str(ask.form.get("password", ""))
    try:
        found = ask.access.log_in(ask.session, name, password, ask.address)
    except TooMany:
        problem = "too many logins failed: wait a minute, then try again"
        return ask.page("login.html", 429, problem=problem, name=name)
    if found is None:
        problem = "this name and this password do not belong together"
        return ask.page("login.html", 401, problem=problem, name=name)
    ask.session = found
    return go("/types")


def log_out(ask: Ask) -> Response:
    """End the session."""
    ask.access.end(ask.session)
    ask.session = ask.access.session(None)
    return go("/login")
