"""The child processes of one processor: started as jobs need them, used again, ended when idle."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import anyio
import structlog
from anyio.abc import TaskGroup

from framework.errors import ProcessCrashedError
from framework.worker.child_process import Answer, ChildProcess, NeverBegunError, Wiring
from framework.worker.frames import Message

log = structlog.get_logger("framework.children")

IDLE_SECONDS = 300.0
IDLE_SPARE_SECONDS = 30.0


@dataclass(slots=True)
class Children:
    """Child processes that run the jobs of one processor. An async context manager.

    There are as many as jobs run at once, so the worker's slots bound them. Entering starts
    the first: what cannot be wired is known before any job is taken.

    Args:
        wiring: What each is told first.
        idle_seconds: How long one may have nothing to do before it is ended.
        is_spare: For jobs that may end their process. None starts before it is needed. The end of
            one that ran other jobs before may be their doing: then the job runs again in a new one.
    """

    wiring: Wiring
    idle_seconds: float = IDLE_SECONDS
    is_spare: bool = False
    _idle: list[tuple[float, ChildProcess]] = field(
        default_factory=list[tuple[float, ChildProcess]]
    )
    _tasks: TaskGroup | None = None

    @classmethod
    def spare(cls, wiring: Wiring) -> Self:
        """Return those for jobs that may end their process."""
        return cls(wiring, IDLE_SPARE_SECONDS, is_spare=True)

    async def __aenter__(self) -> Self:
        tasks = anyio.create_task_group()
        self._tasks = await tasks.__aenter__()
        try:
            if not self.is_spare:
                self._put(await ChildProcess.start(self.wiring, tasks))
        except BaseException:
            tasks.cancel_scope.cancel()
            await tasks.__aexit__(None, None, None)
            raise
        tasks.start_soon(self._end_idle)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._tasks is None:
            return
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as ending:
                while self._idle:
                    ending.start_soon(self._idle.pop()[1].end)
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(None, None, None)
        self._tasks = None

    @property
    def idle(self) -> int:
        """How many have nothing to do."""
        return len(self._idle)

    async def run(self, job: Message, answer: Answer, begin: Callable[[], None]) -> Message:
        """Run a job in a child, and return how it ended; ``begin``: called once it has begun.

        Raises:
            ProcessCrashedError: The child ended in the middle.
            ProcessStartError: No child could be started.
        """
        is_new = False
        while True:
            child = await self._take(is_new=is_new)
            try:
                ending = await child.run(job, answer, begin)
            except NeverBegunError:
                log.warning("an idle child was gone", queue=self.wiring.queue)
            except ProcessCrashedError as crash:
                if not (self.is_spare and child.served):
                    raise
                facts = {"job": job.facts["id"], "queue": self.wiring.queue}
                log.warning(
                    "a used child ended: once more in a new one", cause=crash.cause, **facts
                )
                is_new = True
            except BaseException:
                await child.end()
                raise
            else:
                self._put(child)
                return ending

    async def _take(self, *, is_new: bool) -> ChildProcess:
        if self._idle and not is_new:
            return self._idle.pop()[1]
        if self._tasks is None:
            raise RuntimeError("the children are not there yet, or no more")
        return await ChildProcess.start(self.wiring, self._tasks)

    def _put(self, child: ChildProcess) -> None:
        self._idle.append((anyio.current_time(), child))

    async def _end_idle(self) -> None:
        """End children that have had nothing to do for long; the newest are used first."""
        while True:
            await anyio.sleep(self.idle_seconds / 4)
            longest = anyio.current_time() - self.idle_seconds
            while self._idle and self._idle[0][0] < longest:
                await self._idle.pop(0)[1].end()
