"""A proxy before Redis that swallows replies: the command ran, and nobody hears of it.

Or everything, in both directions and without a word: the network is parted.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

import anyio
from anyio.abc import ByteStream, SocketAttribute

from tests.support.unix_line import connect_unix

CHUNK = 256 * 1024


class Proxy:
    """Forwards to a server, and cuts connections just after the server has answered.

    Args:
        server: The URL of the server.
        chance: How likely it is that a reply is swallowed, 0 to 1. The first reply of each
            kind of call is swallowed in any case, while ``chance`` is not 0.
        seed: Makes a run repeatable.
    """

    def __init__(self, server: str, *, chance: float, seed: int = 1) -> None:
        self._server = urlsplit(server)
        self._random = random.Random(seed)  # noqa: S311 - what to cut, no secret
        self.chance = chance
        self.url = ""
        self.cuts: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.replies: Counter[str] = Counter()
        self._ordered: set[str] = set()
        self._opened = 0
        self._lost: dict[str, int | None] = {}
        self._is_parted = False

    def is_blocked_on(self, kind: str) -> bool:
        """Tell whether such a call waits for its reply."""
        return self.requests[kind] > self.replies[kind]

    def cut_next(self, kind: str) -> None:
        """Swallow the next reply to this kind of call."""
        self._ordered.add(kind)

    def lose(self, kind: str, *, for_ever: bool = False) -> None:
        """Let requests of a kind get nowhere, as if the line were dead, and cut nothing.

        Args:
            for_ever: On connections that are made from now on, too.
        """
        self._lost[kind] = None if for_ever else self._opened

    def part(self) -> None:
        """Let nothing through in either direction, and close nothing: a black hole.

        What is lost stays lost: connections that were there, or are made meanwhile, say nothing
        after `heal` either.
        """
        self._is_parted = True

    def heal(self) -> None:
        """Let requests through again; who lost one waits on."""
        self._lost.clear()
        self._is_parted = False

    def _loses(self, kind: str, connection: int) -> bool:
        newest = self._lost.get(kind, 0)
        return newest is None or connection <= newest

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Proxy"]:
        """Listen on a free port of this machine."""
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
        login = self._server.netloc.rpartition("@")[0]
        place = f"{login}@127.0.0.1:{port}" if login else f"127.0.0.1:{port}"
        path = self._server.path if self._server.scheme == "redis" else ""
        self.url = urlunsplit(("redis", place, path, "", ""))
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, self._forward)
            yield self
            tasks.cancel_scope.cancel()

    async def _forward(self, client: ByteStream) -> None:
        if self._is_parted:
            await swallow(client)
            return
        async with client, await self._connect() as server:
            calls: list[str] = []
            self._opened += 1
            number = self._opened
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._requests, client, server, calls, number, tasks.cancel_scope)
                tasks.start_soon(self._replies, server, client, calls, tasks.cancel_scope)

    async def _connect(self) -> ByteStream:
        if self._server.scheme == "unix":
            return await connect_unix(self._server.path)
        return await anyio.connect_tcp(
            self._server.hostname or "localhost", self._server.port or 6379
        )

    async def _requests(
        self,
        client: ByteStream,
        server: ByteStream,
        calls: list[str],
        number: int,
        scope: anyio.CancelScope,
    ) -> None:
        try:
            while True:
                data = await client.receive(CHUNK)
                if self._is_parted:
                    await swallow(client)
                if data.startswith(b"*"):
                    calls[:] = [kind_of(data)]
                    self.requests[calls[0]] += 1
                if not self._loses(calls[0] if calls else "", number):
                    await server.send(data)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            if self._is_parted:
                await anyio.sleep_forever()  # the server does not hear of the end
            scope.cancel()

    async def _replies(
        self, server: ByteStream, client: ByteStream, calls: list[str], scope: anyio.CancelScope
    ) -> None:
        try:
            while True:
                data = await server.receive(CHUNK)
                if self._is_parted:
                    await anyio.sleep_forever()
                if self._swallows(calls[0] if calls else ""):
                    break
                await client.send(data)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        scope.cancel()

    def _swallows(self, kind: str) -> bool:
        self.replies[kind] += 1
        is_cut = kind in self._ordered or (
            self.chance > 0 and (not self.cuts[kind] or self._random.random() < self.chance)
        )
        self._ordered.discard(kind)
        self.cuts[kind] += is_cut
        return is_cut


async def swallow(client: ByteStream) -> None:
    """Take whatever comes, answer nothing, and let nobody know that the client has gone."""
    async with client:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            while True:
                await client.receive(CHUNK)
    await anyio.sleep_forever()


def kind_of(request: bytes) -> str:
    """Name a call: its command, and which script a script call runs."""
    parts = request.split(b"\r\n", 5)
    name = parts[2].decode().upper()
    return f"{name} {parts[4].decode()[:40]}" if name == "EVALSHA" else name
