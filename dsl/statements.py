"""Finds the statement around a syntax error, by braces, lines and the words that start one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as OneOf

from dsl.scan import Word

__all__ = ["Block", "Statement", "outline", "statement_at"]

Kind = OneOf["top", "sync", "fields", "activities", "map", "limits", "guard", "test"]

_ARROWS = {"<->", "->", "<-"}
_SIDES = ("salesforce", "outreach")
_BOUNDS = ("creates", "updates", "deletes", "blanking")

# Words that carry a statement on when they start a line.
_CONTINUES = {
    *("and", "or", "when", "via", "prefer", "once", "prevent", "every", "on", "off", "from"),
    *("title", "linked", "color", "in", "contains", "is", "matches", "starts", "ends", "changed"),
    *("<->", "->", "<-", "=", "!=", "<", "<=", ">", ">=", ")", "]", ",", ".", ":", "%", "{"),
}
# Words after which a statement cannot end.
_HANGING = {
    *("<->", "->", "<-", "=", "!=", "<", "<=", ">", ">=", "(", "[", ",", ".", ":"),
    *("and", "or", "not", "when", "via", "every", "match", "is", "contains"),
}

_CLAUSES: dict[str, tuple[str, ...]] = {
    "match": (),
    "polling": (),
    "pushing": (),
    "inbound": ("create", "update", "delete"),
    "outbound": ("create", "update", "delete"),
    "sync": ("down",),
    "conflict": ("prefer",),
    "fallback": ("association",),
    "fields": ("{",),
    "activities": ("{",),
}
_ACTIVITIES: dict[str, tuple[str, ...]] = {
    "email": ("sent", "received", "opened", "clicked", "replied", "bounced"),
    "call": ("logged",),
    "text": ("sent", "received"),
    "task": ("completed", "created"),
    "meeting": ("booked", "rescheduled", "canceled"),
}
_TOPS = ("crosswalk", "limits", "guard", "stages", "values", "fields", "activities", "sync", "test")


@dataclass
class Statement:
    """A statement: the indices of its first word and the one after its last."""

    first: int
    stop: int
    block: Block | None = None


@dataclass
class Block:
    """What stands between two braces that hold statements (`start`, `stop`: offsets)."""

    kind: Kind
    start: int
    stop: int
    statements: list[Statement] = field(default_factory=list)


def outline(words: list[Word], start: int, stop: int) -> Block:
    """The statements of some text, block by block."""
    return _Outline(words, _matches(words)).block("top", (0, len(words)), (start, stop))


def statement_at(block: Block, words: list[Word], offset: int) -> tuple[Block, int] | None:
    """The innermost block around an offset, and the index of its statement there.

    At the end of a block: its last statement.
    """
    at = None
    for index, statement in enumerate(block.statements):
        if words[statement.first].start > offset:
            break
        at = index
        inner = statement.block
        if inner is not None and inner.start < offset <= inner.stop:
            return statement_at(inner, words, offset) or (block, index)
    return None if at is None else (block, at)


def _matches(words: list[Word]) -> dict[int, int]:
    """The index of the `}` of each `{`; without one, the end."""
    stack: list[int] = []
    pairs: dict[int, int] = {}
    for index, word in enumerate(words):
        if word.text == "{":
            stack.append(index)
        elif word.text == "}" and stack:
            pairs[stack.pop()] = index
    pairs.update(dict.fromkeys(stack, len(words)))
    return pairs


@dataclass(frozen=True)
class _Outline:
    words: list[Word]
    pairs: dict[int, int]

    def block(self, kind: Kind, inside: tuple[int, int], extent: tuple[int, int]) -> Block:
        """The statements of the words with indices `inside`, between two offsets."""
        words = self.words
        block = Block(kind, *extent)
        statement: Statement | None = None
        parens = 0
        at, stop = inside
        while at < stop:
            word = words[at].text
            if statement is None or (parens <= 0 and _starts(kind, words, at, stop)):
                statement = Statement(at, at + 1)
                block.statements.append(statement)
                parens = 0
            if word == "{":
                close = min(self.pairs.get(at, stop), stop)
                inner = _kind(kind, words, statement.first, at)
                if inner is not None:
                    end = words[close].start if close < len(words) else extent[1]
                    within = (words[at].end, end)
                    statement.block = self.block(inner, (at + 1, close), within)
                at = statement.stop = min(close + 1, stop)
                statement = None if inner is not None else statement
                continue
            parens += (word in "([") - (word in ")]")
            at += 1
            statement.stop = at
        return block


def _kind(outer: Kind, words: list[Word], first: int, brace: int) -> Kind | None:
    """What a `{` opens; None for braces that belong to their statement (`all {`, a record's)."""
    head = [word.text for word in words[first:brace]]
    if outer == "sync" and head in (["fields"], ["activities"]):
        return "fields" if head == ["fields"] else "activities"
    if outer != "top" or not head:
        return None
    match head[0], len(head):
        case ("fields" | "activities" | "limits" | "guard" | "sync" | "test") as word, _:
            return word
        case (("stages" | "values"), _):
            return "map"
    return None


def _starts(kind: Kind, words: list[Word], at: int, stop: int) -> bool:
    word, before = words[at], words[at - 1].text
    after = words[at + 1].text if at + 1 < stop else ""
    text = word.text
    if text == "{" or before == "." or after == ":":
        return False
    if _starter(kind, text, before, after):
        return not (before in _HANGING and not word.fresh)
    if not word.fresh or kind == "test":
        return False
    if kind in ("sync", "fields", "activities", "map", "top") and text in _CONTINUES:
        return False
    if before in _HANGING:
        return kind == "fields" and _has_arrow(words, at, stop)
    return True


def _starter(kind: Kind, text: str, before: str, after: str) -> bool:
    match kind:
        case "sync":
            rest = _CLAUSES.get(text)
            return rest is not None and (not rest or after in rest)
        case "fields" | "map":
            if text in ("use", "otherwise"):
                return after not in _ARROWS and before not in _ARROWS
            return after in _ARROWS and before not in _ARROWS and text not in (*_ARROWS, ")")
        case "activities":
            return after in _ACTIVITIES.get(text, ()) or text == "use"
        case "limits":
            return text in _SIDES
        case "guard":
            return text in _BOUNDS
        case "test":
            return text in ("given", "when", "expect")
        case "top":
            return text in _TOPS and before == "}"


def _has_arrow(words: list[Word], at: int, stop: int) -> bool:
    for word in words[at + 1 : stop]:
        if word.fresh:
            return False
        if word.text in _ARROWS:
            return True
    return False
