"""The one table of what the console answers: dispatch, OpenAPI and the security tests read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.responses import JSONResponse, RedirectResponse, Response

from engine.service import Service
from engine.web.access import Access, Session
from engine.web.jobs import Jobs

__all__ = ["Ask", "Entry", "Parameter", "Render", "Wrong", "data", "go"]

Render = Callable[["Ask", str, Mapping[str, Any], int], Response]


class Wrong(Exception):
    """A request cannot be answered: a sentence for the user, HTTP's status, the field at fault."""

    def __init__(self, message: str, status: int = 400, field: str = "") -> None:
        super().__init__(message)
        self.status, self.field = status, field


@dataclass
class Ask:
    """One request that has passed every check."""

    service: Service
    access: Access
    jobs: Jobs
    session: Session
    entry: Entry
    address: str
    render: Render
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, Any] = field(default_factory=dict)
    live: bool = False

    @property
    def who(self) -> str:
        return self.session.name or "somebody on this computer"

    def text(self, name: str, form: bool = False) -> str | None:
        """A value of the query (or form), None if it is missing or empty."""
        value = (self.form if form else self.query).get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise Wrong(f"`{name}` is a text")
        return str(value).strip() or None

    def count(self, name: str, default: int, most: int) -> int:
        """A whole number above 0 of the query."""
        text = self.text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
            raise Wrong(f"`{name}` is `{text}`: write a whole number above 0")
        return min(int(text), most)

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page from a template."""
        return self.render(self, template, context, status)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value of the query, or of a body (`where` is `body`)."""

    name: str
    about: str
    where: Literal["query", "path", "body"] = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One route. `role` is what is needed (empty: nothing); `live` ones answer by themselves."""

    method: Literal["GET", "POST"]
    path: str
    answer: Callable[[Ask], Response]
    role: Literal["", "look", "approve"] = "look"
    about: str = ""
    parameters: tuple[Parameter, ...] = ()

    @property
    def api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def mutating(self) -> bool:
        return self.method != "GET"


def data(value: Mapping[str, Any], status: int = 200) -> Response:
    """JSON, as the command line prints it."""
    return JSONResponse({"version": 1, **value}, status)


def go(path: str) -> Response:
    """On to another page, with a GET."""
    return RedirectResponse(path, 303)
