"""The applications behind the objects: one for all that share a place, in the loop's background.

BullMQ's objects are made without ``await`` and closed with it, so each application runs in a task
of its own, which opens it and closes it: what anyio entered in a task must be left in it.
"""

import asyncio  # the objects are made where no task group is, as BullMQ's are
from datetime import timedelta
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import anyio
import structlog
from pydantic import SecretStr

from framework import Application, Settings
from framework_bullmq.connection import Where
from framework_bullmq.logs import use_logging

log = structlog.get_logger("framework_bullmq")

# A worker's close() waits for running jobs, however long they take; close(force=True) does not.
AS_LONG_AS_IT_TAKES = timedelta(days=3650)
# Who works or listens without Redis says so, and looks again after a while.
ONE_LOOK = timedelta(seconds=1)
AGAIN_SECONDS = 1.0


class Place(NamedTuple):
    """Where queues are: in which Redis, under which prefix."""

    where: Where
    prefix: str

    def settings(self, *, plugins: tuple[str, ...] | None = ()) -> Settings:
        """Return what an application there is set to; no plugins, unless its environment says."""
        told: dict[str, Any] = {} if plugins is None else {"plugins": plugins}
        if self.where.timeout is not None:
            told["timeout"] = self.where.timeout
        return Settings(
            redis_url=SecretStr(self.where.url),
            prefix=self.prefix,
            shutdown_timeout=AS_LONG_AS_IT_TAKES,
            start_timeout=ONE_LOOK,
            **told,
        )


class Home:
    """An application that is open from its first use until it is closed, in one event loop."""

    def __init__(self, settings: Settings) -> None:
        use_logging()
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[Application] = self._loop.create_future()
        self._closing = asyncio.Event()
        self._task = self._loop.create_task(self._run())
        self.users = 0

    @property
    def is_over(self) -> bool:
        """Whether it has ended, by whatever."""
        return self._task.done()

    async def app(self) -> Application:
        """Return the application once it is open; errors as `Application`'s."""
        return await asyncio.shield(self._opened)

    async def until(self, event: anyio.Event) -> None:
        """Return once an event is set; raise what ends the application before."""
        waiting = self._loop.create_task(event.wait())
        try:
            await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
            if self._task.done() and not event.is_set():
                self._task.result()
                raise RuntimeError("the application behind it has ended")
        finally:
            waiting.cancel()

    async def close(self) -> None:
        """Close it, and wait until it is closed; what ended it before goes to the log."""
        self._closing.set()
        await asyncio.wait({self._task})
        error = None if self._task.cancelled() else self._task.exception()
        if error is not None:
            log.error("the application behind it ended by an error", exc_info=error)

    async def _run(self) -> None:
        try:
            async with Application(settings=self._settings) as app:
                self._opened.set_result(app)
                await self._closing.wait()
        except Exception as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)
        finally:
            self._opened.cancel()  # changes nothing where it is told already


HOMES: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Place, Home]] = WeakKeyDictionary()


class Tenant:
    """An object's share in the application of its place; made where it is first used.

    Args:
        place: Where its queues are.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._home: Home | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_over(self) -> bool:
        """Whether the application has ended, or was not opened yet."""
        return self._home is None or self._home.is_over

    async def app(self) -> Application:
        """Return the application in the running loop, which is opened if need be.

        Raises:
            SettingsError: The connection cannot be used.
        """
        loop = asyncio.get_running_loop()
        home = self._home
        if home is None or self._loop is not loop or home.is_over:
            homes = HOMES.setdefault(loop, {})
            shared = homes.get(self.place)
            if shared is None or shared.is_over:
                shared = homes[self.place] = Home(self.place.settings())
            shared.users += 1
            home, self._home, self._loop = shared, shared, loop
        return await home.app()

    async def leave(self) -> None:
        """Give up the share; the last one closes the application."""
        home, loop = self._home, self._loop
        self._home = None
        if home is None or loop is not asyncio.get_running_loop():
            return
        home.users -= 1
        if home.users == 0:
            homes = HOMES.get(loop, {})
            if homes.get(self.place) is home:
                del homes[self.place]
            await home.close()


class Landlord(Tenant):
    """An application that one object has for itself: a worker, whose jobs may outlast others."""

    async def app(self) -> Application:
        """Return the application; see `Tenant.app`."""
        loop = asyncio.get_running_loop()
        if self._home is None or self._loop is not loop or self._home.is_over:
            self._home, self._loop = Home(self.place.settings(plugins=None)), loop
            self._home.users = 1
        return await self._home.app()

    async def until(self, event: anyio.Event) -> None:
        """Return once an event is set; raise what ends the application before."""
        if self._home is None:
            await event.wait()
        else:
            await self._home.until(event)
