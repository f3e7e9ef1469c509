"""One job in a client's hands."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio

from framework import Context, FrameworkError, Job, Queue
from framework_gateway.ws.steps import (
    ENDINGS,
    Acknowledge,
    Delay,
    Ending,
    Extend,
    Failure,
    LogRow,
    Progress,
    Release,
    Result,
    Step,
    Update,
    Vanished,
)

# What a client has said of one delivery, and that is not done yet, takes so much at most.
MOST_BYTES = 256 * 1024
STEP_BYTES = 200
ONE_MS = timedelta(milliseconds=1)
Told = Callable[["Delivery", FrameworkError], None]


@dataclass(slots=True, eq=False)
class Delivery:
    """One job in a client's hands, from when it is sent until its client has resolved it.

    What the client says is done in the order in which it came, by the job's own run.

    Args:
        id: By which the client knows it.
        job: The job.
        ctx: The job's context.
        queue: Its queue.
        on_refused: Told what of the client's wishes could not be done.

    Attributes:
        is_acknowledged: Whether the client has said anything of it.
        deadline: When something happens unless the client speaks, by ``anyio.current_time``.
    """

    id: int
    job: Job[Any]
    ctx: Context
    queue: Queue
    on_refused: Told
    is_acknowledged: bool = False
    deadline: float | None = None
    _inbox: deque[Step] = field(default_factory=deque[Step])
    _news: anyio.Event | None = None
    _size: int = 0
    _done: anyio.Event | None = None

    def put(self, step: Step, size: int = 0) -> None:
        """Take in what the client, or the gateway, says; an ending is the last."""
        self._inbox.append(step)
        self._size += size + STEP_BYTES
        if self._news is not None:
            self._news.set()

    async def room(self) -> None:
        """Wait until not too much is still to be done."""
        while self._size > MOST_BYTES:
            self._done = anyio.Event()
            await self._done.wait()

    async def run(self) -> Any:  # noqa: ANN401 - whatever the client returned
        """Do what the client says; return its result.

        Raises:
            HandlerError: It failed.
            Parked: The job goes on later, or elsewhere.
        """
        try:
            while True:
                while not self._inbox:
                    self._news = anyio.Event()
                    await self._news.wait()
                step = self._inbox[0]
                if isinstance(step, ENDINGS):
                    return await self._end(step)
                try:
                    await self._do(step)
                except FrameworkError as error:
                    self.on_refused(self, error)
                self._inbox.popleft()
                self._free()
        finally:
            self._inbox.clear()
            self._free()

    def _free(self) -> None:
        if not self._inbox:
            self._size = 0
            if self._done is not None:
                self._done.set()

    async def _end(self, step: Ending) -> Any:  # noqa: ANN401 - as `run`
        match step:
            case Result(value):
                return value
            case Failure(error):
                raise error
            case Vanished(most):
                return await self.ctx.give_back(max_stalled=most)
            case Delay(ms):
                return await self.ctx.delay_for(ms * ONE_MS)
            case Release():
                return await self.ctx.give_back()

    async def _do(self, step: Acknowledge | Progress | LogRow | Extend | Update) -> None:
        match step:
            case Acknowledge():
                pass
            case Progress(value):
                await self.ctx.progress(value)
            case LogRow(row):
                await self.ctx.log(row)
            case Update(data):
                self.job = await self.ctx.save(self.job, data)
            case Extend(ms):
                await self.queue.extend_locks({self.job.id: self.ctx.token}, ms * ONE_MS)
