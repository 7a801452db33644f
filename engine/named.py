"""Creates without an answer that name an external id: whether they went through, that id tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from dsl.schema import Side
from dsl.values import canonical_name, instant, stamp
from engine.context import Context
from engine.ledger import Commit, Intent, Link
from engine.mapping import UNSET, Mapping
from engine.model import SIDES, Direction, RecordId, Row
from engine.notes import log_row
from engine.ours import with_bases
from engine.upserts import given_back, key_among, names_of

__all__ = ["Lost", "is_since", "second_of", "unknown", "without_named"]

S = Side.SALESFORCE
_CREATED = "CreatedDate"
_SECONDS = 19  # Salesforce stamps to the second

_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Lost:
    """A create whose answer never came, sent at the target's time `at`, and what it wanted written.

    `by_line` in canonical form, by field for its match keys.
    """

    intent: Intent
    at: str
    by_line: dict[int, Any]
    by_field: dict[str, Any]

    @property
    def source(self) -> Any:
        """The record that it was for; None for a person whom only a list knew."""
        inbound = self.intent.direction == Direction.INBOUND
        return self.intent.salesforce_id if inbound else self.intent.outreach_id

    def link_to(self, mapping: Mapping, layout: int, record: Any) -> Link:
        """Its record linked to one of the other side, with nothing agreed."""
        blank = _encode([UNSET] * len(mapping.keys))
        ids = self.source, record
        inbound = self.intent.direction == Direction.INBOUND
        return Link(*(ids if inbound else ids[::-1]), layout, blank, blank)


def without_named(
    mapping: Mapping, layout: int, lost: Sequence[Lost], context: Context, commit: Commit
) -> list[Lost]:
    """Link those whose external id a Salesforce record bears; those that are left.

    Where several records bear it, or it belongs to another, its source is decided on again: then
    it is held.
    """
    bearers = _bearers(mapping, lost, context)
    ids = list({row[0] for rows in bearers.values() for row in rows})
    owned = context.ledger.links(mapping.name, S, ids)
    made = _made_at(mapping, ids, context)
    left = []
    for each in lost:
        rows = bearers.get(each.intent.id or 0, [])
        if not rows:
            left.append(each)
        elif len(rows) > 1 or mapping.is_converted(rows[0]):
            commit.answers.append(unknown(each.intent))
        elif (link := owned.get(rows[0][0])) is not None:
            commit.answers.append(unknown(each.intent))
            given_back(mapping, layout, link, rows[0], each.by_line, commit)
        else:
            owned[rows[0][0]] = _adopt(mapping, layout, each, rows[0], made, commit)
    return left


def _adopt(
    mapping: Mapping,
    layout: int,
    lost: Lost,
    row: Row,
    made: dict[RecordId, Any],
    commit: Commit,
) -> Link:
    """Link a record that bears the external id of a create.

    If it was made since, it is that create's, and what differs in it was edited by somebody, unless
    nobody touched it. If it was there before, the create went over it, or did not get there.
    """
    created = made.get(row[0])
    ours = is_since(created, second_of(lost.at))
    edited = ours and str(row[1])[:_SECONDS] != str(created)[:_SECONDS]
    blank = lost.link_to(mapping, layout, row[0])
    link = with_bases(blank, mapping, S, row, lost.by_line, edited=edited)
    ids: dict[Side, Any] = {side: link.id(side) for side in SIDES}
    state, words = "done", "created by a run that was cut off before it heard so"
    if not ours:
        state, words = "met", "was there before a run that was cut off, and may have gone over it"
    error = None if ours else words
    commit.links.append((mapping.name, link))
    commit.answers.append((lost.intent.id or 0, state, link.salesforce_id, link.outreach_id, error))
    commit.logs.append(log_row(mapping, "adopted", words, ids))
    return link


def _bearers(mapping: Mapping, lost: Sequence[Lost], context: Context) -> dict[int, list[Row]]:
    """The records that bear the external ids of these creates, by the number of each."""
    names = names_of(mapping, context) if lost else ()
    wanted: dict[str, dict[Any, list[int]]] = defaultdict(lambda: defaultdict(list))
    for each in lost:
        if name := key_among(names, each.by_field):
            wanted[name][each.by_field[name]].append(each.intent.id or 0)
    found: dict[int, list[Row]] = defaultdict(list)
    columns, store = mapping.columns[S], context.stores[S]
    for name, numbers in wanted.items():
        slot = mapping.slot(S, name)
        for row in store.find(mapping.type_name(S), columns, [name], [(v,) for v in numbers]):
            for number in numbers.get(canonical_name(row[slot]), ()):
                found[number].append(row)
    return found


def _made_at(mapping: Mapping, ids: Sequence[RecordId], context: Context) -> dict[RecordId, Any]:
    """When these records were made, as far as the org tells."""
    store, type_name = context.stores[S], mapping.type_name(S)
    described = store.describe(type_name) if ids else None
    if described is None or _CREATED not in described.fields:
        return {}
    return {row[0]: row[2] for row in store.fetch(type_name, [_CREATED], ids)}


def unknown(intent: Intent) -> tuple[int, str, str | None, int | None, str | None]:
    """The answer of a write of which nobody will know more."""
    number = intent.id or 0
    return number, "unknown", intent.salesforce_id, intent.outreach_id, "the run was cut off"


def second_of(at: str) -> str:
    """The second of a stamp, which is as exactly as Salesforce tells when a record was made."""
    return f"{at[:_SECONDS]}.000Z"


def is_since(made: Any, since: str) -> bool:
    """Whether a record was made since, or may have been."""
    moment = instant(made)
    return moment is None or stamp(moment) >= since
