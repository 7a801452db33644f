"""Creates without an answer that name an external id: whether they went through, that id tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from dsl.schema import Side
from dsl.values import canonical_name, instant, stamp
from engine.context import Context
from engine.ledger import Commit, Intent, Link
from engine.mapping import UNSET, Mapping
from engine.model import SIDES, Direction, RecordId, Row
from engine.notes import log_row
from engine.ours import held, with_bases
from engine.upserts import given_back, key_among, names_of

__all__ = ["TIMEOUT", "Lost", "is_since", "second_of", "unknown", "without_named"]

S = Side.SALESFORCE
_CREATED = "CreatedDate"
_SECONDS = 19  # Salesforce stamps to the second
#: For how long a call may still be under way once it was given up.
TIMEOUT = timedelta(minutes=2)

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

    Where several records bear it, it belongs to another, or the record was made since by somebody
    else, its source is decided on again: then it is held, or meets the record as any that match.
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
            continue
        row, moment = rows[0], made.get(rows[0][0])
        link = owned.get(row[0])
        key = key_among(names_of(mapping, context), each.by_field)
        ours = _is_ours(each.at, moment)
        if ours and not _holds_some(mapping, each, key, row):
            ours = None
        if len(rows) > 1 or mapping.is_converted(row) or (link is None and ours is None):
            commit.answers.append(unknown(each.intent))
        elif link is not None:
            commit.answers.append(unknown(each.intent))
            given_back(mapping, layout, link, row, key, each.by_line, commit)
        else:
            edited = ours and str(row[1])[:_SECONDS] != str(moment)[:_SECONDS]
            blank = each.link_to(mapping, layout, row[0])
            link = with_bases(blank, mapping, S, row, each.by_line, edited=bool(edited))
            owned[row[0]] = link
            _keep(mapping, each, link, bool(ours), commit)
    return left


def _is_ours(at: str, made: Any) -> bool | None:
    """Whether a create that was sent `at` a time made a record, by when that was made.

    False for one that was there before, which the create went over if it came through; None for one
    that was made when the create was over, or nobody knows when.
    """
    moment, sent = instant(made), instant(at)
    if moment is None or sent is None or moment > sent + TIMEOUT:
        return None
    return is_since(made, second_of(at))


def _holds_some(mapping: Mapping, lost: Lost, key: str, row: Row) -> bool:
    """Whether a record holds anything that a create sent, beside the external id.

    Somebody else may have made one that bears it in the same minute.
    """
    return any(
        held(mapping, S, line, row) == value
        for line, value in lost.by_line.items()
        if mapping.lines[line].ends[S].name != key
    )


def _keep(mapping: Mapping, lost: Lost, link: Link, ours: bool, commit: Commit) -> None:
    """Keep the link of a create that was found again, and say so."""
    state, words = "done", "created by a run that was cut off before it heard so"
    if not ours:
        state, words = "met", "was there before a run that was cut off, and may have gone over it"
    error = None if ours else words
    number, ids = lost.intent.id or 0, (link.salesforce_id, link.outreach_id)
    commit.links.append((mapping.name, link))
    commit.answers.append((number, state, *ids, error))
    both: dict[Side, Any] = {side: link.id(side) for side in SIDES}
    commit.logs.append(log_row(mapping, "adopted", words, both))


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
