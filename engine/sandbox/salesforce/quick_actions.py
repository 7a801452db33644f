"""The actions that users have in every org: log a call, and make a record beside another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.salesforce.box import Box, box_of, version_of
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.records import saves_duplicates
from engine.sandbox.salesforce.rows import row_of
from engine.sandbox.salesforce.values import values_of
from engine.sandbox.salesforce.wire import answer, object_of
from engine.sandbox.salesforce.writes import Wanted, carry_out
from engine.stores.local.ids import checked_id, type_of

__all__ = ["routes"]


@dataclass(frozen=True, slots=True)
class _Action:
    """One action: what it makes, the fields that it asks for, and what it sets besides."""

    name: str
    label: str
    makes: str
    asks: tuple[str, ...]
    sets: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "Create"


_ACTIVITY = ("Subject", "Description", "WhoId", "WhatId")
_ACTIONS = (
    _Action(
        "LogACall", "Log a Call", "Task", _ACTIVITY,
        {"Status": "Completed", "TaskSubtype": "Call", "Subject": "Call"}, "LogACall",
    ),
    _Action("NewTask", "New Task", "Task", _ACTIVITY),
    _Action("NewEvent", "New Event", "Event", (*_ACTIVITY, "StartDateTime", "EndDateTime")),
    _Action("NewAccount", "New Account", "Account", ("Name", "Phone")),
    _Action("NewContact", "New Contact", "Contact", ("FirstName", "LastName", "AccountId")),
    _Action("NewLead", "New Lead", "Lead", ("FirstName", "LastName", "Company")),
    _Action("NewOpportunity", "New Opportunity", "Opportunity", ("Name", "AccountId", "StageName")),
)  # fmt: skip
_BY_NAME = {action.name.lower(): action for action in _ACTIONS}


def routes() -> list[Route]:
    """The addresses, relative to the version; those below a type have all actions, too."""
    found = []
    for base in ("/quickActions", "/sobjects/{type}/quickActions"):
        one = f"{base}/{{action}}"
        found += [
            Route(base, _list, methods=["GET"]),
            Route(one, _show, methods=["GET"]),
            Route(one, _perform, methods=["POST"]),
            Route(f"{one}/describe", _describe, methods=["GET"]),
            Route(f"{one}/defaultValues", _defaults, methods=["GET"]),
            Route(f"{one}/defaultValues/{{context}}", _defaults, methods=["GET"]),
        ]
    return found


async def _list(request: Request) -> Response:
    if "type" in request.path_params:
        box_of(request).visible.type(request.path_params["type"])
    return answer([_summary(request, action) for action in _ACTIONS])


def _summary(request: Request, action: _Action) -> dict[str, Any]:
    url = f"/services/data/v{version_of(request)}/quickActions/{action.name}"
    return {
        "label": action.label,
        "name": action.name,
        "type": action.kind,
        "urls": {
            "defaultValues": f"{url}/defaultValues",
            "defaultValuesTemplate": f"{url}/defaultValues/{{ID}}",
            "describe": f"{url}/describe",
            "quickAction": url,
        },
    }


def _asked(request: Request) -> _Action:
    if "type" in request.path_params:
        box_of(request).visible.type(request.path_params["type"])
    action = _BY_NAME.get(request.path_params["action"].lower())
    if action is None:
        raise not_found()
    return action


async def _show(request: Request) -> Response:
    return answer(_summary(request, _asked(request)))


async def _describe(request: Request) -> Response:
    action, box = _asked(request), box_of(request)
    type_ = box.visible.type(action.makes)
    fields = [type_.fields[name] for name in action.asks if name in type_.fields]
    rows = [
        {
            "layoutItems": [
                {
                    "editableForNew": True,
                    "editableForUpdate": True,
                    "label": each.label,
                    "layoutComponents": [
                        {"displayLines": 1, "tabOrder": at, "type": "Field", "value": each.name}
                    ],
                    "placeholder": False,
                    "required": each.required,
                }
            ],
            "numItems": 1,
        }
        for at, each in enumerate(fields, 1)
    ]
    more = {
        "accessLevelRequired": None,
        "contextSobjectType": request.path_params.get("type"),
        "defaultValues": None,
        "layout": {"id": None, "layoutRows": rows, "name": action.label},
        "sourceSobjectType": None,
        "targetParentField": None,
        "targetRecordTypeId": None,
        "targetSobjectType": action.makes,
    }
    return answer(_summary(request, action) | more)


async def _defaults(request: Request) -> Response:
    action = _asked(request)
    return answer(_begun(request, action, request.path_params.get("context")))


def _begun(request: Request, action: _Action, context: str | None) -> dict[str, Any]:
    """A record as the action begins it, about another record if there is one."""
    box = box_of(request)
    fields = box.visible.type(action.makes).fields
    values = {name: action.sets.get(name) for name in action.asks if name in fields}
    if context:
        about = _there(box, context, version_of(request))
        values |= dict.fromkeys(_pointing(box, action, about), about)
    return {"attributes": {"type": action.makes}, **values}


def _there(box: Box, given: str, version: str) -> str:
    record = checked_id(given)
    type_ = box.visible.find(type_of(record) or "") if record else None
    if record is None or type_ is None or row_of(box, type_, record, [], version) is None:
        message = f"The record is not there: {given[:80]}"
        raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", message, ("contextId",))
    return record


def _pointing(box: Box, action: _Action, record: str) -> list[str]:
    """The field of the new record that refers to one of such a type."""
    fields = box.visible.type(action.makes).fields
    other = type_of(record)
    return [n for n in action.asks if n in fields and other in fields[n].references][:1]


async def _perform(request: Request) -> Response:
    action, box = _asked(request), box_of(request)
    given = await object_of(request)
    context, record = given.get("contextId"), given.get("record") or {}
    if not isinstance(record, dict) or not isinstance(context, str | None):
        message = "An action takes a record, and perhaps a contextId at [line:1, column:1]"
        raise ApiError(400, "JSON_PARSER_ERROR", message)
    type_ = box.visible.type(action.makes)
    begun = _begun(request, action, context)
    begun |= {name: value for name, value in action.sets.items() if name in type_.fields}
    values = {n: v for n, v in begun.items() if v is not None and n != "attributes"} | record
    wanted = Wanted(type_.name, None, values_of(box, type_, values, creating=True))
    [verdict] = carry_out(box, [wanted], save_duplicates=saves_duplicates(request))
    if not verdict.done:
        raise verdict.error()
    return answer(
        {
            "contextId": context,
            "created": True,
            "errors": [],
            "feedItemIds": [],
            "id": verdict.id,
            "success": True,
        },
        201,
    )
