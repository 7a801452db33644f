"""What the rule files of a project define by name: groups and maps, and who uses a wrong one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dsl import syntax as s
from dsl.diagnostics import Diagnostic, closest
from dsl.memo import Memo
from dsl.program import MapEntry, Translation
from dsl.source import Span

__all__ = ["Names", "gather"]


@dataclass(frozen=True)
class Names:
    """Groups and maps by name; of two with one name the first (CW103 says so)."""

    fields: Mapping[str, s.Fields]
    activities: Mapping[str, s.Activities]
    maps: Mapping[str, Translation]
    templates: frozenset[str]
    broken: tuple[Span, ...] = ()

    def group_of_fields(self, name: s.Name, found: list[Diagnostic]) -> s.Fields | None:
        if name.text not in self.fields:
            other = "activities" if name.text in self.activities else None
            self._unknown(name, "group of fields", self.fields, found, other)
        return self.fields.get(name.text)

    def group_of_activities(self, name: s.Name, found: list[Diagnostic]) -> s.Activities | None:
        if name.text not in self.activities:
            other = "fields" if name.text in self.fields else None
            self._unknown(name, "group of activities", self.activities, found, other)
        return self.activities.get(name.text)

    def map(self, name: s.Name, found: list[Diagnostic]) -> Translation | None:
        if name.text not in self.maps:
            self._unknown(name, "stage or value map", self.maps, found)
        return self.maps.get(name.text)

    def has_template(self, name: s.Name, found: list[Diagnostic]) -> bool:
        if name.text not in self.templates:
            self._unknown(name, "title template", self.templates, found)
        return name.text in self.templates

    def used_by(self, sync: s.Sync) -> Iterator[object]:
        """The groups and maps that a sync names, and what those name; None for a wrong name."""
        for clause in sync.clauses:
            if isinstance(clause, s.FieldsBlock):
                yield from self._of_lines(clause.lines)
            elif isinstance(clause, s.ActivitiesBlock):
                yield from self._of_activities(clause.lines)

    def _of_lines(self, lines: Iterable[s.FieldLine | s.Use]) -> Iterator[object]:
        for line in lines:
            if isinstance(line, s.Use):
                group = self.fields.get(line.name.text)
                yield group
                yield from self._of_lines(group.lines if group else ())
                continue
            for modifier in line.modifiers:
                if isinstance(modifier, s.Via):
                    yield self.maps.get(modifier.name.text)

    def _of_activities(self, lines: Iterable[s.ActivityLine | s.Use]) -> Iterator[object]:
        for line in lines:
            if isinstance(line, s.Use):
                group = self.activities.get(line.name.text)
                yield group
                yield from self._of_activities(group.lines if group else ())
                continue
            yield from self._of_lines(line.lines)

    def _unknown(
        self,
        name: s.Name,
        what: str,
        known: Iterable[str],
        found: list[Diagnostic],
        instead: str | None = None,
    ) -> None:
        word = re.compile(rf"\b{re.escape(name.text)}\b")
        if any(word.search(span.text) for span in self.broken):
            return  # it may well be defined in what could not be read
        near = closest(name.text, sorted(known))
        help_text = f"did you mean `{near}`?" if near else None
        if instead:
            near, help_text = None, f"`{name.text}` is a group of {instead}"
        elif what == "title template" and not near:
            help_text = f"titles are files: `templates/activity_titles/{name.text}.j2`"
        message = f"there is no {what} named `{name.text}`"
        found.append(Diagnostic("CW207", message, name.span, help_text, near))


def gather(modules: Sequence[s.Module], templates: frozenset[str], memo: Memo) -> Names:
    """All that the modules define by name."""
    fields: dict[str, s.Fields] = {}
    activities: dict[str, s.Activities] = {}
    maps: dict[str, Translation] = {}
    for module in modules:
        for item in module.items:
            if isinstance(item, s.Fields):
                fields.setdefault(item.name.text, item)
            elif isinstance(item, s.Activities):
                activities.setdefault(item.name.text, item)
            elif isinstance(item, s.ValueMap) and item.name.text not in maps:
                maps[item.name.text] = memo.of("map", item, partial(_translation, item))
    broken = tuple(span for module in modules for span in module.broken)
    return Names(fields, activities, maps, templates, broken)


def _translation(item: s.ValueMap) -> Translation:
    entries = tuple(
        MapEntry(
            pair.span,
            _plain(pair.left),
            pair.arrow,
            _plain(pair.right),
            str(pair.color.value) if pair.color else None,
        )
        for pair in item.pairs
    )
    is_stages = item.kind == "stages"
    if not item.otherwise:
        return Translation(item.span, item.name.text, is_stages, entries)
    action = item.otherwise[0].action
    if isinstance(action, s.Literal):
        text = str(action.value)
        return Translation(item.span, item.name.text, is_stages, entries, "text", text)
    return Translation(item.span, item.name.text, is_stages, entries, action)


def _plain(literal: s.Literal) -> str | int | float | bool:
    value = literal.value
    return value if isinstance(value, str | int | float | bool) else str(value)
