"""From the trees of all rule files to one program, every name resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from dsl import program as p
from dsl import syntax as s
from dsl.activities import ActivityContext, resolve_activities
from dsl.conditions import resolve_condition
from dsl.diagnostics import Diagnostic, closest
from dsl.lines import LineContext, resolve_line
from dsl.memo import Memo
from dsl.names import Names, gather
from dsl.passes import SyncView
from dsl.paths import Scope, resolve_path, title_of
from dsl.records import check_test
from dsl.schema import ObjectType, Schema, Side
from dsl.source import Source
from dsl.types import COUNTERPARTS, check_match

__all__ = ["Resolved", "Surroundings", "resolve"]


@dataclass(frozen=True)
class Resolved:
    """The program of some rule files without what is wrong in them, its syncs, and the findings."""

    program: p.Program
    views: tuple[SyncView, ...]
    found: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Surroundings:
    """What the rule files stand in: the schema, the title templates by name, the project's own."""

    schema: Schema
    templates: frozenset[str]
    titles: Mapping[str, Source]


def resolve(modules: Sequence[s.Module], around: Surroundings, memo: Memo) -> Resolved:
    """All names of some rule files resolved; `memo` keeps what is as it was in the last round."""
    names = gather(modules, around.templates, memo)
    items = list(chain.from_iterable(module.items for module in modules))
    syncs = [item for item in items if isinstance(item, s.Sync)]
    linked = memo.same(frozenset(_links_of_its_own(syncs, around.schema)))
    broken = {span.source for span in names.broken}
    views: list[SyncView] = []
    found: list[Diagnostic] = []
    pairs: dict[tuple[str, str], p.Pair] = {}
    for sync in syncs:
        needs = (around, linked, *names.used_by(sync))
        if None in needs:  # what is suggested instead of a wrong name may be any other
            needs = (object(),)
        make = partial(_resolved, sync, around, names, linked, sync.span.source not in broken)
        view, wrong = memo.of("sync", sync, make, needs)
        found += wrong
        if view is not None:
            views.append(view)
            pairs.setdefault((view.pair.salesforce.name, view.pair.outreach.name), view.pair)
    tests = tuple(item for item in items if isinstance(item, s.Test))
    for test in tests:
        found += memo.of("test", test, partial(_checked, test, around.schema))
    program = p.Program(
        tuple(module.source for module in modules),
        tuple(pairs.values()),
        names.maps,
        tuple(_limits(items)),
        tuple(_guards(items)),
        tests,
        around.titles,
    )
    return Resolved(program, tuple(views), tuple(found))


def _links_of_its_own(syncs: Sequence[s.Sync], schema: Schema) -> Iterator[tuple[str, str]]:
    """The pairs of types that this project links, but for those that need no saying.

    Types that no schema knows are left out as well, since nothing is known to refer to them: so the
    lines of one sync stay as they are while the head of another is typed.
    """
    for sync in syncs:
        types = (sync.salesforce.text, sync.outreach.text)
        known = all(schema.get(side, name) for side, name in zip(Side, types, strict=True))
        if known and types not in COUNTERPARTS:
            yield types


def _checked(test: s.Test, schema: Schema) -> tuple[Diagnostic, ...]:
    return tuple(check_test(test, schema))


def _resolved(
    sync: s.Sync,
    around: Surroundings,
    names: Names,
    linked: frozenset[tuple[str, str]],
    whole: bool,
) -> tuple[SyncView | None, tuple[Diagnostic, ...]]:
    found: list[Diagnostic] = []
    pair = _Sync(around.schema, names, linked, found).resolve(sync)
    if pair is None:
        return None, tuple(found)
    whole = whole and not any(d.is_error for d in found)
    return SyncView(sync, pair, whole, around.schema, around.titles), tuple(found)


def _limits(items: Sequence[s.Item]) -> Iterator[p.LimitRule]:
    for item in items:
        if isinstance(item, s.Limits):
            for limit in item.limits:
                calls = limit.calls.value if isinstance(limit.calls.value, int) else 0
                yield p.LimitRule(limit.span, Side(limit.side), limit.scope, calls, limit.period)


def _guards(items: Sequence[s.Item]) -> Iterator[p.GuardRule]:
    for item in items:
        if isinstance(item, s.Guard):
            for bound in item.bounds:
                amount = bound.amount.value
                number = amount if isinstance(amount, int | float) else 0
                yield p.GuardRule(bound.span, bound.what, number)


