"""A connection of one's own to Redis, which connects itself when it must.

redis-py never retries by itself here, and every read has a deadline: only the store knows
what may be sent twice.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import hiredis
from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from framework.store.answers import is_stale
from framework.store.socket import Asker, Socket

Argument = str | bytes | int | float
Command = list[bytes]
# Finds a server, connects and logs in.
Dial = Callable[[], Awaitable[AbstractConnection]]

CONNECT_SECONDS = 5.0
REPLY_SECONDS = 10.0
# How long a master waits for its replicas.
COPY_MS = 500


def pack(*command: Argument) -> Command:
    """Return a command as it goes over the wire."""
    return [hiredis.pack_command(cast("Any", command))]


def word(part: bytes) -> bytes:
    """Return one word of a command as it goes over the wire."""
    return b"$%d\r\n%b\r\n" % (len(part), part)


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
        self._socket: Socket | None = None

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
        (reply,) = await self._send(command, 1, deadline)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def send_now(self, command: Command, deadline: float, asker: Asker) -> bool:
        """Send one packed command at once, if the connection stands.

        Args:
            asker: Told of the reply as it comes; any error it is told of is to be answered
                by a `call`, which mends the connection.

        Returns:
            Whether it was sent.
        """
        socket = self._socket
        if socket is None or not socket.is_open or self._version != self._news.version:
            return False
        try:
            socket.send(command[0], 1, deadline, asker)
        except exceptions.ConnectionError:
            return False
        return True

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
        socket = self._socket
        if socket is None or not socket.is_open or self._version != self._news.version:
            socket = await self._connect()
        try:
            replies = await socket.ask(b"".join(packed), count, deadline)
        except BaseException:
            await self.drop()
            raise
        for reply in replies:
            if isinstance(reply, Exception):
                await self._heed(reply)
        return replies

    async def _heed(self, reply: Exception) -> None:
        """Leave a server that cannot serve us.

        Raises:
            ConnectionError: It ends the connection.
        """
        ends = isinstance(reply, exceptions.ConnectionError)
        if ends or is_stale(reply):
            await self.drop()
        if ends:
            raise reply

    async def _connect(self) -> Socket:
        await self.drop()
        connection = await self._dial()
        self._version = self._news.version
        socket = self._socket = Socket(connection)
        return socket

    async def refresh(self) -> None:
        """Drop the connection if the server has closed it meanwhile."""
        if self._socket is not None and not self._socket.is_open:
            await self.drop()

    async def drop(self) -> None:
        """Close the socket now; the next call connects again."""
        socket, self._socket = self._socket, None
        if socket is not None:
            with suppress(Exception):
                await socket.close(now=True)

    async def aclose(self) -> None:
        """Close the connection."""
        socket, self._socket = self._socket, None
        if socket is not None:
            with suppress(exceptions.RedisError, OSError):
                await socket.close(now=False)
