"""Who is connected: ``GET /status``, which ``framework gateway status`` shows."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from framework_gateway.auth import Channel, Token
from framework_gateway.connections import Entry
from framework_gateway.hub import Hub
from framework_gateway.routing import Route


async def show_status(hub: Hub, request: Request) -> Response:
    """Tell of the connections, as far as the token opens their queues.

    ``{"prefix": str, "redis": str, "connections": [{"channel": str, "queue": str, "client": str,
    "since": ms}]}``; a worker's have ``name``, ``concurrency`` and ``inHand`` too.
    """
    token: Token | None = request.scope["token"]
    shown: list[dict[str, Any]] = [one.told() for one in hub.connections if may_see(token, one)]
    return JSONResponse({"prefix": hub.prefix, "redis": hub.redis, "connections": shown})


def may_see(token: Token | None, entry: Entry) -> bool:
    """Tell whether a token opens the queue of a connection."""
    return token is not None and token.may(Channel.HTTP, entry.queue)


STATUS = (Route("GET", "/status", show_status, Channel.HTTP),)
