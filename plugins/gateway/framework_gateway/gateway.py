"""A running gateway, and how one is started."""

import asyncio  # noqa: TID251 - a gateway is closed in any task: it lives in one of its own
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import structlog
from pydantic import SecretStr

from framework import Application, Queues, Settings, Workers, load_settings
from framework_gateway.app import GatewayApp
from framework_gateway.auth import Guard, Token, tokens_of
from framework_gateway.callback.service import callbacks
from framework_gateway.hub import Hub
from framework_gateway.server import Server, bind
from framework_gateway.settings import GatewaySettings

log = structlog.get_logger("framework.gateway")


class Gateway:
    """A gateway; `start_gateway` makes and starts it. Also an async context manager.

    Attributes:
        host: The address that it listens at.
        port: And the port.
        hub: What its endpoints share.
    """

    def __init__(
        self, settings: GatewaySettings, redis: Settings, guard: Guard, listener: socket.socket
    ) -> None:
        self.host, self.port = listener.getsockname()[:2]
        self._settings = settings
        self._redis = redis
        self._guard = guard
        self._listener = listener
        self._close = anyio.Event()
        self._task: asyncio.Task[None] | None = None
        self.hub: Hub

    async def __aenter__(self) -> "Gateway":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Start it; returns once it listens. Raises as `start_gateway`."""
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        self._task = loop.create_task(self._run(opened))
        self._task.add_done_callback(lambda task: told(task, opened))
        await opened

    async def wait(self) -> None:
        """Wait until it has closed."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Close gracefully: nothing new begins, deliveries may end, then connections are closed."""
        self._close.set()
        await self.wait()

    def revoke(self, secret: str) -> bool:
        """Let a token open nothing any more, and close what it opened; tell if there was one."""
        return self.hub.revoke(secret)

    async def _run(self, opened: "asyncio.Future[None]") -> None:
        async with self._hub() as hub, anyio.create_task_group() as tasks:
            self.hub = hub
            server = Server(GatewayApp(hub), self._listener, self._settings)
            tasks.start_soon(server.run)
            await server.started()
            opened.set_result(None)
            facts = {"host": self.host, "port": self.port, "prefix": hub.prefix}
            log.info("gateway listens", **facts, redis=hub.redis)
            if not self._guard.has_tokens:
                log.warning("nobody may enter: set AUTH_TOKENS")
            await self._close.wait()
            await hub.close()
            server.stop()
        log.info("gateway closed", host=self.host, port=self.port)

    @asynccontextmanager
    async def _hub(self) -> AsyncIterator[Hub]:
        """Open what the endpoints share, and whatever else runs while the gateway does."""
        async with (
            Application(settings=self._redis) as application,
            anyio.create_task_group() as tasks,
        ):
            await application.check()
            queues: Queues = await application.get(Queues)
            workers: Workers = await application.get(Workers)
            redis = (await application.health()).redis.address
            settings, guard = self._settings, self._guard
            async with callbacks(application, workers, settings, tasks) as called:
                yield Hub(application, queues, workers, settings, guard, tasks, called, redis)
            tasks.cancel_scope.cancel()


def told(task: "asyncio.Task[None]", opened: "asyncio.Future[None]") -> None:
    """Tell who waits for the start why it failed."""
    error = None if task.cancelled() else task.exception()
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if not opened.done():
        opened.set_exception(error or RuntimeError("the gateway was cancelled"))


async def start_gateway(
    connection: str | Settings | None = None,
    keys: Iterable[str | Token] | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    settings: GatewaySettings | None = None,
) -> Gateway:
    """Start a gateway in the running event loop; close it with `Gateway.close`.

    Args:
        connection: Where Redis is: a URL, or the framework's settings; by the environment unless
            given.
        keys: Whoever has one may enter; by the environment unless given. Empty: nobody may.
        host: The address to listen at; as the settings say unless given.
        port: Where to listen, 0 for a free port; as the settings say unless given.
        settings: Read from the environment unless given.

    Raises:
        SettingsError: A setting cannot be used.
        RedisUnavailableError: Redis is not there within ``start_timeout``.
        OSError: The port cannot be had.
    """
    chosen = settings or load_settings(GatewaySettings)
    guard = Guard(tokens_of(chosen) if keys is None else map(as_token, keys))
    redis = redis_settings(connection, chosen)
    listener = bind(chosen.host if host is None else host, chosen.port if port is None else port)
    gateway = Gateway(chosen, redis, guard, listener)
    try:
        await gateway.start()
    except BaseException:
        listener.close()
        raise
    return gateway


def as_token(key: str | Token) -> Token:
    """Return a key as a token that may do everything."""
    return Token(SecretStr(key)) if isinstance(key, str) else key


def redis_settings(connection: str | Settings | None, chosen: GatewaySettings) -> Settings:
    """Return the framework's settings: where Redis is, and under which prefix.

    Raises:
        SettingsError: One cannot be used.
    """
    base = connection if isinstance(connection, Settings) else load_settings()
    changes: dict[str, object] = {
        "shutdown_timeout": timedelta(seconds=chosen.grace_period),
        "worker_presence": False,  # what is shown are the clients
    }
    if isinstance(connection, str):
        changes["redis_url"] = SecretStr(connection)
    if chosen.queue_prefix is not None:
        changes["prefix"] = chosen.queue_prefix
    return base.model_copy(update=changes)
