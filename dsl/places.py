"""What a name or a text in quotes would mean at a place, by the parser's stack there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import pairwise

from dsl.schema import Side
from dsl.stack import Symbol

__all__ = ["Owner", "Place", "Role", "place_of_name", "place_of_text"]


class Role(Enum):
    """What a name, or a text, stands for."""

    NEW = auto()  # what is being defined here
    TYPE = auto()
    TARGET = auto()  # what an activity becomes: `Task` or `Event`
    FIELD = auto()
    RECORD_FIELD = auto()  # of a test's record
    CONFLICT_FIELD = auto()  # of any type
    MAP = auto()
    GROUP_OF_FIELDS = auto()
    GROUP_OF_ACTIVITIES = auto()
    TEMPLATE = auto()
    VALUE = auto()  # a value that a field may have
    LABEL = auto()  # one side of a map's pair


@dataclass(frozen=True, slots=True)
class Owner:
    """What a place is in.

    `item` is the keyword that the item starts with, `names` are those behind it: a sync's types,
    or the name of a group or map. `activity` is the kind of the activity line, `target` what it
    becomes, `record` the type of a test's record.
    """

    item: str = ""
    names: tuple[str, ...] = ()
    activity: str | None = None
    target: str | None = None
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What a name or text would mean.

    `side` is the side that a type, field or label belongs to, None where it may be either.
    `operand` is the field, as written, whose value it is. `condition`: the other side can be named
    outright. `written`: the field is the target of an arrow, `source` the other end of its line.
    """

    role: Role
    owner: Owner
    side: Side | None = None
    operand: str = ""
    condition: bool = False
    written: bool = False
    source: str = ""


_SIDES = {"->": Side.SALESFORCE, "<-": Side.OUTREACH, "<->": None}


def place_of_name(stack: Sequence[Symbol]) -> Place | None:
    """What a name means that comes to lie on this stack."""
    owner = _owner(stack)
    match [symbol.kind for symbol in stack]:
        case ["SYNC"]:
            return Place(Role.TYPE, owner, Side.SALESFORCE)
        case ["SYNC", "word", "BOTH"]:
            return Place(Role.TYPE, owner, Side.OUTREACH)
        case ["FIELDS" | "ACTIVITIES" | "STAGES" | "VALUES"]:
            return Place(Role.NEW, owner)
        case [*_, "USE"]:
            fields = any(symbol.kind == "FIELDS" for symbol in stack)
            return Place(Role.GROUP_OF_FIELDS if fields else Role.GROUP_OF_ACTIVITIES, owner)
        case [*_, "VIA"]:
            return Place(Role.MAP, owner)
        case [*_, "TITLE", "FROM"]:
            return Place(Role.TEMPLATE, owner)
        case [*_, "activity_kind", "TO"]:
            return Place(Role.TARGET, owner)
        case ["TEST", *_]:
            return _in_test(stack, owner)
    return _field(stack, owner)


def _in_test(stack: Sequence[Symbol], owner: Owner) -> Place | None:
    match [symbol.kind for symbol in stack]:
        case [*_, "word", "LBRACE"]:
            return Place(Role.RECORD_FIELD, owner)
        case [*_, "CONFLICT", "ON"]:
            return Place(Role.CONFLICT_FIELD, owner)
        case [*_, "GIVEN" | "LINKED" | "WHEN" | "EXPECT" | "NO"]:
            return Place(Role.TYPE, owner)
    return None


def _field(stack: Sequence[Symbol], owner: Owner) -> Place | None:
    """The field that a name means: in a line, a `match` or a condition."""
    for at in range(len(stack) - 1, 0, -1):
        before = stack[at - 1]
        match stack[at].kind:
            case "WHEN":
                side = _condition_side(stack, at)
                return Place(Role.FIELD, owner, side, condition=True)
            case "MATCH":
                right = stack[-1].kind == "EQ"
                return Place(Role.FIELD, owner, Side.OUTREACH if right else Side.SALESFORCE)
            case "arrow":
                written = stack[at].text != "<-" and at == len(stack) - 1
                side, source = Side.OUTREACH, before.text
                return Place(Role.FIELD, owner, side, written=written, source=source)
            case "LBRACE" if before.kind not in ("ALL", "ANY"):
                return Place(Role.FIELD, owner, Side.SALESFORCE)
    return None


def _condition_side(stack: Sequence[Symbol], at: int) -> Side | None:
    """The side that a condition reads, by what stands before its `when`."""
    before = stack[at - 1]
    match before.kind:
        case "expression" if stack[at - 2].kind == "arrow":
            return _SIDES.get(stack[at - 2].words[0])
        case "activity_kind":
            return Side.OUTREACH
    return Side.SALESFORCE if before.words[0] in ("polling", "inbound") else Side.OUTREACH


# -- text ---------------------------------------------------------------------------------------


def place_of_text(stack: Sequence[Symbol]) -> Place | None:
    """What a text in quotes means that comes to lie on this stack."""
    owner = _owner(stack)
    kinds = [symbol.kind for symbol in stack]
    match kinds:
        case ["STAGES" | "VALUES", "word", "LBRACE"]:
            return Place(Role.LABEL, owner, Side.SALESFORCE)
        case ["STAGES" | "VALUES", "word", "LBRACE", _, "arrow"]:
            return Place(Role.LABEL, owner, Side.OUTREACH)
        case ["TEST", *_] if "COLON" in kinds:
            at = len(kinds) - 1 - kinds[::-1].index("COLON")
            return Place(Role.VALUE, owner, operand=stack[at - 1].words[-1])
        case [*_, "expression", "compare_operator" | "text_operator"]:
            return _value(stack, owner, len(stack) - 2)
        case [*_, "in_operator", "LPAR"]:
            return _value(stack, owner, len(stack) - 3)
        case [*_, "in_operator", "LPAR", "expression", "COMMA"]:
            return _value(stack, owner, len(stack) - 5)
    return None


def _value(stack: Sequence[Symbol], owner: Owner, operand: int) -> Place | None:
    place = _field(stack[:operand], owner)
    if place is None or not place.condition:
        return None
    return replace(place, role=Role.VALUE, operand=stack[operand].text)


# -- what it is in ------------------------------------------------------------------------------


def _owner(stack: Sequence[Symbol]) -> Owner:
    if not stack:
        return Owner()
    item = stack[0].text
    names = tuple(symbol.words[0] for symbol in stack[1:4] if symbol.kind == "word")
    activity = target = record = None
    for symbol, after in pairwise(stack):
        if symbol.kind == "activity_kind":
            activity = " ".join(symbol.words[:2])
            target = _behind(symbol.words, "->")
        elif symbol.kind == "word" and after.kind == "LBRACE" and item == "test":
            record = symbol.words[0]
    return Owner(item, names if item != "test" else (), activity, target, record)


def _behind(words: Sequence[str], word: str) -> str | None:
    at = words.index(word) + 1 if word in words else len(words)
    return words[at] if at < len(words) else None
