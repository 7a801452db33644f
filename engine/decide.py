"""`decide`: from two snapshots, a base and the rules to what is done, each with its reason.

Pure: it reads no store, no ledger and no clock. Whatever else shows or does something about records
(plan, run, explain, tests, undo) takes these same decisions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dsl.schema import Kind, Side
from dsl.values import first, is_empty
from engine.case import Case, Change, Conflict, FieldChange, Verdict
from engine.compile import is_unset, waiting
from engine.lastknown import why_kept
from engine.ledger import Link
from engine.mapping import CreatingLine, LineCode, Mapping
from engine.merge import flow_of
from engine.model import DIRECTIONS, SIDES, Action, Direction, Value
from engine.references import Wait
from engine.translate import line_holds, put_first, put_in, same, sendable, translate
from engine.translator import HOLD, Linked

__all__ = [
    "await_news",
    "decide_create",
    "decide_gone",
    "decide_linked",
    "hold",
    "meeting",
    "settle",
]


# -- two linked records -------------------------------------------------------------------------


@dataclass(slots=True)
class _Draft:
    """What is to be written in one direction, and why what is not; with the conflicts of both."""

    fields: list[FieldChange] = field(default_factory=list)
    kept: dict[str, list[FieldChange]] = field(default_factory=dict)


def decide_linked(case: Case) -> Verdict:
    """The three-way decision, line by line, on two records that are linked, or about to be."""
    verdict, drafts = Verdict(), defaultdict[Direction, _Draft](_Draft)
    if case.bases is None:
        found = [(n, True, True) for n in range(len(case.mapping.lines))]
    else:
        sides = (case.views[Side.SALESFORCE], case.views[Side.OUTREACH])
        found = case.mapping.merge(*sides, case.bases[Side.SALESFORCE], case.bases[Side.OUTREACH])
    for number, s_changed, o_changed in found:
        who = case.mapping.lines[number].line.who
        if who and who != case.who:
            verdict.agreed.append(number)
            continue
        _decide_line(case, number, s_changed, o_changed, verdict, drafts)
    for direction in DIRECTIONS:
        if direction not in drafts:
            continue
        draft, rule = drafts[direction], case.mapping.gate(direction, "update", case.who).rule
        if draft.fields:
            verdict.changes.append(
                case.change(Action.UPDATE, direction, rule.reason, rule.place, draft.fields)
            )
        for reason, conflicts in draft.kept.items():
            verdict.changes.append(
                case.change(Action.SKIP, direction, reason, rule.place, conflicts)
            )
    return verdict


def _decide_line(
    case: Case,
    number: int,
    s_changed: bool,
    o_changed: bool,
    verdict: Verdict,
    drafts: defaultdict[Direction, _Draft],
) -> None:
    code = case.mapping.lines[number]
    direction, conflict, agreed = flow_of(case, number, s_changed, o_changed)
    if agreed:
        verdict.agreed.append(number)
    if direction is None:
        case.note(number, _silence(code, agreed))
        return
    value = translate(case, number, direction)
    gate = case.mapping.gate(direction, "update", case.who)
    if isinstance(value, Wait):
        case.note(number, value.message)
        verdict.waits += [value] if gate.is_open else []
        return
    target = code.ends[direction.target]
    before = case.rows[direction.target][code.slots[direction.target]]
    if why := _kept_back(case, code, direction, value, before):
        case.note(number, f"held back: {why}")
        _keep_conflict(case, number, direction, conflict, why, drafts)
        return
    if same(case, number, direction, value):
        case.note(number, "changed, but the other side has the same value")
        verdict.agreed.append(number)
        return
    if not gate.is_open:
        case.note(number, f"held back: {gate.closed}")
        _keep_conflict(case, number, direction, conflict, gate.closed, drafts)
        return
    if not case.holds(direction, "update"):
        case.note(number, f"held back: the condition of {direction} update does not hold")
        drafts[direction].kept.setdefault(gate.unmet, [])
        _keep_conflict(case, number, direction, conflict, gate.unmet, drafts)
        return
    sent = sendable(case, number, direction, value)
    if isinstance(sent, Wait):
        case.note(number, sent.message)
        verdict.waits.append(sent)
        return
    sent = _among_others(case, number, direction, value, sent, drafts[direction].fields)
    drafts[direction].fields.append(
        FieldChange(
            number,
            code.ends[direction.source].label,
            target.label,
            before,
            sent if target.kind is Kind.LIST or isinstance(value, Linked) else value,
            sent,
            conflict,
            target.is_link or isinstance(value, Linked),
        )
    )


def _among_others(
    case: Case,
    number: int,
    direction: Direction,
    value: Any,
    sent: Value,
    fields: list[FieldChange],
) -> Value:
    """What is sent: of a list all of it, in which the lines of `fields` may have a part as well."""
    code = case.mapping.lines[number]
    end = code.ends[direction.target]
    whole = case.rows[direction.target][code.slots[direction.target]]
    if end.is_list:
        return put_first(value, whole)
    if not end.is_many:
        return sent
    alike = [n for n, field in enumerate(fields) if field.target == end.label]
    for n in alike:
        whole = fields[n].value
    sent = put_in(case, number, direction, value, whole)
    for n in alike:
        fields[n] = fields[n]._replace(after=sent, value=sent)
    return sent


def _keep_conflict(
    case: Case,
    number: int,
    direction: Direction,
    conflict: Conflict | None,
    why: str,
    drafts: defaultdict[Direction, _Draft],
) -> None:
    """Tell of a conflict whose winner is not written, or the other edit would lose unseen."""
    if conflict is None:
        return
    case.note(number, f"held back: {why}; both changed, {conflict.winner.title()} wins")
    code = case.mapping.lines[number]
    source, target = (code.ends[side] for side in (direction.source, direction.target))
    before = case.rows[direction.target][code.slots[direction.target]]
    drafts[direction].kept.setdefault(why, []).append(
        FieldChange(
            number, source.label, target.label, before, before, before, conflict, target.is_link
        )
    )


def meeting(case: Case, direction: Direction) -> Verdict:
    """Link two records that a `match` brought together, and decide their lines without a base."""
    verdict = decide_linked(case)
    rule = case.mapping.pair.matches
    text = " or ".join(" and ".join(f"{s.path} = {o.path}" for s, o in m.keys) for m in rule)
    place = (rule[0].span if rule else case.mapping.pair.span).place
    verdict.changes.insert(0, case.change(Action.LINK, direction, f"match: {text}", place))
    return verdict


def hold(case: Case, direction: Direction, reason: str) -> Verdict:
    """Leave a record for a person to look at."""
    rule = case.mapping.pair.matches
    place = (rule[0].span if rule else case.mapping.pair.span).place
    return Verdict([case.change(Action.HOLD, direction, reason, place)])


def decide_gone(case: Case, link: Link, direction: Direction) -> Verdict:
    """What becomes of a link whose record on the direction's source side was deleted.

    A condition is asked of the other record, and of what was last known of the one that is gone.
    """
    mapping = case.mapping
    rule = mapping.rules[f"{direction} delete"]
    source = direction.source
    gone = f"{source.title()} {mapping.type_name(source)} {link.id(source)} was deleted"
    if direction.target in case.rows and mapping.flows(direction, "delete"):
        kept = why_kept(case, link, direction)
        if kept is None:
            reason, action = f"{gone}; {rule.reason}", Action.DELETE
            return Verdict([_of_a_link(mapping, link, action, direction, reason)])
        gone = f"{gone}; {kept}"
    return Verdict([_of_a_link(mapping, link, Action.UNLINK, direction, gone)])


def _of_a_link(
    mapping: Mapping, link: Link, action: Action, direction: Direction, reason: str
) -> Change:
    ids, place = (link.salesforce_id, link.outreach_id), mapping.rules[f"{direction} delete"].place
    return Change(action, direction, mapping.types, *ids, reason, place, label=mapping.pair.label)


def _silence(code: LineCode, agreed: bool) -> str:
    """Why a line has nothing to tell the other side."""
    if code.line.once:
        return "once: only written when the record is created"
    return "both sides agree" if agreed else "nothing to write"


def _kept_back(
    case: Case, code: LineCode, direction: Direction, value: Any, before: Value
) -> str | None:
    """Why a value that changed stays where it is, if it does."""
    if value is HOLD:
        return _unmapped(code)
    if not line_holds(case, code):
        return "the line's condition does not hold"
    if _would_blank(code, direction, value, before):
        return "prevent empty"
    return None


def _would_blank(code: LineCode, direction: Direction, value: Value, before: Value) -> bool:
    """Whether `prevent empty` keeps an empty value from overwriting one that is there."""
    return direction in code.prevents and is_empty(value) and not is_empty(first(before))


# -- a record without a counterpart -------------------------------------------------------------


def decide_create(case: Case, direction: Direction) -> Verdict:
    """What to do with a record that is linked to none and matches none."""
    mapping = case.mapping
    gate = mapping.gate(direction, "create", case.who)
    rule = gate.rule
    if not gate.is_open:
        return Verdict()
    if not case.holds(direction, "create"):
        return Verdict([case.change(Action.SKIP, direction, gate.unmet, rule.place)])
    verdict = Verdict()
    fields: list[FieldChange] = []
    row, lookup, now = case.rows[direction.source], case.references, case.now
    for line in mapping.creating[direction]:
        if line.who and line.who != case.who:
            verdict.agreed.append(line.number)
            continue
        if line.when is not None and not case.ask(line.when):
            case.note(line.number, "held back: the line's condition does not hold")
            continue
        value = line.translate(row, lookup, now) if line.flows else None
        if value is None or value is HOLD or is_empty(value):
            case.note(line.number, _unsent(mapping.lines[line.number], line.flows, value))
            verdict.agreed.append(line.number)
            continue
        sent = sendable(case, line.number, direction, value) if line.names else value
        if type(sent) is Wait:
            case.note(line.number, sent.message)
            if line.unlinked == "never":
                verdict.agreed.append(line.number)
                continue
            if line.required:
                # The record itself has to wait, and so nothing of it is agreed.
                skip = case.change(Action.SKIP, direction, sent.message, rule.place)
                return Verdict([skip], [], [sent])
            verdict.waits.append(sent)
            continue
        fields.append(_first_value(line, value, sent, fields))
    verdict.changes.append(case.change(Action.CREATE, direction, rule.reason, rule.place, fields))
    return verdict


def _first_value(
    line: CreatingLine, value: Any, sent: Value, before: list[FieldChange]
) -> FieldChange:
    """What a new record is given by one line; `before` are those of the lines before it."""
    is_link = line.is_link or type(value) is Linked
    if line.is_many:
        alike = [n for n, field in enumerate(before) if field.target == line.target]
        given = [each for n in alike[-1:] for each in before[n].value]
        sent = value = given if value in given else [*given, value]
        for n in alike:
            before[n] = before[n]._replace(after=sent, value=sent)
    elif line.is_list:
        sent = value = [value]
    elif is_link:
        value = sent
    return FieldChange(line.number, line.source, line.target, None, value, sent, None, is_link)


def _unsent(code: LineCode, flows: bool, value: Any) -> str:
    """Why a line has nothing to give to a new record."""
    if not flows:
        return "does not flow this way"
    return f"held back: {_unmapped(code)}" if value is HOLD else "empty"


def _unmapped(code: LineCode) -> str:
    via = code.line.via
    return f"`{via.name}` does not map it" if via else "no such value there"


def await_news(case: Case, direction: Direction) -> Verdict:
    """Put a create off until one that was cut off must have become visible, if it went through."""
    rule = case.mapping.rules[f"{direction} create"]
    message = "waits until a create that was cut off can be seen, if it went through"
    skip = case.change(Action.SKIP, direction, message, rule.place)
    wait = Wait(0, direction.source, (), case.id(direction.source), message)
    return Verdict([skip], [], [wait])


# -- bases --------------------------------------------------------------------------------------


def settle(
    case: Case, verdict: Verdict, done: Sequence[Change], after: dict[Side, tuple[Any, ...]]
) -> dict[Side, tuple[Any, ...]]:
    """The new bases once the changes in `done` went through.

    `after` are both sides' values as they are now, what was written read back. Lines that were
    neither written nor agreed keep their base, or stay without one; lines that wait remember what
    they wait with.
    """
    written = {f.line: change.direction.target for change in done for f in change.fields}
    waits = {wait.line: wait.side for wait in verdict.waits}
    kept = case.mapping.numbers.difference(written, verdict.agreed, waits)
    known = len(case.mapping.known)
    watched = case.bases is None or bool(done)
    bases = {}
    for side in SIDES:
        now = after[side]
        # What was not written counts as it was decided on, not as somebody made it since.
        seen = case.views.get(side, now)
        values = list(seen)
        for n in kept if watched else (*kept, *range(len(case.mapping.lines), len(now))):
            values[n] = case.base(side, n)
        for n in case.mapping.uncompared[side]:
            values[n] = now[n]
        for n, target in written.items():
            if target is side:
                values[n] = now[n]
        for n, source in waits.items():
            values[n] = _waiting_base(case, side, n, source, now[n])
        if known:
            values[-known:] = now[-known:]
        bases[side] = tuple(values)
    return bases


def _waiting_base(case: Case, side: Side, line: int, source: Side, value: Any) -> Any:
    """The base of a line that waits for its source: the other side keeps, or now has, its own."""
    if side not in case.rows:
        return value  # the record was just made: what the vendor filled in is no edit
    if side is source or is_unset(case.base(side, line)):
        return waiting(value)
    return case.base(side, line)
