"""What all endpoints of one gateway share."""

import anyio
from anyio.abc import TaskGroup

from framework import Application, Queue, Queues, Workers
from framework_gateway.auth import Guard
from framework_gateway.callback.service import Callbacks
from framework_gateway.connections import Connections
from framework_gateway.errors import closing
from framework_gateway.settings import GatewaySettings
from framework_gateway.ws.desks import Desks

# Close codes, and their reasons.
GOING_AWAY = 1001, "the gateway is closing"
REVOKED = 4000, "invalid authentication"
# How long clients have to take what waits for them.
CLOSE_SECONDS = 2.0


class Hub:
    """What all endpoints share.

    Args:
        application: Open; it has no declarations of its own.
        queues: The application's.
        workers: The application's.
        settings: The gateway's.
        guard: Knows the tokens.
        tasks: What works in the background of the gateway.
        callbacks: The workers that are called over HTTP.
        redis: Where Redis is, without its password.

    Attributes:
        connections: The WebSockets that are open.
        desks: Hand jobs to worker clients.
        is_closing: Whether the gateway closes: nothing new begins.
        closed: All that serves clients for as long as they like is to end.
    """

    def __init__(
        self,
        application: Application,
        queues: Queues,
        workers: Workers,
        settings: GatewaySettings,
        guard: Guard,
        tasks: TaskGroup,
        callbacks: Callbacks,
        redis: str = "",
    ) -> None:
        self.application = application
        self.workers = workers
        self.settings = settings
        self.guard = guard
        self.tasks = tasks
        self.callbacks = callbacks
        self.redis = redis
        self.connections = Connections()
        self.desks = Desks(workers, tasks)
        self.is_closing = False
        self.closed = anyio.Event()
        self._queues = queues
        # The one that was used last is the last.
        self._open: dict[str, Queue] = {}

    @property
    def prefix(self) -> str:
        """What all keys begin with."""
        return self.application.settings.prefix

    def queue(self, name: str) -> Queue:
        """Return a queue whose name is checked; those used least lately are kept no longer."""
        queue = self._open.pop(name, None) or self._queues.get(name)
        self._open[name] = queue
        if len(self._open) > self.settings.queue_cache_size:
            self._drop_one()
        return queue

    def _drop_one(self) -> None:
        """Drop the queue that nobody is connected to and that was used least lately."""
        for name in list(self._open)[:-1]:
            if not self.connections.uses(name):
                del self._open[name]
                self._queues.drop(name)
                return

    def check_open(self) -> None:
        """Refuse what begins while the gateway closes.

        Raises:
            AnswerError: 503.
        """
        if self.is_closing:
            raise closing()

    def now_ms(self) -> int:
        """Return the time in milliseconds."""
        return self.application.clock.now_ms()

    def revoke(self, secret: str) -> bool:
        """Let a token open nothing any more, and close what it opened; tell if there was one."""
        token = self.guard.revoke(secret)
        if token is not None:
            self.connections.close(*REVOKED, token=token)
        return token is not None

    async def close(self) -> None:
        """Let nothing new begin, and what runs end; then close all WebSockets."""
        self.is_closing = True
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.desks.close)
            tasks.start_soon(self.callbacks.close)
        self.closed.set()
        self.connections.close(*GOING_AWAY)
        with anyio.move_on_after(CLOSE_SECONDS):
            await self.connections.gone()
