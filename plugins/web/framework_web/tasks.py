"""Start tasks, look at them, stop them and hear of them, from any process."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import anyio
from anyio.abc import TaskGroup
from typing_extensions import Unpack

from framework import (
    Effect,
    JobNotFoundError,
    JobOptions,
    JobState,
    OptionsError,
    Queue,
    Queues,
    Workers,
    WrongStateError,
)
from framework_web.finding import Finder
from framework_web.kinds import CONCURRENCY, TaskType
from framework_web.model import DeadLetter, Task, TaskId, dead_letter_of, task_of
from framework_web.registry import Registry
from framework_web.task_updates import OnUpdate, Subscription
from framework_web.tokens import WatchToken, WatchTokens

HALF_A_MINUTE = timedelta(seconds=30)


class Tasks:
    """All tasks of an application. Ask for it by its type.

    Where it takes the ``id`` of a task, that is what `add` returned, or its text; with text say the
    ``type`` too, or all types are searched.
    """

    def __init__(
        self, queues: Queues, workers: Workers, background: TaskGroup, tokens: WatchTokens
    ) -> None:
        self._queues = queues
        self._tokens = tokens
        self._background = background
        self._registry = Registry(workers)
        self._finder = Finder(self._registry, queues)
        self._subscriptions: list[Subscription] = []
        self._registering = anyio.Lock()

    @property
    def types(self) -> tuple[TaskType, ...]:
        """All types: the declared ones, then those that were registered."""
        return self._registry.types

    async def register(
        self,
        type: str,
        processor: Callable[..., object] | None = None,
        *,
        queue: str | None = None,
        concurrency: int = CONCURRENCY,
        **defaults: Unpack[JobOptions],
    ) -> TaskType:
        """Make a task type known to this process; a second time returns the first one.

        Args:
            type: What it is called. Letters, digits, ``.``, ``_`` and ``-``.
            processor: What runs its jobs: a worker is started here, and only here; as
                `Workers.start` takes it. None where others work the queue, of whatever language.
            queue: The queue of its jobs; called as the type unless given.
            concurrency: How many the worker runs at once.
            defaults: The options of its jobs; see `task`.

        Raises:
            DeclarationError: It cannot be called so, another type has the queue, it has another
                queue already, or what `Workers.start` refuses.
            RedisUnavailableError: A worker is to be started, or somebody listens, and Redis is not
                there.
        """
        kind = TaskType.of(type, queue, defaults)
        async with self._registering:
            known = self._registry.known(kind, has_queue=queue is not None)
            kind = known or kind
            if processor is not None:
                await self._registry.start(kind, processor, concurrency)
            if known is None:
                for subscription in self._subscriptions:
                    await self._follow(subscription, kind)
                self._registry.add(kind)
        return kind

    async def unregister(self, type: str) -> None:
        """Stop the worker that `register` started, once its jobs have ended; the type stays known.

        Raises:
            OptionsError: There is no such type.
        """
        await self._registry.stop(self._registry.named(type))

    async def add(
        self,
        type: str,
        data: object = None,
        **options: Unpack[JobOptions],
    ) -> TaskId:
        """Start a task; return its id.

        Args:
            type: Its type.
            data: Anything JSON can hold, models included.
            options: Such as ``priority``, ``delay``, or ``job_id`` for an id of one's own: a task
                that is there already stays as it is. Unless given it is a random one.

        Raises:
            OptionsError: There is no such type, or an option is out of its range.
            PayloadError: JSON cannot hold the data.
        """
        kind = self._registry.named(type)
        merged = JobOptions(**{"job_id": str(uuid.uuid4()), **kind.defaults, **options})
        job = await self._queue(kind).add(kind.name, data, **merged)
        return TaskId(job.id, type)

    def watch_token(
        self,
        id: str,
        *,
        type: str | None = None,
        may_abort: bool = False,
        lifetime: timedelta | None = None,
    ) -> WatchToken:
        """Return a token with which a browser may watch this one task, and nothing else.

        Args:
            type: Its type; needed where the id is but text.
            may_abort: Whether it may abort the task too.
            lifetime: For how long; as ``FRAMEWORK_WEB_TOKEN_LIFETIME`` says unless given, a day.

        Raises:
            OptionsError: There is no such type, or it was not said.
            SettingsError: ``FRAMEWORK_WEB_SECRET`` is not set.
        """
        kind = self._finder.said(id, type)
        if kind is None:
            raise OptionsError("type", f"which type has the task {id!r}? A token needs to know")
        return self._tokens.sign(kind.name, id, may_abort=may_abort, lifetime=lifetime)

    async def get(self, id: str, *, type: str | None = None) -> Task | None:
        """Return a task as it stands, or None.

        Raises:
            OptionsError: There is no such type, or tasks of several types have this id.
        """
        with suppress(JobNotFoundError):
            kind = await self._finder.find(id, type)
            look = await self._queue(kind).look(id)
            return None if look is None else task_of(look, kind.name)
        return None

    async def remove(self, id: str, *, type: str | None = None) -> Effect:
        """Abort a task, wherever it runs or waits; delete it, if it has ended.

        An aborted one has failed, and says ``cancelled``.

        Returns:
            ``DONE`` it is so, ``ASKED`` its worker was told, ``LATER`` it runs where nobody can
            stop it, and does not start again.

        Raises:
            JobNotFoundError: There is no such task.
        """
        queue = self._queue(await self._finder.find(id, type))
        try:
            return await queue.cancel(id)
        except WrongStateError:  # it has finished
            await queue.remove(id)
            return Effect.DONE

    async def pause(self, id: str, *, type: str | None = None) -> Effect:
        """Hold a task until `resume`; a running one at its next checkpoint. See `Queue.pause_job`.

        Raises:
            JobNotFoundError: There is no such task.
            WrongStateError: It has finished.
        """
        return await self._queue(await self._finder.find(id, type)).pause_job(id)

    async def resume(self, id: str, *, type: str | None = None) -> None:
        """Let a task go on that is held.

        Raises:
            JobNotFoundError: There is no such task.
            WrongStateError: It is not held.
        """
        await self._queue(await self._finder.find(id, type)).resume_job(id)

    async def retry(self, id: str, *, type: str | None = None) -> None:
        """Run a task again that has ended, with all its attempts.

        Raises:
            JobNotFoundError: There is no such task.
            WrongStateError: It has not ended.
        """
        queue = self._queue(await self._finder.find(id, type))
        await queue.retry_job(id, reset_attempts_made=True)

    async def dead_letters(
        self,
        type: str,
        start: int = 0,
        stop: int = 49,
    ) -> list[DeadLetter]:
        """Return a page of the tasks that failed for good and are kept, the newest first.

        Args:
            start: Place of the first, from 0.
            stop: Place of the last, included; -1: to the end.

        Raises:
            OptionsError: There is no such type.
        """
        jobs = await self._queue(self._registry.named(type)).jobs(JobState.FAILED, start, stop)
        return [dead_letter_of(job, type) for job in jobs]

    async def retry_all(self, type: str) -> int:
        """Run all dead letters of a type again, with all their attempts; return how many.

        Raises:
            OptionsError: There is no such type.
        """
        queue, retried = self._queue(self._registry.named(type)), 0
        for job in await queue.jobs(JobState.FAILED, 0, -1):
            # Somebody else may have retried or removed it meanwhile.
            with suppress(JobNotFoundError, WrongStateError):
                await queue.retry_job(job.id, reset_attempts_made=True)
                retried += 1
        return retried

    async def wait(
        self,
        id: str,
        timeout: timedelta = HALF_A_MINUTE,
        *,
        type: str | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the task returned
        """Return what a task returns, once it has completed; at once if it has.

        Raises:
            JobFailedError: It failed for good, or was aborted.
            JobNotFoundError: There is no such task, or it was deleted.
            ResultTimeoutError: Not within ``timeout``; the task goes on.
        """
        return await self._queue(await self._finder.find(id, type)).result(id, timeout=timeout)

    async def on_update(self, callback: OnUpdate) -> Callable[[], None]:
        """Call back with ``(type, id, update)`` for all that happens to tasks from now on.

        Of all types, those registered later too, whatever process adds and works them. Of one type
        in order, the next once the callback has returned; a slow one misses nothing that Redis
        still has. What it raises is logged.

        Args:
            callback: Plain, which must not block, or asynchronous.

        Returns:
            What ends it. It is not called any more then.

        Raises:
            RedisUnavailableError: Redis is not there.
        """
        subscription = Subscription(callback)
        async with self._registering:
            try:
                for kind in self.types:
                    await self._follow(subscription, kind)
            except BaseException:
                subscription.end()
                raise
            self._subscriptions.append(subscription)

        def unsubscribe() -> None:
            subscription.end()
            with suppress(ValueError):  # a second time
                self._subscriptions.remove(subscription)

        return unsubscribe

    async def _follow(self, subscription: Subscription, kind: TaskType) -> None:
        await self._background.start(subscription.follow, kind.name, self._queue(kind))

    def _queue(self, kind: TaskType) -> Queue:
        return self._queues.get(kind.queue)
