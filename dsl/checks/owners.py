"""CW406: owners need users that are the same people on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from dsl import syntax as s
from dsl.checks.flows import ends, plain, words
from dsl.diagnostics import Diagnostic
from dsl.passes import Project, SyncView
from dsl.program import FieldRef, Line
from dsl.schema import Kind
from dsl.source import Span

__all__ = ["owner_without_users"]

_MOST = 4


def owner_without_users(project: Project) -> Iterator[Diagnostic]:
    """The first owner that is mapped, with some of the others: one sync of users mends them all."""
    if not project.whole or _syncs_users(project):
        return
    lines = list(islice(_owners(project.views), _MOST))
    if not lines:
        return
    first, *others = lines
    message = f"`{words(ends(first))}` maps an owner, and there is no sync of `User`"
    help_text = "add `sync User <-> user`, so that owners are the same people on both sides"
    related = tuple((ends(line), "another owner") for line in others)
    yield Diagnostic("CW406", message, ends(first), help_text, related=related)


def _syncs_users(project: Project) -> bool:
    items = (item for module in project.modules for item in module.items)
    return any(isinstance(item, s.Sync) and item.salesforce.text == "User" for item in items)


def _owners(views: Iterable[SyncView]) -> Iterator[Line]:
    """The first line of each sync that translates a reference to a user."""
    seen: set[Span] = set()
    for view in views:
        line = next((each for each in view.pair.lines if _maps_user(each)), None)
        if line is not None and line.span not in seen:
            seen.add(line.span)
            yield line


def _maps_user(line: Line) -> bool:
    if line.via is not None:
        return False
    left, right = plain(line.salesforce), plain(line.outreach)
    if left is None or right is None:
        return False
    # What a custom field holds is not known; a user that is written must be looked up in any case.
    if left.kind is Kind.REFERENCE and right.kind is Kind.REFERENCE:
        return _is_user(left) or _is_user(right)
    return (line.inbound and _is_user(right)) or (line.outbound and _is_user(left))


def _is_user(end: FieldRef) -> bool:
    return end.kind is Kind.REFERENCE and not {"User", "user"}.isdisjoint(end.references)
