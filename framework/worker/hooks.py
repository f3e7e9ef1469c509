"""Call a processor's hooks. What a hook does or raises never changes a job's fate."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import anyio
import structlog
from anyio.abc import TaskGroup

from framework.declare.hooks import Heard as Scope
from framework.declare.hooks import HookSpec
from framework.worker.current import CURRENT
from framework.worker.parking import Parking

log = structlog.get_logger("framework.hooks")

MOST_PENDING = 1000

# Hooks, and what has them: a processor, or what a plugin listens with.
Heard = tuple[Iterable[HookSpec], object]


class Hooks:
    """The hooks of one scope that a worker has, by event.

    Args:
        heard: The hooks of its processor, and those of plugins, called in this order.
        scope: Which of them.
        queue: The queue's name, for the log.

    Attributes:
        pending: How many events are being told that nobody waits for.
    """

    def __init__(self, heard: Iterable[Heard], scope: Scope, queue: str) -> None:
        self._queue = queue
        self.pending = 0
        self._parking = Parking()
        self._hooks: dict[str, list[tuple[HookSpec, Callable[..., Any]]]] = {}
        for specs, instance in heard:
            for spec in specs:
                if spec.scope == scope:
                    call = getattr(instance, spec.attribute)
                    self._hooks.setdefault(spec.event, []).append((spec, call))

    def __bool__(self) -> bool:
        """Whether there is any hook at all."""
        return bool(self._hooks)

    def hears(self, event: str) -> bool:
        """Whether any hook wants this event."""
        return event in self._hooks

    async def call(self, name: str, event: object) -> None:
        """Call all hooks of an event, one after the other; what they raise is logged."""
        # A hook is told which job it is about; its lines are not the running job's.
        running = CURRENT.get()
        if running is not None:
            CURRENT.set(None)
        try:
            await self.tell(name, event)
        finally:
            if running is not None:
                CURRENT.set(running)

    async def tell(self, name: str, event: object) -> None:
        """Do what `call` does, in a task that runs no job."""
        for spec, call in self._hooks.get(name, ()):
            try:
                answer = call(event) if spec.takes_event else call()
                if inspect.isawaitable(answer):
                    await answer
            except anyio.get_cancelled_exc_class():
                if anyio.get_current_task().has_pending_cancellation():
                    raise
                self._log_failure(spec, name)
            except (Exception, SystemExit, KeyboardInterrupt):
                self._log_failure(spec, name)

    def _log_failure(self, spec: HookSpec, name: str) -> None:
        log.exception("hook failed", hook=spec.attribute, event_name=name, queue=self._queue)

    def start(self, tasks: TaskGroup, name: str, event: object) -> None:
        """Call all hooks of an event in a task of their own."""
        if name in self._hooks:
            self.pending += 1
            tasks.start_soon(self._call_and_count, name, event)

    async def _call_and_count(self, name: str, event: object) -> None:
        try:
            await self.call(name, event)
        finally:
            self.count_done()

    def count_done(self) -> None:
        """Note that one of those has ended that nobody waits for."""
        self.pending -= 1
        self._parking.wake()

    async def keep_up(self) -> None:
        """Wait while too many hooks run that nobody waits for: jobs must not outrun them."""
        while self.pending >= MOST_PENDING:
            await self._parking.wait()
