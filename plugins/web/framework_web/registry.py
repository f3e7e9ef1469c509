"""Which task types this process knows, and the workers that it started for them."""

from collections.abc import Callable

from framework import DeclarationError, OptionsError, RunningWorker, Workers
from framework_web.kinds import TaskType, type_of


class Registry:
    """The task types of a process: those that the package declares, and others.

    Args:
        workers: Knows what is declared, and starts what is not.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._types: dict[str, TaskType] = {}
        self._started: dict[str, RunningWorker] = {}
        self._declared: set[str] = set()
        for target in workers.declared:
            kind = type_of(target)
            if kind is not None:
                self.add(kind)
                self._declared.add(kind.name)

    @property
    def types(self) -> tuple[TaskType, ...]:
        """All of them, the declared ones first."""
        return tuple(self._types.values())

    def known(self, kind: TaskType, *, has_queue: bool) -> TaskType | None:
        """Return the type of this name that is known, if any.

        Args:
            has_queue: Whether its queue was asked for, and must be the same.

        Raises:
            DeclarationError: The name has another queue, or the queue another name.
        """
        known = self._types.get(kind.name)
        if known is not None and has_queue and known.queue != kind.queue:
            raise DeclarationError(
                f'the task type "{kind.name}" has the queue "{known.queue}" already',
                fix="choose another name",
            )
        if known is None:
            self._refuse_shared(kind)
        return known

    def add(self, kind: TaskType) -> None:
        """Know one more.

        Raises:
            DeclarationError: The name has another queue, or the queue another name.
        """
        if self.known(kind, has_queue=True) is None:
            self._types[kind.name] = kind

    def _refuse_shared(self, kind: TaskType) -> None:
        for one in self._types.values():
            if one.queue == kind.queue:
                raise DeclarationError(
                    f'the queue "{kind.queue}" is that of the task type "{one.name}"',
                    fix="choose another queue",
                )

    def named(self, name: str) -> TaskType:
        """Return a type.

        Raises:
            OptionsError: There is none of this name.
        """
        if name not in self._types:
            known = ", ".join(self._types) or "none"
            raise OptionsError("type", f"there is no task type {name!r}; there are: {known}")
        return self._types[name]

    async def start(
        self, kind: TaskType, processor: Callable[..., object], concurrency: int
    ) -> None:
        """Start a worker of a type, unless it is declared or has one.

        Raises:
            DeclarationError: It cannot be started.
            RedisUnavailableError: Redis is not there.
        """
        if kind.name not in self._declared:
            self._started[kind.name] = await self._workers.start(
                processor, queue=kind.queue, concurrency=concurrency
            )

    async def stop(self, kind: TaskType) -> None:
        """Stop the worker of a type that was started, once its jobs have ended."""
        worker = self._started.pop(kind.name, None)
        if worker is not None:
            await worker.stop()
