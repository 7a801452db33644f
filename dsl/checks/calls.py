"""CW402 and CW403: API calls that bring nothing, or that the budget does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dsl import syntax as s
from dsl.checks.flows import clause_of, words
from dsl.diagnostics import Diagnostic
from dsl.fixes import Edit, Fix
from dsl.passes import Project, SyncView
from dsl.paths import title_of
from dsl.program import LimitRule
from dsl.schema import Side
from dsl.source import Span

__all__ = ["hasty_polling", "noisy_activity", "over_budget"]

_NOISY = {"email opened": "opens", "email clicked": "clicks"}

_TEN_MINUTES = 600
_SECONDS = {"day": 86_400, "hour": 3_600}
# How often each side is looked at unless the rules say otherwise, and by which toggle.
_WATCHES = {Side.SALESFORCE: ("polling", 600), Side.OUTREACH: ("pushing", 15)}


def noisy_activity(view: SyncView) -> Iterator[Diagnostic]:
    """Opens and clicks that are written to Salesforce."""
    for rule in view.pair.activities:
        what = _NOISY.get(rule.kind)
        if what is None or not rule.on:
            continue
        second = rule.kind.partition(" ")[2]
        end = rule.span.text.index(second) + len(second)
        span = rule.span._replace(end=rule.span.start + end)
        message = f"each of the {what} that `{rule.kind}` syncs costs a call and a line of history"
        help_text = f"write `{rule.kind} off`: Outreach goes on counting {what} by itself"
        fix = Fix(f"turn `{rule.kind}` off", (Edit(rule.span, f"{rule.kind} off"),))
        yield Diagnostic("CW402", message, span, help_text, fix=fix)


# -- how often ----------------------------------------------------------------------------------


def hasty_polling(view: SyncView) -> Iterator[Diagnostic]:
    """Polling more often than every ten minutes."""
    every = _every(clause_of(view, "polling"))
    if every is not None and 0 < every.seconds < _TEN_MINUTES:
        text = words(every.span)
        message = f"`{text}` is more often than changes need, and each look costs a call"
        better = "every 10 minutes"
        yield Diagnostic("CW403", message, every.span, f"poll `{better}`", better)


def _every(clause: s.Toggle | None) -> s.Every | None:
    options = clause.options if clause else ()
    return next((option for option in options if isinstance(option, s.Every)), None)


@dataclass(frozen=True, slots=True)
class _Watch:
    """How often one sync looks at one side, in seconds."""

    view: SyncView
    toggle: str
    every: int


def over_budget(project: Project) -> Iterator[Diagnostic]:
    """A limit that looking for changes uses up by itself, each look being at least one call.

    Of several limits of one side, the one that is hit first.
    """
    for side in Side:
        limits = [limit for limit in project.program.limits if limit.side is side]
        if not limits:
            continue
        watches = list(_watches(project.views, side))
        over = [limit for limit in limits if _calls(watches, limit) > limit.calls]
        if over:
            yield _over(min(over, key=_rate), watches)


def _watches(views: Iterable[SyncView], side: Side) -> Iterator[_Watch]:
    name, usual = _WATCHES[side]
    for view in views:
        toggle = view.pair.toggle(name)
        every = usual if toggle.every is None else toggle.every
        if toggle.on and every > 0:
            yield _Watch(view, name, every)


def _calls(watches: Iterable[_Watch], limit: LimitRule) -> int:
    return sum(_SECONDS[limit.period] // watch.every for watch in watches)


def _rate(limit: LimitRule) -> float:
    return limit.calls / _SECONDS[limit.period]


def _over(limit: LimitRule, watches: list[_Watch]) -> Diagnostic:
    costliest = min(watches, key=lambda watch: watch.every)
    name, period, system = costliest.toggle, limit.period, title_of(limit.side)
    message = (
        f"{name} alone makes at least {_calls(watches, limit):,} {system} calls "
        f"{'a day' if period == 'day' else 'an hour'}, and the budget is {limit.calls:,}"
    )
    share = f"{_calls([costliest], limit):,} of them are made here"
    related = ((_place(costliest), share),)
    return Diagnostic("CW403", message, limit.span, "raise it, or look less often", related=related)


def _place(watch: _Watch) -> Span:
    clause = clause_of(watch.view, watch.toggle)
    every = _every(clause)
    if every is not None:
        return every.span
    return clause.name_span if clause else watch.view.node.salesforce.span
