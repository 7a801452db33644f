"""CW102: rule files that ask for a language that this program does not know."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax as s
from dsl.diagnostics import Diagnostic

__all__ = ["KNOWN_VERSIONS", "versions"]

KNOWN_VERSIONS = (1,)


def versions(item: s.Item) -> Iterator[Diagnostic]:
    if not isinstance(item, s.Version) or item.number.value in KNOWN_VERSIONS:
        return
    span = item.number.span
    newest = KNOWN_VERSIONS[-1]
    message = f"there is no language version `{span.text}` here: the newest is `{newest}`"
    help_text = None
    if isinstance(item.number.value, int) and item.number.value > newest:
        help_text = "install a newer Crosswalk, or write the rules for this one"
    yield Diagnostic("CW102", message, span, help_text, str(newest))
