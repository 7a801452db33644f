"""The tabs of the org's one app, and how types look in them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dsl.schema import ObjectType
from engine.sandbox.salesforce.box import Box, box_of, version_of
from engine.sandbox.salesforce.describes import summary
from engine.sandbox.salesforce.wire import answer
from engine.stores.local.ids import PREFIXES

__all__ = ["app_tabs", "routes"]

_APP = "Sales"
_THEME = "theme4"
_COLORS = {"Account": "5867E8", "Contact": "9602C7", "Lead": "FF538A", "Opportunity": "FF5D2D"}
_PLAIN = "939393"


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    return [Route("/tabs", _tabs), Route("/theme", _theme)]


async def _tabs(request: Request) -> Response:
    base = str(request.base_url).rstrip("/")
    return answer(_listed(box_of(request), base, version_of(request)))


def app_tabs(box: Box, base: str, version: str) -> dict[str, Any]:
    """The app with its tabs, as SOAP's `describeTabs` has them; `base` is the org's address."""
    return {
        "label": _APP,
        "logoUrl": f"{base}/img/logo198.png",
        "selected": True,
        "tabs": _listed(box, base, version),
    }


def _listed(box: Box, base: str, version: str) -> list[dict[str, Any]]:
    return [
        {
            "colors": [_color(type_)],
            "custom": False,
            "iconUrl": _icon(base, type_, 32)["url"],
            "icons": [_icon(base, type_, 32)],
            "label": summary(box, type_, version)["labelPlural"],
            "miniIconUrl": _icon(base, type_, 16)["url"],
            "name": f"standard-{type_.name}",
            "sobjectName": type_.name,
            "timelineUrl": None,
            "url": f"{base}/{PREFIXES[type_.name]}/o",
        }
        for type_ in _with_tabs(box)
    ]


def _with_tabs(box: Box) -> list[ObjectType]:
    """The types that users have a tab of."""
    return [t for name in _COLORS if (t := box.visible.find(name)) is not None]


def _color(type_: ObjectType) -> dict[str, str]:
    return {
        "color": _COLORS.get(type_.name, _PLAIN),
        "context": "primary",
        "theme": _THEME,
    }


def _icon(base: str, type_: ObjectType, size: int) -> dict[str, Any]:
    return {
        "contentType": "image/png",
        "height": size,
        "theme": "theme3",
        "url": f"{base}/img/icon/{type_.name.lower()}{size}.png",
        "width": size,
    }


async def _theme(request: Request) -> Response:
    box, base = box_of(request), str(request.base_url).rstrip("/")
    types = [t for t in map(box.visible.find, box.visible.names()) if t is not None]
    items = [{"colors": [_color(t)], "icons": [_icon(base, t, 32)], "name": t.name} for t in types]
    return answer({"themeItems": items})
