"""What anybody may ask a gateway: who it is, and how it does."""

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from framework import FrameworkError
from framework_gateway.http.answers import json_answer
from framework_gateway.hub import Hub

# A probe gives up sooner than Redis is given up.
PATIENCE_SECONDS = 3.0


async def show_banner(_hub: Hub, _request: Request) -> Response:
    """Say what listens here."""
    return PlainTextResponse("framework gateway: queues over WebSocket and HTTP\n")


async def show_health(hub: Hub, _request: Request) -> Response:
    """Tell whether Redis answers."""
    answers = False
    with anyio.move_on_after(PATIENCE_SECONDS):
        try:
            await hub.application.check()
            answers = True
        except FrameworkError:
            pass
    if answers:
        return json_answer({"status": "ok", "redis": "ok"})
    return json_answer({"status": "error", "redis": "unavailable"}, 503)
