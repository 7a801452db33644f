"""How unlinked records find each other: by the `match` lines, never by guessing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from dsl.program import MatchRule
from dsl.schema import Side
from dsl.values import canonical_id, canonical_name
from engine.ledger import Ledger
from engine.mapping import Mapping
from engine.model import RecordId, Row
from engine.ports import Store

__all__ = [
    "Clash",
    "Matches",
    "bearers_of",
    "candidates_of",
    "find_matches",
    "keys_of",
    "rule_text",
    "translations_of",
    "untranslated",
]

Key = tuple[Any, ...]
#: By the place of a key that is a reference: the other side's id by that of this side.
Translations = dict[int, dict[RecordId, RecordId]]


class Clash(NamedTuple):
    """Why a record is held, and the records of both sides that are in its way."""

    reason: str
    about: tuple[RecordId, ...]


@dataclass
class Matches:
    """What a batch of unlinked records of one side found on the other.

    `partners` by record id; `held` with what is in the way; `later` are records that share a key or
    a partner with an earlier one of the batch and have to look again when that one is done.
    `fresh` are those that were read anew while looking, and may have changed since their page.
    `creating` are those that will be created there if they find none, by an upsert on one of the
    `named` fields if they have a value for it: then only one record can bear that.
    """

    partners: dict[RecordId, Row] = field(default_factory=dict)
    held: dict[RecordId, Clash] = field(default_factory=dict)
    later: set[RecordId] = field(default_factory=set)
    fresh: dict[RecordId, Row] = field(default_factory=dict)
    creating: set[RecordId] = field(default_factory=set)
    named: Collection[str] = ()


def find_matches(
    mapping: Mapping,
    side: Side,
    rows: Sequence[Row],
    stores: dict[Side, Store],
    ledger: Ledger,
    creating: set[RecordId],
    named: Collection[str] = (),
) -> Matches:
    """Look for the partners of unlinked records of `side` on the other side.

    For `creating` and `named` see `Matches`.
    """
    found = Matches(creating=creating, named=named)
    open_rows = list(rows)
    for rule in mapping.pair.matches:
        if not open_rows:
            break
        earlier = set(found.partners)
        open_rows = _by_rule(mapping, rule, side, open_rows, stores[side.other], ledger, found)
        new = {r: p for r, p in found.partners.items() if r not in earlier}
        _look_back(mapping, rule, side, new, stores[side], ledger, found)
    _defer_twins(mapping, side, rows, found)
    return found


def candidates_of(
    mapping: Mapping, rule: MatchRule, side: Side, row: Row, store: Store, ledger: Ledger
) -> dict[RecordId, RecordId | None]:
    """All that one `match` line finds for a record, each with what it is linked to already."""
    keys = keys_of(mapping, rule, side, row, translations_of(mapping, rule, side, [row], ledger))
    groups = bearers_of(mapping, rule, side.other, keys, store) if keys else {}
    ids = list(dict.fromkeys(row[0] for key in keys for row in groups.get(key, ())))
    linked = ledger.others(mapping.name, side.other, ids)
    return {record: linked.get(record) for record in ids}


def _by_rule(
    mapping: Mapping,
    rule: MatchRule,
    side: Side,
    rows: list[Row],
    store: Store,
    ledger: Ledger,
    found: Matches,
) -> list[Row]:
    """Match by one line; the rows that found nobody, for the next line."""
    keyed, rest = [], []
    translations = translations_of(mapping, rule, side, rows, ledger)
    for row in rows:
        keys = keys_of(mapping, rule, side, row, translations)
        if keys:
            keyed.append((row, keys))
        else:
            rest.append(row)
    if not keyed:
        return rows
    candidates = bearers_of(
        mapping, rule, side.other, [k for _, keys in keyed for k in keys], store
    )
    ids = list({row[0] for group in candidates.values() for row in group})
    linked = ledger.others(mapping.name, side.other, ids)
    bound = found.creating if _is_named(rule, side.other, found) else ()
    for row, keys in keyed:
        group = list({c[0]: c for key in keys for c in candidates.get(key, ())}.values())
        if not group:
            rest.append(row)
            continue
        free = [c for c in group if c[0] not in linked]
        taken = [c for c in group if c[0] in linked]
        if len(free) == 1:
            found.partners[row[0]] = free[0]
        elif free:
            several = [c[0] for c in free]
            reason = f"matches {_several(mapping, rule, side.other, several)}"
            found.held[row[0]] = Clash(reason, tuple(several))
        elif taken and (row[0] in bound or _is_unique(mapping, rule, side.other)):
            other, mine = taken[0][0], linked[taken[0][0]]
            reason = (
                f"its {rule_text(rule)} belongs to {mapping.type_name(side.other)} {other},"
                f" which is already linked to {mapping.type_name(side)} {mine}"
            )
            found.held[row[0]] = Clash(reason, (other, mine))
        else:
            rest.append(row)
    return rest


def _look_back(
    mapping: Mapping,
    rule: MatchRule,
    side: Side,
    partners: dict[RecordId, Row],
    store: Store,
    ledger: Ledger,
    found: Matches,
) -> None:
    """Hold the records whose one partner matches several of their side.

    Each of the several finds only it, so whichever was edited first would get it.
    """
    others = list({row[0]: row for row in partners.values()}.values())
    translations = translations_of(mapping, rule, side.other, others, ledger)
    keys = {row[0]: keys_of(mapping, rule, side.other, row, translations) for row in others}
    if _is_unique(mapping, rule, side):
        keys = {other: own for other, own in keys.items() if len(own) > 1}
    if not any(keys.values()):
        return
    bearers = bearers_of(mapping, rule, side, [k for own in keys.values() for k in own], store)
    read = {row[0]: row for group in bearers.values() for row in group}
    found.fresh |= {record: read[record] for record in partners if record in read}
    ids = list(read)
    settled = (
        ledger.others(mapping.name, side, ids).keys() | found.partners.keys() - partners.keys()
    )
    for record, partner in partners.items():
        group = {c[0] for key in keys.get(partner[0], ()) for c in bearers.get(key, ())}
        rivals = sorted(group - settled - {record}, key=str)
        if rivals:
            del found.partners[record]
            several = _several(mapping, rule, side, [record, *rivals])
            reason = f"{mapping.type_name(side.other)} {partner[0]} matches {several}"
            found.held[record] = Clash(reason, (partner[0], *rivals))


def _several(mapping: Mapping, rule: MatchRule, side: Side, ids: list[RecordId]) -> str:
    names = ", ".join(str(record) for record in ids[:5])
    return f"{len(ids)} {mapping.type_name(side)} records by {rule_text(rule)}: {names}"


def rule_text(rule: MatchRule) -> str:
    return " and ".join(f"{s.path} = {o.path}" for s, o in rule.keys)


def _fields(rule: MatchRule, side: Side) -> list[str]:
    return [(s if side is Side.SALESFORCE else o).path for s, o in rule.keys]


def translations_of(
    mapping: Mapping, rule: MatchRule, side: Side, rows: Sequence[Row], ledger: Ledger
) -> Translations:
    """What the references among the keys of these rows are on the other side."""
    found: Translations = {}
    for number, (left, right) in enumerate(rule.keys):
        routes = mapping.key_routes.get((left.path, right.path))
        if routes is None:
            continue
        slot = mapping.slot(side, (left if side is Side.SALESFORCE else right).path)
        ids = list({canonical_id(row[slot]) for row in rows} - {None})
        found[number] = {}
        for pair in reversed(routes):
            found[number] |= ledger.others(pair, side, ids)
    return found


def untranslated(
    mapping: Mapping, rule: MatchRule, side: Side, rows: Sequence[Row]
) -> Translations:
    """The references among the keys of these rows as they are, to find their like on their side."""
    found: Translations = {}
    for number, (left, right) in enumerate(rule.keys):
        if (left.path, right.path) in mapping.key_routes:
            slot = mapping.slot(side, (left if side is Side.SALESFORCE else right).path)
            ids = {canonical_id(row[slot]) for row in rows} - {None}
            found[number] = {record: record for record in ids}
    return found


def keys_of(
    mapping: Mapping, rule: MatchRule, side: Side, row: Row, translations: Translations
) -> list[Key]:
    """The record's own keys as the other side has them, one for each element of a list attribute.

    There is none if a part is empty, or refers to a record that is not linked.
    """
    values = [row[mapping.slot(side, path)] for path in _fields(rule, side)]
    if len(values) == 1 and not isinstance(values[0], list) and not translations:
        name = canonical_name(values[0])
        return [] if name is None else [(name,)]
    forms = [
        [translations[number].get(canonical_id(value))] if number in translations else _forms(value)
        for number, value in enumerate(values)
    ]
    return [key for key in product(*forms) if None not in key]


def _forms(value: Any) -> list[Any]:
    """The forms in which a value matches: a list by any of its elements."""
    return [canonical_name(v) for v in (value if isinstance(value, list) else [value])]


def bearers_of(
    mapping: Mapping,
    rule: MatchRule,
    side: Side,
    keys: list[Key],
    store: Store,
    *,
    converted: bool = False,
) -> dict[Key, list[Row]]:
    """The records of `side` by key; one with a list attribute stands under each element.

    Leads that were converted are left out unless they are wanted.
    """
    fields = _fields(rule, side)
    references = [(left.path, right.path) in mapping.key_routes for left, right in rule.keys]
    rows = store.find(
        mapping.type_name(side), mapping.columns[side], fields, list(dict.fromkeys(keys))
    )
    by_key: dict[Key, list[Row]] = {}
    for row in rows:
        if side is Side.SALESFORCE and not converted and mapping.is_converted(row):
            continue
        forms = [
            [canonical_id(row[mapping.slot(side, path)])]
            if refers
            else _forms(row[mapping.slot(side, path)])
            for path, refers in zip(fields, references, strict=True)
        ]
        for key in dict.fromkeys(product(*forms)):
            by_key.setdefault(key, []).append(row)
    return by_key


def _is_unique(mapping: Mapping, rule: MatchRule, side: Side) -> bool:
    """Whether the other side lets only one record bear the key."""
    known = mapping.pair.type(side).fields
    return len(rule.keys) == 1 and any(
        path in known and known[path].unique for path in _fields(rule, side)
    )


def _is_named(rule: MatchRule, side: Side, found: Matches) -> bool:
    """Whether a create goes to the record of `side` that bears the key, whosever it is."""
    return len(rule.keys) == 1 and _fields(rule, side)[0] in found.named


def _defer_twins(mapping: Mapping, side: Side, rows: Sequence[Row], found: Matches) -> None:
    """Of records of this batch that share a unique key or a partner, only the first goes on now.

    Where the key is not unique there, the second one would not be kept from being created either.
    """
    matches, there = mapping.pair.matches, side.other
    unique = [r for r in matches if _is_unique(mapping, r, there) or _is_named(r, there, found)]
    claimed: set[Any] = set()
    for row in rows:
        if row[0] in found.held:
            continue
        partner = found.partners.get(row[0])
        marks: set[Any] = {("partner", partner[0])} if partner else set()
        if not partner and row[0] in found.creating:
            for number, rule in enumerate(unique):
                marks.update((number, key) for key in keys_of(mapping, rule, side, row, {}))
        if marks & claimed:
            found.later.add(row[0])
            found.partners.pop(row[0], None)
        else:
            claimed |= marks
