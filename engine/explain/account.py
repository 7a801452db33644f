"""The whole account of one record, step by step as a cycle takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from dsl.program import Program
from dsl.schema import Side
from engine.batch import Batches
from engine.case import Case, Verdict
from engine.cycle import rehearse
from engine.examine import examiner
from engine.explain.conditions import condition_of
from engine.explain.fields import fields_of
from engine.explain.history import history_of, waits_of
from engine.ledger import Ledger, Link, Tombstone
from engine.matching import candidates_of, rule_text
from engine.model import SIDES, Action, Direction, RecordId, Row
from engine.ports import Clock, Store

__all__ = ["Unknown", "explain"]

_WATCHING = {Side.SALESFORCE: "polling", Side.OUTREACH: "pushing"}
_WILL = {
    Action.CREATE: "a record will be created for it",
    Action.UPDATE: "will be updated",
    Action.DELETE: "will be deleted",
    Action.LINK: "will be linked",
    Action.UNLINK: "will be unlinked",
    Action.HOLD: "is held for review",
    Action.SKIP: "is left alone",
}

Step = dict[str, Any]


class Unknown(Exception):
    """No such type in the rules, or no such record; the message says what there is."""


def explain(
    program: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    zone: tzinfo,
    clock: Clock,
    name: tuple[Side, str, RecordId],
) -> dict[str, Any]:
    """What a run would do about one record now and why, and what was done; writes nothing.

    `name` is the record's side, type and id. Raises `Unknown` if neither its side nor the ledger
    knows the record.
    """
    side, type_name, record = name
    with rehearse(stores, ledger) as (rehearsal, copy):
        pairs = examiner(program, rehearsal, copy, zone, clock)
        accounts = [
            _Account(batches, copy, rehearsal, side, record)
            for batches in pairs.values()
            if batches.mapping.type_name(side) == type_name
        ]
        # Salesforce's tasks are not read: only what made one has anything to tell of it.
        makers = [a for a in accounts if a.link is not None or not a.batches.mapping.pair.label]
        accounts = makers if side is Side.SALESFORCE and makers else accounts
        steps = [step for account in accounts for step in account.steps()]
        links = [told for account in accounts if (told := account.told_link()) is not None]
        row = next((account.row for account in accounts if account.row is not None), None)
    past = history_of(ledger, type_name, record)
    if row is None and not links and not past["rows"]:
        raise Unknown(f"{side.title()} has no {type_name} {record}, and no run has met one")
    return {
        "record": {
            "side": side.value,
            "type": type_name,
            "id": record,
            "exists": row is not None,
            "stamp": row[1] if row is not None else None,
        },
        "link": links[0] if links else None,
        "links": links,
        "steps": [*steps, *waits_of(ledger, type_name, side, record), past],
    }


@dataclass
class _Account:
    """One record seen by one sync."""

    batches: Batches
    ledger: Ledger
    stores: dict[Side, Store]
    side: Side
    record: RecordId

    def __post_init__(self) -> None:
        mapping = self.batches.mapping
        columns = mapping.columns[self.side]
        found = self.stores[self.side].fetch(mapping.type_name(self.side), columns, [self.record])
        self.row: Row | None = found[0] if found else None
        self.link: Link | None = self.ledger.links(mapping.name, self.side, [self.record]).get(
            self.record
        )

    def told_link(self) -> dict[str, Any] | None:
        if self.link is None:
            return None
        types = self.batches.mapping.types
        return {side.value: {"type": types[side], "id": self.link.id(side)} for side in SIDES}

    def steps(self) -> Iterator[Step]:
        """Seen, linked or matched, the toggles, the fields."""
        mapping = self.batches.mapping
        now = self.batches.context.clock.now()
        rows, gone = ([self.row], []) if self.row is not None else ([], [self.record])
        decided = self.batches.decide(self.side, rows, gone, now, again=True)
        task = decided.tasks[0] if decided.tasks else None
        case = task.case if task else self._bare(now)
        verdict = task.verdict if task else Verdict()
        steps = [
            self._seen(case),
            self._partner(),
            *self._toggles(case),
            self._outcome(case, verdict, task is not None),
        ]
        yield from ({"sync": mapping.name, **step} for step in steps)

    def _bare(self, now: Any) -> Case:
        """What is known of a record that no decision is about."""
        mapping = self.batches.mapping
        rows = {} if self.row is None else {self.side: self.row}
        views = {side: mapping.view[side](row) for side, row in rows.items()}
        return self.batches.cases.bare(self.side, rows, views, now)

    # -- seen -----------------------------------------------------------------------------------

    def _seen(self, case: Case) -> Step:
        """Whether a run has read the record, or will, and by which cursor."""
        mapping = self.batches.mapping
        toggle = _WATCHING[self.side]
        rule = mapping.pair.toggle(toggle)
        saved = self.ledger.cursor(mapping.name, self.side)
        cursor = saved[0].stamp if saved else None
        step: Step = {"step": toggle, "outcome": self._when_seen(rule.on, cursor), "cursor": cursor}
        return step | self._condition(case, toggle) | _place(rule.span or mapping.pair.span)

    def _when_seen(self, on: bool, cursor: str | None) -> str:
        if self._one_way:
            return "not read: an activity only goes to Salesforce"
        if not on:
            return f"never seen: {_WATCHING[self.side]} is off"
        if self.row is None:
            return "it is deleted"
        if cursor is None:
            return "not read yet: the next run reads it"
        if self.row[1] <= cursor:
            return f"read: its last change, {self.row[1]}, lies before the cursor, {cursor}"
        return f"not read yet: it changed at {self.row[1]}, behind the cursor, {cursor}"

    def _condition(self, case: Case, toggle: str) -> Step:
        """The condition of a toggle, if it has one that can be asked of this record."""
        mapping = self.batches.mapping
        when, holds = mapping.pair.toggle(toggle).when, mapping.conditions.get(toggle)
        if when is None or holds is None or not case.rows:
            return {}
        return {"condition": condition_of(when, case, case.ask(holds))}

    # -- linked or matched ----------------------------------------------------------------------

    def _partner(self) -> Step:
        mapping, other = self.batches.mapping, self.side.other
        if self.link is not None:
            name = f"{mapping.type_name(other)} {self.link.id(other)}"
            return {"step": "link", "outcome": f"linked to {name}"}
        if self.row is None:
            return {"step": "link", "outcome": "linked to none"}
        if self.batches.mapping.pair.label:
            return {"step": "link", "outcome": f"no {mapping.type_name(other)} is made of it yet"}
        stones = self.ledger.tombstones(mapping.name, self.side, [self.record])
        if stones:
            return {"step": "link", "outcome": f"not synced: {self._ended(stones[self.record][0])}"}
        found = [self._match(rule, self.row) for rule in mapping.pair.matches]
        outcomes = [f"{each['text']} {each['outcome']}" for each in found]
        return {
            "step": "match",
            "outcome": "; ".join(outcomes) or "there is no `match` line",
            "matches": found,
        }

    def _ended(self, stone: Tombstone) -> str:
        """Why the record's last link ended."""
        mapping, other = self.batches.mapping, self.side.other
        if stone.gone is self.side:
            return f"it was deleted itself, and its {mapping.type_name(other)} is not to be found"
        partner, type_name = stone.link.id(other), mapping.type_name(other)
        if other is Side.SALESFORCE and mapping.conversion is not None:
            rows = self.stores[other].fetch(type_name, mapping.columns[other], [partner])
            if rows and mapping.is_converted(rows[0]):
                contact = rows[0][mapping.conversion[1]]
                return f"its {type_name} {partner} was converted to Contact {contact}"
        return f"its {type_name} {partner} was deleted"

    def _match(self, rule: Any, row: Row) -> dict[str, Any]:
        mapping, other = self.batches.mapping, self.side.other
        paths = [(s if self.side is Side.SALESFORCE else o).path for s, o in rule.keys]
        met = {path: row[mapping.slot(self.side, path)] for path in paths}
        found = candidates_of(mapping, rule, self.side, row, self.stores[other], self.ledger)
        free = [record for record, linked in found.items() if linked is None]
        taken = [f"{record} (linked to {to})" for record, to in found.items() if to is not None]
        names = ", ".join([*map(str, free[:5]), *taken[:5]])
        outcome = f"finds {mapping.type_name(other)} {names}" if found else "finds none"
        return {"text": rule_text(rule), "met": met, "outcome": outcome} | _place(rule.span)

    # -- toggles --------------------------------------------------------------------------------

    def _toggles(self, case: Case) -> Iterator[Step]:
        """The toggles that have a say on the record as it stands."""
        if self.batches.mapping.pair.label:
            names = self._of_an_activity()
        elif self.link is None:
            names = [f"{Direction.out_of(self.side)} create"]
        elif len(case.rows) < len(SIDES):
            gone = self.side if self.row is None else self.side.other
            names = [f"{Direction.out_of(gone)} delete"]
        else:
            names = [f"{direction} update" for direction in Direction]
        for name in names:
            direction, action = name.split()
            pair = self.batches.mapping.pair
            name = f"{name} {case.who}".rstrip()  # noqa: PLW2901
            flows = self.batches.mapping.flows(Direction(direction), action)
            told = self._condition(case, name)
            holds = told["condition"]["value"] if told else True
            outcome = "off" if not flows else "condition does not hold" if not holds else "on"
            span = pair.toggle(name).span or pair.span
            yield {"step": name, "outcome": outcome} | told | _place(span)

    def _of_an_activity(self) -> list[str]:
        """An activity is made once, in one direction; only some kinds are written again."""
        if self.link is None:
            return [] if self._one_way else ["outbound create"]
        again = self.batches.mapping.pair.toggle("outbound update").on
        return ["outbound update"] if again and self.row is not None else []

    @property
    def _one_way(self) -> bool:
        """Whether this is what was made of an activity, at which nobody looks again."""
        return bool(self.batches.mapping.pair.label) and self.side is Side.SALESFORCE

    def _outcome(self, case: Case, verdict: Verdict, decided: bool) -> Step:
        """What the decision comes to, with each field."""
        told = [
            {"action": c.action.value, "direction": c.direction.value, "reason": c.reason}
            | {"rule": c.rule}
            for c in verdict.changes
        ]
        words = [f"{_WILL[c.action]} ({c.reason})" for c in verdict.changes]
        fields = fields_of(case, verdict) if decided and case.rows else []
        waits = [wait.message for wait in verdict.waits]
        outcome = "; ".join([*words, *waits]) or "nothing to do"
        return {"step": "decide", "outcome": outcome, "changes": told, "fields": fields}


def _place(span: Any) -> Step:
    return {"rule": span.place}
