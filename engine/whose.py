"""Whom an activity is about, and what follows from that before and after it is decided on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from dsl.program import FieldRef
from dsl.schema import Side
from dsl.values import canonical_id, canonical_name, instant, is_empty
from engine.case import Case, Change, FieldChange, Verdict
from engine.context import Task
from engine.decide import decide_create
from engine.ledger import Ledger
from engine.mapping import Mapping
from engine.model import Action, Direction, RecordId, Row
from engine.ports import Store
from engine.references import Wait
from engine.translate import translate
from engine.translator import HOLD

__all__ = ["WAITS_FOR", "decide_activity", "finish_activities", "who_is_linked"]

#: For how long an activity waits for its prospect to be linked. Most prospects of an Outreach may
#: never be in Salesforce, and what waits takes room in the ledger.
WAITS_FOR = timedelta(days=90)
_TYPES = {"003": "Contact", "00Q": "Lead"}
_OUT = Direction.OUTBOUND
_OPPORTUNITY = "Opportunity"


def who_is_linked(case: Case) -> str:
    """The type of what an activity that is in Salesforce is about; empty if that is not known."""
    row, line = case.rows.get(Side.SALESFORCE), _line(case.mapping, "WhoId")
    if row is None or line is None:
        return ""
    return _TYPES.get(str(row[case.mapping.slot(Side.SALESFORCE, "WhoId")])[:3], "")


def decide_activity(case: Case) -> Verdict:
    """What to do with an activity that Salesforce does not have."""
    line = _line(case.mapping, "WhoId")
    who = None if line is None else translate(case, line, _OUT)
    case.who = "" if isinstance(who, Wait) or who is HOLD else _TYPES.get(str(who)[:3], "")
    if case.who and not case.mapping.pair.toggle(f"{_OUT} create {case.who}").on:
        label = case.mapping.pair.label
        reason = f"`{label}` is not among the activities of the sync of {case.who}"
        return Verdict([case.change(Action.SKIP, _OUT, reason, case.mapping.pair.span.place)])
    if not case.who and not isinstance(who, Wait):
        reason = "it is about nobody whom Salesforce knows"
        return Verdict([case.change(Action.SKIP, _OUT, reason, case.mapping.pair.span.place)])
    if isinstance(who, Wait) and _is_old(case):
        reason = f"it happened over {WAITS_FOR.days} days ago, to a prospect that is not linked"
        return Verdict([case.change(Action.SKIP, _OUT, reason, case.mapping.pair.span.place)])
    return decide_create(case, _OUT)


def _is_old(case: Case) -> bool:
    changed = instant(case.rows[Side.OUTREACH][1])
    return changed is not None and changed < case.now - WAITS_FOR


def finish_activities(
    mapping: Mapping, tasks: Sequence[Task], stores: dict[Side, Store], ledger: Ledger
) -> None:
    """What is seen to once a batch of activities is decided on: their account's opportunity, and
    that no event is made where the same one is there."""
    created = [task for task in tasks if _created(task) is not None]
    if mapping.pair.fallback and created:
        _fall_back(mapping, created, stores, ledger)
    if mapping.pair.unless_there and created:
        _find_there(mapping, created, stores[Side.SALESFORCE], ledger)


def _created(task: Task) -> Change | None:
    return next((c for c in task.verdict.changes if c.action is Action.CREATE), None)


def _line(mapping: Mapping, target: str) -> int | None:
    """The number of the line that writes a field of Salesforce's."""
    for number, code in enumerate(mapping.lines):
        end = code.line.salesforce
        if isinstance(end, FieldRef) and end.path == target:
            return number
    return None


# -- the account's opportunity ------------------------------------------------------------------


