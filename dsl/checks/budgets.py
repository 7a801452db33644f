"""CW309: budgets, guards and intervals that cannot hold."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax as s
from dsl.diagnostics import Diagnostic
from dsl.passes import Project
from dsl.paths import title_of
from dsl.schema import Side

__all__ = ["bounds", "budgets"]

_HOURS = {"hour": 1, "day": 24}


def bounds(item: s.Item) -> Iterator[Diagnostic]:
    """Percentages that are none, and intervals of no length."""
    match item:
        case s.Guard(bounds=all_bounds):
            for bound in all_bounds:
                if bound.what == "blanking":
                    yield from _percentage(bound.amount)
        case s.Sync(clauses=clauses):
            for clause in clauses:
                if isinstance(clause, s.Toggle):
                    yield from _interval(clause)


def _percentage(amount: s.Literal) -> Iterator[Diagnostic]:
    value = amount.value
    if isinstance(value, int | float) and not 0 <= value <= 100:
        message = f"`{amount.span.text}%` is no share: `blanking` goes from `0%` to `100%`"
        yield Diagnostic(
            "CW309", message, amount.span, "write the share of values that a run may empty"
        )


def _interval(clause: s.Toggle) -> Iterator[Diagnostic]:
    for option in clause.options:
        if isinstance(option, s.Every) and option.seconds <= 0 and _is_zero(option):
            message = f"`{clause.name}` cannot look {' '.join(option.span.text.split())}"
            usual = "every 10 minutes" if clause.name == "polling" else "every 15 seconds"
            yield Diagnostic("CW309", message, option.span, f"usual is `{usual}`")


def _is_zero(every: s.Every) -> bool:
    """Whether `0` stands there: a fraction or a negative one is a syntax error of its own."""
    _, number, *_ = every.span.text.split()
    return number.isdigit()


def budgets(project: Project) -> Iterator[Diagnostic]:
    """Own budgets that the one for all would stop long before."""
    limits = [
        limit
        for module in project.modules
        for item in module.items
        if isinstance(item, s.Limits)
        for limit in item.limits
    ]
    for own in limits:
        above = next((each for each in limits if own.scope == "own" and _is_above(own, each)), None)
        if above is not None:
            yield _above(own, above)


def _is_above(own: s.Limit, total: s.Limit) -> bool:
    """Whether the total is used up before the own budget can be.

    A budget of an hour is that of a day 24 times; that of a day may all go in one hour.
    """
    if total.scope != "total" or total.side != own.side:
        return False
    times = max(_HOURS[own.period] // _HOURS[total.period], 1)
    return _calls(own) > _calls(total) * times


def _calls(limit: s.Limit) -> int:
    return limit.calls.value if isinstance(limit.calls.value, int) else 0


def _above(own: s.Limit, total: s.Limit) -> Diagnostic:
    mine = f"{own.calls.span.text} per {own.period}"
    theirs = f"{total.calls.span.text} per {total.period}"
    side = title_of(Side(own.side))
    message = f"{side}'s `own` budget of `{mine}` is above its `total` of `{theirs}`"
    related = ((total.calls.span, "the total is here"),)
    help_text = "the own budget is a share of the total: make it smaller"
    return Diagnostic("CW309", message, own.calls.span, help_text, related=related)
