"""Asks Sentinels which server is the master, and notices when it is another."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import anyio
from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from framework.store.address import Place
from framework.store.connection import HeldConnection, News, pack

# A Sentinel that does not answer must not keep us from the next one.
ANSWER_SECONDS = 1.0
WATCH_SECONDS = 1.0


class Sentinels:
    """The Sentinels of one set of servers.

    Args:
        places: Where they are.
        master: What they call the set.
        dial: Connects to one of them.

    Attributes:
        news: Changes when the master does.
    """

    def __init__(
        self,
        places: tuple[Place, ...],
        master: str,
        dial: Callable[[Place], Awaitable[AbstractConnection]],
    ) -> None:
        self._places = list(places)
        self._name = master
        self._dial = dial
        self.known: Place | None = None
        self.news = News()

    async def master(self) -> Place:
        """Ask one after the other; who answered is asked first next time.

        Raises:
            RedisError, OSError: None answers, or none knows the name.
        """
        silent: Exception = exceptions.ConnectionError("no Sentinel answers")
        for place in list(self._places):
            sentinel = HeldConnection(partial(self._dial, place))
            try:
                found = await self._ask(sentinel)
            except exceptions.NoPermissionError:
                raise
            except (exceptions.RedisError, OSError) as error:
                silent = error
                continue
            finally:
                await sentinel.drop()
            self._places.remove(place)
            self._places.insert(0, place)
            return found
        raise silent

    async def watch(self) -> None:
        """Look every second, until cancelled.

        A change that was planned leaves the old master writing for a while, and what it is
        given then is lost: who still talks to it must leave.
        """
        while True:
            sentinel = HeldConnection(partial(self._dial, self._places[0]))
            try:
                with suppress(exceptions.RedisError, OSError):
                    while True:
                        await self._ask(sentinel)
                        await anyio.sleep(WATCH_SECONDS)
            finally:
                await sentinel.drop()
            await anyio.sleep(WATCH_SECONDS)
            with suppress(exceptions.RedisError, OSError):
                await self.master()

    async def _ask(self, sentinel: HeldConnection) -> Place:
        command = pack("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)
        reply = await sentinel.call(command, ANSWER_SECONDS)
        if reply is None:
            raise exceptions.ResponseError(f"No such master: {self._name}")
        place = Place(reply[0].decode(), int(reply[1]))
        if self.known not in {None, place}:
            self.news.version += 1
        self.known = place
        return place
