"""The activity history: what each run synced, and how the rules changed between runs, in words."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from dsl.changes import Fact, RuleChange, changes, facts_from_json, title_fact
from dsl.pairs import pair_name, spoken_pair, types_of_pair
from dsl.schema import Side
from dsl.source import Source
from engine.ledger import Ledger
from engine.ledger.looking import kept_rules, noted_by, runs_with_rules, written_counts
from engine.shipped import title_texts

__all__ = ["Entry", "entries"]

_ORDER = ("updated", "created", "deleted", "linked", "unlinked")
_NOTED = {"conflict": ("conflict", "conflicts"), "held": ("held", "held")}
_REFUSED = ("refused", "refused")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: `synced`, of one run and pair, or `rules`, of one change of the rules.

    `type` is `Lead <-> prospect`, or what else of the rules changed. `before`, `after` and `rule`
    (`FILE:LINE`) are of a change of the rules, `counts` of what was synced.
    """

    timestamp: str
    kind: Literal["synced", "rules"]
    run: str
    type: str
    message: str
    before: str | None = None
    after: str | None = None
    rule: str | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def concerns(self, type_name: str) -> bool:
        """Whether it is about a type of either side."""
        return type_name in self.type.partition(" (")[0].split(" <-> ")


def entries(
    ledger: Ledger, *, since: str | None = None, rules: bool = True, synced: bool = True
) -> Iterator[Entry]:
    """The history, the newest first, read as far as it is asked for."""
    for run in list(ledger.rows(runs_with_rules(since))):
        if synced:
            yield from _synced(run, ledger)
        if rules and run["digest"] != run["earlier"]:
            yield from _rules(run, ledger)


# -- what was synced ----------------------------------------------------------------------------


def _synced(run: dict[str, Any], ledger: Ledger) -> Iterator[Entry]:
    if run["counts"] and not any(json.loads(run["counts"]).values()):
        return
    written: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for row in ledger.rows(written_counts(run["id"])):
        written[row["pair"]][row["direction"]][row["status"]] += row["records"]
    noted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in ledger.rows(noted_by(run["id"])):
        noted[_pair(row)][row["status"].rpartition(" ")[2]] += row["records"]
    for pair in sorted(written.keys() | noted.keys()):
        yield Entry(
            run["finished_at"] or run["started_at"],
            "synced",
            run["id"],
            spoken_pair(pair),
            _told(pair, written[pair], noted[pair]),
            counts=dict(sum(written[pair].values(), Counter()) + noted[pair]),
        )


def _pair(row: dict[str, Any]) -> str:
    salesforce, outreach = row["external_type"], row["internal_type"]
    return pair_name(salesforce, outreach) if salesforce and outreach else salesforce or outreach


def _told(pair: str, written: dict[str, Counter[str]], noted: Counter[str]) -> str:
    """`12 prospects updated in Outreach, 3 created; 1 conflict`."""
    types = types_of_pair(pair)
    salesforce, outreach = types.get(Side.SALESFORCE, ""), types[Side.OUTREACH]
    parts = []
    for direction, system, kind in (
        ("inbound", "Outreach", outreach),
        ("outbound", "Salesforce", salesforce),
    ):
        done = [(what, written[direction][what]) for what in _ORDER if written[direction][what]]
        if done:
            (first, number), *rest = done
            more = "".join(f", {count:,} {what}" for what, count in rest)
            parts.append(f"{number:,} {_counted(kind, number)} {first} in {system}{more}")
    words = {**_NOTED, "refused": _REFUSED}
    parts += [f"{noted[w]:,} {words[w][noted[w] != 1]}" for w in words if noted[w]]
    return "; ".join(parts)


def _counted(kind: str, number: int) -> str:
    """A type's name as a word for so many of its records, where it can be one."""
    if not kind.isalpha() or not kind[1:].islower():
        return f"{kind} record{'' if number == 1 else 's'}"
    name = kind.lower()
    if number == 1:
        return name
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


# -- how the rules changed ----------------------------------------------------------------------


def _rules(run: dict[str, Any], ledger: Ledger) -> Iterator[Entry]:
    kept = {row["digest"]: row["facts"] for row in ledger.rows(kept_rules(run))}
    before = "[]" if run["earlier"] is None else kept.get(run["earlier"])
    after = kept.get(run["digest"])
    if before is None or after is None:
        message = "the rules changed; what they said before is not kept"
        yield Entry(run["started_at"], "rules", run["id"], "", message)
        return
    old, new = facts_from_json(before), facts_from_json(after)
    for change in changes([*old, *_shipped(new, old)], [*new, *_shipped(old, new)]):
        yield _entry(run, change)


def _shipped(others: Iterable[Fact], mine: Iterable[Fact]) -> Iterator[Fact]:
    """The shipped title templates that rules go by which have none of their own, as others do."""
    own = {fact.scope for fact in mine}
    titles = title_texts()
    for fact in others:
        name = fact.scope.removeprefix("title ")
        if fact.scope not in own and fact.scope != name and name in titles:
            path = fact.place.rpartition(":")[0]
            yield title_fact(name, Source(path, titles[name]))


def _entry(run: dict[str, Any], change: RuleChange) -> Entry:
    return Entry(
        run["started_at"],
        "rules",
        run["id"],
        change.scope,
        change.message,
        change.before,
        change.after,
        change.place,
    )
