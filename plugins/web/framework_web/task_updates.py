"""What happens to tasks, told to callbacks, whoever does it."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import anyio
import structlog
from anyio.abc import TaskStatus

from framework import FrameworkError, JobId, Queue, QueueEvent
from framework_web.model import TaskId
from framework_web.progress import read_progress
from framework_web.states import NEVER, TaskState, state_of, will_retry

log = structlog.get_logger("framework.web")

What = Literal[
    "added",
    "waiting",
    "active",
    "progress",
    "retrying",
    "paused",
    "stalled",
    "completed",
    "failed",
    "removed",
]
AGAIN_SECONDS = 1.0
# What needs no look at the job, and where it stands then.
PLAIN: dict[str, tuple[What, TaskState | None]] = {
    "added": ("added", TaskState.WAITING),
    "waiting-children": ("waiting", TaskState.WAITING),
    "active": ("active", TaskState.ACTIVE),
    "progress": ("progress", TaskState.ACTIVE),
    "stalled": ("stalled", TaskState.WAITING),
    "completed": ("completed", TaskState.COMPLETED),
    "failed": ("failed", TaskState.FAILED),
    "removed": ("removed", None),
}


@dataclass(frozen=True, slots=True)
class TaskUpdate:
    """Something that happened to a task.

    Attributes:
        event: What it was. ``failed`` comes once no attempt is left, ``retrying`` before.
        state: Where the task stands since; None once it is removed.
        event_id: The id of the event; those of one type are ordered by it.
        progress: What it reported: a number, `TaskProgress`, or whatever else.
        result: What it returned, as JSON has it.
        error: Why it failed, or the attempt before a retry did.
        attempts_made: How many attempts have ended, where a retry follows and has not begun yet.
        due_at: When it goes on, if it waits for a time. Aware, UTC.
    """

    event: What
    state: TaskState | None
    event_id: str
    progress: object = None
    result: object = None
    error: str | None = None
    attempts_made: int | None = None
    due_at: datetime | None = None


OnUpdate = Callable[[str, TaskId, TaskUpdate], Awaitable[None] | None]


async def update_of(
    queue: Queue, job_id: JobId, event: QueueEvent, *, is_new: bool
) -> TaskUpdate | None:
    """Return what an event means to a task; None where it means nothing.

    Args:
        is_new: Whether the event before this one was that the job was added.

    Raises:
        RedisUnavailableError: The job had to be looked at, and there was no answer.
    """
    if event.event in PLAIN:
        what, state = PLAIN[event.event]
        return TaskUpdate(
            what,
            state,
            event.id,
            progress=read_progress(event.progress),
            result=event.result,
            error=event.reason,
        )
    if event.event == "delayed" and event.due is not None and event.due >= NEVER:
        return TaskUpdate("paused", TaskState.PAUSED, event.id)
    if event.event not in {"delayed", "waiting"}:
        return None
    if not is_new and (event.event == "delayed" or event.prev == "active"):
        return await left_early(queue, job_id, event)
    return TaskUpdate("waiting", TaskState.WAITING, event.id, due_at=event.due)


async def left_early(queue: Queue, job_id: JobId, event: QueueEvent) -> TaskUpdate:
    """Tell a retry from what waits for another reason; only the job knows."""
    look = await queue.look(job_id)
    if look is not None and will_retry(look.job):
        still = state_of(look) is TaskState.RETRYING
        return TaskUpdate(
            "retrying",
            TaskState.RETRYING,
            event.id,
            error=look.job.failed_reason,
            attempts_made=look.job.attempts_made if still else None,
            due_at=event.due,
        )
    return TaskUpdate("waiting", TaskState.WAITING, event.id, due_at=event.due)


class Subscription:
    """One callback, and the queues that it hears.

    Args:
        callback: Plain or asynchronous.
    """

    def __init__(self, callback: OnUpdate) -> None:
        self._callback = callback
        self._scopes: set[anyio.CancelScope] = set()
        self._is_over = False
        self._added: dict[str, JobId | None] = {}  # by type: the job that was added last

    def end(self) -> None:
        """Call it no more."""
        self._is_over = True
        for scope in self._scopes:
            scope.cancel()

    async def follow(
        self,
        type: str,
        queue: Queue,
        *,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Hear one queue until `end`; started once no later event can be missed.

        Raises:
            RedisUnavailableError: Redis is not there at the beginning; later it is waited for.
        """
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                await self._follow(type, queue, task_status)
            finally:
                self._scopes.discard(scope)

    async def _follow(self, type: str, queue: Queue, task_status: TaskStatus[None]) -> None:
        after: str | None = None
        while True:
            try:
                async with queue.listen(after=after) as listener:
                    if after is None:
                        task_status.started()
                    after = listener.after
                    while True:
                        for event in await listener.receive():
                            await self._hear(type, queue, event)
                            after = event.id
            except FrameworkError as error:
                if after is None:
                    raise
                log.warning("updates of tasks cannot be read now", type=type, error=str(error))
                await anyio.sleep(AGAIN_SECONDS)

    async def _hear(self, type: str, queue: Queue, event: QueueEvent) -> None:
        if event.job_id is None:
            return
        is_new = self._added.get(type) == event.job_id
        self._added[type] = event.job_id if event.event == "added" else None
        update = await update_of(queue, event.job_id, event, is_new=is_new)
        if update is None or self._is_over:
            return
        try:
            answer = self._callback(type, TaskId(event.job_id, type), update)
            if inspect.isawaitable(answer):
                await answer
        except Exception:
            log.exception("a callback of on_update raised", type=type, job=event.job_id)
