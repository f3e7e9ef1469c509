"""A stream over a unix socket, for the proxies of these tests.

anyio's own may set its future twice when it is cancelled as data comes: then the loop reports an
error that is nobody's, and the test fails that was running.
"""

import asyncio  # noqa: TID251 - its streams do not do that

import anyio
from anyio.abc import ByteStream
from typing_extensions import override


class UnixLine(ByteStream):
    """Carries bytes to a server and back.

    Args:
        reader: Of `asyncio.open_unix_connection`.
        writer: Of the same.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        writer.transport.set_write_buffer_limits(0)  # what `send` took has left when it returns

    @override
    async def receive(self, max_bytes: int = 65_536) -> bytes:
        try:
            data = await self._reader.read(max_bytes)
        except OSError as error:
            raise anyio.BrokenResourceError from error
        if not data:
            raise anyio.EndOfStream
        return data

    @override
    async def send(self, item: bytes) -> None:
        try:
            self._writer.write(item)
            await self._writer.drain()
        except OSError as error:
            raise anyio.BrokenResourceError from error

    @override
    async def send_eof(self) -> None:
        self._writer.write_eof()

    @override
    async def aclose(self) -> None:
        self._writer.transport.abort()


async def connect_unix(path: str) -> UnixLine:
    """Connect to a server."""
    return UnixLine(*await asyncio.open_unix_connection(path))
