"""Rules taken apart into facts: one for each thing that a person would say was changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from dsl.build import UNIT_SECONDS
from dsl.changes import Fact, title_fact
from dsl.printing import OPTIONS
from dsl.source import Source
from dsl.spacing import Part, nodes_of, spaced
from dsl.words import Node, Word, read_words

__all__ = ["facts"]

_NAMED = {"value_map", "fields", "activities"}
_DEFAULTS = {
    "sync": ("conflict", "conflict prefer newest"),
    "value_map": ("otherwise", "otherwise hold"),
}


def facts(
    sources: Sequence[Source], titles: Mapping[str, Source] | None = None
) -> tuple[Fact, ...]:
    """The facts of rule files without syntax errors, and of title templates by name."""
    found: list[Fact] = []
    for source in sources:
        module, _ = read_words(source.text)
        for item in nodes_of(module.parts):
            found += _of_item(item, source)
    found += [title_fact(name, source) for name, source in (titles or {}).items()]
    return tuple(found)


def _of_item(item: Node, source: Source) -> Iterator[Fact]:
    match item.rule:
        case "limits" | "guard":
            for row in nodes_of(item.parts):
                yield _fact(item.rule, _counted(row), row, source)
        case "value_map" | "fields" | "activities" | "sync":
            yield from _of_block(item, source)


def _counted(row: Node) -> str:
    """A budget's or bound's words up to its number."""
    return " ".join(word.text for word in row.words[: _number_at(row)])


def _number_at(row: Node) -> int:
    return next(at for at, word in enumerate(row.words) if word.kind == "NUMBER")


def _of_block(item: Node, source: Source) -> Iterator[Fact]:
    """The item itself, what is written in it, and what holds where nothing is written."""
    assert item.braces is not None  # noqa: S101 - by the grammar
    at, opening, _ = item.braces
    header = _text(item.parts[:at])
    scope = header if item.rule in _NAMED else header.removeprefix("sync ")
    place = _place(item.words[0], source)
    yield Fact(scope, "", header, header, "", header, place)
    rows = list(_rows(nodes_of(item.parts[item.parts.index(opening) :])))
    matches = [row for row in rows if row.rule == "match"]
    if matches:
        # In which order they are tried is part of what they say.
        text = "  ".join(_text([row]) for row in matches)
        yield Fact(scope, "match", "match", text, "", text, _place(matches[0].words[0], source))
    said = [
        _fact(scope, _slot(row), row, source)
        for row in rows
        if row.rule != "match" and not _off(row)
    ]
    yield from said
    slot, unsaid = _DEFAULTS.get(item.rule, ("", ""))
    if slot and all(fact.slot != slot for fact in said):
        yield Fact(scope, slot, slot, unsaid, "", unsaid, place)


def _rows(rows: Iterable[Node]) -> Iterator[Node]:
    """Clauses and lines, those of the blocks in a sync among them."""
    for row in rows:
        if row.rule in ("fields_block", "activities_block"):
            yield from nodes_of(row.parts)
        else:
            yield row


def _slot(row: Node) -> str:
    match row.rule:
        case "field_line" | "value_pair":
            return f"{_text(row.parts[:1])} ~ {_text(row.parts[2:3])}"
        case "toggle" | "activity_line":
            return _text(row.parts[:1])
        case "otherwise_text":
            return "otherwise"
        case "use":
            return _text([row])
        case _:
            return row.words[0].text


def _off(row: Node) -> bool:
    """A toggle that is off says what one says that is not written."""
    return row.rule == "toggle" and any(
        node.rule == "switch" and node.words[0].text == "off" for node in nodes_of(row.parts)
    )


def _fact(scope: str, slot: str, row: Node, source: Source) -> Fact:
    plain = _canonical(row)
    head, when = plain, ""
    last = plain.parts[-1]
    if row.rule in ("toggle", "field_line") and isinstance(last, Node) and last.rule == "when":
        head = replace(plain, parts=plain.parts[:-1])
        when = _text(last.parts[1:])
    name = _text(row.parts[:3] if row.rule in ("field_line", "value_pair") else row.parts[:1])
    if row.rule in ("use", "limit", "bound"):
        name = _text([row])
    place = _place(row.words[0], source)
    return Fact(scope, slot, name, _text([head]), when, _meaning(plain), place)


def _canonical(node: Node) -> Node:
    """A row with its options in the formatter's order, and without `on`, which says nothing."""
    order = OPTIONS.get(node.rule)
    parts = tuple(_canonical(p) if isinstance(p, Node) else p for p in node.parts)
    if order is None:
        return replace(node, parts=parts)

    def rank(part: Part) -> int:
        known = isinstance(part, Node) and part.rule.removesuffix("_from")
        return order.index(known) if known in order else -1

    ranks = [rank(part) for part in parts]
    options = [at for at, found in enumerate(ranks) if found >= 0]
    ordered = iter(sorted(options, key=lambda at: ranks[at]))
    moved = [parts[next(ordered)] if rank(part) >= 0 else part for part in parts]
    kept = tuple(part for part in moved if not _is_on(part))
    return replace(node, parts=kept)


def _is_on(part: Part) -> bool:
    return isinstance(part, Node) and part.rule == "switch" and part.words[0].text == "on"


def _text(parts: Sequence[Part]) -> str:
    """Parts on one line, as the formatter spaces them, without their comments."""
    return "".join(" " * space + word.text for space, word in spaced(parts, 0))


_ALIKE = {"all_of": "all", "all_block": "all", "any_of": "any", "any_block": "any"}


def _meaning(node: Node) -> str:
    """What it says, however it is written.

    Lengths of time are in seconds and numbers without leading zeros; parentheses stand only where
    a condition would mean something else without them, and `all { … }` is what `and` is.
    """
    said: list[str] = []
    for word in _words(node):
        if isinstance(word, str):
            said.append(word)
        elif word.text in UNIT_SECONDS and said and said[-1].isdigit():
            said[-1] = f"{int(said[-1]) * UNIT_SECONDS[word.text]}s"
        elif word.kind == "NUMBER" and word.text.isdigit():
            said.append(word.text.lstrip("0") or "0")
        else:
            said.append(word.text)
    return " ".join(said)


def _words(part: Part) -> Iterator[Word | str]:
    if isinstance(part, Word):
        yield part
    elif part.rule in _ALIKE:
        terms = list(_terms(part, _ALIKE[part.rule]))
        yield from (f"{_ALIKE[part.rule]}(",) if len(terms) > 1 else ()
        for term in terms:
            yield from _words(term)
        yield from (")",) if len(terms) > 1 else ()
    elif part.rule == "grouped":
        yield from _words(nodes_of(part.parts)[0])
    elif part.rule == "negated":
        yield from ("not(", *_words(nodes_of(part.parts)[0]), ")")
    elif part.rule == "is_present":
        yield from (*_words(part.parts[0]), "is present")
    else:
        for each in part.parts:
            yield from _words(each)


def _terms(node: Node, word: str) -> Iterator[Node]:
    """The terms of a conjunction or disjunction, those of one inside it among them."""
    for term in nodes_of(node.parts):
        inner = term
        while inner.rule == "grouped":
            inner = nodes_of(inner.parts)[0]
        if _ALIKE.get(inner.rule) == word:
            yield from _terms(inner, word)
        else:
            yield inner


def _place(word: Word, source: Source) -> str:
    return f"{source.path}:{source.position(word.start).line}"
