"""Which toggles the tests of a project used, and which terms of its conditions went both ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsl import program as ir
from dsl.pairs import spoken_pair
from dsl.schema import Side
from dsl.source import Span
from engine.activities import PEOPLE
from engine.case import Change
from engine.model import DIRECTIONS, Action, Direction, RecordId
from engine.rule_tests.conditions import Seen, holds, seen_records, terms_of
from engine.rule_tests.rules import Rules
from engine.rule_tests.world import World

__all__ = ["Coverage", "TermSeen", "ToggleSeen"]

_ACTIONS = {"create": Action.CREATE, "update": Action.UPDATE, "delete": Action.DELETE}


@dataclass
class ToggleSeen:
    """A toggle that is on, and whether a change went through it."""

    pair: str
    name: str
    span: Span
    used: bool = False


@dataclass
class TermSeen:
    """A term of a condition, and the answers that it has given. `where` is a toggle or a line."""

    pair: str
    where: str
    span: Span
    answers: set[bool] = field(default_factory=set)

    @property
    def covered(self) -> bool:
        return len(self.answers) > 1


class Coverage:
    """Gathers what the tests come by; it is told of each cycle, before and after."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._toggles = {
            (pair.name, name): ToggleSeen(pair.name, name, toggle.span)
            for pair in rules.program.pairs
            for name, toggle in pair.toggles.items()
            if toggle.on and toggle.span and name.split()[-1] in _ACTIONS
        }
        self._terms: dict[tuple[str, str, Span], tuple[ir.Condition, TermSeen]] = {}
        written = _of_activities(rules.program)
        for pair in rules.program.pairs:
            for where, condition in _conditions(pair):
                for term in terms_of(condition):
                    # An activity's conditions are for the most part not the user's.
                    if pair.label and term.span not in written:
                        continue
                    place = pair.label or where
                    seen = TermSeen(pair.name, place, term.span)
                    self._terms.setdefault((pair.name, place, term.span), (term, seen))

    @property
    def toggles(self) -> Sequence[ToggleSeen]:
        return list(self._toggles.values())

    @property
    def terms(self) -> Sequence[TermSeen]:
        return [seen for _, seen in self._terms.values()]

    def before(self, world: World) -> None:
        """Ask the conditions that the next cycle will ask."""
        for mapping in self._rules.mappings.values():
            for seen in seen_records(world, mapping):
                if mapping.pair.label:
                    self._ask_activity(seen, world)
                else:
                    self._ask(seen)

    def after(self, changes: Sequence[Change]) -> None:
        """Take note of the toggles that a cycle's changes went through."""
        for change in changes:
            pair = change.pair
            for word, action in _ACTIONS.items():
                toggle = self._toggles.get((pair, f"{change.direction} {word}"))
                if toggle is not None and change.action is action:
                    toggle.used = True

    def _ask(self, seen: Seen) -> None:
        pair = seen.mapping.pair
        if seen.bases is None:
            self._ask_alone(seen, Direction.out_of(seen.side))
            return
        for direction in DIRECTIONS:
            self._ask_toggle(seen, _reading(direction))
        if seen.quiet:
            return
        for direction in DIRECTIONS:
            if seen.mapping.flows(direction, "update"):
                self._ask_toggle(seen, f"{direction} update")
        for line in pair.lines:
            self._ask_line(seen, line)

    def _ask_alone(self, seen: Seen, direction: Direction) -> None:
        mapping, reading = seen.mapping, _reading(direction)
        self._ask_toggle(seen, reading)
        toggle = mapping.pair.toggle(f"{direction} create")
        if not mapping.flows(direction, "create"):
            return
        if not holds(mapping.pair.toggle(reading).when, seen):
            return
        self._ask_toggle(seen, f"{direction} create")
        if holds(toggle.when, seen):
            for line in mapping.pair.lines:
                if line.inbound if direction is Direction.INBOUND else line.outbound:
                    self._ask_line(seen, line)

    def _ask_activity(self, seen: Seen, world: World) -> None:
        """Ask what the sync of whom an activity is about says of it."""
        pair, row = seen.mapping.pair, seen.rows.get(Side.OUTREACH)
        if row is None or seen.quiet or not holds(pair.toggle("pushing").when, seen):
            return
        who = _who(world, row[seen.mapping.slot(Side.OUTREACH, "prospect")])
        toggle = pair.toggle(f"outbound {'create' if seen.bases is None else 'update'} {who}")
        if not toggle.on or toggle.when is None:
            return
        self._note(seen, pair.label, toggle.when)
        if holds(toggle.when, seen):
            for line in pair.lines:
                if line.when is not None and line.who in ("", who):
                    self._note(seen, pair.label, line.when)

    def _ask_toggle(self, seen: Seen, name: str) -> None:
        toggle = seen.mapping.pair.toggle(name)
        if toggle.on and toggle.when is not None:
            self._note(seen, name, toggle.when)

    def _ask_line(self, seen: Seen, line: ir.Line) -> None:
        if line.when is not None:
            self._note(seen, line.key, line.when)

    def _note(self, seen: Seen, where: str, condition: ir.Condition) -> None:
        for term in terms_of(condition):
            noted = self._terms.get((seen.mapping.name, where, term.span))
            if noted is not None:
                noted[1].answers.add(holds(term, seen))

    def as_json(self) -> dict[str, Any]:
        """The `coverage` of the JSON document."""
        return {
            "toggles": [
                {"sync": t.pair, "toggle": t.name, **_place(t.span), "used": t.used}
                for t in self.toggles
            ],
            "terms": [
                {
                    "sync": t.pair,
                    "in": t.where,
                    "text": _text(t.span),
                    **_place(t.span),
                    "true": True in t.answers,
                    "false": False in t.answers,
                }
                for t in self.terms
            ],
        }

    def as_text(self) -> list[str]:
        """One line with the numbers, then one for each thing that no test has come by."""
        used = sum(t.used for t in self.toggles)
        covered = sum(t.covered for t in self.terms)
        toggles = f"{used} of {len(self.toggles)} toggles used"
        terms = f"{covered} of {len(self.terms)} terms of conditions both true and false"
        rows = [f"coverage: {toggles}, {terms}"]
        for toggle in self.toggles:
            if not toggle.used:
                sync = spoken_pair(toggle.pair)
                rows.append(f"  {toggle.span.place}: `{toggle.name}` of {sync} was never used")
        for term in self.terms:
            if not term.covered:
                missing = "false" if True in term.answers else "true"
                never = f"was never {missing}" if term.answers else "was never asked"
                rows.append(f"  {term.span.place}: `{_text(term.span)}` {never}")
        return rows


def _conditions(pair: ir.Pair) -> Iterator[tuple[str, ir.Condition]]:
    for name, toggle in pair.toggles.items():
        if toggle.on and toggle.when is not None:
            yield name, toggle.when
    for line in pair.lines:
        if line.when is not None:
            yield line.key, line.when


def _of_activities(program: ir.Program) -> set[Span]:
    """The terms that stand in the activity lines of the rules themselves."""
    rules = [rule for pair in program.pairs for rule in pair.activities]
    whens = [rule.when for rule in rules] + [line.when for rule in rules for line in rule.lines]
    return {term.span for when in whens if when is not None for term in terms_of(when)}


def _who(world: World, prospect: RecordId | None) -> str:
    """The type of the record that a prospect is linked to; empty if it is to none."""
    ids = [] if prospect is None else [prospect]
    linked = (who for who in PEOPLE if world.ledger.others(f"{who}<->prospect", Side.OUTREACH, ids))
    return next(linked, "")


def _reading(direction: Direction) -> str:
    return "polling" if direction is Direction.INBOUND else "pushing"


def _text(span: Span) -> str:
    return " ".join(span.text.split())


def _place(span: Span) -> dict[str, Any]:
    return {"file": span.source.path, "line": span.first.line}
