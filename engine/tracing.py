"""What is at work, for traces and log lines: spans that cost next to nothing untraced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol, TypeVar

__all__ = ["Note", "Tracer", "at_work", "call", "each_in_span", "span", "template", "trace_with"]

Value = str | int
#: Adds to a span what is only known later: an attribute and its value.
Note = Callable[[str, Value], None]
_T = TypeVar("_T")

#: Parts of a path that are the same for every record: words, versions, and API names.
_FIXED = re.compile(r"[A-Za-z_.-]+|v\d+(\.\d+)?|\w+__[a-z]{1,3}")
_AT_WORK: ContextVar[Mapping[str, Value]] = ContextVar("at_work", default={})  # noqa: B039 - read only
_TOLD = ("run", "pair")


class Tracer(Protocol):
    """Keeps spans somewhere."""

    def span(self, name: str, values: Mapping[str, Value]) -> AbstractContextManager[Note]: ...


_tracers: list[Tracer] = []


@contextmanager
def trace_with(tracer: Tracer | None) -> Iterator[None]:
    """Give the spans of all threads to a tracer."""
    _tracers[:] = [] if tracer is None else [tracer]
    try:
        yield
    finally:
        _tracers.clear()


@contextmanager
def span(name: str, **values: Value) -> Iterator[Note]:
    """A stretch of work; names and values are without ids of records, their data, and secrets.

    `run` and `pair` are known inside it, also for what is logged there. In a name and a value's
    name, `__` stands for a dot.
    """
    told = {key: value for key, value in values.items() if key in _TOLD}
    token = _AT_WORK.set({**_AT_WORK.get(), **told}) if told else None
    kept = {key.replace("__", "."): value for key, value in values.items()}
    inner = _tracers[0].span(name, kept) if _tracers else nullcontext(_nothing)
    try:
        with inner as note:
            yield note
    finally:
        if token is not None:
            _AT_WORK.reset(token)


def _nothing(_key: str, _value: Value) -> None:
    """Nobody traces."""


def each_in_span(name: str, items: Iterable[_T], **values: Value) -> Iterator[_T]:
    """The items, where finding each is a span of its own."""
    found = iter(items)
    while True:
        with span(name, **values):
            try:
                item = next(found)
            except StopIteration:
                return
        yield item


def at_work() -> Mapping[str, Value]:
    """The run and the pair that this thread is at, as far as there are any."""
    return _AT_WORK.get()


def call(side: str, method: str, path: str) -> AbstractContextManager[Note]:
    """The span of a call of a vendor's; OpenTelemetry's names for what is told of it."""
    route = template(path)
    return span(f"{method} {route}", side=side, http__request__method=method, url__template=route)


def template(path: str) -> str:
    """A path without what differs from record to record: `sobjects/Lead/{id}`."""
    parts = path.partition("?")[0].split("/")
    return "/".join(p if not p or _FIXED.fullmatch(p) else "{id}" for p in parts)