def _fall_back(
    mapping: Mapping, tasks: Sequence[Task], stores: dict[Side, Store], ledger: Ledger
) -> None:
    """Relate activities of contacts that have no opportunity to the only open one of the account.

    Of several open ones none is guessed.
    """
    line = _line(mapping, "WhatId")
    place = mapping.slot(Side.OUTREACH, "prospect.account")
    lacking = [
        task
        for task in tasks
        if task.case.who == "Contact" and line not in {f.line for f in _fields(task)}
    ]
    ids = {task.case.rows[Side.OUTREACH][place] for task in lacking} - {None}
    accounts = ledger.others("Account<->account", Side.OUTREACH, sorted(ids))
    if line is None or not accounts:
        return
    fields, keys = ["AccountId", "IsClosed"], [(account,) for account in accounts.values()]
    found: dict[Any, list[RecordId]] = {}
    for row in stores[Side.SALESFORCE].find(_OPPORTUNITY, fields, ["AccountId"], keys):
        if row[3] is not True:
            found.setdefault(canonical_id(row[2]), []).append(row[0])
    for task in lacking:
        account = accounts.get(task.case.rows[Side.OUTREACH][place])
        if len(opened := found.get(canonical_id(account), [])) == 1:
            field = FieldChange(
                line, "prospect.account", "WhatId", None, opened[0], opened[0], is_link=True
            )
            _replace(task, fields=(*_fields(task), field))


def _fields(task: Task) -> tuple[FieldChange, ...]:
    change = _created(task)
    return change.fields if change is not None else ()


def _replace(task: Task, **changed: Any) -> None:
    task.verdict.changes = [
        c._replace(**changed) if c.action is Action.CREATE else c for c in task.verdict.changes
    ]


# -- events that are there ----------------------------------------------------------------------

_SAME = ("OwnerId", "Subject", "StartDateTime", "EndDateTime", "ActivityDate")


def _find_there(mapping: Mapping, tasks: Sequence[Task], store: Store, ledger: Ledger) -> None:
    """Link a meeting with the event of the same owner, title and times, if there is one."""
    wanted = {id(task): _told(task) for task in tasks}
    keys = {
        (told["OwnerId"], told["Subject"])
        for told in wanted.values()
        if not is_empty(told.get("OwnerId"))
    }
    if not keys:
        return
    columns = mapping.columns[Side.SALESFORCE]
    extra = [name for name in _SAME if name not in columns]
    rows = store.find(
        mapping.type_name(Side.SALESFORCE), [*columns, *extra], ["OwnerId", "Subject"], sorted(keys)
    )
    places = {name: 2 + at for at, name in enumerate((*columns, *extra))}
    there: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        for all_day in (False, True):
            key = _key({name: row[places[name]] for name in _SAME}, all_day=all_day)
            there.setdefault(key, []).append(row[: 2 + len(columns)])
    linked = ledger.others(mapping.name, Side.SALESFORCE, [row[0] for row in rows])
    taken: set[RecordId] = set(linked)
    made: set[tuple[Any, ...]] = set()
    for task in tasks:
        told = wanted[id(task)]
        if is_empty(told.get("OwnerId")):
            continue
        key = _key(told, all_day="StartDateTime" not in told)
        same = there.get(key, [])
        free = next((row for row in same if row[0] not in taken), None)
        if free is not None:
            taken.add(free[0])
            _link(task, free)
        elif same or key in made:
            _leave(task)
        made.add(key)


def _told(task: Task) -> dict[str, Any]:
    return {field.target: field.value for field in _fields(task)}


def _key(values: dict[str, Any], *, all_day: bool) -> tuple[Any, ...]:
    whose = (canonical_id(values.get("OwnerId")), canonical_name(values.get("Subject")))
    if all_day:
        return (*whose, str(values.get("ActivityDate"))[:10])
    return (*whose, instant(values.get("StartDateTime")), instant(values.get("EndDateTime")))


def _link(task: Task, row: Row) -> None:
    case, mapping = task.case, task.case.mapping
    case.rows[Side.SALESFORCE] = row
    case.views[Side.SALESFORCE] = mapping.view[Side.SALESFORCE](row)
    reason = "an event of the same owner, subject, start and end is there"
    place = mapping.pair.span.place
    task.verdict.changes = [case.change(Action.LINK, _OUT, reason, place)]
    task.verdict.agreed = list(range(len(mapping.lines)))


def _leave(task: Task) -> None:
    """The event is there, and belongs to another meeting of Outreach."""
    reason = "an event of the same owner, subject, start and end is there for another meeting"
    place = task.case.mapping.pair.span.place
    task.verdict.changes = [task.case.change(Action.SKIP, _OUT, reason, place)]
    task.verdict.agreed, task.verdict.waits = [], []
