"""The server under a gateway: uvicorn in the running loop, on a socket that is bound at once."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp

from framework_gateway.http_protocol import http_protocol
from framework_gateway.settings import GatewaySettings
from framework_gateway.ws_protocol import QuietSocket

BACKLOG = 2048
STOP_SECONDS = 2


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        OSError: It cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


class Embedded(uvicorn.Server):
    """The server in a program that sees to its own signals."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.listens.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class Server:
    """Serves an ASGI app until it is stopped.

    Args:
        app: What to serve.
        listener: A bound socket; closed at the end.
        settings: The gateway's.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket, settings: GatewaySettings) -> None:
        self._listener = listener
        self._uvicorn = Embedded(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                http=http_protocol(settings.request_timeout),
                ws=QuietSocket,
                ws_max_size=settings.max_message_bytes,
                ws_ping_interval=settings.ping_interval,
                ws_ping_timeout=settings.ping_timeout,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )

    async def run(self) -> None:
        """Serve until stopped."""
        await self._uvicorn.serve([self._listener])

    async def started(self) -> None:
        """Wait until it listens."""
        await self._uvicorn.listens.wait()

    def stop(self) -> None:
        """Listen no more, and close what is open."""
        self._uvicorn.should_exit = True
