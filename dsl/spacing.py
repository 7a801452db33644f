"""What some parts of a rule are on one line: their words, and the spaces between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsl.words import Node, Word, cells

__all__ = ["Part", "is_flat", "is_loose", "nodes_of", "spaced", "width_of", "words_of"]

Part = Node | Word

# Rules whose parts stand side by side, two spaces apart.
_SPACED = {"all_block", "any_block", "record"}


def nodes_of(parts: Sequence[Part]) -> list[Node]:
    return [part for part in parts if isinstance(part, Node)]


def words_of(parts: Sequence[Part]) -> list[Word]:
    return [w for part in parts for w in ([part] if isinstance(part, Word) else part.words)]


def is_loose(words: Sequence[Word]) -> bool:
    """Whether comments stand between the words."""
    return any(w.before for w in words[1:]) or any(w.after for w in words[:-1])


def is_flat(node: Node) -> bool:
    """Whether it may stand on one line: nothing inside needs, or was given, more."""
    return not node.is_spread and not is_loose(node.words)


def width_of(parts: Sequence[Part]) -> int:
    """How wide some parts are on one line."""
    return sum(space + cells(word.text) for space, word in spaced(parts, 0))


def spaced(parts: Sequence[Part], gap: int) -> Iterator[tuple[int, Word]]:
    """Each word with the number of spaces before it."""
    before: Word | None = None
    for wide, word in _separated(parts):
        if before is None:
            yield gap, word
        else:
            yield 2 if wide else _space(before, word), word
        before = word


def _separated(
    parts: Sequence[Part], wide: bool = False, beside: bool = False
) -> Iterator[tuple[bool, Word]]:
    """Each word, and whether it starts another one of things that stand side by side (`beside`)."""
    for index, part in enumerate(parts):
        apart = wide
        if index:
            apart = beside and isinstance(part, Node) and isinstance(parts[index - 1], Node)
        if isinstance(part, Word):
            yield apart, part
        else:
            yield from _separated(part.parts, apart, part.rule in _SPACED)


def _space(before: Word, word: Word) -> int:
    if word.text in (")", "]", ",", ".", ":", "%") or before.text in ("(", "[", "."):
        return 0
    return 0 if before.kind == "FUNCTION" else 1
