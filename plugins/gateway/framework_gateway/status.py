"""Who is connected: ``GET /status``, which ``framework gateway status`` shows."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from framework_gateway.auth import Channel, Token
from framework_gateway.hub import Hub
from framework_gateway.routing import Route


async def show_status(hub: Hub, request: Request) -> Response:
    """Tell of the connections, as far as the token opens their queues.

    ``{"prefix": str, "redis": str, "connections": [{"channel": str, "queue": str, "client": str,
    "since": ms}], "callbacks": [{"queue": str, "url": str, "concurrency": int, "running": int}]}``;
    the connections of workers have ``name``, ``concurrency`` and ``inHand`` too.
    """
    token: Token = request.scope["token"]
    told = {
        "connections": [one.told() for one in hub.connections],
        "callbacks": hub.callbacks.told(),
    }
    shown = {
        kind: [one for one in found if token.may(Channel.HTTP, str(one["queue"]))]
        for kind, found in told.items()
    }
    return JSONResponse({"prefix": hub.prefix, "redis": hub.redis, **shown})


STATUS = (Route("GET", "/status", show_status, Channel.HTTP),)
