"""The paths of the HTTP API."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from framework_gateway.hub import Hub
from framework_gateway.routing import OPEN, Route


async def show_banner(_hub: Hub, _request: Request) -> Response:
    """Say what listens here."""
    return PlainTextResponse("framework gateway\n")


async def show_health(hub: Hub, _request: Request) -> Response:
    """Tell whether Redis answers."""
    await hub.queue("health").version()
    return JSONResponse({"status": "ok", "redis": "ok"})


ROUTES = (
    Route("GET", "/", show_banner, OPEN),
    Route("GET", "/health", show_health, OPEN),
)
