"""Makes pairs of a project's activity rules, so that a cycle carries them out like any others.

An activity's pair goes one way and is never read on Salesforce's side; its link is what makes that
the activity is written once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from dsl import program as p
from dsl.activities import ACTIVITY_VARIABLES, RESOURCES
from dsl.memo import Memo
from dsl.parser import parse
from dsl.paths import find_field
from dsl.resolve import Surroundings, resolve
from dsl.schema import Kind as ValueKind
from dsl.schema import Side, shipped_schema
from dsl.source import Source, Span
from dsl.values import instant, is_empty, stamp
from engine.kinds import KINDS, OUTSIDE, Kind
from engine.ports import Store
from engine.titles import shorten, title_of

__all__ = ["PEOPLE", "able", "carried_out", "title_line"]

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


# -- text of the language, resolved -------------------------------------------------------------


@lru_cache(maxsize=512)
def _resolved(target: str, resource: str, text: str, path: str, line: int) -> p.Pair:
    """A sync of the two types with this in it, as if it stood in the line of the user's rule."""
    source = Source(path, f"sync {target} <-> {resource} {{ {text} }}", line)
    module, _ = parse(source)
    around = Surroundings(shipped_schema(), frozenset(), {})
    return resolve([module], around, Memo()).program.pairs[0]


def _condition(rule: p.ActivityRule, text: str) -> p.Condition:
    place = rule.span
    pair = _resolved(
        rule.target, _resource(rule), f"pushing when {text}", place.source.path, place.first.line
    )
    when = pair.toggle("pushing").when
    return when if when is not None else p.All(place, ())


def _lines(rule: p.ActivityRule, texts: Sequence[str]) -> tuple[p.Line, ...]:
    place = rule.span
    text = f"fields {{ {'  '.join(texts)} }}"
    return _resolved(rule.target, _resource(rule), text, place.source.path, place.first.line).lines


def _resource(rule: p.ActivityRule) -> str:
    return RESOURCES[rule.kind.partition(" ")[0]]


def _all(*conditions: p.Condition | None) -> p.Condition | None:
    terms = tuple(c for c in conditions if c is not None)
    if len(terms) < 2:
        return terms[0] if terms else None
    return p.All(terms[0].span, terms)


def _any(conditions: Iterable[p.Condition]) -> p.Condition:
    terms = tuple({c.span.text: c for c in conditions}.values())
    return terms[0] if len(terms) == 1 else p.Any(terms[0].span, terms)


def _named(path: str, name: str) -> Span:
    """The span of a field that no user wrote."""
    return Span(Source(path, name), 0, len(name))


def _field(side: Side, type_name: str, name: str) -> p.FieldRef:
    known = shipped_schema().get(side, type_name)
    names = tuple(name.split("."))
    field = find_field(shipped_schema(), known, names)
    kind = field.kind if field is not None else ValueKind.UNKNOWN
    return p.FieldRef(_named("", name), side, name, kind)


def _write(rule: p.ActivityRule, target: str, source: p.Expression) -> p.Line:
    return p.Line(rule.span, _field(Side.SALESFORCE, rule.target, target), "<-", source)


# -- what is worked out -------------------------------------------------------------------------


def _duration(answered: Any, completed: Any, _zone: Any) -> int | None:
    begin, end = instant(answered), instant(completed)
    if begin is None or end is None or end < begin:
        return None
    return round((end - begin).total_seconds())


