"""Connections to endpoints, used again: whichever was free last is taken next."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpcore2

# Less than the five seconds after which many servers hang up: a call that meets that fails a job.
KEEP_ALIVE_SECONDS = 4.0
CLOSE_SECONDS = 1.0

Line = httpcore2.AsyncHTTPConnection
Place = tuple[bytes, bytes, int]


class Lines:
    """The connections of one gateway.

    The library's own pool looks at each of its connections for each request, twice: with fifty that
    takes longer than a call.

    Args:
        backend: Dials.
    """

    def __init__(self, backend: httpcore2.AsyncNetworkBackend) -> None:
        self._backend = backend
        self._ssl = httpcore2.default_ssl_context()
        self._idle: dict[Place, deque[Line]] = {}

    @asynccontextmanager
    async def send(self, request: httpcore2.Request) -> AsyncIterator[httpcore2.Response]:
        """Send a request; the answer can be read until the end of the block."""
        origin = request.url.origin
        line = await self._take(origin)
        try:
            response = await line.handle_async_request(request)
            yield response
            await response.aclose()
        except BaseException:
            await close(line)
            raise
        await self._put(place_of(origin), line)

    async def _take(self, origin: httpcore2.Origin) -> Line:
        idle = self._idle.get(place_of(origin)) or deque()
        while idle:
            line = idle.pop()
            if line.is_idle() and not line.has_expired():
                return line
            await close(line)
        return Line(
            origin,
            ssl_context=self._ssl,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=self._backend,
        )

    async def _put(self, place: Place, line: Line) -> None:
        if line.is_idle():
            self._idle.setdefault(place, deque()).append(line)
        else:
            await close(line)
        for one, idle in list(self._idle.items()):
            while idle and idle[0].has_expired():
                await close(idle.popleft())
            if not idle:
                del self._idle[one]

    async def aclose(self) -> None:
        """Close all that are idle."""
        for idle in self._idle.values():
            for line in idle:
                await close(line)
        self._idle.clear()


def place_of(origin: httpcore2.Origin) -> Place:
    """Return what tells one server from another."""
    return origin.scheme, origin.host, origin.port


async def close(line: Line) -> None:
    """Close a connection, whatever state it is in."""
    with anyio.move_on_after(CLOSE_SECONDS, shield=True):
        await line.aclose()
