"""A program made ready for its tests: what all of them share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import cached_property

from dsl.evaluate import kind_of
from dsl.program import FieldRef, Pair, Program
from dsl.schema import Kind, ObjectType, Schema, Side, is_custom, shipped_schema
from engine.compiled import Compiled
from engine.mapping import Mapping, compile_pair

__all__ = ["Rules"]

#: What kind of custom field holds what kind of value; any other is text.
_KINDS = {
    Kind.BOOLEAN: "checkbox",
    Kind.DATE: "date",
    Kind.DATETIME: "datetime",
    Kind.NUMBER: "number",
}


@dataclass(frozen=True)
class Rules:
    """A checked program with its syncs compiled once for all tests."""

    program: Program
    zone: tzinfo = UTC
    _parts: dict[frozenset[str], Compiled] = field(default_factory=dict, repr=False)

    @property
    def schema(self) -> Schema:
        return shipped_schema()

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The syncs that can run here: a custom object has no org in memory."""
        return tuple(
            pair
            for pair in self.program.pairs
            if all(self.schema.get(side, pair.type(side).name) for side in Side)
        )

    @cached_property
    def custom_fields(self) -> tuple[tuple[str, str, str], ...]:
        """The custom fields that the syncs write to Salesforce: type, name, and what kind it is.

        They are taken at their word, as everywhere: the other end of the line tells the kind.
        """
        found = {}
        for pair in self.pairs:
            type_ = pair.salesforce
            for line in pair.lines:
                end = line.salesforce
                if not isinstance(end, FieldRef) or not line.outbound or end.path in type_.fields:
                    continue
                kind = Kind.TEXT if line.via is not None else kind_of(line.outreach)
                found[type_.name, end.path.casefold()] = (end.path, _KINDS.get(kind, "textarea"))
        return tuple((type_name, *field) for (type_name, _), field in found.items())

    @cached_property
    def only(self) -> frozenset[str] | None:
        """The pairs to run; None if they are all."""
        if len(self.pairs) == len(self.program.pairs):
            return None
        return frozenset(pair.name for pair in self.pairs)

    @cached_property
    def activities(self) -> frozenset[str]:
        """The Outreach types whose records become tasks and events."""
        return frozenset(pair.outreach.name for pair in self.pairs if pair.label)

    def without(self, types: frozenset[str]) -> Compiled:
        """The program made ready without activities of these Outreach types: there are none."""
        if types not in self._parts:
            pairs = self.program.pairs
            left = tuple(p for p in pairs if not (p.label and p.outreach.name in types))
            self._parts[types] = Compiled(replace(self.program, pairs=left), self.zone)
        return self._parts[types]

    @cached_property
    def mappings(self) -> dict[str, Mapping]:
        return {pair.name: compile_pair(pair, self.zone) for pair in self.pairs}

    def pairs_of(self, side: Side, type_name: str) -> list[Pair]:
        """The syncs of a type."""
        return [pair for pair in self.pairs if pair.type(side).name == type_name]

    def type(self, name: str) -> ObjectType | None:
        """The type of a record in a test; the name tells the side."""
        for side in Side:
            found = self.schema.get(side, name)
            if found is not None:
                return found
        return None

    def is_custom(self, name: str) -> bool:
        """Whether it names a custom object, which the orgs in memory do not have."""
        return self.type(name) is None and is_custom(Side.SALESFORCE, name)
