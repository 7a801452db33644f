"""Puts a test's records into the orgs: what it gives, what that refers to, what it must have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from dsl import syntax as s
from dsl.activities import RESOURCES
from dsl.pairs import pair_name
from dsl.schema import Field, Kind, ObjectType, Side
from dsl.source import Span
from dsl.values import canonical_name, is_empty
from engine.model import RecordId, Value
from engine.rule_tests.failures import Unfit
from engine.rule_tests.names import (
    bears,
    named,
    person_of,
    type_to_make,
    values_by_name,
)
from engine.rule_tests.values import plain, stored
from engine.rule_tests.world import World
from engine.stores.local import Refused

__all__ = ["Records"]

_NAME = {Side.SALESFORCE: "Name", Side.OUTREACH: "name"}
_PERSON = {Side.SALESFORCE: ("FirstName", "LastName"), Side.OUTREACH: ("firstName", "lastName")}
#: An id of a type that the orgs in memory do not have (a profile, which each user needs).
_ACTIVITIES = frozenset(RESOURCES.values())
_ANY_ID = "00e000000000001AAA"


@dataclass
class Records:
    """The records of one test.

    `given` are ids by type, in the order of the file; `made` those that only stand for a name.
    """

    world: World
    test: s.Test
    given: dict[str, list[RecordId]] = field(default_factory=dict)
    made: dict[tuple[str, str], RecordId] = field(default_factory=dict)
    _placed: list[s.Given] = field(default_factory=list)
    _under_way: list[s.Given] = field(default_factory=list)
    _defaults: dict[tuple[str, str], int] = field(default_factory=dict)

    # -- given ----------------------------------------------------------------------------------

    def place(self, given: s.Given) -> None:
        """Make the records of a statement, and link them where it says so. Raises `Unfit`."""
        if any(given is done for done in self._placed):
            return
        self._under_way.append(given)
        ids = []
        for record in given.records:
            type_ = self.type_of(record.type)
            values = self.values(record, type_)
            made = self._create(type_, values, record.span, self._alike(given, record))
            self.given.setdefault(type_.name, []).append(made)
            ids.append((type_, made))
        self._under_way.remove(given)
        self._placed.append(given)
        if len(ids) > 1:
            self._link(given, ids)
        self._link_made()

    def type_of(self, name: s.Name) -> ObjectType:
        """The type of a record. Raises `Unfit`."""
        type_ = self.world.rules.type(name.text)
        if type_ is None:
            message = f"tests run on the standard types, and `{name.text}` is a custom one"
            raise Unfit(name.span, message)
        return type_

    def values(self, record: s.Record, type_: ObjectType) -> dict[str, Value]:
        """What a record gives, references as ids. Raises `Unfit` for what does not fit a field."""
        found: dict[str, Value] = {}
        now, zone = self.world.clock.now(), self.world.rules.zone
        for each in record.fields:
            known = type_.fields.get(each.name.text)
            value = stored(known, each, plain(each.value, now, zone), zone)
            if known is not None and known.kind is Kind.ID:
                raise Unfit(each.span, "ids are given by the org, not by a test")
            if known is not None and known.kind is Kind.REFERENCE and isinstance(value, str):
                value = self._referred(type_.side, known, value, each.value.span)
            elif known is not None and known.many and isinstance(value, list):
                span = each.value.span
                value = [self._referred(type_.side, known, str(name), span) for name in value]
            found[each.name.text] = value
        return _with_name_parted(type_, found)

    def has_unlinked(self) -> bool:
        """Whether a record is there that a cycle will see as new."""
        return any(
            not self.world.is_linked(type_, record)
            for name, records in self._all()
            if (type_ := self.world.rules.type(name)) is not None
            for record in records
        )

    def _all(self) -> Iterable[tuple[str, list[RecordId]]]:
        yield from self.given.items()
        yield from ((name, [record]) for (name, _), record in self.made.items())

    def _link(self, given: s.Given, ids: Sequence[tuple[ObjectType, RecordId]]) -> None:
        """Link each two of the records that a sync could link."""
        linked: set[str] = set()
        for one, other in combinations(ids, 2):
            by_side = {type_.side: (type_, record) for type_, record in (one, other)}
            if len(by_side) < len(Side):
                continue
            pair = pair_name(*(by_side[side][0].name for side in Side))
            if pair in self.world.rules.mappings:
                self.world.link(pair, {side: record for side, (_, record) in by_side.items()})
                linked |= {type_.name for type_, _ in by_side.values()}
        for record in given.records:
            if record.type.text not in linked:
                others = " or ".join(r.type.text for r in given.records if r is not record)
                message = f"no sync of these rules links `{record.type.text}` with `{others}`"
                raise Unfit(record.type.span, message)

    def _link_made(self) -> None:
        """Two records that stand for one name, on either side, are the same to begin with."""
        for pair in self.world.rules.pairs:
            left, right = pair.salesforce, pair.outreach
            for (type_name, name), record in list(self.made.items()):
                other = self.made.get((right.name, name))
                if type_name != left.name or other is None:
                    continue
                if not (self.world.is_linked(left, record) or self.world.is_linked(right, other)):
                    ids = {Side.SALESFORCE: record, Side.OUTREACH: other}
                    self.world.link(pair.name, ids)

    # -- when -----------------------------------------------------------------------------------

    def change(self, record: s.Record) -> None:
        """A change to one record, as a user or the vendor makes it. Raises `Unfit`."""
        type_ = self.type_of(record.type)
        values = self.values(record, type_)
        if type_.name in _ACTIVITIES and not self.given.get(type_.name):
            # What people do is mostly seen when it is done: there is nothing before it to change.
            made = self._create(type_, values, record.span, [])
            self.given.setdefault(type_.name, []).append(made)
            return
        target = self._target(record, type_, values)
        for each in record.fields:
            known = type_.fields.get(each.name.text)
            if known is not None and known.kind is Kind.LIST and not _is_list(each):
                values[known.name] = self._put_first(type_, target, known.name, values)
        plainly = {k: v for k, v in values.items() if _writable(type_, k, creating=False)}
        if plainly:
            try:
                self.world.orgs[type_.side].edit(type_.name, target, plainly)
            except Refused as refused:
                raise Unfit(record.span, _refusal(type_, refused)) from None
        if len(plainly) < len(values):
            rest = {k: v for k, v in values.items() if k not in plainly}
            self.world.overwrite(type_, target, rest, touch=True)

    def _put_first(
        self, type_: ObjectType, target: RecordId, name: str, values: dict[str, Value]
    ) -> Value:
        """One value for a list attribute goes first, and the others stay."""
        row = self.world.row(type_, target, [name])
        others = list(row[2] or []) if row else []
        new = list(values[name])
        if not new:
            return others[1:]
        return new + [v for v in others if canonical_name(v) != canonical_name(new[0])]

    def _target(self, record: s.Record, type_: ObjectType, values: dict[str, Value]) -> RecordId:
        """Which record a `when` changes: the one of its match key, or else the first given."""
        ids = self.given.get(type_.name) or [row[0] for row in self.world.rows(type_, [])]
        if not ids:
            message = f"there is no {type_.name} to change: the test gives none, and none was made"
            raise Unfit(record.type.span, message)
        keys = [key for key in _match_keys(self.world, type_) if not is_empty(values.get(key))]
        if len(ids) > 1 and keys:
            for each in ids:
                row = self.world.row(type_, each, keys)
                if row and any(
                    _keys(values[key]) & _keys(value)
                    for key, value in zip(keys, row[2:], strict=True)
                ):
                    return each
        return ids[0]

    # -- references -----------------------------------------------------------------------------

    def _referred(self, side: Side, known: Field, name: str, span: Span) -> RecordId | None:
        """The id that a name stands for: of a record that is there, or given later, or made now."""
        if name == "":
            return None
        found = named(self.world, side, known, name)
        if found is not None:
            return found
        for statement in self.test.statements:
            if isinstance(statement, s.Given) and self._gives(statement, side, known, name):
                if any(statement is each for each in self._under_way):
                    message = f"`{name}` and this record refer to each other: set one by a `when`"
                    raise Unfit(span, message)
                self.place(statement)
                return named(self.world, side, known, name)
        type_ = type_to_make(self.world.rules, side, known)
        values = values_by_name(type_, name) if type_ else None
        if type_ is None or values is None:
            raise Unfit(span, f"nothing goes by `{name}` that `{known.name}` could refer to")
        made = self._create(type_, values, span, [])
        self.made[type_.name, name.strip().casefold()] = made
        return made

    def _gives(self, statement: s.Given, side: Side, known: Field, name: str) -> bool:
        if any(statement is done for done in self._placed):
            return False
        for record in statement.records:
            type_ = self.world.rules.type(record.type.text)
            if type_ is None or type_.side is not side or type_.name not in known.references:
                continue
            if bears(side, _written(record), name):
                return True
        return False

    # -- creating -------------------------------------------------------------------------------

    def _create(
        self,
        type_: ObjectType,
        values: dict[str, Value],
        span: Span,
        alike: Sequence[s.Record],
    ) -> RecordId:
        writable = {k: v for k, v in values.items() if _writable(type_, k, creating=True)}
        for known in type_.fields.values():
            if known.required and is_empty(writable.get(known.name)):
                writable[known.name] = self._default(type_, known, writable, span, alike)
        try:
            record = self.world.orgs[type_.side].create(type_.name, writable)
        except Refused as refused:
            raise Unfit(span, _refusal(type_, refused)) from None
        rest = {k: v for k, v in values.items() if k not in writable}
        if rest:
            self.world.overwrite(type_, record, rest, touch=False)
        return record

    def _default(
        self,
        type_: ObjectType,
        known: Field,
        values: dict[str, Value],
        span: Span,
        alike: Sequence[s.Record],
    ) -> Value:
        """What a required field holds that the test leaves out: its like's value, or a made-up one.

        The like is a record of the other side that the test links it with, or that it will match.
        """
        for record in alike:
            found = _counterpart(self.world, type_, known, record)
            if isinstance(found, str) and known.kind is Kind.TEXT:
                return found[: known.length or None]
        match known.kind:
            case Kind.REFERENCE:
                made_type = type_to_make(self.world.rules, type_.side, known)
                return self._referred(type_.side, known, "Test", span) if made_type else _ANY_ID
            case Kind.DATE | Kind.DATETIME:
                today = self.world.clock.now().date().isoformat()
                return today if known.kind is Kind.DATE else f"{today}T00:00:00Z"
            case Kind.NUMBER:
                return 0
            case Kind.BOOLEAN:
                return False
        return self._default_text(type_, known, values)

    def _default_text(self, type_: ObjectType, known: Field, values: dict[str, Value]) -> str:
        if known.picklist:
            return known.picklist[0]
        key = (type_.name, known.name)
        number = self._defaults[key] = self._defaults.get(key, 0) + 1
        text = "Test" if number == 1 else f"Test {number}"
        email = values.get("Email") or values.get("email")
        if known.is_email or known.name == "Username":
            made = text.replace(" ", ".").casefold() + "@test.example"
            return str(email) if email and known.name == "Username" else made
        if known.name in _PERSON[type_.side]:
            at = _PERSON[type_.side].index(known.name)
            return person_of(str(email))[at] if email else "Test"
        return text[: known.length or None]

    def _alike(self, given: s.Given, record: s.Record) -> list[s.Record]:
        """Records of the other side that are linked with this one, or bear the same match key."""
        linked = [r for r in given.records if r is not record]
        others = [
            other
            for statement in self.test.statements
            if isinstance(statement, s.Given) and statement is not given
            for other in statement.records
            if _shares_key(self.world, record, other)
        ]
        return [*linked, *others]


def _is_list(each: s.RecordField) -> bool:
    return isinstance(each.value, s.Literal) and isinstance(each.value.value, tuple)


def _refusal(type_: ObjectType, refused: Refused) -> str:
    return f"{type_.side.title()} refuses this {type_.name}: {refused.message}"


def _writable(type_: ObjectType, name: str, *, creating: bool) -> bool:
    known = type_.fields.get(name)
    return known is not None and (known.createable if creating else known.updateable)


def _with_name_parted(type_: ObjectType, values: dict[str, Value]) -> dict[str, Value]:
    """A person's `Name`, which follows from two fields, as these two."""
    name, (first, last) = _NAME[type_.side], _PERSON[type_.side]
    whole, known = values.get(name), type_.fields.get(name)
    if not isinstance(whole, str) or known is None or known.createable or last not in type_.fields:
        return values
    words = whole.split()
    parts = {first: " ".join(words[:-1]), last: "".join(words[-1:])}
    return parts | {k: v for k, v in values.items() if k != name}


