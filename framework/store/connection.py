"""A typed facade over one connection of redis-py.

redis-py never retries by itself here, and every read has a deadline: only the store knows
what may be sent twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import hiredis
from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from framework.store.answers import LateError, is_stale

Argument = str | bytes | int | float
Command = list[bytes]
# Finds a server, connects and logs in.
Dial = Callable[[], Awaitable[AbstractConnection]]

CONNECT_SECONDS = 5.0
REPLY_SECONDS = 10.0
# How long a master waits for its replicas.
COPY_MS = 500

# A deadline that is noticed so late says more of this process than of Redis.
LATE_SECONDS = 1.0


def pack(*command: Argument) -> Command:
    """Return a command as it goes over the wire."""
    return [hiredis.pack_command(cast("Any", command))]


class News:
    """Tells connections to leave their server for another.

    Attributes:
        version: Rises with each change.
    """

    def __init__(self) -> None:
        self.version = 0


class HeldConnection:
    """One connection of one's own, with a deadline on every reply.

    It takes one command at a time and connects itself when it must.

    Args:
        dial: Finds the server and connects to it.
        news: When it changes, the next call connects anew.
    """

    def __init__(self, dial: Dial, news: News | None = None) -> None:
        self._dial = dial
        self._news = news or News()
        self._version = 0
        self._connection: AbstractConnection | None = None

    async def call(
        self,
        command: Command,
        deadline: float = REPLY_SECONDS,
        key: str | None = None,
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Send one packed command and return its reply.

        Args:
            command: From `pack`.
            deadline: Seconds until the socket is given up.
            key: One that the command touches: in a cluster it says where to.

        Raises:
            RedisError, OSError: As redis-py raises them. After anything but an error
                reply the connection is closed and the command may have run.
        """
        connection = self._connection
        if connection is None or not connection.is_connected or self._version != self._news.version:
            connection = await self._connect()
        ends = asyncio.get_running_loop().time() + deadline
        try:
            async with asyncio.timeout(deadline):
                await connection.send_packed_command(cast("bytes", command), check_health=False)
                return await connection.read_response()
        except TimeoutError as error:
            raise await self._give_up(ends) from error
        except exceptions.ResponseError as error:
            if is_stale(error):
                await self.drop()
            raise

    async def call_copied(
        self,
        command: Command,
        copies: int,
        deadline: float = REPLY_SECONDS,
        key: str | None = None,
    ) -> tuple[Any, int]:
        """Send one packed command, and wait until replicas have what it wrote.

        Args:
            copies: How many; half a second is waited for them.

        Returns:
            The reply, and how many have it.

        Raises:
            RedisError, OSError: As `call`.
        """
        both = [*command, *pack("WAIT", copies, COPY_MS)]
        reply, confirmed = await self._send(both, 2, deadline)
        for answer in (reply, confirmed):
            if isinstance(answer, Exception):
                raise answer
        return reply, confirmed

    async def call_many(
        self, commands: Sequence[Sequence[Argument]], deadline: float = REPLY_SECONDS
    ) -> list[Any]:
        """Send commands in one go; return their replies, the errors among them too.

        Raises:
            RedisError, OSError: The connection broke; any of them may have run.
        """
        packed = [chunk for command in commands for chunk in pack(*command)]
        return await self._send(packed, len(commands), deadline)

    async def _send(self, packed: Command, count: int, deadline: float) -> list[Any]:
        connection = self._connection
        if connection is None or not connection.is_connected or self._is_old:
            connection = await self._connect()
        ends = asyncio.get_running_loop().time() + deadline
        replies: list[Any] = []
        try:
            async with asyncio.timeout(deadline):
                await connection.send_packed_command(cast("bytes", packed), check_health=False)
                for _ in range(count):
                    try:
                        replies.append(await connection.read_response())
                    except exceptions.ResponseError as error:
                        replies.append(error)
        except TimeoutError as error:
            raise await self._give_up(ends) from error
        if any(isinstance(reply, Exception) and is_stale(reply) for reply in replies):
            await self.drop()
        return replies

    @property
    def _is_old(self) -> bool:
        return self._version != self._news.version

    async def _give_up(self, ends: float) -> exceptions.TimeoutError:
        late = asyncio.get_running_loop().time() - ends
        await self.drop()
        if late > LATE_SECONDS:
            blocked = f"its answer was not read: a handler blocked the event loop {late:.1f} s"
            return LateError(f"{blocked} too long")
        return exceptions.TimeoutError("no answer in time")

    async def _connect(self) -> AbstractConnection:
        await self.drop()
        connection = self._connection = await self._dial()
        self._version = self._news.version
        # From here on the deadline is ours: redis-py's own costs a task a command.
        connection.socket_timeout = None
        return connection

    async def refresh(self) -> None:
        """Drop the connection if the server has closed it meanwhile."""
        connection = cast("Any", self._connection)
        if connection is None or not connection.is_connected:
            return
        if connection._reader.at_eof() or connection._writer.is_closing():  # noqa: SLF001 - redis-py's own look reads, and costs a task
            await self.drop()

    async def drop(self) -> None:
        """Close the socket now; the next call connects again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await connection.disconnect(nowait=True)

    async def aclose(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(exceptions.RedisError, OSError):
                await connection.disconnect()
