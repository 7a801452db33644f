"""Several requests in one call: composite, batch and graph."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.salesforce.box import box_of
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.inside import Answered, dispatched
from engine.sandbox.salesforce.meter import counted
from engine.sandbox.salesforce.references import filled_in
from engine.sandbox.salesforce.wire import answer, object_of
from engine.stores.local.org import TakeBack

__all__ = ["routes"]

_MOST, _MOST_LARGE = 25, 5
_MOST_NODES, _MOST_GRAPHS = 500, 75
_NAME = re.compile(r"[A-Za-z0-9_]+")
#: Collections and queries, of which a composite request may have only a few.
_LARGE = re.compile(r"/services/data/v[\d.]+/(?:composite/sobjects|query|queryAll)\b")
_NESTED = re.compile(r"/services/data/v[\d.]+/composite/?(?:batch|graph)?/?(?:\?.*)?")
_RECORDS = re.compile(r"/services/data/v[\d.]+/sobjects/")
_HALTED = ApiError(
    400,
    "PROCESSING_HALTED",
    "The transaction was rolled back since another operation in the same transaction failed.",
)


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of one part."""

    name: str
    answered: Answered
    good: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "body": self.answered.body,
            "httpHeaders": self.answered.headers,
            "httpStatusCode": self.answered.status,
            "referenceId": self.name,
        }


def routes() -> list[Route]:
    """The addresses, relative to the version."""
    return [
        Route("/composite", _composite, methods=["POST"]),
        Route("/composite/batch", _batch, methods=["POST"]),
        Route("/composite/graph", _graph, methods=["POST"]),
    ]


# -- composite ----------------------------------------------------------------------------------


async def _composite(request: Request) -> Response:
    body = await object_of(request)
    parts = _listed(body, "compositeRequest", _MOST)
    _see_parts(parts)
    large = sum(1 for part in parts if _LARGE.match(part["url"]))
    if large > _MOST_LARGE:
        raise _bad(f"Only {_MOST_LARGE} of the subrequests may be collections or queries")
    done = _carried_out(request, parts, all_or_none=body.get("allOrNone") is True)
    return answer({"compositeResponse": [each.as_json() for each in done]})


def _listed(body: dict[str, Any], name: str, most: int) -> list[dict[str, Any]]:
    parts = body.get(name)
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        message = f"The request needs `{name}`, a list of objects at [line:1, column:1]"
        raise ApiError(400, "JSON_PARSER_ERROR", message)
    if not parts:
        raise _bad(f"`{name}` is empty")
    if len(parts) > most:
        raise ApiError(400, "LIMIT_EXCEEDED", f"{name}: at most {most} are allowed in one call")
    return parts


def _see_parts(parts: Sequence[dict[str, Any]]) -> None:
    names = set()
    for part in parts:
        name = part.get("referenceId")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _bad("Each subrequest needs a `referenceId` of letters, digits and underscores")
        if name in names:
            raise _bad(f"The referenceId {name} is used twice")
        names.add(name)
        if not isinstance(part.get("url"), str) or not isinstance(part.get("method"), str):
            raise _bad(f"The subrequest {name} needs a `method` and a `url`")
        headers = part.get("httpHeaders") or {}
        if not isinstance(headers, dict) or not all(isinstance(v, str) for v in headers.values()):
            raise _bad(f"The httpHeaders of {name} are to be an object of texts")
        if _NESTED.fullmatch(part["url"]):
            raise _bad(f"The subrequest {name} may not itself be composite")


def _bad(message: str) -> ApiError:
    return ApiError(400, "INVALID_INPUT", message)


def _carried_out(
    request: Request, parts: Sequence[dict[str, Any]], all_or_none: bool
) -> list[_Done]:
    """The answers to the parts; if any fails, and all or none is asked for, nothing is kept."""
    if not all_or_none:
        return _in_order(request, parts, all_or_none)
    done: list[_Done] = []
    with box_of(request).file.transaction():
        done = _in_order(request, parts, all_or_none)
        if not all(each.good for each in done):
            done = [replace(d, answered=_answered(_HALTED)) if d.good else d for d in done]
            raise TakeBack
    return done


