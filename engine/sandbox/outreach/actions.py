"""What a record can be told to do: `POST /tasks/1/actions/markComplete` and the like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from engine.sandbox.outreach.changing import Change, changed
from engine.sandbox.outreach.errors import ApiError, invalid, not_found
from engine.sandbox.outreach.parameters import Parameters
from engine.sandbox.outreach.resources import Resource
from engine.stores.local.org import OrgFile
from engine.stores.local.play.sequences import act_on
from engine.stores.local.play.tasks import advance, mark_complete
from engine.stores.local.refusals import Refused
from engine.stores.local.stamps import later

__all__ = ["ACTIONS", "Action", "act"]

_DAY = timedelta(days=1)
_FINISHES = ("finish_no_reply", "finish_replied")
_Words = Mapping[str, str]


@dataclass(frozen=True)
class Action:
    """What is done, with the parameters that it takes; the first `needed` of them it must have."""

    do: Callable[[OrgFile, Resource, int, _Words], None]
    parameters: tuple[str, ...] = ()
    needed: int = 0


def _mark_complete(org: OrgFile, _: Resource, record: int, words: _Words) -> None:
    # A note on completion goes to the prospect's notes, which a local org has not.
    mark_complete(org, record, finishes=words.get("completionAction") in _FINISHES)


def _advance(org: OrgFile, _: Resource, record: int, __: _Words) -> None:
    advance(org, record)


def _due(org: OrgFile, resource: Resource, record: int, words: _Words) -> None:
    at = words.get("dueAt") or words.get("snoozeUntil") or later(org.now(), _DAY)
    changed(org, resource, record, Change({"dueAt": at}, {}))


def _reassign(org: OrgFile, resource: Resource, record: int, words: _Words) -> None:
    text = words["ownerId"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _wrong("ownerId", "must be the ID of a user.")
    changed(org, resource, record, Change({"owner": int(text)}, {}))


def _state(action: str) -> Action:
    def do(org: OrgFile, _: Resource, record: int, __: _Words) -> None:
        act_on(org, record, action)

    return Action(do)


#: By type and name.
ACTIONS: Mapping[tuple[str, str], Action] = {
    ("task", "advance"): Action(_advance),
    ("task", "markComplete"): Action(_mark_complete, ("completionAction", "completionNote")),
    ("task", "reassignOwner"): Action(_reassign, ("ownerId",), 1),
    ("task", "reschedule"): Action(_due, ("dueAt",), 1),
    ("task", "snooze"): Action(_due, ("snoozeUntil",)),
    ("sequenceState", "finish"): _state("finish"),
    ("sequenceState", "pause"): _state("pause"),
    ("sequenceState", "resume"): _state("resume"),
}


def act(org: OrgFile, resource: Resource, record: int, name: str, given: Parameters) -> None:
    """Do what is asked of a record. Raises `ApiError`."""
    action = ACTIONS.get((resource.type, name))
    if action is None:
        raise not_found("action", name[:80])
    words = _words(action, given)
    try:
        action.do(org, resource, record, words)
    except Refused as refused:
        if refused.code == "resourceNotFound":
            raise not_found(resource.type, record) from None
        raise invalid(f"{refused.message}.") from None


def _words(action: Action, given: Parameters) -> dict[str, Any]:
    words = {key[0]: values[-1] for key, values in given.of("actionParams") if len(key) == 1}
    if unknown := words.keys() - set(action.parameters):
        name = min(unknown)
        detail = f"'{name[:80]}' is not a parameter of this action."
        raise ApiError(400, "badRequest", [(detail, {"parameter": f"actionParams[{name[:80]}]"})])
    for name in action.parameters[: action.needed]:
        if not words.get(name):
            raise _wrong(name, "can't be blank.")
    return words


def _wrong(name: str, what: str) -> ApiError:
    source = {"parameter": f"actionParams[{name}]"}
    return ApiError(422, "validationError", [(f"'{name}' {what}", source)])