def _minutes(start: Any, end: Any, all_day: Any, _zone: Any) -> int | None:
    begin, until = instant(start), instant(end)
    if begin is None:
        return None
    minutes = 0 if until is None else max(round((until - begin).total_seconds() / 60), 0)
    return max(-(-minutes // _DAY), 1) * _DAY if all_day is True else minutes


_DAY = 24 * 60


def _nothing(*_values: Any) -> None:
    return None


def _variable(rule: p.ActivityRule, name: str, span: Span) -> p.Expression:
    """What `duration`, `purpose` and the like stand for in an activity of this kind."""
    resource = _resource(rule)

    def computed(kind: ValueKind, compute: Any, *names: str) -> p.Computed:
        fields = tuple(_field(Side.OUTREACH, resource, each) for each in names)
        return p.Computed(span, fields, kind, compute)

    if resource == "call" and name == "duration":
        return computed(ValueKind.NUMBER, _duration, "answeredAt", "completedAt")
    paths = {
        ("call", "purpose"): "callPurpose.name",
        ("call", "disposition"): "callDisposition.name",
        ("call", "action"): "sequenceAction",
    }
    path = paths.get((resource, name))
    if path is not None:
        return replace(_field(Side.OUTREACH, resource, path), span=span)
    return computed(ValueKind.UNKNOWN, _nothing)


def _spoken(rule: p.ActivityRule, node: Any) -> Any:
    """A condition or expression of the rule with the activity's variables in their place."""
    match node:
        case p.FieldRef(path=path, span=span) if (
            path in ACTIVITY_VARIABLES and node.kind is ValueKind.UNKNOWN
        ):
            return _variable(rule, path, span)
        case p.All(terms=terms) | p.Any(terms=terms):
            return replace(node, terms=tuple(_spoken(rule, each) for each in terms))
        case p.Negation(term=term):
            return replace(node, term=_spoken(rule, term))
        case p.Empty(operand=operand):
            return replace(node, operand=_spoken(rule, operand))
        case p.Comparison(left=left, right=right):
            right = (
                tuple(_spoken(rule, each) for each in right)
                if isinstance(right, tuple)
                else _spoken(rule, right)
            )
            return replace(node, left=_spoken(rule, left), right=right)
        case p.Call(arguments=arguments):
            return replace(node, arguments=tuple(_spoken(rule, each) for each in arguments))
        case p.Line():
            outreach, when = _spoken(rule, node.outreach), _spoken(rule, node.when)
            return replace(node, outreach=outreach, when=when)
        case _:
            return node


def title_line(rule: p.ActivityRule, titles: Mapping[str, str], troubles: list[str]) -> p.Computed:
    """The title of activities of a rule. What goes wrong in rendering it is told to `troubles`."""
    resource = _resource(rule)
    known = shipped_schema().get(Side.OUTREACH, resource)
    text = rule.title if rule.title is not None else titles.get(rule.template, "")
    try:
        title = title_of(text)
    except ValueError as error:
        troubles.append(f"the title of `{rule.kind}` cannot be rendered: {error}")
        title = title_of("")
    readable: list[p.Expression] = []
    for names in title.names:
        field = find_field(shipped_schema(), known, names)
        path = ".".join(names)
        if field is not None and field.kind is not ValueKind.UNKNOWN:
            readable.append(_field(Side.OUTREACH, resource, path))
        else:
            readable.append(_variable(rule, names[0], _named("", path)))
    subject = "subject" if resource in ("mailing", "meeting") else None
    sources = [*readable, *([_field(Side.OUTREACH, resource, subject)] if subject else [])]
    arguments = tuple(
        ref
        for source in sources
        for ref in (source.arguments if isinstance(source, p.Computed) else (source,))
        if isinstance(ref, p.FieldRef)
    )
    fallback = rule.kind.capitalize()

    def compute(*values: Any) -> str:
        *rest, zone = values
        left = iter(rest)
        shown = []
        for source in readable:
            if isinstance(source, p.Computed):
                shown.append(source.compute(*(next(left) for _ in source.arguments), zone))
            else:
                shown.append(next(left))
        about = next(left) if subject else None
        try:
            made = title.render(shown)
        except Exception as error:  # noqa: BLE001 - whatever a template does, the run goes on
            troubles.append(f"the title of `{rule.kind}` fails: {error}")
            made = ""
        return made or shorten(fallback if is_empty(about) else f"{fallback}: {about}")

    return p.Computed(_named(rule.span.source.path, "title"), arguments, ValueKind.TEXT, compute)


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
        base = _resolved(
            self.target, _resource(first), "", first.span.source.path, first.span.first.line
        )
        alike = len(people) == 1 or _text_of(self.rules[people[0]]) == _text_of(
            self.rules[people[1]]
        )
        lines: list[p.Line] = []
        for person in people[:1] if alike else people:
            made = self._lines_of(self.rules[person], troubles)
            lines += made if alike else [replace(line, who=person) for line in made]
        lines += self._common(first)
        toggles = {
            "pushing": p.ToggleRule(True, None, self._watched(), first.span),
            "outbound create": p.ToggleRule(True, None, None, first.span),
            "outbound update": p.ToggleRule(self._is_updated(), None, None, first.span),
        }
        for person in people:
            for action, when in self._conditions(self.rules[person]).items():
                rule = next(iter(self.rules[person].values()))
                toggles[f"outbound {action} {person}"] = p.ToggleRule(True, None, when, rule.span)
        return replace(
            base,
            span=first.span,
            toggles=toggles,
            lines=tuple(lines),
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
        return _condition(rule, kind.anywhere if anywhere else kind.takes)

    def _watched(self) -> p.Condition | None:
        """Which records of the resource are looked at: others are not even skipped."""
        every = [rule for rules in self.rules.values() for rule in rules.values()]
        about = _condition(every[0], OUTSIDE)
        if self.label in _ONCE_MADE and len({rule.kind for rule in every}) > 1:
            return about
        return _all(_any(self._takes(rule) for rule in every), about)

    def _conditions(self, rules: dict[str, p.ActivityRule]) -> dict[str, p.Condition | None]:
        """What has to hold of an activity to be created, and to be written again."""
        whens = {kind: _spoken(rule, rule.when) for kind, rule in rules.items()}
        if self.label == "meeting":
            return self._of_meetings(rules, whens)
        each = {kind: _all(self._takes(rule), whens[kind]) for kind, rule in rules.items()}
        if self.label != "task":
            (when,) = each.values()
            return {"create": when}
        found: dict[str, p.Condition | None] = {}
        if done := rules.get("task completed"):
            found["update"] = each["task completed"]
            each["task completed"] = _all(each["task completed"], self._not_by_itself(done))
        found["create"] = _any(when for when in each.values() if when is not None)
        return found

    def _not_by_itself(self, rule: p.ActivityRule) -> p.Condition | None:
        """A task that was done by an e-mail or a call is written as that, if that is written."""
        written = {"email sent": "mailing is empty", "call logged": "call is empty"}
        return _all(*(_condition(rule, t) for kind, t in written.items() if kind in self.kinds))

    def _of_meetings(
        self, rules: dict[str, p.ActivityRule], whens: dict[str, Any]
    ) -> dict[str, p.Condition | None]:
        def when(kind: str) -> list[p.Condition]:
            rule = rules.get(kind)
            return [c] if rule and (c := _all(self._takes(rule), whens[kind])) else []

        makes = when("meeting booked") or when("meeting rescheduled")
        changes = when("meeting rescheduled") + when("meeting canceled")
        never = _condition(next(iter(rules.values())), "createdAt is empty")
        return {
            "create": _any(makes) if makes else never,
            "update": _any(changes) if changes else never,
        }

    # -- lines ----------------------------------------------------------------------------------

    def _common(self, rule: p.ActivityRule) -> list[p.Line]:
        """Who it is about, what it belongs to, and whose it is."""
        owner = KINDS[rule.kind].owner
        texts = ("WhoId <- prospect", "WhatId <- opportunity", f"OwnerId <- {owner}")
        who, what, whose = (replace(line, once=True) for line in _lines(rule, texts))
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
        told = self._compared(first, rules)
        found = []
        for rule, phase in phases:
            for line in self._lines_in(rule, troubles):
                when = _all(_condition(rule, phase), line.when)
                once = line.once or _target(line) == "TaskSubtype"
                found.append(replace(line, when=when, once=once, compared=None if once else told))
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

    def _compared(self, rule: p.ActivityRule, rules: dict[str, p.ActivityRule]) -> p.Computed:
        """What has to change for a record to be written again: that it is another kind by now."""
        span = _named(rule.span.source.path, "phase")
        if self.label == "task":
            names = ("completed", "completedAt", "state")

            def phase(completed: Any, at: Any, state: Any, _zone: Any) -> str:
                done = completed is True or bool(at) or str(state).casefold() == "completed"
                return "completed" if done else "created"
        else:
            names = ("canceledAt", "state", "startTime", "endTime")
            moves, ends = "meeting rescheduled" in rules, "meeting canceled" in rules

            def phase(at: Any, state: Any, start: Any, end: Any, _zone: Any) -> str:
                canceled = bool(at) or str(state).casefold() in ("canceled", "cancelled")
                if ends and canceled:
                    return "canceled"
                return " ".join(map(_stamp, (start, end))) if moves else "booked"

        fields = tuple(_field(Side.OUTREACH, _resource(rule), name) for name in names)
        return p.Computed(span, fields, ValueKind.TEXT, phase)

    def _lines_in(self, rule: p.ActivityRule, troubles: list[str]) -> list[p.Line]:
        """The lines of one rule: what a record of the kind holds, unless the rule itself says."""
        own = [_spoken(rule, line) for line in rule.lines]
        taken = {_target(line) for line in own}
        title = title_line(rule, self.titles, troubles)
        made = [_write(rule, "Subject", title), *self._defaults(rule, KINDS[rule.kind])]
        return [*(line for line in made if _target(line) not in taken), *own]

    def _defaults(self, rule: p.ActivityRule, kind: Kind) -> list[p.Line]:
        resource = _resource(rule)
        if rule.target == "Event":
            return self._of_an_event(rule, kind)
        status = "Not Started" if rule.kind == "task created" else "Completed"
        texts = [
            f"ActivityDate <- {kind.moment}",
            f'Status <- "{status}"',
            'Priority <- "Normal"',
            *kind.lines,
        ]
        found = list(_lines(rule, texts))
        if resource == "call":
            name = "CallDurationInSeconds"
            found.append(_write(rule, name, _variable(rule, "duration", _named("", "duration"))))
        return found

    def _of_an_event(self, rule: p.ActivityRule, kind: Kind) -> list[p.Line]:
        resource = _resource(rule)
        texts = [line for line in kind.lines if line.startswith("Description")]
        if resource != "meeting":
            return list(
                _lines(rule, [f"StartDateTime <- {kind.moment}", "DurationInMinutes <- 0", *texts])
            )
        texts += [
            "StartDateTime <- startTime when allDay != true",
            "EndDateTime <- endTime when allDay != true",
            "ActivityDate <- startTime when allDay = true",
            "IsAllDayEvent <- allDay",
            "Location <- location",
        ]
        names = ("startTime", "endTime", "allDay")
        fields = tuple(_field(Side.OUTREACH, resource, name) for name in names)
        minutes = p.Computed(_named("", "minutes"), fields, ValueKind.NUMBER, _minutes)
        return [*_lines(rule, texts), _write(rule, "DurationInMinutes", minutes)]


def _stamp(value: Any) -> str:
    moment = instant(value)
    return stamp(moment) if moment is not None else ""


def _target(line: p.Line) -> str:
    return line.salesforce.path if isinstance(line.salesforce, p.FieldRef) else ""


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
