"""Makes pairs of a project's activity rules, so that a cycle carries them out like any others.

An activity's pair goes one way and is never read on Salesforce's side; its link is what makes that
the activity is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dsl import program as p
from dsl.schema import Side, shipped_schema
from engine.kinds import KINDS, OUTSIDE, Kind
from engine.own_rules import (
    all_of,
    any_of,
    condition,
    lines,
    named,
    resolved,
    resource_of,
    write,
)
from engine.ports import Store
from engine.worked_out import minutes_of, phase_of, spoken, title_line, variable

__all__ = ["PEOPLE", "able", "carried_out"]

#: Whom an activity can be about, the one first who counts where a prospect is linked to both.
PEOPLE = ("Contact", "Lead")

_ONCE_MADE = ("task", "meeting")  # labels whose record is written again later
_Rules = dict[str, dict[str, p.ActivityRule]]


def carried_out(program: p.Program, titles: Mapping[str, str]) -> p.Program:
    """The program with a pair for each kind of activity that its syncs write.

    `titles` are the texts of the title templates by name.
    """
    found: dict[tuple[str, str], _Rules] = {}
    fallback = False
    for pair in program.pairs:
        person = pair.salesforce.name
        if person not in PEOPLE or pair.outreach.name != "prospect":
            continue
        fallback |= person == "Contact" and pair.toggle("fallback association").on
        for rule in pair.activities:
            if rule.on:
                key = (KINDS[rule.kind].label, rule.target)
                found.setdefault(key, {}).setdefault(person, {})[rule.kind] = rule
    kinds = {
        rule.kind for rules in found.values() for one in rules.values() for rule in one.values()
    }
    made = [
        _Maker(label, target, rules, titles, frozenset(kinds), fallback).pair()
        for (label, target), rules in found.items()
    ]
    return replace(program, pairs=(*program.pairs, *made)) if made else program


def able(program: p.Program, stores: Mapping[Side, Store]) -> tuple[p.Program, list[str]]:
    """The program without activities that a connected system has no type for; a word on each."""
    left, told = [], []
    for pair in program.pairs:
        lacking = pair.label and next(
            (s for s in Side if stores[s].describe(pair.type(s).name) is None), None
        )
        if not lacking:
            left.append(pair)
            continue
        name = pair.type(lacking).name
        told.append(
            f"the connected {lacking.title()} has no type `{name}`, so activities of the kind"
            f" `{pair.label}` ({pair.span.place}) are not written"
        )
    return (replace(program, pairs=tuple(left)) if told else program), told


# -- a pair of one label ------------------------------------------------------------------------


@dataclass
class _Maker:
    """Makes the pair of one label, such as `email sent`, of the rules of one or two syncs."""

    label: str
    target: str
    rules: _Rules
    titles: Mapping[str, str]
    kinds: frozenset[str]
    fallback: bool

    def pair(self) -> p.Pair:
        troubles: list[str] = []
        people = [person for person in PEOPLE if person in self.rules]
        first = next(iter(self.rules[people[0]].values()))
        base = resolved(
            self.target, resource_of(first), "", first.span.source.path, first.span.first.line
        )
        alike = len(people) == 1 or _text_of(self.rules[people[0]]) == _text_of(
            self.rules[people[1]]
        )
        found: list[p.Line] = []
        for person in people[:1] if alike else people:
            made = self._lines_of(self.rules[person], troubles)
            found += made if alike else [replace(line, who=person) for line in made]
        found += self._common(first)
        toggles = {
            "pushing": p.ToggleRule(True, None, self._watched(), first.span),
            "outbound create": p.ToggleRule(True, None, None, first.span),
            "outbound update": p.ToggleRule(self._is_updated(), None, None, first.span),
        }
        for person in people:
            for action, when in self._conditions(self.rules[person]).items():
                rule = _rule_of(action, self.rules[person])
                toggles[f"outbound {action} {person}"] = p.ToggleRule(True, None, when, rule.span)
        return replace(
            base,
            span=first.span,
            toggles=toggles,
            lines=tuple(found),
            label=self.label,
            unless_there=self.target == "Event",
            fallback=self.fallback,
            troubles=troubles,
        )

    def _is_updated(self) -> bool:
        kinds = {kind for rules in self.rules.values() for kind in rules}
        return bool(kinds & {"meeting rescheduled", "meeting canceled"}) or (
            {"task created", "task completed"} <= kinds
        )

    # -- conditions -----------------------------------------------------------------------------

    def _takes(self, rule: p.ActivityRule) -> p.Condition:
        kind = KINDS[rule.kind]
        anywhere = rule.origin == "anywhere" and kind.anywhere
        return condition(rule, kind.anywhere if anywhere else kind.takes)

    def _watched(self) -> p.Condition | None:
        """Which records of the resource are looked at: others are not even skipped."""
        every = [rule for rules in self.rules.values() for rule in rules.values()]
        about = condition(every[0], OUTSIDE)
        if self.label in _ONCE_MADE and len({rule.kind for rule in every}) > 1:
            return about
        return all_of(any_of(self._takes(rule) for rule in every), about)

    def _conditions(self, rules: dict[str, p.ActivityRule]) -> dict[str, p.Condition | None]:
        """What has to hold of an activity to be created, and to be written again."""
        whens = {kind: spoken(rule, rule.when) for kind, rule in rules.items()}
        if self.label == "meeting":
            return self._of_meetings(rules, whens)
        each = {kind: all_of(self._takes(rule), whens[kind]) for kind, rule in rules.items()}
        if self.label != "task":
            (when,) = each.values()
            return {"create": when}
        found: dict[str, p.Condition | None] = {}
        if done := rules.get("task completed"):
            found["update"] = each["task completed"]
            each["task completed"] = all_of(each["task completed"], self._not_by_itself(done))
        found["create"] = any_of(when for when in each.values() if when is not None)
        return found

    def _not_by_itself(self, rule: p.ActivityRule) -> p.Condition | None:
        """A task that was done by an e-mail or a call is written as that, if that is written."""
        written = {"email sent": "mailing is empty", "call logged": "call is empty"}
        return all_of(*(condition(rule, t) for kind, t in written.items() if kind in self.kinds))

    def _of_meetings(
        self, rules: dict[str, p.ActivityRule], whens: dict[str, Any]
    ) -> dict[str, p.Condition | None]:
        def when(kind: str) -> list[p.Condition]:
            rule = rules.get(kind)
            return [c] if rule and (c := all_of(self._takes(rule), whens[kind])) else []

        makes = when("meeting booked") or when("meeting rescheduled")
        changes = when("meeting rescheduled") + when("meeting canceled")
        never = condition(next(iter(rules.values())), "createdAt is empty")
        return {
            "create": any_of(makes) if makes else never,
            "update": any_of(changes) if changes else never,
        }

    # -- lines ----------------------------------------------------------------------------------

    def _common(self, rule: p.ActivityRule) -> list[p.Line]:
        """Who it is about, what it belongs to, and whose it is."""
        owner = KINDS[rule.kind].owner
        texts = ("WhoId <- prospect", "WhatId <- opportunity", f"OwnerId <- {owner}")
        who, what, whose = (replace(line, once=True) for line in lines(rule, texts))
        return [
            replace(who, unlinked="record"),
            replace(what, unlinked="never", who="Contact"),
            replace(whose, unlinked="never"),
        ]

    def _lines_of(self, rules: dict[str, p.ActivityRule], troubles: list[str]) -> list[p.Line]:
        """The lines of one sync's rules; of each kind those that hold while it is that."""
        phases = self._phases(rules)
        if len(phases) == 1:
            ((rule, _),) = phases
            return [replace(line, once=True) for line in self._lines_in(rule, troubles)]
        first = phases[0][0]
        told = phase_of(first, frozenset(rules))
        found = []
        for rule, phase in phases:
            for line in self._lines_in(rule, troubles):
                when = all_of(condition(rule, phase), line.when)
                once = line.once or not _is_updateable(line, rule.target)
                compared = None if once else told
                found.append(replace(line, when=when, once=once, compared=compared))
        return found

    def _phases(self, rules: dict[str, p.ActivityRule]) -> list[tuple[p.ActivityRule, str]]:
        """The kinds, each with what holds while a record's title and lines are of the kind."""
        if self.label == "task":
            return [(rule, KINDS[kind].takes) for kind, rule in rules.items()]
        if self.label != "meeting":
            return [(rule, "") for rule in rules.values()]
        booked, moved, canceled = (
            rules.get(f"meeting {word}") for word in ("booked", "rescheduled", "canceled")
        )
        begun = KINDS["meeting booked"].takes
        over = KINDS["meeting canceled"].takes
        again = "rescheduledAt is present"
        found = []
        standing = begun if canceled else "createdAt is present"
        if booked:
            found.append((booked, f"({standing}) and not ({again})" if moved else standing))
        if moved:
            found.append((moved, f"({standing}) and {again}" if booked else standing))
        if canceled:
            found.append((canceled, over))
        return found

    def _lines_in(self, rule: p.ActivityRule, troubles: list[str]) -> list[p.Line]:
        """The lines of one rule: what a record of the kind holds, unless the rule itself says."""
        own = [spoken(rule, line) for line in rule.lines]
        taken = {_target(line) for line in own}
        title = title_line(rule, self.titles, troubles)
        made = [write(rule, "Subject", title), *self._defaults(rule, KINDS[rule.kind])]
        return [*(line for line in made if _target(line) not in taken), *own]

    def _defaults(self, rule: p.ActivityRule, kind: Kind) -> list[p.Line]:
        resource = resource_of(rule)
        if rule.target == "Event":
            return self._of_an_event(rule, kind)
        status = "Not Started" if rule.kind == "task created" else "Completed"
        texts = [
            f"ActivityDate <- {kind.moment}",
            f'Status <- "{status}"',
            'Priority <- "Normal"',
            *kind.lines,
        ]
        found = list(lines(rule, texts))
        if resource == "call":
            name = "CallDurationInSeconds"
            found.append(write(rule, name, variable(rule, "duration", named("", "duration"))))
        return found

    def _of_an_event(self, rule: p.ActivityRule, kind: Kind) -> list[p.Line]:
        resource = resource_of(rule)
        texts = [line for line in kind.lines if line.startswith("Description")]
        if resource != "meeting":
            return list(
                lines(rule, [f"StartDateTime <- {kind.moment}", "DurationInMinutes <- 0", *texts])
            )
        texts += [
            "StartDateTime <- startTime when allDay != true",
            "EndDateTime <- endTime when allDay != true",
            "ActivityDate <- startTime when allDay = true",
            "IsAllDayEvent <- allDay",
            "Location <- location",
        ]
        return [*lines(rule, texts), write(rule, "DurationInMinutes", minutes_of(rule))]


def _rule_of(action: str, rules: dict[str, p.ActivityRule]) -> p.ActivityRule:
    """The rule to be named as the reason of a create or an update."""
    later = ("task completed", "meeting rescheduled", "meeting canceled")
    names = later if action == "update" else ()
    return next((rules[name] for name in names if name in rules), next(iter(rules.values())))


def _target(line: p.Line) -> str:
    return line.salesforce.path if isinstance(line.salesforce, p.FieldRef) else ""


def _is_updateable(line: p.Line, target: str) -> bool:
    known = shipped_schema().get(Side.SALESFORCE, target)
    field = known.fields.get(_target(line)) if known is not None else None
    return field is None or field.updateable


def _text_of(rules: dict[str, p.ActivityRule]) -> list[tuple[Any, ...]]:
    """What tells two syncs' rules apart."""
    return [
        (
            kind,
            rule.origin,
            rule.title,
            rule.template,
            rule.when.span.text if rule.when else None,
            [line.span.text for line in rule.lines],
        )
        for kind, rule in sorted(rules.items())
    ]
