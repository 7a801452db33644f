"""Finds braces that are never closed, or close nothing, by how the lines are indented."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.scan import Word

__all__ = ["doubled", "extra", "unclosed"]


@dataclass
class _Open:
    index: int
    indent: int
    line: int


def doubled(words: list[Word]) -> list[int]:
    """The indices of the `{` that stand right behind another: no block starts with one."""
    if not _balance(words)[0]:
        return []
    return [i for i in range(1, len(words)) if words[i].text == words[i - 1].text == "{"]


def unclosed(words: list[Word], text: str, end: int) -> list[tuple[int, int]]:
    """The indices of the `{` without an end, each with the offset before which its `}` belongs."""
    deficit, _ = _balance(words)
    if not deficit:
        return []
    stack: list[_Open] = []
    found: list[tuple[int, int]] = []
    indent = 0
    for index, word in enumerate(words):
        if word.fresh:
            indent = _indent(text, word.start)
            while len(found) < deficit and stack and _ended(stack[-1], word, indent):
                found.append((stack.pop().index, word.start))
        if word.text == "{":
            stack.append(_Open(index, indent, 0))
        elif word.text == "}" and stack:
            stack.pop()
    while stack and len(found) < deficit:
        found.append((stack.pop().index, end))
    return found


def _ended(block: _Open, word: Word, indent: int) -> bool:
    """Whether a block must have ended before a line that starts with `word`."""
    return indent < block.indent or (indent == block.indent and word.text not in ("}", "{"))


def extra(words: list[Word], text: str) -> list[int]:
    """The indices of the `}` that close nothing.

    A `}` that stands further right than the line of the block that it would close, and on another
    line, is more likely the one too many than the last of the file.
    """
    count = len(_balance(words)[1])
    if not count:
        return []
    stack: list[_Open] = []
    found: list[int] = []
    indent = line = 0
    for index, word in enumerate(words):
        if word.fresh:
            indent = _indent(text, word.start)
            line += 1
        if word.text == "{":
            stack.append(_Open(index, indent, line))
        elif word.text == "}":
            strange = not stack or (stack[-1].line != line and indent > stack[-1].indent)
            if strange and len(found) < count:
                found.append(index)
            elif stack:
                stack.pop()
    return found


def _indent(text: str, offset: int) -> int:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return len(line.expandtabs(4))


def _balance(words: list[Word]) -> tuple[int, list[int]]:
    """How many `{` are never closed, and the indices of the `}` that close nothing."""
    depth, found = 0, []
    for index, word in enumerate(words):
        if word.text == "{":
            depth += 1
        elif word.text == "}":
            if depth:
                depth -= 1
            else:
                found.append(index)
    return depth, found
