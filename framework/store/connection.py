"""A typed facade over redis-py: the shared client, held connections, and what errors mean.

redis-py never retries by itself here, and every read has a deadline: only the store knows
what may be sent twice.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import hiredis
from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from framework.errors import FrameworkError, RedisRefusedError, RedisUnavailableError
from framework.store.address import Address

Argument = str | bytes | int | float
Command = list[bytes]

CONNECT_SECONDS = 5.0
REPLY_SECONDS = 10.0
MOST_CONNECTIONS = 32

# What passes by itself: Redis restarts, loads its data, or fails over.
PASSING = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    OSError,
)
# The same, in codes that redis-py has no classes for.
PASSING_CODES = ("UNBLOCKED ", "BUSY ", "NOREPLICAS ")
REFUSED = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.NoPermissionError,
    exceptions.AuthenticationWrongNumberOfArgsError,
)


# A deadline that is noticed so late says more of this process than of Redis.
LATE_SECONDS = 1.0


class LateError(exceptions.TimeoutError):
    """The deadline passed unnoticed: something blocked the event loop."""


def pack(*command: Argument) -> Command:
    """Return a command as it goes over the wire."""
    return [hiredis.pack_command(cast("Any", command))]


def is_passing(error: Exception) -> bool:
    """Tell whether waiting may mend ``error``."""
    if isinstance(error, REFUSED):
        return False
    return isinstance(error, PASSING) or str(error).startswith(PASSING_CODES)


# Signs in an answer, what to say of it (None: the answer itself), and the fix (None: the usual).
SIGNS: tuple[tuple[str, str | None, str | None], ...] = (
    (
        "maxmemory",
        "it is out of memory",
        "Raise maxmemory, or keep fewer finished jobs (KeepJobs)",
    ),
    ("MISCONF", "it cannot write to its disk", "Look at its log and its disk"),
    ("DB index", None, "Correct REDIS_DB, or the number at the end of REDIS_URL"),
    ("WRONGPASS", None, None),
    ("NOAUTH", None, None),
)


def translate(error: Exception, address: Address) -> FrameworkError:
    """Return our error for one of redis-py's."""
    text = str(error) or type(error).__name__
    if isinstance(error, LateError):
        fix = 'Make the handler a plain def with run_in="thread"'
        return RedisUnavailableError(address.name, text, fix=fix)
    for sign, problem, fix_of_sign in SIGNS:
        if sign in text:
            return RedisRefusedError(address.name, problem or text, fix=fix_of_sign)
    if isinstance(error, REFUSED):
        return RedisRefusedError(address.name, text)
    if is_passing(error):
        return RedisUnavailableError(address.name, reason_of(error))
    return RedisRefusedError(
        address.name, text, fix="This answer is not expected; report it with the server's version"
    )


def reason_of(error: BaseException) -> str:
    """Word a failed connection in a few words."""
    text = str(error)
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return "no answer in time"
    for sign, words in (
        ("refused", "connection refused"),
        ("Errno 111", "connection refused"),
        ("Error 111 ", "connection refused"),
        ("Errno 61", "connection refused"),
        ("Error 61 ", "connection refused"),
        ("Errno 2 ", "no such socket"),
        ("No such file", "no such socket"),
        ("Name or service not known", "no such host"),
        ("nodename nor servname", "no such host"),
        ("Temporary failure in name resolution", "no such host"),
        ("closed", "connection closed"),
        ("reset", "connection reset"),
    ):
        if sign in text:
            return words
    return text or type(error).__name__


class HeldConnection:
    """One connection of one's own, with a deadline on every reply.

    It takes one command at a time and connects itself when it must.

    Args:
        connection: A connection of redis-py, not yet connected.
    """

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    async def call(self, command: Command, deadline: float = REPLY_SECONDS) -> Any:  # noqa: ANN401 - replies have any shape
        """Send one packed command and return its reply.

        Args:
            command: From `pack`.
            deadline: Seconds until the socket is given up.

        Raises:
            RedisError, OSError: As redis-py raises them. After anything but an error
                reply the connection is closed and the command may have run.
        """
        connection = self._connection
        if not connection.is_connected:
            await self._connect()
        ends = asyncio.get_running_loop().time() + deadline
        try:
            async with asyncio.timeout(deadline):
                await connection.send_packed_command(cast("bytes", command), check_health=False)
                return await connection.read_response()
        except TimeoutError as error:
            late = asyncio.get_running_loop().time() - ends
            await self.drop()
            if late > LATE_SECONDS:
                blocked = f"its answer was not read: a handler blocked the event loop {late:.1f} s"
                raise LateError(f"{blocked} too long") from error
            raise exceptions.TimeoutError("no answer in time") from error

    async def _connect(self) -> None:
        self._connection.socket_timeout = CONNECT_SECONDS
        await cast("Any", self._connection).connect()
        # From here on the deadline is ours: redis-py's own costs a task a command.
        self._connection.socket_timeout = None

    async def drop(self) -> None:
        """Close the socket now; the next call connects again."""
        with suppress(Exception):
            await self._connection.disconnect(nowait=True)

    async def aclose(self) -> None:
        """Close the connection."""
        with suppress(exceptions.RedisError, OSError):
            await self._connection.disconnect()


class Connections:
    """Makes every connection of a process to one Redis.

    Args:
        address: Where Redis is.
        reply_seconds: How long a reply on a shared connection may take.
    """

    def __init__(self, address: Address, reply_seconds: float = REPLY_SECONDS) -> None:
        self.address = address
        self._pool = BlockingConnectionPool.from_url(
            address.url,
            max_connections=MOST_CONNECTIONS,
            timeout=CONNECT_SECONDS,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            retry_on_timeout=False,
            socket_timeout=reply_seconds,
            socket_connect_timeout=CONNECT_SECONDS,
            decode_responses=False,
            health_check_interval=0,
        )
        self.client: Redis = Redis(connection_pool=self._pool)

    def hold(self) -> HeldConnection:
        """Return a connection of one's own, outside the shared pool."""
        return HeldConnection(cast("Any", self._pool).make_connection())

    async def command(self, *command: Argument) -> Any:  # noqa: ANN401 - replies have any shape
        """Run one plain command on a shared connection."""
        return await cast("Any", self.client).execute_command(*command)

    async def pipeline(self, commands: Sequence[tuple[Argument, ...]]) -> list[Any]:
        """Run plain commands in one round trip; the replies come in their order."""
        async with self.client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return await pipe.execute()

    async def aclose(self) -> None:
        """Close all shared connections."""
        with suppress(exceptions.RedisError, OSError):
            await self.client.aclose()
        with suppress(exceptions.RedisError, OSError):
            await self._pool.disconnect()
