"""The bounds of `guard`: what a run would do beyond them, before it does any of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

import msgspec

from dsl.program import GuardRule, Pair, Program
from dsl.schema import Side
from dsl.values import is_empty
from engine.case import Case, Change
from engine.compile import is_unset
from engine.cycle import change_as_json, rehearse, run_cycle
from engine.interpreter import Stopped
from engine.ledger import Ledger
from engine.mapping import compile_pair
from engine.model import SIDES, Action, Direction
from engine.objection import Objection
from engine.ports import Store

__all__ = ["Blast", "blast_of"]

_SHOWN = 20
_DOES = {
    Action.CREATE: ("creates", "create"),
    Action.UPDATE: ("updates", "update"),
    Action.DELETE: ("deletes", "delete"),
}
_decode = msgspec.json.Decoder(tuple[Any, ...]).decode


@dataclass
class Blast:
    """What a run does that a guard may bound, counted change by change."""

    counts: Counter[str] = field(default_factory=Counter)
    blanked: Counter[Side] = field(default_factory=Counter)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, change: Change, _case: Case | None = None) -> None:
        """Count one change, and remember the first of its kind."""
        if change.action not in _DOES:
            return
        self._count(_DOES[change.action][0], change, [])
        if change.action is not Action.UPDATE:
            return
        blanked = [f.target for f in change.fields if is_empty(f.after) and not is_empty(f.before)]
        if blanked:
            self.blanked[change.direction.target] += len(blanked)
            self._count("blanking", change, blanked)

    def _count(self, what: str, change: Change, fields: list[str]) -> None:
        self.counts[what] += 1
        shown = self.records.setdefault(what, [])
        if len(shown) < _SHOWN:
            told = change_as_json(change)
            record = {key: told[key] for key in ("direction", "salesforce", "outreach")}
            shown.append(record | ({"fields": fields} if fields else {}))

    def objections(self, program: Program, ledger: Ledger, zone: tzinfo) -> list[Objection]:
        """One for each bound that the run would pass."""
        return [
            found
            for rule in program.guards
            if (found := self._objection(rule, program, ledger, zone)) is not None
        ]

    def _objection(
        self, rule: GuardRule, program: Program, ledger: Ledger, zone: tzinfo
    ) -> Objection | None:
        if rule.what == "blanking":
            return self._blanking(rule, program, ledger, zone)
        count = self.counts[rule.what]
        if count <= rule.amount:
            return None
        verb = next(verb for name, verb in _DOES.values() if name == rule.what)
        records = "record" if count == 1 else "records"
        message = (
            f"it would {verb} {count:,} {records}, and the guard lets it {verb} {rule.amount:,.0f}"
            f" ({rule.span.place})"
        )
        return self._told(rule, message, count)

    def _blanking(
        self, rule: GuardRule, program: Program, ledger: Ledger, zone: tzinfo
    ) -> Objection | None:
        if not self.blanked:
            return None
        held = _values_held(program, ledger, zone)
        side, blanked = max(
            self.blanked.items(), key=lambda item: item[1] / max(held[item[0]], item[1])
        )
        known = max(held[side], blanked)
        share = 100 * blanked / known
        if share <= rule.amount:
            return None
        message = (
            f"it would empty {blanked:,} of {known:,} values in {side.title()} ({share:.3g}%),"
            f" and the guard lets it empty {rule.amount:g}% ({rule.span.place})"
        )
        return self._told(rule, message, share)

    def _told(self, rule: GuardRule, message: str, found: float) -> Objection:
        details = {
            "what": rule.what,
            "bound": rule.amount,
            "found": found,
            "rule": rule.span.place,
            "records": self.records[rule.what],
            "total": self.counts[rule.what],
        }
        return Objection("guard", message, details)


def blast_of(
    program: Program, stores: dict[Side, Store], ledger: Ledger, zone: tzinfo, **options: Any
) -> Blast:
    """Rehearse a cycle, with its options, to count what it would do.

    Raises `Stopped` if it was asked to stop, `BudgetSpent` if it could not read all.
    """
    blast = Blast()
    with rehearse(stores, ledger) as (rehearsal, copy):
        summary = run_cycle(program, rehearsal, copy, zone, keep=blast.add, **options)
    if summary.status == "stopped":
        raise Stopped
    for spent in summary.waits:  # not all was counted
        raise spent
    return blast


# -- how many values there are ------------------------------------------------------------------


def _values_held(program: Program, ledger: Ledger, zone: tzinfo) -> Counter[Side]:
    """How many values the linked records of each side hold in the fields that the rules write.

    Told by what both sides last agreed on: a line's source has what its target was given.
    """
    held: Counter[Side] = Counter()
    for pair in program.pairs:
        places: dict[int, list[tuple[Side, int]]] = {}
        for link in ledger.all_links(pair.name):
            if link.layout not in places:
                keys = ledger.layout_lines(link.layout)
                places[link.layout] = list(_sources(pair, keys, zone))
            bases = {side: _decode(link.base(side)) for side in SIDES}
            for source, position in places[link.layout]:
                value = bases[source][position]
                held[source.other] += not (is_unset(value) or is_empty(value))
    return held


def _sources(pair: Pair, keys: tuple[str, ...], zone: tzinfo) -> Iterator[tuple[Side, int]]:
    """For each flow of a line that the rules still have: its source, and its place in a base."""
    places = {key: position for position, key in enumerate(keys)}
    mapping = compile_pair(pair, zone)
    for code, key in zip(mapping.lines, mapping.keys, strict=False):
        for direction in Direction:
            source = direction.source
            flows = code.line.inbound if source is Side.SALESFORCE else code.line.outbound
            if key in places and flows and code.line.compares(source):
                yield source, places[key]
