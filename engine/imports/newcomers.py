"""People that a list names and Salesforce does not have: made in Outreach by the sync's lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dsl.schema import Side
from dsl.values import stamp
from engine.act import act
from engine.batch import Batches
from engine.case import Verdict
from engine.context import Task
from engine.decide import decide_create
from engine.imports.outcome import Rows
from engine.imports.rows import Entry
from engine.ledger import Commit
from engine.mapping import Mapping
from engine.matching import bearers_of, keys_of, rule_text, translations_of, untranslated
from engine.model import Action, Direction, RecordId, Row

__all__ = ["Newcomers", "as_row", "found_by_keys"]

_Keyed = tuple[int, Row]
_SALESFORCE, _OUTREACH = Side.SALESFORCE, Side.OUTREACH


def as_row(mapping: Mapping, entry: Entry) -> Row:
    """A row of a list as Salesforce would answer it; in the place of an id it has its line."""
    values = (entry.values.get(path) for path in mapping.columns[_SALESFORCE])
    return (f"line {entry.line}", "", *values)


def found_by_keys(
    batches: Batches, entries: Sequence[Entry], rows: Rows
) -> tuple[list[_Keyed], list[_Keyed]]:
    """The Salesforce records that rows without an id stand for, and the rows that have none.

    By the `match` lines, each with the line of the list. A row that fits several is bad.
    """
    mapping, store = batches.mapping, batches.context.stores[_SALESFORCE]
    left = [(entry.line, as_row(mapping, entry)) for entry in entries]
    found: list[_Keyed] = []
    unkeyed = {line for line, _ in left}
    for rule in mapping.pair.matches:
        same = untranslated(mapping, rule, _SALESFORCE, [row for _, row in left])
        keyed = [(line, row, keys_of(mapping, rule, _SALESFORCE, row, same)) for line, row in left]
        keys = [key for _, _, own in keyed for key in own]
        if not keys:
            continue
        groups = bearers_of(mapping, rule, _SALESFORCE, keys, store, converted=True)
        left = []
        for line, row, own in keyed:
            unkeyed -= {line} if own else set()
            bearers = {c[0]: c for key in own for c in groups.get(key, ())}
            live = [c for c in bearers.values() if not mapping.is_converted(c)]
            if len(live) == 1:
                found.append((line, live[0]))
            elif bearers:
                rows.wrong(line, _unclear(mapping, rule_text(rule), list(bearers), len(live)))
            else:
                left.append((line, row))
    for line in sorted(unkeyed):
        needed = " or ".join(
            " and ".join(left.path for left, _ in rule.keys) for rule in mapping.pair.matches
        )
        rows.wrong(line, f"has neither an id nor {needed or 'a `match` to be found by'}")
    return found, [(line, row) for line, row in left if line not in unkeyed]


def _unclear(mapping: Mapping, by: str, ids: Sequence[RecordId], live: int) -> str:
    name = mapping.type_name(_SALESFORCE)
    if not live:
        return f"its {name} {ids[0]} was converted: import the contact that it became"
    named = ", ".join(str(record) for record in ids[:5])
    return f"fits {live} {name} records by {by}: {named}; name one by its id"


@dataclass
class Newcomers:
    """Brings people into Outreach that Salesforce does not have, each of them once."""

    batches: Batches
    rows: Rows
    claimed: set[tuple[int, Any]] = field(default_factory=set)

    def welcome(self, people: Sequence[_Keyed]) -> None:
        """Make those that Outreach does not have either; the others stay as they are there."""
        mapping, context = self.batches.mapping, self.batches.context
        unheard = context.unheard.get((mapping.name, Direction.INBOUND), ())
        if None in unheard:
            for line, _ in people:
                self.rows.wrong(
                    line, "waits until a create that was cut off can be seen: import again later"
                )
            return
        tasks = self._tasks(self._unknown(people))
        if not tasks:
            return
        commit, now = Commit(), stamp(context.clock.now())
        act(mapping, self.batches.layout, [task for _, task in tasks], context, commit)
        context.ledger.commit(context.run, now, context.digest, commit)
        for (line, _), answer in zip(tasks, commit.answers, strict=True):
            error = answer[-1]
            if error is None:
                self.rows.imported += 1
            else:
                self.rows.wrong(line, f"Outreach refused it: {error}")

    def _unknown(self, people: Sequence[_Keyed]) -> list[_Keyed]:
        """Those whom no `match` line finds in Outreach, nor on an earlier line of the list."""
        mapping, context = self.batches.mapping, self.batches.context
        store = context.stores[_OUTREACH]
        marks: dict[int, list[tuple[int, Any]]] = {line: [] for line, _ in people}
        there: set[tuple[int, Any]] = set()
        for number, rule in enumerate(mapping.pair.matches):
            keys = []
            linked = translations_of(
                mapping, rule, _SALESFORCE, [row for _, row in people], context.ledger
            )
            for line, row in people:
                own = keys_of(mapping, rule, _SALESFORCE, row, linked)
                marks[line] += [(number, key) for key in own]
                keys += own
            if keys:
                found = bearers_of(mapping, rule, _OUTREACH, keys, store)
                there.update((number, key) for key in found)
        fresh = []
        for line, row in people:
            if not marks[line]:
                self.rows.wrong(line, "refers to a record that is not linked yet: import it again")
            elif any(mark in there or mark in self.claimed for mark in marks[line]):
                self.rows.skipped += 1
            else:
                self.claimed.update(marks[line])
                fresh.append((line, row))
        return fresh

    def _tasks(self, people: Sequence[_Keyed]) -> list[tuple[int, Task]]:
        """The decision to make each, with the line of the list as part of its reason."""
        batches = self.batches
        now = batches.context.clock.now()
        cases = [batches.cases.bare(_SALESFORCE, {_SALESFORCE: row}, {}, now) for _, row in people]
        references = batches.references_of(cases)
        tasks = []
        for (line, _), case in zip(people, cases, strict=True):
            case.references = references
            change = decide_create(case, Direction.INBOUND).changes[0]
            if change.action is not Action.CREATE:
                self.rows.wrong(line, change.reason)
                continue
            change = change._replace(
                salesforce_id=None,
                types={_OUTREACH: batches.mapping.type_name(_OUTREACH)},
                reason=f"{change.reason}, line {line}",
            )
            # What nobody has in Salesforce is linked to nothing.
            tasks.append((line, Task(replace(case, rows={}, views={}), Verdict([change]))))
        return tasks