def _in_order(request: Request, parts: Sequence[dict[str, Any]], all_or_none: bool) -> list[_Done]:
    done: list[_Done] = []
    bodies: dict[str, Any] = {}
    halted = False
    for part in parts:
        if halted:
            done.append(_Done(part["referenceId"], _answered(_HALTED), good=False))
            continue
        answered = _one(request, part, bodies, all_or_none)
        good = answered.good and not (all_or_none and _some_refused(answered.body))
        bodies[part["referenceId"]] = answered.body
        done.append(_Done(part["referenceId"], answered, good))
        halted = all_or_none and not good
    return done


def _one(
    request: Request, part: dict[str, Any], bodies: dict[str, Any], all_or_none: bool
) -> Answered:
    try:
        url, body = filled_in(part["url"], bodies), filled_in(part.get("body"), bodies)
    except ApiError as error:
        return _answered(error)
    headers = part.get("httpHeaders") or {}
    return dispatched(request, part["method"], url, body, headers, all_or_none)


def _answered(error: ApiError) -> Answered:
    return Answered(error.status, {}, error.body())


def _some_refused(body: Any) -> bool:
    """Whether a collection's answer tells of a record that was refused."""
    listed = body if isinstance(body, list) else []
    return any(isinstance(each, dict) and each.get("success") is False for each in listed)


# -- graph --------------------------------------------------------------------------------------


async def _graph(request: Request) -> Response:
    graphs = _listed(await object_of(request), "graphs", _MOST_GRAPHS)
    nodes = 0
    for graph in graphs:
        parts = _listed(graph, "compositeRequest", _MOST_NODES)
        _see_parts(parts)
        nodes += len(parts)
        if not isinstance(graph.get("graphId"), str):
            raise _bad("Each graph needs a `graphId`")
        for part in parts:
            if not _RECORDS.match(part["url"]):
                raise _bad(f"The node {part['referenceId']} is not about a record")
    if nodes > _MOST_NODES:
        raise ApiError(400, "LIMIT_EXCEEDED", f"At most {_MOST_NODES} nodes are allowed in a call")
    return answer({"graphs": [_one_graph(request, graph) for graph in graphs]})


def _one_graph(request: Request, graph: dict[str, Any]) -> dict[str, Any]:
    done = _carried_out(request, graph["compositeRequest"], all_or_none=True)
    return {
        "graphId": graph["graphId"],
        "graphResponse": {"compositeResponse": [each.as_json() for each in done]},
        "isSuccessful": all(each.good for each in done),
    }


# -- batch --------------------------------------------------------------------------------------


async def _batch(request: Request) -> Response:
    body = await object_of(request)
    parts = _listed(body, "batchRequests", _MOST)
    results: list[dict[str, Any]] = []
    halted = False
    for at, part in enumerate(parts):
        answered = _answered(_SKIPPED) if halted else _one_of_batch(request, part, first=at == 0)
        results.append({"statusCode": answered.status, "result": answered.body})
        halted = halted or (body.get("haltOnError") is True and not answered.good)
    failed = any(result["statusCode"] >= 300 for result in results)
    return answer({"hasErrors": failed, "results": results})


def _one_of_batch(request: Request, part: dict[str, Any], first: bool) -> Answered:
    """Answer a part, which counts as a call of its own; the first is the batch's."""
    url, method = part.get("url"), part.get("method")
    if not isinstance(url, str) or not isinstance(method, str):
        raise _bad("Each subrequest needs a `method` and a `url`")
    try:
        if not first:
            counted(box_of(request))
    except ApiError as error:
        return _answered(error)
    whole = url if url.startswith("/services/") else f"/services/data/{url.lstrip('/')}"
    return dispatched(request, method, whole, part.get("richInput"))


_SKIPPED = ApiError(
    412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request, error in previous part"
)