def _written(record: s.Record) -> dict[str, Value]:
    """The literals of a record by field, lists as lists."""
    found: dict[str, Value] = {}
    for each in record.fields:
        if isinstance(each.value, s.Literal):
            value = each.value.value
            found[each.name.text] = list(value) if isinstance(value, tuple) else value
    return found


def _keys(value: Value) -> set[Value]:
    values = value if isinstance(value, list) else [value]
    return {canonical_name(v) for v in values} - {None}


def _match_keys(world: World, type_: ObjectType) -> list[str]:
    """The fields by which a type's records find their like."""
    found: dict[str, None] = {}
    for pair in world.rules.pairs_of(type_.side, type_.name):
        for rule in pair.matches:
            for left, right in rule.keys:
                ref = left if type_.side is Side.SALESFORCE else right
                if not ref.dotted:
                    found[ref.path] = None
    return list(found)


def _shares_key(world: World, one: s.Record, other: s.Record) -> bool:
    """Whether two records, one of each side, are such that a sync will match them."""
    types = [world.rules.type(r.type.text) for r in (one, other)]
    by_side = {t.side: (t, r) for t, r in zip(types, (one, other), strict=True) if t is not None}
    if len(by_side) < len(Side):
        return False
    (left, s_record), (right, o_record) = (by_side[side] for side in Side)
    s_values, o_values = _written(s_record), _written(o_record)
    return any(
        all(_keys(s_values.get(a.path)) & _keys(o_values.get(b.path)) for a, b in rule.keys)
        for pair in world.rules.pairs_of(left.side, left.name)
        if pair.outreach.name == right.name
        for rule in pair.matches
    )


def _counterpart(world: World, type_: ObjectType, known: Field, record: s.Record) -> Value:
    """What `record`, of the other side, gives for the field that a line maps to this one."""
    values = _written(record)
    for pair in world.rules.pairs_of(type_.side, type_.name):
        if pair.type(type_.side.other).name != record.type.text:
            continue
        for line in pair.lines:
            if line.via is None and getattr(line.end(type_.side), "path", None) == known.name:
                value = values.get(getattr(line.end(type_.side.other), "path", ""))
                if isinstance(value, str) and value:
                    return value
    return None
