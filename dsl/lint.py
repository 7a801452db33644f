"""Checks rule files: parse, resolve, then every pass in turn."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from dsl.checks.blanks import blanked
from dsl.checks.budgets import bounds, budgets
from dsl.checks.calls import hasty_polling, noisy_activity, over_budget
from dsl.checks.conditions import conditions
from dsl.checks.inbound_only import idle_fallback, outbound_opportunity, risky_create
from dsl.checks.loops import loops
from dsl.checks.maps import maps
from dsl.checks.optouts import opt_out_reversal
from dsl.checks.owners import owner_without_users
from dsl.checks.patterns import patterns
from dsl.checks.required import required
from dsl.checks.shared_resources import disagreeing_syncs, double_create
from dsl.checks.stages import loose_opportunity_stages, loose_stages
from dsl.checks.targets import targets
from dsl.checks.titles import title_files, titles
from dsl.checks.toggles import toggles
from dsl.checks.unmapped import unmapped_values
from dsl.checks.values import mapped_values, values
from dsl.diagnostics import Diagnostic, in_order
from dsl.duplicates import duplicates, duplicates_inside
from dsl.memo import Memo
from dsl.parser import Reader
from dsl.passes import ItemPass, Project, ProjectPass, SyncPass, SyncView
from dsl.program import Program
from dsl.resolve import Surroundings, resolve
from dsl.schema import Schema
from dsl.source import Source
from dsl.suppressions import silence
from dsl.syntax import Item, Module
from dsl.versions import versions

__all__ = ["ITEM_PASSES", "PROJECT_PASSES", "SYNC_PASSES", "Checked", "Checker", "check"]


ITEM_PASSES: tuple[ItemPass, ...] = (
    versions,
    duplicates_inside,
    maps,
    bounds,
)
SYNC_PASSES: tuple[SyncPass, ...] = (
    values,
    required,
    titles,
    targets,
    toggles,
    patterns,
    conditions,
    risky_create,
    outbound_opportunity,
    noisy_activity,
    hasty_polling,
    loose_stages,
    opt_out_reversal,
    blanked,
)
PROJECT_PASSES: tuple[ProjectPass, ...] = (
    duplicates,
    mapped_values,
    unmapped_values,
    title_files,
    budgets,
    loops,
    over_budget,
    idle_fallback,
    owner_without_users,
    loose_opportunity_stages,
    disagreeing_syncs,
    double_create,
)


@dataclass(frozen=True)
class Checked:
    """The program of some rule files, and what is wrong with them, in order."""

    program: Program
    diagnostics: tuple[Diagnostic, ...]
    modules: tuple[Module, ...] = ()

    @property
    def ok(self) -> bool:
        return not any(d.is_error for d in self.diagnostics)


class Checker:
    """Checks the rule files of a project again and again, each time only what has changed.

    `templates` are the names of all title templates, `titles` the project's own with their texts.
    The places in what one check returned move with the next one's texts.
    """

    def __init__(
        self,
        schema: Schema,
        templates: frozenset[str],
        titles: Mapping[str, Source] | None = None,
    ) -> None:
        self._around = Surroundings(schema, templates, titles or {})
        self._reader = Reader()
        self._memo = Memo()

    def check(self, sources: Sequence[Source]) -> Checked:
        """The program that the files make, with every finding that one run can report."""
        with _uncollected():
            return self._check(sources)

    def _check(self, sources: Sequence[Source]) -> Checked:
        self._memo.turn()
        modules, wrong = self._reader.read(sources)
        found = list(wrong)
        resolved = resolve(modules, self._around, self._memo)
        found += resolved.found
        project = Project(
            tuple(modules), resolved.program, resolved.views, self._around.schema, self._memo
        )
        found += self._passed(project)
        return Checked(project.program, in_order(silence(modules, found)), project.modules)

    def _passed(self, project: Project) -> Iterator[Diagnostic]:
        for module in project.modules:
            for item in module.items:
                yield from self._memo.of("item passes", item, partial(_over_item, item))
        for view in project.views:
            yield from self._memo.of("sync passes", view, partial(_over_sync, view))
        for each in PROJECT_PASSES:
            yield from each(project)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without a look for circles: a check makes trees, and looking takes a tenth of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _over_item(item: Item) -> tuple[Diagnostic, ...]:
    return tuple(found for each in ITEM_PASSES for found in each(item))


def _over_sync(view: SyncView) -> tuple[Diagnostic, ...]:
    return tuple(found for each in SYNC_PASSES for found in each(view))


def check(
    sources: Sequence[Source],
    schema: Schema,
    templates: frozenset[str],
    titles: Mapping[str, Source] | None = None,
) -> Checked:
    """The program that the rule files make, with every finding that one run can report."""
    return Checker(schema, templates, titles).check(sources)
