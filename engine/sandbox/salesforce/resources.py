"""What an org has: its versions, its resources, its types, and how much of its limits is used."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.salesforce.box import box_of, version_of
from engine.sandbox.salesforce.conditional import time_in
from engine.sandbox.salesforce.describes import describe, summary
from engine.sandbox.salesforce.inside import FIRST_VERSION
from engine.sandbox.salesforce.wire import answer
from engine.sandbox.soql.virtual import virtual_type
from engine.stores.local.calls import usage
from engine.stores.local.ids import PREFIXES

__all__ = ["routes", "versions"]

_LAST_VERSION = 64
#: A type of which no user changes the fields; its describe is as old as the server.
_ANY = "OpportunityStage"
_SEASONS = ("Winter", "Spring", "Summer")
_RESOURCES = "actions analytics appMenu compactLayouts composite jobs limits parameterizedSearch"
_RESOURCES += " process query queryAll quickActions recent search sobjects tabs theme"


async def versions(_request: Request) -> Response:
    """All versions, which anybody may ask for."""
    return answer([_version(number) for number in range(FIRST_VERSION, _LAST_VERSION + 1)])


def _version(number: int) -> dict[str, str]:
    at = number - 20  # 20.0 was Winter '11, and there are three a year
    label = f"{_SEASONS[at % 3]} '{(11 + at // 3):02}"
    return {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    return [
        Route("/", _resources),
        Route("/limits", _limits),
        Route("/limits/recordCount", _counts),
        Route("/sobjects", _types),
        Route("/sobjects/{type}/describe", _describe),
    ]


async def _resources(request: Request) -> Response:
    base = f"/services/data/v{version_of(request)}"
    found = {name: f"{base}/{name}" for name in _RESOURCES.split()}
    box = box_of(request)
    from_here = str(request.base_url).rstrip("/")
    return answer({**found, "identity": f"{from_here}/id/{box.sessions.org_id}/{box.user_id()}"})


async def _limits(request: Request) -> Response:
    box = box_of(request)
    most = box.daily_limit
    left = max(0, most - usage(box.file).used)
    plain = {
        "DailyAsyncApexExecutions": 250_000,
        "DailyBulkApiBatches": 15_000,
        "DailyBulkV2QueryFileStorageMB": 976_562,
        "DailyBulkV2QueryJobs": 10_000,
        "DataStorageMB": 1_024,
        "FileStorageMB": 1_024,
        "HourlyODataCallout": 20_000,
        "SingleEmail": 5_000,
    }
    found: dict[str, Any] = {n: {"Max": m, "Remaining": m} for n, m in plain.items()}
    return answer({**found, "DailyApiRequests": {"Max": most, "Remaining": left}})


async def _counts(request: Request) -> Response:
    box = box_of(request)
    asked = request.query_params.get("sObjects")
    names = [n.strip() for n in asked.split(",")] if asked else box.visible.names()
    types = [t for t in map(box.visible.find, names) if t is not None]
    found = []
    for type_ in types:
        table = box.file.table(type_.name)
        made = box.file.made(type_.name)
        count = box.file.rows(f"SELECT count(*) FROM {table.name}")[0][0] if made else 0
        found.append({"count": count, "name": type_.name})
    return answer({"sObjects": found})


async def _types(request: Request) -> Response:
    box, version = box_of(request), version_of(request)
    box.file.refresh()
    types = [t for t in map(box.visible.find, box.visible.names()) if t is not None]
    changed = max(box.visible.changed(t.name) for t in types)
    headers = {"Last-Modified": format_datetime(changed, usegmt=True)}
    if _is_known(request, changed):
        return answer(None, 304, headers)
    found = [summary(box, t, version) for t in types]
    document = {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": found}
    return answer(document, headers=headers)


async def _describe(request: Request) -> Response:
    box = box_of(request)
    box.file.refresh()
    name = request.path_params["type"]
    type_ = virtual_type(name) or box.visible.type(name)
    changed = box.visible.changed(type_.name if type_.name in PREFIXES else _ANY)
    headers = {"Last-Modified": format_datetime(changed, usegmt=True)}
    if _is_known(request, changed):
        return answer(None, 304, headers)
    return answer(describe(box, type_, version_of(request)), headers=headers)


def _is_known(request: Request, changed: datetime) -> bool:
    since = time_in(request, "if-modified-since", strict=True)
    return since is not None and changed <= since
