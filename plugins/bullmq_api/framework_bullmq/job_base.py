"""What every part of `Job` stands on: a job as it was read, and where it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from framework_bullmq.record import READERS, AnyRecord
from framework_bullmq.refusals import missing
from framework_bullmq.spelling import camel

if TYPE_CHECKING:
    from framework import Context, HeldJob
    from framework import Queue as Engine
    from framework_bullmq.queue import Queue


class JobBase:
    """A job of a queue.

    Args:
        queue: Its queue.
        record: The job as it was read.
        run: Its run, if it runs here.
        held: The same, if it was taken by hand.
    """

    queue: Queue
    queueQualifiedName: str
    # Read when they are first asked for, see `__getattr__`.
    id: Any
    attemptsMade: int
    failedReason: str | None
    finishedOn: int
    processedOn: int
    returnvalue: Any
    stacktrace: list[str]
    token: str | None

    def __init__(
        self,
        queue: Queue,
        record: AnyRecord,
        *,
        run: Context | None = None,
        held: HeldJob | None = None,
    ) -> None:
        self.queue = queue
        self.queueQualifiedName = queue.qualifiedName
        self._record = record
        self._run = run
        self._held = held
        if run is not None:
            self.token = run.token
        elif held is not None:
            self.token = held.token

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever stands there
        """Read what the job tells, and keep it; a snake_case name stands for the other one."""
        read = READERS.get(name)
        if read is not None:
            value = self.__dict__[name] = read(self._record)
            return value
        spelt = camel(name)
        if spelt != name and (spelt in READERS or spelt in self.__dict__):
            return getattr(self, spelt)
        raise missing(type(self), name)

    def __repr__(self) -> str:
        """Name it; its data may be secret."""
        return f"Job(id={self.id!r}, queue={self.queue.name!r}, name={self.name!r})"

    async def _engine(self) -> Engine:
        return await self.queue.engine()
