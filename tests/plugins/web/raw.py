"""What goes over the wire, byte by byte."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx2
from anyio.abc import SocketStream

MOST = 100_000


@asynccontextmanager
async def line_to(web: httpx2.AsyncClient) -> AsyncIterator[SocketStream]:
    """Connect to the server that a client asks."""
    stream = await anyio.connect_tcp("127.0.0.1", web.base_url.port or 0)
    async with stream:
        yield stream


async def answer_to(web: httpx2.AsyncClient, request: bytes, until: bytes = b"") -> bytes:
    """Send bytes; return what comes back, to its end or to a text in it."""
    answer = b""
    with anyio.fail_after(8):
        async with line_to(web) as line:
            await line.send(request)
            while len(answer) < MOST and not (until and until in answer):
                try:
                    answer += await line.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    break  # broken where not all that was sent has been read
    return answer


def posting(body: bytes, *headers: bytes, path: bytes = b"/tasks/anything") -> bytes:
    """Word a request that starts a task."""
    lines = [
        b"POST %b HTTP/1.1" % path,
        b"Host: localhost",
        b"Connection: close",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
        *headers,
    ]
    return b"\r\n".join([*lines, b"", body])
