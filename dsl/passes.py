"""What a lint pass is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dsl.diagnostics import Diagnostic
from dsl.memo import Memo
from dsl.program import Pair, Program
from dsl.schema import Schema
from dsl.source import Source
from dsl.syntax import Item, Module, Sync

__all__ = ["ItemPass", "Project", "ProjectPass", "SyncPass", "SyncView"]


@dataclass(frozen=True, eq=False)
class SyncView:
    """One `sync` as a pass sees it: as written and as resolved, groups expanded.

    A view that is not `whole` lacks what could not be read or resolved: nothing can be said there
    of what is missing. `titles` are the project's own title templates by name.
    """

    node: Sync
    pair: Pair
    whole: bool
    schema: Schema
    titles: Mapping[str, Source]


@dataclass(frozen=True)
class Project:
    """All rule files of a project. One that is not `whole` has a stretch that cannot be read.

    What a pass concludes of one sync, or of two, it may keep in `memo` from one check to the next.
    """

    modules: tuple[Module, ...]
    program: Program
    views: tuple[SyncView, ...]
    schema: Schema
    memo: Memo

    @property
    def whole(self) -> bool:
        return not any(module.broken for module in self.modules)


# What a pass concludes is kept for as long as what it looks at stays the same: an edit costs the
# passes over the item that changed, and those over the whole project, which must be quick.
ItemPass = Callable[[Item], Iterable[Diagnostic]]
SyncPass = Callable[[SyncView], Iterable[Diagnostic]]
ProjectPass = Callable[[Project], Iterable[Diagnostic]]
