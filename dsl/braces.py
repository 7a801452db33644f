"""Finds braces that are never closed, or close nothing, by how the lines are indented."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.scan import Word

__all__ = ["extra", "unclosed"]


@dataclass
class _Open:
    index: int
    indent: int
    line_end: bool


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
            while len(found) < deficit and _ended(stack, word, indent):
                found.append((stack.pop().index, word.start))
        if word.text == "{":
            ends_line = index + 1 == len(words) or words[index + 1].fresh
            stack.append(_Open(index, indent, ends_line))
        elif word.text == "}" and stack:
            stack.pop()
    while stack and len(found) < deficit:
        found.append((stack.pop().index, end))
    return found


def extra(words: list[Word]) -> list[int]:
    """The indices of the `}` that close nothing."""
    return _balance(words)[1]


def _ended(stack: list[_Open], word: Word, indent: int) -> bool:
    """Whether the innermost block must have ended before a line that starts with `word`."""
    if not stack or not stack[-1].line_end:
        return False
    if word.text == "}":
        return indent < stack[-1].indent
    return indent <= stack[-1].indent


def _indent(text: str, offset: int) -> int:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return len(line.expandtabs(4))


def _balance(words: list[Word]) -> tuple[int, list[int]]:
    """How many `{` are never closed, and the indices of the `}` that close nothing."""
    depth, extra = 0, []
    for index, word in enumerate(words):
        if word.text == "{":
            depth += 1
        elif word.text == "}":
            if depth:
                depth -= 1
            else:
                extra.append(index)
    return depth, extra
