"""What answers anybody over HTTP, beside the console: health, and Outreach's webhooks."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from engine.service.hooks import Hooks
from engine.service.service import Service
from engine.subscribing import HOOK

__all__ = ["app"]


def app(service: Service, console: ASGIApp | None = None) -> ASGIApp:
    """The service's own routes, and the console for all others.

    Raises `engine.secrets.SecretError` if `webhook_secret` in [outreach] leads nowhere.
    """
    hooks = Hooks.of(service)

    async def healthz(_request: Request) -> Response:
        ok = service.alive
        return JSONResponse({"status": "ok" if ok else "broken"}, 200 if ok else 503)

    async def readyz(_request: Request) -> Response:
        # For whoever asks, so nothing of the project: its troubles are on /metrics and in the log.
        ready = service.ready
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    async def hook(request: Request) -> Response:
        try:
            return await hooks.receive(request)
        except ClientDisconnect:
            return Response(status_code=400)

    routes: list[Route | Mount] = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route(HOOK, hook, methods=["POST"]),
    ]
    if console is not None:
        routes.append(Mount("/", console))
    return Starlette(routes=routes)
