"""Page layouts as `describe` tells of them: every field in one section, as in a new org."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dsl.schema import ObjectType
from engine.sandbox.salesforce.box import Box, box_of, version_of
from engine.sandbox.salesforce.describes import MASTER_ID, NAMED_LAYOUTS, describe
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.wire import answer
from engine.stores.local.ids import INSTANCE, PREFIXES, full_id

__all__ = ["routes"]

_BESIDE = 2  # fields in a row of a layout
_COMPACT = (
    "Name",
    "Title",
    "Company",
    "Type",
    "Phone",
    "Email",
    "StageName",
    "CloseDate",
    "Amount",
)
_ON_TOP = 4  # fields in a compact layout, beside the name


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    described = "/sobjects/{type}/describe"
    return [
        Route(f"{described}/layouts", _layouts),
        Route(f"{described}/layouts/{{record_type}}", _layout),
        Route(f"{described}/namedLayouts/{{name}}", _named),
        Route(f"{described}/compactLayouts", _compact),
        Route(f"{described}/compactLayouts/primary", _primary),
        Route(f"{described}/approvalLayouts", _approvals),
        Route("/compactLayouts", _many),
    ]


def _asked(request: Request) -> ObjectType:
    return box_of(request).visible.type(request.path_params["type"])


# -- whole pages --------------------------------------------------------------------------------


async def _layouts(request: Request) -> Response:
    return answer(_all(request, _asked(request)))


async def _named(request: Request) -> Response:
    type_ = _asked(request)
    if request.path_params["name"] not in NAMED_LAYOUTS.get(type_.name, ()):
        raise not_found()
    return answer(_all(request, type_))


async def _layout(request: Request) -> Response:
    if request.path_params["record_type"] not in (MASTER_ID, MASTER_ID[:15]):
        raise not_found()
    return answer(_page(request, _asked(request)))


def _all(request: Request, type_: ObjectType) -> dict[str, Any]:
    url = f"/services/data/v{version_of(request)}/sobjects/{type_.name}/describe/layouts/"
    mapping = {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "layoutId": _layout_id(type_),
        "master": True,
        "name": "Master",
        "picklistsForRecordType": None,
        "recordTypeId": MASTER_ID,
        "urls": {"layout": url + MASTER_ID},
    }
    return {
        "layouts": [_page(request, type_)],
        "recordTypeMappings": [mapping],
        "recordTypeSelectorRequired": [False],
    }


def _layout_id(type_: ObjectType) -> str:
    return full_id(f"00h{INSTANCE}{sorted(PREFIXES).index(type_.name):09}")


def _page(request: Request, type_: ObjectType) -> dict[str, Any]:
    described = _described(request, type_)
    shown = [f for f in described if f["type"] != "id"]
    sections = [_section(type_, shown)]
    return {
        "buttonLayoutSection": {"detailButtons": []},
        "detailLayoutSections": sections,
        "editLayoutSections": [_section(type_, [f for f in shown if f["updateable"]])],
        "feedView": None,
        "highlightsPanelLayoutSection": None,
        "id": _layout_id(type_),
        "multirowEditLayoutSections": [],
        "offlineLinks": [],
        "quickActionList": {"quickActionListItems": []},
        "relatedContent": None,
        "relatedLists": [],
        "saveOptions": [],
    }


def _described(request: Request, type_: ObjectType) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = describe(box_of(request), type_, version_of(request))["fields"]
    return fields


def _section(type_: ObjectType, fields: Sequence[dict[str, Any]]) -> dict[str, Any]:
    items = [_item(field, at) for at, field in enumerate(fields, 1)]
    pairs = [items[at : at + _BESIDE] for at in range(0, len(items), _BESIDE)]
    rows = [{"layoutItems": pair, "numItems": len(pair)} for pair in pairs]
    return {
        "collapsed": False,
        "columns": _BESIDE,
        "heading": f"{type_.label} Information",
        "layoutRows": rows,
        "layoutSectionId": None,
        "parentLayoutId": _layout_id(type_),
        "rows": len(rows),
        "tabOrder": "LeftToRight",
        "useCollapsibleSection": False,
        "useHeading": False,
    }


def _item(field: dict[str, Any], order: int) -> dict[str, Any]:
    part = {
        "details": field,
        "displayLines": 1,
        "tabOrder": order,
        "type": "Field",
        "value": field["name"],
    }
    return {
        "editableForNew": field["createable"],
        "editableForUpdate": field["updateable"],
        "label": field["label"],
        "layoutComponents": [part],
        "placeholder": False,
        "required": field["createable"] and not field["nillable"],
    }


# -- compact layouts, and those of approvals ----------------------------------------------------


async def _compact(request: Request) -> Response:
    type_ = _asked(request)
    url = f"/services/data/v{version_of(request)}/sobjects/{type_.name}/describe/compactLayouts/"
    mapping = {
        "available": True,
        "compactLayoutId": None,
        "compactLayoutName": "SYSTEM",
        "recordTypeId": MASTER_ID,
        "recordTypeName": "Master",
        "urls": {"compactLayout": url + MASTER_ID},
    }
    return answer(
        {
            "compactLayouts": [_top(request, type_)],
            "defaultCompactLayoutId": None,
            "recordTypeCompactLayoutMappings": [mapping],
            "urls": {"primary": f"{url}primary"},
        }
    )


async def _primary(request: Request) -> Response:
    return answer(_top(request, _asked(request)))


async def _many(request: Request) -> Response:
    """Those of several types, as their names are given: `q=Account,Contact`."""
    names = [name for name in request.query_params.get("q", "").split(",") if name]
    if not names:
        raise ApiError(400, "MISSING_ARGUMENT", "The q parameter is required")
    box: Box = box_of(request)
    types = [box.visible.type(name.strip()) for name in names]
    return answer({type_.name: _top(request, type_) for type_ in types})


def _top(request: Request, type_: ObjectType) -> dict[str, Any]:
    shown = [f for f in _described(request, type_) if f["name"] in _COMPACT][: _ON_TOP + 1]
    return {
        "actions": [],
        "fieldItems": [_item(field, at) for at, field in enumerate(shown, 1)],
        "id": None,
        "imageItems": [],
        "label": "System Default",
        "name": "SYSTEM",
        "objectType": type_.name,
    }


async def _approvals(request: Request) -> Response:
    _asked(request)
    return answer({"approvalLayouts": []})
