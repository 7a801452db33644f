"""CW305: toggles that are on and let nothing through."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax as s
from dsl.diagnostics import Diagnostic
from dsl.passes import SyncView
from dsl.source import Span

__all__ = ["clause_of", "toggles"]

_WATCHED_BY = {
    "inbound create": "polling",
    "inbound update": "polling",
    "inbound delete": "polling",
    "outbound create": "pushing",
    "outbound update": "pushing",
    "outbound delete": "pushing",
    "sync down": "pushing",
}
_SYSTEM = {"polling": "Salesforce", "pushing": "Outreach"}
_MATCHED = ("inbound create", "outbound create", "sync down")
_ARROWS = {
    "inbound update": ("->", "<->"),
    "outbound update": ("<-", "<->"),
    "sync down": ("->", "<->"),
}

# What is amiss, what to do about it, and a further place.
_Why = tuple[str, str, Span | None]


def toggles(view: SyncView) -> Iterator[Diagnostic]:
    """Toggles that are on, and what they need is off or not there."""
    clauses: dict[str, s.Toggle] = {}
    for clause in view.node.clauses:
        if isinstance(clause, s.Toggle):
            clauses.setdefault(clause.name, clause)
    for name, clause in clauses.items():
        why = _idle(view, name, clauses) if view.pair.toggle(name).on else None
        if why is not None:
            words, help_text, place = why
            related = ((place, "it is turned off here"),) if place else ()
            yield Diagnostic(
                "CW305", f"`{name}` {words}", clause.name_span, help_text, None, None, related
            )


def clause_of(view: SyncView, name: str) -> s.Toggle | None:
    """The clause that a toggle is written in."""
    for clause in view.node.clauses:
        if isinstance(clause, s.Toggle) and clause.name == name:
            return clause
    return None


def _idle(view: SyncView, name: str, clauses: dict[str, s.Toggle]) -> _Why | None:
    watch = _WATCHED_BY.get(name)
    if watch in clauses and not view.pair.toggle(watch).on:
        return _unwatched(watch, clauses[watch].span)
    if not view.whole:
        return None
    if watch is not None and watch not in clauses:
        return _unwatched(watch, None)
    if name in _MATCHED and not view.pair.matches:
        return _unmatched(name)
    if name in _ARROWS and not _flows(view, name):
        way = name.partition(" ")[0] if name != "sync down" else "inbound"
        arrow = _ARROWS[name][0]
        return f"has no effect: no line goes {way}", f"add a line with `{arrow}` to `fields`", None
    if name == "fallback association" and not any(rule.on for rule in view.pair.activities):
        words = "has no effect: this sync has no activities"
        return words, "add `activities { … }`, or leave it out", None
    return None


def _unwatched(watch: str, off: Span | None) -> _Why:
    words = f"has no effect while `{watch}` is off: nobody looks for changes in {_SYSTEM[watch]}"
    what = f"turn `{watch}` on" if off else f"add `{watch}`"
    return words, f"{what}, or leave this toggle out", off


def _unmatched(name: str) -> _Why:
    if name == "sync down":
        words = "has no effect without a `match`: no record finds its Salesforce record"
    else:
        words = "without a `match` cannot find what is there already, and makes it a second time"
    return words, "add a `match`, such as `match Email = emails`", None


def _flows(view: SyncView, name: str) -> bool:
    arrows = _ARROWS[name]
    return any(line.arrow in arrows and not line.once for line in view.pair.lines)
