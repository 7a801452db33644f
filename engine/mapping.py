"""A pair compiled for the engine: which fields to read, and functions that look at rows.

The generated functions take rows by position; the interpreter gives them batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import cached_property
from typing import Any, NamedTuple

from dsl import program as ir
from dsl.schema import Kind, Side
from dsl.values import canonical
from engine.columns import (
    CONVERSION,
    LEAD,
    End,
    columns_of,
    end_of,
    fields_in,
    known_fields,
    reads_only,
    watched_fields,
)
from engine.compile import FIXED, UNSET, Compiler, Holds, Merge, View, merge_function
from engine.model import DIRECTIONS, SIDES, Direction, Row
from engine.translator import Translate, translator

__all__ = ["UNSET", "CreatingLine", "Gate", "Holds", "LineCode", "Mapping", "compile_pair"]


_OWNER = "OwnerId"


@dataclass(frozen=True, slots=True)
class LineCode:
    """One compiled field line.

    `slots` are where each end that is a field stands in a row, `forms` what brings its values into
    the form in which they are compared; `compared` are the sides whose changes count.
    """

    line: ir.Line
    ends: dict[Side, End]
    translate: dict[Direction, Translate]
    when: Holds | None
    slots: dict[Side, int]
    forms: dict[Side, Callable[[Any], Any]]
    compared: tuple[Side, ...]

    @property
    def prevents(self) -> frozenset[str]:
        return self.line.prevent_empty

    def by_links(self) -> bool:
        """Whether links translate it, alone or beside a map of names."""
        return all(end.link_column is not None for end in self.ends.values())


@dataclass(frozen=True, slots=True)
class CreatingLine:
    """What a create has to know of one line; `names` are the types of a reference set by name."""

    number: int
    flows: bool
    translate: Translate
    when: Holds | None
    names: tuple[str, ...]
    is_list: bool
    is_many: bool
    is_link: bool
    required: bool
    source: str
    target: str
    unlinked: str = "field"
    who: str = ""


class Rule(NamedTuple):
    """What a change says of the toggle that let it through: why, and `file:line`."""

    reason: str
    place: str


class Gate(NamedTuple):
    """What the toggles say of one action in one direction, and the words for it.

    `is_open` says whether it may flow at all, `holds` asks the condition, if there is one.
    """

    is_open: bool
    holds: Holds | None
    rule: Rule
    closed: str
    unmet: str


@dataclass(frozen=True)
class Mapping:
    """A compiled pair.

    `columns` are the fields to ask a store for, by side. `view` gives, for a row, one canonical
    value for each line (None where a side's change does not count), then one for each field that
    a `changed` watches and one for each that a delete's condition reads (`known`). `merge` answers
    (line, Salesforce changed, Outreach changed) for the lines where at least one side differs from
    its base. `key_routes` are, for each pair of references that a `match` line names, the syncs
    whose links translate one into the other. What a person asked for is created `by_hand`, which
    says how.
    """

    pair: ir.Pair
    columns: dict[Side, tuple[str, ...]]
    lines: tuple[LineCode, ...]
    view: dict[Side, View]
    merge: Merge
    conditions: dict[str, Holds | None]
    keys: tuple[str, ...]
    zone: tzinfo
    known: tuple[ir.FieldRef, ...] = ()
    key_routes: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    by_hand: str = ""

    @property
    def name(self) -> str:
        return self.pair.name

    @cached_property
    def types(self) -> dict[Side, str]:
        return {side: self.type_name(side) for side in SIDES}

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """The rule behind each toggle, whether it is written or not."""
        found = {}
        for direction in DIRECTIONS:
            for action in ("create", "update", "delete"):
                name = f"{direction} {action}"
                toggle = self.pair.toggle(name)
                reason = f"{name}: condition holds" if toggle.when else f"{name} is on"
                if self.by_hand and name == "inbound create":
                    reason = self.by_hand
                found[name] = Rule(reason, (toggle.span or self.pair.span).place)
        for name, toggle in self.pair.toggles.items() if self.pair.label else ():
            label = f"{self.pair.label} is on"
            found[name] = Rule(label, (toggle.span or self.pair.span).place)
        return found

    @cached_property
    def _gates(self) -> dict[tuple[Direction, str, str], Gate]:
        return {}

    def gate(self, direction: Direction, action: str, who: str = "") -> Gate:
        """What the toggles say, for activities those of the sync of whom they are about.

        Put together once a mapping: it is asked of each line of each record.
        """
        found = self._gates.get((direction, action, who))
        if found is None:
            name = f"{direction} {action}"
            found = self._gates[direction, action, who] = Gate(
                is_open=self.flows(direction, action),
                holds=self.conditions.get(f"{name} {who}".rstrip()),
                rule=self.rules.get(f"{name} {who}") or self.rules[name],
                closed=f"{name} is off",
                unmet=f"{self.pair.label or name}: condition does not hold",
            )
        return found

    @cached_property
    def unread(self) -> frozenset[Side]:
        """The sides whose records tell the engine nothing: what was written is not read back."""
        toggles = {Side.SALESFORCE: "polling", Side.OUTREACH: "pushing"}
        read = {ref.side for t in self.pair.toggles.values() for ref in fields_in(t.when)}
        read |= {ref.side for code in self.lines for ref in fields_in(code.line.when)}
        return frozenset(
            side
            for side in SIDES
            if not self.pair.toggle(toggles[side]).on
            and side not in read
            and not any(code.line.compares(side) for code in self.lines)
        )

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The numbers of all lines."""
        return frozenset(range(len(self.lines)))

    @cached_property
    def uncompared(self) -> dict[Side, tuple[int, ...]]:
        """The lines of which a side's change does not count."""
        numbered = list(enumerate(code.line for code in self.lines))
        return {side: tuple(n for n, line in numbered if not line.compares(side)) for side in SIDES}

    @cached_property
    def creating(self) -> dict[Direction, tuple[CreatingLine, ...]]:
        """The lines as a create in each direction needs them."""
        return {
            direction: tuple(
                _creating(number, code, direction) for number, code in enumerate(self.lines)
            )
            for direction in DIRECTIONS
        }

    @cached_property
    def identifying(self) -> tuple[str, ...]:
        """The Salesforce fields that may be external ids: each is all that a `match` line names.

        Those that no create writes do not count, nor what ships and is known to be none.
        """
        if not self.flows(Direction.OUTBOUND, "create"):
            return ()
        known = self.pair.salesforce.fields
        alone = [rule.keys[0][0].path for rule in self.pair.matches if len(rule.keys) == 1]
        written = {c.ends[Side.SALESFORCE].name for c in self.lines if c.line.outbound}
        return tuple(
            path
            for path in dict.fromkeys(alone)
            if path in written and (path not in known or known[path].external_id)
        )

    @cached_property
    def owning(self) -> frozenset[int]:
        """The lines that say whose a record is in Salesforce, which no inactive user may be.

        Any other field takes such a user: `INACTIVE_OWNER_OR_USER` is about owners.
        """
        ends = enumerate(code.ends[Side.SALESFORCE] for code in self.lines)
        return frozenset(n for n, end in ends if end.name == _OWNER)

    @cached_property
    def adding(self) -> tuple[int, ...]:
        """The lines that put a record into a relationship to many."""
        return tuple(n for n, c in enumerate(self.lines) if c.ends[Side.OUTREACH].is_many)

    def type_name(self, side: Side) -> str:
        return self.pair.type(side).name

    @cached_property
    def alone(self) -> frozenset[Side]:
        """The sides whose `polling` or `pushing` condition reads nothing but the record itself."""
        toggles = {Side.SALESFORCE: "polling", Side.OUTREACH: "pushing"}
        return frozenset(s for s, t in toggles.items() if reads_only(self.pair.toggle(t).when, s))

    @cached_property
    def crossed(self) -> frozenset[Side]:
        """The sides on which an edit may let through what of the other side is held back."""
        found = set()
        for side in SIDES:
            update = f"{Direction.out_of(side.other)} update"
            conditions = [self.pair.toggle(update).when]
            conditions += [c.line.when for c in self.lines if c.line.compares(side.other)]
            if any(ref.side is side for c in conditions for ref in fields_in(c)):
                found.add(side)
        return frozenset(found)

    @cached_property
    def conversion(self) -> tuple[int, int] | None:
        """Where a lead's row says that it was converted, and into which contact."""
        if self.pair.salesforce.name != LEAD:
            return None
        done, contact = (self.slot(Side.SALESFORCE, name) for name in CONVERSION)
        return done, contact

    def is_converted(self, row: Row | None) -> bool:
        """Whether a Salesforce row is a lead that was converted, and so is written no more."""
        return row is not None and self.conversion is not None and row[self.conversion[0]] is True

    @cached_property
    def _slots(self) -> dict[tuple[Side, str], int]:
        return {
            (side, path): FIXED + number
            for side in SIDES
            for number, path in enumerate(self.columns[side])
        }

    def slot(self, side: Side, path: str) -> int:
        """Where in a row the field stands."""
        return self._slots[side, path]

    def flows(self, direction: Direction, action: str) -> bool:
        """Whether the toggles let this action (`create`, `update`, `delete`) flow at all."""
        seen = "polling" if direction is Direction.INBOUND else "pushing"
        return self.pair.toggle(seen).on and self.pair.toggle(f"{direction} {action}").on


def _as_set(ids: Any) -> Any:
    return sorted(ids) if ids else None


def _creating(number: int, code: LineCode, direction: Direction) -> CreatingLine:
    source, target = code.ends[direction.source], code.ends[direction.target]
    return CreatingLine(
        number=number,
        flows=code.line.inbound if direction is Direction.INBOUND else code.line.outbound,
        translate=code.translate[direction],
        when=code.when,
        names=target.targets if target.by_name else (),
        is_list=target.is_list,
        is_many=target.is_many,
        is_link=target.is_link,
        required=code.line.unlinked == "record"
        or (target.field is not None and target.field.required),
        source=source.label,
        target=target.label,
        unlinked=code.line.unlinked,
        who=code.line.who,
    )


def compile_pair(pair: ir.Pair, zone: tzinfo = UTC, others: Sequence[ir.Pair] = ()) -> Mapping:
    """Compile one checked pair among `others`; costs well under a millisecond."""
    ends = [{side: end_of(pair, line, side) for side in SIDES} for line in pair.lines]
    watched = watched_fields(pair)
    known = known_fields(pair)
    columns = {side: columns_of(pair, ends, watched, side) for side in SIDES}
    compiler = Compiler(pair, ends, columns, (*watched, *known), zone)
    lines = tuple(
        _line(number, line, at, columns, compiler, zone)
        for number, (line, at) in enumerate(zip(pair.lines, ends, strict=True))
    )
    return Mapping(
        pair=pair,
        columns=columns,
        lines=lines,
        view={side: compiler.view(side) for side in SIDES},
        merge=merge_function(len(pair.lines)),
        conditions={
            name: compiler.holds(toggle.when, name) for name, toggle in pair.toggles.items()
        },
        keys=(
            *map(_line_key, pair.lines),
            *(f"changed {ref.side}.{ref.path}" for ref in watched),
            *(f"known {ref.side}.{ref.path}" for ref in known),
        ),
        zone=zone,
        known=known,
        key_routes=_key_routes(pair, others),
    )


def _key_routes(pair: ir.Pair, others: Sequence[ir.Pair]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (left.path, right.path): tuple(
            other.name
            for other in others
            if other.salesforce.name in left.references and other.outreach.name in right.references
        )
        for rule in pair.matches
        for left, right in rule.keys
        if left.kind is right.kind is Kind.REFERENCE
    }


def _line(
    number: int,
    line: ir.Line,
    ends: dict[Side, End],
    columns: dict[Side, tuple[str, ...]],
    compiler: Compiler,
    zone: tzinfo,
) -> LineCode:
    flows = {
        direction: translator(
            number,
            compiler.value(line, ends[direction.source], direction.source),
            compiler.reference(ends[direction.source], direction.source),
            ends,
            line.via,
            direction,
            zone,
        )
        for direction in DIRECTIONS
    }
    return LineCode(
        line,
        ends,
        flows,
        compiler.holds(line.when, f"line {line.key}"),
        slots={
            side: FIXED + columns[side].index(end.column)
            for side, end in ends.items()
            if end.column is not None
        },
        forms={side: _form(line, ends[side], side) for side in SIDES},
        compared=tuple(side for side in SIDES if line.compares(side)),
    )


def _form(line: ir.Line, end: End, side: Side) -> Callable[[Any], Any]:
    """What brings a line's values on one side into the form in which they are compared."""
    if end.is_many:
        return _as_set
    expression = line.end(side)
    is_email = isinstance(expression, ir.FieldRef) and expression.is_email
    return canonical(end.kind, is_email)


def _line_key(line: ir.Line) -> str:
    return f"{line.key} once" if line.once else line.key
