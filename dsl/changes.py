"""What changed from one revision of the rules to the next, in words and by meaning.

Both are given as facts, one for each thing that a person would say was added, removed or changed
(`facts.py` takes rules apart into them). Where a fact stands, in which file, how it is laid out,
and the order of its options, of lines and of items say nothing. Tests are no rules, and no facts;
a project's own title templates are some.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from dsl.source import Source

__all__ = [
    "Fact",
    "RuleChange",
    "changes",
    "facts_as_json",
    "facts_from_json",
    "title_fact",
]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that rules say.

    `scope` is what it is part of, in the rules' words (`Lead <-> prospect`, `stages lead_status`,
    `limits`); `slot` tells what can only have changed from what is another thing, and is empty for
    the item that has the scope's name. `head` is its canonical text up to its condition, `when` the
    condition. `meaning` is equal for two texts that say the same. `place` is `FILE:LINE`.
    """

    scope: str
    slot: str
    name: str
    head: str
    when: str
    meaning: str
    place: str

    @property
    def text(self) -> str:
        return f"{self.head} when {self.when}" if self.when else self.head


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One change: `before` and `after` are canonical text, None for what was not there.

    `place` is where it stands now, or stood last; `message` is for people.
    """

    scope: str
    message: str
    before: str | None
    after: str | None
    place: str


def title_fact(name: str, source: Source) -> Fact:
    """What a title template says."""
    text = source.text.removesuffix("\n")
    return Fact(f"title {name}", "template", "template", text, "", text, f"{source.path}:1")


# -- kept ---------------------------------------------------------------------------------------


def facts_as_json(found: Iterable[Fact]) -> str:
    """Facts as text to be kept."""
    return json.dumps([astuple(fact) for fact in found], ensure_ascii=False)


def facts_from_json(text: str) -> tuple[Fact, ...]:
    """Facts that were kept."""
    return tuple(Fact(*values) for values in json.loads(text))


# -- comparing ----------------------------------------------------------------------------------


def changes(before: Iterable[Fact], after: Iterable[Fact]) -> tuple[RuleChange, ...]:
    """What changed, in the order of the new rules, then what was removed in that of the old."""
    old, new = _by_key(before), _by_key(after)
    found: list[RuleChange] = []
    for key in [*new, *(key for key in old if key not in new)]:
        scope, slot = key
        whole = (scope, "")
        if slot and ((whole in old) != (whole in new)):
            continue  # told with the item that came or went as a whole
        gone, come = _unequal(old.get(key, []), new.get(key, []))
        for was, now in zip(gone, come, strict=False):
            found.append(_changed(was, now))
        found += [
            RuleChange(scope, _came("added", now), None, _whole(now, new), now.place)
            for now in come[len(gone) :]
        ]
        found += [
            RuleChange(scope, _came("removed", was), _whole(was, old), None, was.place)
            for was in gone[len(come) :]
        ]
    return tuple(found)


_Keyed = dict[tuple[str, str], list[Fact]]


def _by_key(found: Iterable[Fact]) -> _Keyed:
    keyed: _Keyed = defaultdict(list)
    for fact in found:
        keyed[fact.scope, fact.slot].append(fact)
    return dict(keyed)


def _unequal(old: list[Fact], new: list[Fact]) -> tuple[list[Fact], list[Fact]]:
    """What is left of two lists once each fact was taken away with an equal one."""
    gone, come = list(old), []
    for fact in new:
        same = next((was for was in gone if was.meaning == fact.meaning), None)
        if same is None:
            come.append(fact)
        else:
            gone.remove(same)
    return sorted(gone, key=_by_text), sorted(come, key=_by_text)


def _by_text(fact: Fact) -> str:
    return fact.text


def _changed(was: Fact, now: Fact) -> RuleChange:
    if was.head != now.head:
        same = was.when == now.when
        texts = (was.head, now.head) if same else (was.text, now.text)
        message = f"{now.scope}: `{texts[0]}` -> `{texts[1]}`"
    elif not was.when:
        message = f"`{now.name}` of {now.scope}: condition `{now.when}` added"
    elif not now.when:
        message = f"`{now.name}` of {now.scope}: condition `{was.when}` removed"
    else:
        words = f"condition changed from `{was.when}` to `{now.when}`"
        message = f"`{now.name}` of {now.scope}: {words}"
    return RuleChange(now.scope, message, was.text, now.text, now.place)


def _came(what: str, fact: Fact) -> str:
    if not fact.slot:
        return f"`{fact.name}` {what}"
    return f"`{fact.text}` {what} {'to' if what == 'added' else 'from'} {fact.scope}"


def _whole(fact: Fact, all_facts: _Keyed) -> str:
    """A fact's text; with all that is in it if it is an item that came or went as a whole."""
    if fact.slot:
        return fact.text
    inside = [
        inner.text
        for (scope, slot), found in all_facts.items()
        for inner in found
        if scope == fact.scope and slot
    ]
    return "\n".join([fact.text, *inside])
