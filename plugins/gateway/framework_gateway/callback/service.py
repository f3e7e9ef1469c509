"""What calls HTTP workers while a gateway runs, and follows what other gateways register."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import anyio
import structlog
from anyio.abc import TaskGroup
from pydantic_core import to_json

from framework import Application, FrameworkError, Queues, Redis, Workers
from framework_gateway.callback.allow import Allowed
from framework_gateway.callback.call import Caller
from framework_gateway.callback.crew import HttpCrew
from framework_gateway.callback.record import read_worker
from framework_gateway.callback.registry import Registry
from framework_gateway.errors import AnswerError, bad_request
from framework_gateway.settings import GatewaySettings
from framework_gateway.strict_json import json_of

log = structlog.get_logger("framework.gateway")

# Between two tries to follow what Redis refuses to show.
AGAIN_SECONDS = 5.0


class Callbacks:
    """HTTP workers: registered here, and run by every gateway of the same Redis.

    Args:
        registry: Where they are registered.
        crew: Runs them here.
        allowed: Where they may be called.
        settings: The gateway's.
    """

    def __init__(
        self, registry: Registry, crew: HttpCrew, allowed: Allowed, settings: GatewaySettings
    ) -> None:
        self._registry = registry
        self._crew = crew
        self._allowed = allowed
        self._settings = settings

    def told(self) -> list[dict[str, object]]:
        """Return what runs here: ``[{"queue", "url", "concurrency", "running"}]``."""
        return self._crew.told()

    def checked_queue(self, body: object) -> str:
        """Check a worker that a client sends; return its queue.

        Raises:
            AnswerError: 400.
        """
        record = read_worker(body, self._settings)
        if not self._allowed.may_be(record.endpoint.host):
            raise bad_request("Invalid URL: its host is not allowed")
        return record.queue

    async def register(self, queue: str, body: object) -> None:
        """Register a checked worker in place of its queue's; it runs here once this returns."""
        await self._registry.put(queue, to_json(body))
        await self._crew.reconcile(queue)

    async def remove(self, queue: str) -> bool:
        """Remove the worker of a queue; tell whether there was one."""
        was_there = await self._registry.remove(queue)
        await self._crew.reconcile(queue)
        return was_there

    async def urls(self) -> dict[str, str]:
        """Return the URLs of all workers by their queues, but for records nobody can read."""
        found: dict[str, str] = {}
        for queue, stored in (await self._registry.all()).items():
            try:
                found[queue] = read_worker(json_of(stored), self._settings).endpoint.url
            except AnswerError:
                continue
        return found

    async def follow(self, after: str) -> None:
        """Run what is registered anywhere, for ever.

        Args:
            after: Where the stream ended before the registry was read.
        """
        while True:
            try:
                async with aclosing(self._registry.changes(after)) as news:
                    async for changes in news:
                        after = await self._take(changes, after)
            except FrameworkError as error:
                log.warning("http workers cannot be followed", error=str(error))
            except Exception:
                log.exception("http workers cannot be followed")
            await anyio.sleep(AGAIN_SECONDS)

    async def _take(self, changes: list[tuple[str, str]], after: str) -> str:
        """Bring this gateway up to date; return how far the stream was read."""
        if not changes:  # for a while, or since the line was cut: some may be trimmed
            await self._crew.reconcile_all()
        for position, queue in changes:
            await self._crew.reconcile(queue)
            after = position
        return after

    async def start(self, tasks: TaskGroup) -> None:
        """Run all that is registered, and follow it from then on."""
        after = await self._registry.position()
        await self._crew.reconcile_all()
        tasks.start_soon(self.follow, after)

    async def close(self) -> None:
        """Take no more jobs, and let the calls that are made end."""
        await self._crew.close()


@asynccontextmanager
async def callbacks(
    application: Application, workers: Workers, settings: GatewaySettings, tasks: TaskGroup
) -> AsyncIterator[Callbacks]:
    """Run HTTP workers until the end of the block.

    Args:
        application: Open.
        workers: The application's.
        settings: The gateway's.
        tasks: What works in the background of the gateway.

    Raises:
        SettingsError: ``ENDPOINT_ALLOW`` cannot be used.
        RedisRefusedError: The registry's keys are not of the type that they should be.
    """
    allowed = Allowed(settings.endpoint_allow)
    registry = Registry(await application.get(Redis), settings)
    caller = Caller(allowed, settings.max_message_bytes)
    queues: Queues = await application.get(Queues)
    crew = HttpCrew(registry, workers, queues, caller, settings, tasks)
    service = Callbacks(registry, crew, allowed, settings)
    try:
        await service.start(tasks)
        yield service
    finally:
        with anyio.CancelScope(shield=True):
            await service.close()
            await caller.aclose()
