"""Every connection of a process to its Redis: a shared pool, and those that somebody holds."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import anyio
from redis import exceptions
from redis.asyncio import Redis

from framework.store.address import Address
from framework.store.cluster import NodeConnection, SpreadConnection, key_of
from framework.store.cluster_map import ClusterMap
from framework.store.connection import (
    CONNECT_SECONDS,
    REPLY_SECONDS,
    Argument,
    HeldConnection,
    pack,
)
from framework.store.dialling import Dialler

MOST_CONNECTIONS = 32
# What was not lent for so long is closed.
IDLE_SECONDS = 30.0


class Connections:
    """Makes every connection of a process to one Redis.

    Args:
        address: Where Redis is.
        reply_seconds: How long a reply on a shared connection may take.
    """

    def __init__(self, address: Address, reply_seconds: float = REPLY_SECONDS) -> None:
        self.address = address
        self._reply_seconds = reply_seconds
        self._dialler = Dialler(address, min(CONNECT_SECONDS, reply_seconds))
        is_cluster = address.kind == "cluster"
        self._cluster = ClusterMap(address.places, self._dialler) if is_cluster else None
        self._idle: deque[tuple[float, HeldConnection]] = deque()
        self._free = anyio.Semaphore(MOST_CONNECTIONS, fast_acquire=True)
        # It never connects: redis-py's ways to read each reply are all that is wanted of it.
        self._readers = Redis(protocol=2).response_callbacks

    def hold(self, key: str | None = None) -> HeldConnection:
        """Return a connection of one's own; in a cluster, to the node that serves ``key``."""
        if self._cluster is not None:
            return NodeConnection(self._cluster, key)
        return self._dialler.hold()

    def spread(self) -> HeldConnection:
        """Return a connection of one's own for calls with any key."""
        if self._cluster is not None:
            return SpreadConnection(self._cluster)
        return self._dialler.hold()

    def hurry(self) -> None:
        """Give up all attempts to connect that are under way: new ones would succeed."""
        self._dialler.hurry()

    async def watch(self) -> None:
        """Notice a planned change of the master, until cancelled; elsewhere return at once."""
        if self._dialler.sentinels is not None:
            await self._dialler.sentinels.watch()

    async def command(self, *command: Argument, near: str | None = None) -> Any:  # noqa: ANN401 - replies have any shape
        """Run one plain command on a shared connection.

        Args:
            near: A key, for commands without one: the node that serves it is meant.
        """
        command = (*str(command[0]).split(), *command[1:])
        key = None if self._cluster is None else near or key_of(command)
        async with self._borrowed() as connection:
            reply = await connection.call(pack(*command), self._reply_seconds, key)
        return self._read(command, reply)

    async def pipeline(self, commands: Sequence[tuple[Argument, ...]]) -> list[Any]:
        """Run plain commands in one round trip; the replies come in their order."""
        async with self._borrowed() as connection:
            replies = await connection.call_many(commands, self._reply_seconds)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return [self._read(*one) for one in zip(commands, replies, strict=True)]

    def _read(self, command: Sequence[Argument], reply: Any) -> Any:  # noqa: ANN401 - replies have any shape
        reader = self._readers.get(str(command[0]))
        return reply if reader is None else reader(reply)

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[HeldConnection]:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._free.acquire()
        except TimeoutError as error:
            raise exceptions.ConnectionError("all connections are busy") from error
        connection = self._idle.pop()[1] if self._idle else self.spread()
        try:
            await connection.refresh()
            yield connection
        finally:
            now = monotonic()
            self._idle.append((now, connection))
            self._free.release()
            # The last to come back is the first to be lent: what a burst needed comes to rest here.
            if self._idle[0][0] < now - IDLE_SECONDS:
                await self._idle.popleft()[1].drop()

    async def drop_idle(self) -> None:
        """Close the sockets of the shared connections that nobody uses now."""
        for _, connection in list(self._idle):
            await connection.drop()

    async def aclose(self) -> None:
        """Close all shared connections."""
        while self._idle:
            await self._idle.pop()[1].aclose()
