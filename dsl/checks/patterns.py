"""CW308: regular expressions that are none, or that no linear-time matching has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from dsl import program as p
from dsl.checks.strings import inside, part
from dsl.checks.walk import comparisons, conditions
from dsl.diagnostics import Diagnostic
from dsl.passes import SyncView
from dsl.source import Span

__all__ = ["patterns"]

_HELPS = (
    (
        re.compile(r"\(\?<?[=!]"),
        "matching takes linear time, and has no look-ahead or look-behind: write two conditions",
    ),
    (
        re.compile(r"\(\?>|[*+?}]\+"),
        "matching takes linear time, and has no possessive or atomic groups: it needs none",
    ),
    (
        re.compile(r"\\[1-9]|\(\?P=|\\k"),
        "matching takes linear time, and has no references back to a group",
    ),
    (re.compile(r"\\Z"), "the end of the text is written `$` or `\\\\z`"),
    (re.compile(r"\[:|\\[pP]"), "there is no such class of characters"),
    (re.compile(r"missing \)"), "close each `(`, or write `\\\\(` for the character itself"),
    (re.compile(r"unexpected \)"), "open each `)`, or write `\\\\)` for the character itself"),
    (re.compile(r"missing \]"), "close each `[`, or write `\\\\[` for the character itself"),
    (re.compile(r"no argument"), "write `\\\\*`, `\\\\+` or `\\\\?` for the character itself"),
    (re.compile(r"trailing"), "a backslash is written `\\\\\\\\` in a pattern in quotes"),
    (
        re.compile(r"repetition size"),
        "a pattern repeats at most 1000 times, the smaller number first",
    ),
)


def patterns(view: SyncView) -> Iterator[Diagnostic]:
    """Patterns of `matches` that cannot be compiled."""
    for condition, _ in conditions(view):
        for comparison in comparisons(condition):
            pattern = comparison.right
            if comparison.operator != "matches" or not isinstance(pattern, p.Constant):
                continue
            wrong = _wrong(pattern.value) if isinstance(pattern.value, str) else None
            if wrong is not None:
                yield _invalid(pattern, wrong)


@lru_cache(maxsize=256)
def _wrong(pattern: str) -> str | None:
    """What is wrong with a pattern, as the matcher says it; None for a good one."""
    import re2  # noqa: PLC0415 - only rules with `matches` pay for it

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        re2.compile(pattern, options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return None


def _invalid(pattern: p.Constant, wrong: str) -> Diagnostic:
    reason, _, fragment = wrong.partition(": ")
    text = str(pattern.value)
    at = text.find(fragment) if fragment else -1
    whole = at < 0 or fragment == text
    span = _whole(pattern.span) if whole else part(pattern.span, at, at + len(fragment))
    message = f"`{text}` is no regular expression: {reason}"
    if not whole:
        message += f" `{fragment}`"
    return Diagnostic("CW308", message, span, _help(f"{reason}: {fragment}"))


def _whole(literal: Span) -> Span:
    return inside(literal) if literal.end - literal.start > 2 else literal


def _help(wrong: str) -> str | None:
    return next((words for shape, words in _HELPS if shape.search(wrong)), None)
