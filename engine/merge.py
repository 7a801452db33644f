"""The three-way merge of one line: which side has something to tell the other, and who wins."""

from __future__ import annotations

from dsl.program import Policy
from dsl.schema import Side
from dsl.values import first, is_empty
from engine.case import Case, Conflict
from engine.compile import UNSET, is_unheard, is_unset, sent_unheard
from engine.model import DIRECTIONS, SIDES, Direction
from engine.references import Wait
from engine.translate import same, translate
from engine.translator import HOLD, Linked

__all__ = ["flow_of"]


def flow_of(
    case: Case, number: int, s_changed: bool, o_changed: bool
) -> tuple[Direction | None, Conflict | None, bool]:
    """Which way a line flows now, with its conflict, or whether its two sides simply agree.

    Whether the toggles let it flow there is asked later: what they hold back is still a change.
    """
    code = case.mapping.lines[number]
    line, bases = code.line, [case.base(side, number) for side in code.compared]
    never = all(map(is_unset, bases))
    if line.once:
        return None, None, never
    if any(map(is_unheard, bases)):
        s_changed = s_changed and not _tells_no_more(case, number, Side.SALESFORCE)
        o_changed = o_changed and not _tells_no_more(case, number, Side.OUTREACH)
        if not (s_changed or o_changed):
            return None, None, True
    if not (line.inbound and line.outbound):
        direction = Direction.INBOUND if line.inbound else Direction.OUTBOUND
        view = case.views[direction.source][number]
        changed = s_changed if line.inbound else o_changed
        if view == UNSET or (never and is_empty(view)):
            return None, None, changed or never
        return direction if changed or never else None, None, False
    if never:
        return _first_meeting(case, number)
    if s_changed and o_changed and _agree(case, number):
        return None, None, True
    s_changed = s_changed and not _is_kept_blank(case, number, Direction.INBOUND)
    o_changed = o_changed and not _is_kept_blank(case, number, Direction.OUTBOUND)
    if s_changed and o_changed:
        return _contest(case, number)
    if s_changed or o_changed:
        return Direction.INBOUND if s_changed else Direction.OUTBOUND, None, False
    return None, None, False


def _tells_no_more(case: Case, number: int, side: Side) -> bool:
    """Whether a side still says what was sent of it by a write whose answer never came."""
    base, direction = case.base(side, number), Direction.out_of(side)
    if not is_unheard(base):
        return False
    value = translate(case, number, direction)
    if value is HOLD or isinstance(value, Wait):
        return False
    form = case.mapping.lines[number].forms[direction.target]
    told = value.id if isinstance(value, Linked) else form(value)
    return bool(told == sent_unheard(base))


def _first_meeting(case: Case, number: int) -> tuple[Direction | None, Conflict | None, bool]:
    """A two-way line of two records that have no base yet."""
    code = case.mapping.lines[number]
    # From the rows: a view has no empty checkbox, and null gives way to true or false.
    s_empty, o_empty = (is_empty(first(case.rows[side][code.slots[side]])) for side in SIDES)
    if (s_empty and o_empty) or _agree(case, number):
        return None, None, True
    if s_empty or o_empty:
        return Direction.OUTBOUND if s_empty else Direction.INBOUND, None, False
    if translate(case, number, Direction.INBOUND) is HOLD:
        return Direction.OUTBOUND, None, False
    if translate(case, number, Direction.OUTBOUND) is HOLD:
        return Direction.INBOUND, None, False
    return _contest(case, number)


def _is_kept_blank(case: Case, number: int, direction: Direction) -> bool:
    """Whether a side's change is a blank that `prevent empty` keeps from the other side."""
    code = case.mapping.lines[number]
    return direction in code.prevents and is_empty(first(case.views[direction.source][number]))


def _agree(case: Case, number: int) -> bool:
    return any(
        same(case, number, direction, value)
        for direction in DIRECTIONS
        if (value := translate(case, number, direction)) is not HOLD and not isinstance(value, Wait)
    )


def _contest(case: Case, number: int) -> tuple[Direction, Conflict, bool]:
    """A conflict: the line's policy, or else the sync's, decides who wins."""
    mapping, code = case.mapping, case.mapping.lines[number]
    policy = case.override or code.line.prefer or mapping.pair.conflict
    if policy is Policy.NEWEST:
        newer = case.rows[Side.OUTREACH][1] > case.rows[Side.SALESFORCE][1]
        winner = Side.OUTREACH if newer else Side.SALESFORCE
    else:
        winner = Side(policy.value)
    left, right = (case.rows[side][code.slots[side]] for side in SIDES)
    direction = Direction.INBOUND if winner is Side.SALESFORCE else Direction.OUTBOUND
    return direction, Conflict(left, right, winner), False
