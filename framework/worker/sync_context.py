"""`Context` for handlers that run in a thread or a process."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NoReturn, ParamSpec, TypeVar, cast, overload

from framework.model.job import ChildCounts, Job, JobOf
from framework.model.outcome import DelayFor, DelayUntil, Hold, LimitRate
from framework.worker.context import Context
from framework.worker.context_parts import Memory, leave_if_asked
from framework.worker.run import Run

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")
V = TypeVar("V")


class SyncContext:
    """`Context` for handlers that run in a thread or a process: the same without ``await``.

    Attributes:
        job_id: The running job.
        attempt: Which attempt this is, from 1.
        token: What holds the job; see `Context`.
    """

    __slots__ = ("_context", "_run", "attempt", "job_id", "token")

    def __init__(self, run: Run) -> None:
        self._run = run
        self._context = Context(run)
        self.job_id = self._context.job_id
        self.attempt = self._context.attempt
        self.token = self._context.token

    @property
    def cancelled(self) -> bool:
        """Whether the job should end now; a thread cannot be stopped, so look now and then.

        A process need not: it is sent SIGTERM, which raises `SystemExit` in the handler.
        """
        return self._context.cancelled

    @property
    def pausing(self) -> bool:
        """Whether somebody asked to hold the job; see `Context.pausing`."""
        self._run.look()
        return self._context.pausing

    def checkpoint(self) -> None:
        """Go on, unless the job is to be held or was cancelled; see `Context.checkpoint`."""
        if self.cancelled:
            self._run.leave(Hold())  # nobody waits for what this thread does: it only has to end
        self._run.look()
        leave_if_asked(self._run)

    def progress(self, progress: object) -> None:
        """Report how far the job is; see `Context.progress`."""
        self._run.wait_for(self._context.progress, progress)

    def log(self, row: object) -> None:
        """Append a row to the job's log; see `Context.log`."""
        self._run.wait_for(self._context.log, row)

    def stream(self, chunk: object) -> None:
        """Append a chunk to what the job streams; see `Context.stream`."""
        self._run.wait_for(self._context.stream, chunk)

    def save(self, job: JobOf[T, R], data: T) -> Job[T, R]:
        """Replace the job's data; see `Context.save`."""
        return self._run.wait_for(self._context.save, job, data)

    def step(self, name: str, work: Callable[P, V], *args: P.args, **kwargs: P.kwargs) -> V:
        """Run a step in this thread, or return what it returned earlier; see `Context.step`."""
        memory = Memory(name, work)
        text = self._context.remembered(memory)
        if text is not None:
            return cast("V", memory.codec.decode(text))
        self._run.look()
        leave_if_asked(self._run)
        result = work(*args, **kwargs)
        self._run.wait_for(self._context.remember, memory, result)
        return result

    def delay_for(self, delay: timedelta) -> NoReturn:
        """Leave, and run again after a delay; see `Context.delay_for`."""
        self._run.leave(DelayFor(delay))

    def delay_until(self, due: datetime) -> NoReturn:
        """Leave, and run again at ``due``; see `Context.delay_until`."""
        self._run.leave(DelayUntil(due))

    def rate_limit(self, duration: timedelta) -> NoReturn:
        """Let no job of the queue start for a while; see `Context.rate_limit`."""
        self._run.leave(LimitRate(duration))

    def wait_for_children(self) -> None:
        """Go on if no child is pending, else leave; see `Context.wait_for_children`."""
        self._run.wait_for(self._context.wait_for_children)

    @overload
    def children_values(self, kind: type[V]) -> dict[str, V]: ...
    @overload
    def children_values(self, kind: object = ...) -> dict[str, Any]: ...
    def children_values(self, kind: object = Any) -> dict[str, Any]:
        """Return what the completed children returned; see `Context.children_values`."""
        return self._run.wait_for(self._context.children_values, kind)

    def ignored_children(self) -> dict[str, str]:
        """Return why children failed; see `Context.ignored_children`."""
        return self._run.wait_for(self._context.ignored_children)

    def failed_children(self) -> list[str]:
        """Return the children with which this job will fail; see `Context.failed_children`."""
        return self._run.wait_for(self._context.failed_children)

    def dependencies_count(self) -> ChildCounts:
        """Return how many children there are; see `Context.dependencies_count`."""
        return self._run.wait_for(self._context.dependencies_count)
