"""A line to Redis that is slow, or breaks: a proxy of bytes in a thread of its own.

It knows nothing of calls, so that it cuts wherever chance has it: before a reply, in the middle of
one, in the middle of a request. What was sent arrives, even if its sender is dead by then.
"""

import math
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream, TaskStatus
from anyio.from_thread import start_blocking_portal
from anyio.streams.memory import MemoryObjectReceiveStream

from tests.support.unix_line import connect_unix

CHUNK = 256 * 1024
LOOK_SECONDS = 0.002
BROKEN = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class RoughLine:
    """Carries bytes to a server and back.

    Args:
        server: Its URL.
        latency: Seconds that it adds to each round trip.
        chance: How likely it is, 0 to 1, that the line breaks with some bytes.
        seed: Makes a run repeatable.

    Attributes:
        url: Where to connect to.
        cuts: How often the line broke, and where.
    """

    def __init__(self, server: str, *, latency: float, chance: float, seed: int) -> None:
        self._server = urlsplit(server)
        self._one_way = latency / 2
        self._random = random.Random(seed)  # noqa: S311 - where to cut, no secret
        self.chance = chance
        self.url = ""
        self.cuts: Counter[str] = Counter()
        self._is_open = threading.Event()
        self._is_open.set()
        self._held: list[bytes] = []
        self._late = b""
        self._late_seconds = 0.0

    def hold(self) -> None:
        """Let no request through until `release`."""
        self._is_open.clear()

    def holds(self, words: bytes) -> bool:
        """Tell whether a request with these words is held."""
        return any(words in data for data in self._held.copy())

    def release(self, *, late: bytes, seconds: float) -> None:
        """Let all requests through; those held that have certain words so much later."""
        self._late, self._late_seconds = late, seconds
        self._is_open.set()

    async def _wait(self, data: bytes) -> None:
        if self._is_open.is_set():
            return
        self._held.append(data)
        while not self._is_open.is_set():  # noqa: ASYNC110 - another thread tells
            await anyio.sleep(LOOK_SECONDS)
        if self._late in data:
            await anyio.sleep(self._late_seconds)

    async def serve(self, *, task_status: TaskStatus[None]) -> None:
        """Listen on a free port of this machine until cancelled."""
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
        login = self._server.netloc.rpartition("@")[0]
        path = self._server.path if self._server.scheme == "redis" else ""
        self.url = f"redis://{login + '@' if login else ''}127.0.0.1:{port}{path}"
        task_status.started()
        async with listener:
            await listener.serve(self._forward)

    async def _forward(self, client: SocketStream) -> None:
        async with client:
            with suppress(*BROKEN):
                async with await self._connect() as server, anyio.create_task_group() as both:
                    both.start_soon(self._requests, client, server, both.cancel_scope)
                    await self._carry(server, client, "reply", both.cancel_scope)
                    both.cancel_scope.cancel()

    async def _connect(self) -> ByteStream:
        if self._server.scheme == "unix":
            return await connect_unix(self._server.path)
        host, port = self._server.hostname or "localhost", self._server.port or 6379
        return await anyio.connect_tcp(host, port)

    async def _requests(
        self, client: ByteStream, server: ByteStream, line: anyio.CancelScope
    ) -> None:
        await self._carry(client, server, "request", line)
        with suppress(*BROKEN):
            await server.send_eof()

    async def _carry(
        self, source: ByteStream, sink: ByteStream, what: str, line: anyio.CancelScope
    ) -> None:
        """Carry all that comes, each piece as late as the line is slow, until its end."""
        sender, receiver = anyio.create_memory_object_stream[tuple[float, bytes]](math.inf)
        async with anyio.create_task_group() as tasks, sender:
            tasks.start_soon(self._deliver, receiver, sink, what, line)
            with suppress(*BROKEN):
                while data := await source.receive(CHUNK):
                    sender.send_nowait((anyio.current_time() + self._one_way, data))
            sender.close()

    async def _deliver(
        self,
        pieces: MemoryObjectReceiveStream[tuple[float, bytes]],
        sink: ByteStream,
        what: str,
        line: anyio.CancelScope,
    ) -> None:
        is_open = True
        async with pieces:
            async for at, data in pieces:
                await anyio.sleep_until(at)
                if what == "request":
                    await self._wait(data)
                is_cut = self.chance > 0 and self._random.random() < self.chance
                part = self._random.choice((0, self._random.randrange(len(data))))
                # Whoever is dead gets nothing, but what he has sent still arrives.
                if is_open:
                    try:
                        await sink.send(data[:part] if is_cut else data)
                    except BROKEN:
                        is_open = False
                if is_cut:
                    self.cuts[f"in the middle of a {what}" if part else f"before a {what}"] += 1
                    line.cancel()


@contextmanager
def rough_line(
    server: str, *, latency: float = 0.0, chance: float = 0.0, seed: int = 1
) -> Iterator[RoughLine]:
    """Open such a line before a server; see `RoughLine`."""
    line = RoughLine(server, latency=latency, chance=chance, seed=seed)
    with start_blocking_portal("asyncio") as portal:
        serving, _ = portal.start_task(line.serve)
        try:
            yield line
        finally:
            serving.cancel()