class _Sync:
    """Resolves one `sync` block at a time."""

    def __init__(
        self,
        schema: Schema,
        names: Names,
        linked: frozenset[tuple[str, str]],
        found: list[Diagnostic],
    ) -> None:
        self.schema = schema
        self.names = names
        self.linked = linked
        self.found = found

    def resolve(self, sync: s.Sync) -> p.Pair | None:
        salesforce = self._type(Side.SALESFORCE, sync.salesforce)
        outreach = self._type(Side.OUTREACH, sync.outreach)
        if salesforce is None or outreach is None:
            self._check_names_only(sync)
            return None
        matches: list[p.MatchRule] = []
        toggles: dict[str, p.ToggleRule] = {}
        lines: list[p.Line] = []
        activities: tuple[p.ActivityRule, ...] = ()
        conflict = p.Policy.NEWEST
        seen: set[type] = set()
        for clause in sync.clauses:
            first = type(clause) not in seen
            seen.add(type(clause))
            match clause:
                case s.Match():
                    matches += self._match(clause, salesforce, outreach)
                case s.Toggle():
                    toggle = self._toggle(clause, salesforce, outreach)
                    toggles.setdefault(clause.name, toggle)
                case s.Conflict() if first:
                    conflict = p.Policy(clause.policy)
                case s.FieldsBlock():
                    lines += self._lines(clause, salesforce, outreach)
                case s.ActivitiesBlock():
                    context = ActivityContext(self.schema, self.names, self.linked)
                    rules = resolve_activities(clause, context, self.found)
                    activities = rules if first else activities
        return p.Pair(
            sync.span,
            salesforce,
            outreach,
            tuple(matches),
            toggles,
            tuple(lines),
            activities,
            conflict,
        )

    def _type(self, side: Side, name: s.Name) -> ObjectType | None:
        known = self.schema.get(side, name.text)
        if known is not None:
            return known
        if side is Side.SALESFORCE and self.schema.trusts(side, name.text):
            return ObjectType(side, name.text, name.text, {})
        self.found.append(_unknown_type(self.schema, side, name))
        return None

    def _check_names_only(self, sync: s.Sync) -> None:
        """What can be said of a sync whose types are not known: its groups and maps."""
        for clause in sync.clauses:
            if isinstance(clause, s.FieldsBlock):
                for line in clause.lines:
                    if isinstance(line, s.Use):
                        self.names.group_of_fields(line.name, self.found)
                        continue
                    for modifier in line.modifiers:
                        if isinstance(modifier, s.Via):
                            self.names.map(modifier.name, self.found)
            elif isinstance(clause, s.ActivitiesBlock):
                context = ActivityContext(self.schema, self.names, self.linked)
                resolve_activities(clause, context, self.found)

    def _match(
        self, clause: s.Match, salesforce: ObjectType, outreach: ObjectType
    ) -> Iterator[p.MatchRule]:
        left = Scope(self.schema, salesforce, outreach, Side.SALESFORCE, only=True)
        right = Scope(self.schema, salesforce, outreach, Side.OUTREACH, only=True)
        before = len(self.found)
        keys = []
        for a, b in clause.pairs:
            ends = resolve_path(a, left, self.found), resolve_path(b, right, self.found)
            if ends[0] is None or ends[1] is None:
                continue
            wrong = check_match(ends[0], ends[1], a.span.to(b.span))
            if wrong:
                self.found.append(wrong)
            keys.append((ends[0], ends[1]))
        if len(self.found) == before:
            yield p.MatchRule(clause.span, tuple(keys))

    def _toggle(
        self, clause: s.Toggle, salesforce: ObjectType, outreach: ObjectType
    ) -> p.ToggleRule:
        reads_outreach = clause.name == "pushing" or clause.name.startswith("outbound")
        side = Side.OUTREACH if reads_outreach else Side.SALESFORCE
        on, every, condition = True, None, None
        for option in reversed(clause.options):
            match option:
                case s.Switch():
                    on = option.on
                case s.Every():
                    every = option.seconds
                case s.When():
                    scope = Scope(self.schema, salesforce, outreach, side)
                    condition = resolve_condition(option.condition, scope, self.found)
        return p.ToggleRule(on, every, condition, clause.span)

    def _lines(
        self, block: s.FieldsBlock, salesforce: ObjectType, outreach: ObjectType
    ) -> Iterator[p.Line]:
        context = LineContext(self.schema, self.names, salesforce, outreach, self.linked)
        for entry in block.lines:
            if isinstance(entry, s.FieldLine):
                line = resolve_line(entry, context, self.found)
                if line is not None:
                    yield line
                continue
            group = self.names.group_of_fields(entry.name, self.found)
            if group is None:
                continue
            wrong: list[Diagnostic] = []
            for node in group.lines:
                line = resolve_line(node, context, wrong)
                if line is not None:
                    yield line
            used = f"used here, in `sync {salesforce.name} <-> {outreach.name}`"
            self.found += [_with_place(d, entry, used) for d in wrong]


def _with_place(d: Diagnostic, use: s.Use, words: str) -> Diagnostic:
    """A finding in a group, with the sync that it is wrong for. A wrong name is wrong anywhere."""
    if d.code == "CW207":
        return d
    return replace(d, related=(*d.related, (use.span, words)))


def _unknown_type(schema: Schema, side: Side, name: s.Name) -> Diagnostic:
    what = "object type" if side is Side.SALESFORCE else "resource type"
    message = f"{title_of(side)} has no {what} `{name.text}`"
    if schema.get(side.other, name.text) is not None:
        swapped = f"it is one of {title_of(side.other)}'s: Salesforce is on the left"
        return Diagnostic("CW201", message, name.span, swapped)
    near = closest(name.text, schema.names(side))
    help_text = f"did you mean `{near}`?" if near else None
    if not near and side is Side.SALESFORCE:
        help_text = "a custom object's name ends in `__c`"
    return Diagnostic("CW201", message, name.span, help_text, near)
