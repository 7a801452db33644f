"""Renders the titles of activities: quick where they are plain, and bounded whatever they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any

from dsl.checks.templates import LONGEST, read_template
from dsl.values import first, is_empty, to_text

__all__ = ["SUBJECT_LENGTH", "Title", "shorten", "title_of"]

#: What Salesforce takes as the `Subject` of a task or an event.
SUBJECT_LENGTH = 255

# Of a value, a title shows no more than this; so no filter has much to work on.
_VALUE = 1000
_PLAIN = re.compile(r"\{\{[-+]?\s*([A-Za-z_]\w*(?:\.\w+)*)\s*[-+]?\}\}")

Render = Callable[[Sequence[Any]], str]


@dataclass(frozen=True)
class Title:
    """A title template made ready: which variables it reads, and what it makes of their values.

    `render` takes the values in the order of `names`. It raises whatever the template engine does.
    """

    names: tuple[tuple[str, ...], ...]
    render: Render


@lru_cache(maxsize=256)
def title_of(template: str) -> Title:
    """A template compiled once. Raises `ValueError` for one that `lint` would not let pass."""
    read = read_template(template)
    if read.problems:
        raise ValueError(read.problems[0].message)
    names = tuple(variable.names for variable in read.variables)
    if "{%" in template or "{#" in template or "{{" in _PLAIN.sub("", template):
        return Title(names, _by_jinja(template, names))
    return Title(names, _plainly(template, names))


def shorten(text: str) -> str:
    """On one line, and no longer than a subject may be."""
    return " ".join(text.split())[:SUBJECT_LENGTH].rstrip()


def _scalar(value: Any) -> Any:
    """A value as a template sees it: text that is not too long, a number, true or false."""
    value = first(value)
    if is_empty(value):
        return None
    return value if isinstance(value, bool | int | float) else (to_text(value) or "")[:_VALUE]


def _plainly(template: str, names: tuple[tuple[str, ...], ...]) -> Render:
    """Text and variables need no template engine."""
    parts = _PLAIN.split(template)
    texts, variables = parts[::2], parts[1::2]
    places = [names.index(tuple(name.split("."))) for name in variables]

    def render(values: Sequence[Any]) -> str:
        shown = [texts[0]]
        for place, text in zip(places, texts[1:], strict=True):
            value = _scalar(values[place])
            shown += ["" if value is None else str(value), text]
        return shorten("".join(shown))

    return render


def _by_jinja(template: str, names: tuple[tuple[str, ...], ...]) -> Render:
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - slow, seldom needed

    environment = ImmutableSandboxedEnvironment(
        finalize=lambda value: "" if value is None or isinstance(value, dict) else value
    )
    environment.globals.clear()
    for name, used in list(environment.filters.items()):
        environment.filters[name] = _bounded(used)
    compiled = environment.from_string(template)

    def render(values: Sequence[Any]) -> str:
        known: dict[str, Any] = {}
        for path, value in zip(names, values, strict=True):
            at = known
            for name in path[:-1]:
                at = at.setdefault(name, {})
            at[path[-1]] = _scalar(value)
        return shorten(compiled.render(known))

    return render


def _bounded(used: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose answer is no longer than a template may be, however often it is applied."""

    @wraps(used)  # with the marks that say what the engine passes first, if anything
    def call(*values: Any, **options: Any) -> Any:
        found = used(*values, **options)
        return found[:LONGEST] if isinstance(found, str) else found

    return call
