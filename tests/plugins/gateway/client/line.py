"""A line between a client and its gateway, that can be cut, and whose answers can get lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ByteStream, SocketAttribute

CHUNK = 256 * 1024
BROKEN = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class Line:
    """Carries bytes to a port of this machine, and back.

    Args:
        port: Where the gateway listens.

    Attributes:
        url: Where to connect to instead.
        opened: How many connections there have been.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._scopes: set[anyio.CancelScope] = set()
        self._is_mute = False
        self.url = ""
        self.opened = 0

    def mute(self) -> None:
        """Let nothing that the gateway says through, until it is cut."""
        self._is_mute = True

    def cut(self) -> None:
        """End all connections without a word; new ones can be made."""
        self._is_mute = False
        for scope in self._scopes:
            scope.cancel()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Line"]:
        """Listen on a free port."""
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
        self.url = f"ws://127.0.0.1:{port}"
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, self._carry)
            yield self
            tasks.cancel_scope.cancel()

    async def _carry(self, client: ByteStream) -> None:
        try:
            gateway = await anyio.connect_tcp("127.0.0.1", self._port)
        except OSError:
            await client.aclose()
            return
        self.opened += 1
        async with client, gateway, anyio.create_task_group() as tasks:
            scope = tasks.cancel_scope
            self._scopes.add(scope)
            tasks.start_soon(self._copy, client, gateway, scope)
            await self._copy(gateway, client, scope, can_mute=True)
            self._scopes.discard(scope)

    async def _copy(
        self,
        source: ByteStream,
        target: ByteStream,
        scope: anyio.CancelScope,
        can_mute: bool = False,
    ) -> None:
        try:
            while True:
                data = await source.receive(CHUNK)
                if not (can_mute and self._is_mute):
                    await target.send(data)
        except BROKEN:
            scope.cancel()
