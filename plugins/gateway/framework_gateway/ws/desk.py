"""One queue's remote workers: one worker of the framework takes jobs for all of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

import anyio
import structlog

from framework import Context, Job, RunningWorker, Workers, processor

log = structlog.get_logger("framework.gateway")

# How many jobs the clients of a queue may have at once at one gateway.
MOST_IN_HAND = 50_000
# A queue whose last client left is served on for so long: most come back.
LINGER_SECONDS = 10.0


class Takes(Protocol):
    """A client, as a desk sees it."""

    @property
    def free(self) -> int:
        """How many jobs it can be given now."""
        ...

    @property
    def capacity(self) -> int:
        """How many it may have in all, for now."""
        ...

    async def deliver(self, job: Job[Any], ctx: Context) -> Any:  # noqa: ANN401 - what it returns
        """Give it a job; returns or raises as the job's run does."""
        ...


class Desk:
    """Hands the jobs of one queue to clients, as many as they have room for.

    Args:
        workers: The application's.
        queue: The queue's name.
        lock: How long a lock lasts.
        on_idle: Called once it may be closed.
    """

    def __init__(
        self, workers: Workers, queue: str, lock: timedelta, on_idle: Callable[["Desk"], None]
    ) -> None:
        self.queue = queue
        self.lock = lock
        self._workers = workers
        self._on_idle = on_idle
        self._capacities: dict[Takes, int] = {}
        # Those with room, the one that waits longest first.
        self._ready: dict[Takes, None] = {}
        self._total = 0
        self._worker: RunningWorker | None = None
        self._opening = anyio.Lock()

    @property
    def is_idle(self) -> bool:
        """Whether no client is here."""
        return not self._capacities

    async def open(self) -> None:
        """Start what takes jobs; it takes none before a client is here.

        Raises:
            FrameworkError: As `Workers.start`.
        """
        async with self._opening:
            if self._worker is not None and not self._worker.is_ending:
                return

            async def hand_over(job: Job[Any], ctx: Context) -> Any:  # noqa: ANN401 - whatever a client returns
                return await self._hand_over(job, ctx)

            marked = processor(self.queue, concurrency=MOST_IN_HAND, lock_duration=self.lock)
            label = f"ws:{self.lock.total_seconds():g}"
            self._worker = await self._workers.start(marked(hand_over), label=label, idle=True)
            self._resize()

    async def close(self) -> None:
        """Take no more jobs; those in hand may end, then they are given back."""
        if self._worker is not None:
            await self._worker.stop()

    def enter(self, client: Takes) -> None:
        """Give jobs to a client from now on."""
        self._capacities[client] = 0
        self.changed(client)

    def leave(self, client: Takes) -> None:
        """Give it no more jobs."""
        self._total -= self._capacities.pop(client, 0)
        self._ready.pop(client, None)
        self._resize()
        if self.is_idle:
            self._on_idle(self)

    def changed(self, client: Takes) -> None:
        """Note that a client has more room, or less."""
        known = self._capacities.get(client)
        if known is None:
            return
        if client.free > 0:
            self._ready.setdefault(client)
        else:
            self._ready.pop(client, None)
        capacity = client.capacity
        if capacity != known:
            self._capacities[client] = capacity
            self._total += capacity - known
            self._resize()

    def _resize(self) -> None:
        if self._worker is not None and not self._worker.is_ending:
            self._worker.resize(min(self._total, MOST_IN_HAND))

    async def _hand_over(self, job: Job[Any], ctx: Context) -> Any:  # noqa: ANN401 - as it says
        while self._ready:
            client = next(iter(self._ready))
            del self._ready[client]
            if client.free > 0:
                return await client.deliver(job, ctx)
        # Whoever it was asked for has left since, or is congested.
        return await ctx.give_back()
