"""Makes connections of redis-py, and says of each which server it leads to."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from redis import exceptions
from redis.asyncio import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from framework.store.address import Address, Login, Place
from framework.store.connection import CONNECT_SECONDS, HeldConnection, News, pack
from framework.store.sentinels import ANSWER_SECONDS, Sentinels


class Dialler:
    """Connects to the server of an address, or to any that its set has.

    Args:
        address: Where Redis is.
        seconds: How long connecting may take.
    """

    def __init__(self, address: Address, seconds: float = CONNECT_SECONDS) -> None:
        self._address = address
        self._seconds = seconds
        self._attempts: set[asyncio.Timeout] = set()
        is_set = address.kind == "sentinel"
        self.sentinels = (
            Sentinels(address.places, address.master, self._dial_sentinel) if is_set else None
        )

    def hold(self) -> HeldConnection:
        """Return a connection of one's own, which leaves a server that is no longer the master."""
        news = News() if self.sentinels is None else self.sentinels.news
        return HeldConnection(self.dial, news)

    async def dial(self) -> AbstractConnection:
        """Connect to the one server, or to the master that the Sentinels name now.

        Raises:
            RedisError, OSError: As redis-py raises them.
        """
        async with asyncio.timeout(None) as attempt:
            self._attempts.add(attempt)
            try:
                return await self._dial()
            finally:
                self._attempts.discard(attempt)

    def hurry(self) -> None:
        """Give up all attempts that are under way: a new one would succeed."""
        now = asyncio.get_running_loop().time()
        for attempt in self._attempts:
            attempt.reschedule(now)

    async def _dial(self) -> AbstractConnection:
        if self._address.path:
            return await connect(UnixDomainSocketConnection, self._common(path=self._address.path))
        if self.sentinels is None:
            return await self.dial_place(self._address.places[0])
        place = await self.sentinels.master()
        connection = await self.dial_place(place)
        try:
            with told_as_cut():
                await connection.send_packed_command(
                    cast("bytes", pack("ROLE")), check_health=False
                )
                role = await connection.read_response()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        if role[0] != b"master" or self.sentinels.known != place:
            await connection.disconnect(nowait=True)
            raise exceptions.ConnectionError("a fail-over is under way")
        return connection

    async def dial_place(self, place: Place) -> AbstractConnection:
        """Connect to one server of the set, with the login of the servers."""
        kind, options = self._transport()
        return await connect(kind, self._common(host=place.host, port=place.port, **options))

    async def _dial_sentinel(self, place: Place) -> AbstractConnection:
        kind, options = self._transport()
        told = self._common(host=place.host, port=place.port, **options)
        told |= as_options(self._address.sentinel_login)
        told |= {"db": 0, "socket_connect_timeout": ANSWER_SECONDS}
        return await connect(kind, told)

    def _transport(self) -> tuple[type[AbstractConnection], dict[str, object]]:
        if self._address.tls is None:
            return Connection, {}
        return SSLConnection, self._address.tls

    def _common(self, **more: object) -> dict[str, object]:
        return {
            **as_options(self._address.login),
            "db": self._address.db,
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": self._seconds,
            "socket_connect_timeout": self._seconds,
            "decode_responses": False,
            "health_check_interval": 0,
            **more,
        }


def as_options(login: Login) -> dict[str, object]:
    """Return a login as redis-py takes it."""
    return {"username": login.username, "password": login.password}


@contextmanager
def told_as_cut() -> Iterator[None]:
    """Tell of a socket that the other side has closed as of a lost connection.

    uvloop refuses to write on it with an error of its own; asyncio's loop lets the next read tell.

    Raises:
        ConnectionError: It was so.
    """
    try:
        yield
    except RuntimeError as error:
        if "is closed" not in str(error):
            raise
        raise exceptions.ConnectionError("connection closed") from error


async def connect(kind: type[AbstractConnection], options: dict[str, object]) -> AbstractConnection:
    """Make a connection and connect it."""
    connection = cast("Any", kind)(**options)
    try:
        with told_as_cut():
            await connection.connect()
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    made: AbstractConnection = connection
    return made
