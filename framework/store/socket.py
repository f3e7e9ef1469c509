"""An open socket to Redis: commands out, replies in, and a deadline for each.

redis-py dials, encrypts and logs in. From then on its streams cost more than all else on the way
of a lone job, so this takes over the transport that it made.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

import hiredis
from redis import exceptions
from redis.asyncio.connection import AbstractConnection
from typing_extensions import override

from framework.store.answers import LateError

# A deadline that is noticed so late says more of this process than of Redis.
LATE_SECONDS = 1.0

Stream = tuple[asyncio.Transport, Callable[[str], Exception]]


class Asker(Protocol):
    """Who waits for replies: a future is one."""

    def done(self) -> bool:
        """Tell whether it waits no more."""
        ...

    def set_result(self, replies: list[Any], /) -> None:
        """Take the replies, the errors among them too."""
        ...

    def set_exception(self, error: Exception, /) -> None:
        """Take why there are none; the socket is of no more use."""
        ...


class Socket(asyncio.Protocol):
    """Sends one call at a time.

    Args:
        connection: Connected and logged in; nobody else uses it any more.

    Attributes:
        is_open: Whether it may be used; an asker that was cancelled leaves it unusable.
    """

    def __init__(self, connection: AbstractConnection) -> None:
        self.is_open = True
        self._connection = connection
        self._transport, read_error = stream_of(connection)
        self._reader = hiredis.Reader(
            protocolError=exceptions.InvalidResponse, replyError=read_error
        )
        self._loop = asyncio.get_running_loop()
        self._asker: Asker | None = None
        self._replies: list[Any] = []
        self._wanted = 0
        self._ends = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._before = self._transport.get_protocol()
        self._transport.set_protocol(self)

    async def ask(self, packed: bytes, count: int, deadline: float) -> list[Any]:
        """Send ``count`` packed commands; return their replies, the errors among them too.

        Args:
            packed: From `pack`, joined.
            count: How many they are.
            deadline: Seconds that all replies together may take.

        Raises:
            TimeoutError, ConnectionError: Of redis-py; the socket is of no more use.
        """
        asker: asyncio.Future[list[Any]] = self._loop.create_future()
        self.send(packed, count, deadline, asker)
        try:
            return await asker
        except BaseException:
            self.is_open = False  # what still comes would be taken for a later answer
            raise
        finally:
            if self._asker is asker:
                self._asker = None

    def send(self, packed: bytes, count: int, deadline: float, asker: Asker) -> None:
        """Send ``count`` packed commands; ``asker`` is told of their replies as they come.

        Raises:
            ConnectionError: The socket is closed; nothing was sent.
        """
        if not self.is_open or self._transport.is_closing():
            raise exceptions.ConnectionError("the connection is closed")
        self._asker = asker
        self._replies, self._wanted = [], count
        self._transport.write(packed)
        ends = self._loop.time() + deadline
        if self._alarm is not None and ends >= self._alarm_at:
            self._ends = ends
        else:
            self._set_alarm(ends)

    def _set_alarm(self, ends: float) -> None:
        """End the wait at ``ends``."""
        # An alarm is kept from call to call: one that rings for nothing costs less than one each.
        if self._alarm is not None:
            self._alarm.cancel()
        self._ends = self._alarm_at = ends
        self._alarm = self._loop.call_at(ends, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._asker is None or self._asker.done():
            return
        if self._loop.time() < self._ends:
            self._set_alarm(self._ends)
        else:
            self._fail(overrun(self._loop.time() - self._ends))

    @override
    def data_received(self, data: bytes) -> None:
        asker, reader, replies = self._asker, self._reader, self._replies
        reader.feed(data)
        try:
            while (reply := reader.gets()) is not False:
                replies.append(reply)
        except exceptions.InvalidResponse as error:
            self._fail(error)
            return
        if asker is None or asker.done() or len(replies) > self._wanted:
            self._fail(exceptions.ConnectionError("a reply came that nobody asked for"))
        elif len(replies) == self._wanted:
            self._asker = None
            asker.set_result(replies)

    def _fail(self, error: Exception) -> None:
        self.is_open = False
        asker, self._asker = self._asker, None
        if asker is not None and not asker.done():
            asker.set_exception(error)

    @override
    def eof_received(self) -> None:
        self._fail(exceptions.ConnectionError("Redis has closed the connection"))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exceptions.ConnectionError(f"the connection broke: {exc or 'closed'}"))
        if self._alarm is not None:
            self._alarm.cancel()
        # redis-py waits for its end of it when it disconnects, if it does: nobody may hear why.
        self._before.connection_lost(None)

    async def close(self, *, now: bool) -> None:
        """Close it; ``now``: without waiting for its end."""
        self._fail(exceptions.ConnectionError("the connection was closed"))
        await self._connection.disconnect(nowait=now)


def overrun(late: float) -> exceptions.TimeoutError:
    """Return the error of a deadline that was noticed ``late`` seconds after it had passed."""
    if late > LATE_SECONDS:
        blocked = f"its answer was not read: a handler blocked the event loop {late:.1f} s"
        return LateError(f"{blocked} too long")
    return exceptions.TimeoutError("no answer in time")


def stream_of(connection: AbstractConnection) -> Stream:
    """Return a connection's transport, and what makes an exception of an error reply."""
    inner = cast("Any", connection)
    return inner._writer.transport, inner._parser.parse_error  # noqa: SLF001 - nothing public hands them out
