"""Looking after a queue as a whole."""

from collections.abc import Mapping
from typing import Any

from framework import JobLockedError, OptionsError
from framework_bullmq.job_states import STATES
from framework_bullmq.millis import instant_of, span_of
from framework_bullmq.queue_base import NOTHING, QueueBase
from framework_bullmq.spelling import read_options


def checked_count(what: str, options: Mapping[str, Any]) -> None:
    """Refuse a batch of no jobs; how many go in one batch, the engine decides."""
    count = options.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise OptionsError("count", f"{what}: it is a whole number, at least 1, got {count!r}")


class QueueUpkeep(QueueBase):
    """What keeps a queue in order."""

    async def pause(self) -> int:
        """Let no worker of the fleet take a job; running ones go on."""
        await (await self.engine()).pause()
        return 0

    async def resume(self) -> int:
        """Let workers take jobs again."""
        await (await self.engine()).resume()
        return 0

    async def isPaused(self) -> bool:
        """Tell whether the queue is paused."""
        return await (await self.engine()).is_paused()

    async def drain(self, delayed: bool = False) -> None:
        """Remove all jobs that wait, and the delayed ones if asked."""
        await (await self.engine()).drain(delayed)

    async def clean(self, grace: int, limit: int, type: str) -> list[str]:
        """Remove old jobs of one type; return their ids.

        Args:
            grace: Keep what is younger, in milliseconds.
            limit: Remove at most so many; 0: all.
            type: ``completed``, ``wait``, ``active``, ``delayed``, ``failed`` or ``prioritized``.

        Raises:
            OptionsError: Another type.
        """
        state = STATES.get(type, type)
        engine = await self.engine()
        return [str(one) for one in await engine.clean(span_of("grace", grace), limit, state)]

    async def obliterate(self, force: bool = False) -> None:
        """Delete the queue: all its jobs, settings, schedules and events.

        Raises:
            ActiveJobsError: Workers hold jobs, and it was not forced.
        """
        await (await self.engine()).obliterate(force)

    async def remove(self, job_id: str, opts: Mapping[str, Any] = NOTHING) -> int:
        """Delete a job, and with ``removeChildren``, which holds unless told, those below it.

        Returns:
            1; 0 if there was none, or a worker runs it or one below it. `Job.remove` tells which.
        """
        try:
            return int(await self.remove_job(str(job_id), opts))
        except JobLockedError:
            return 0

    async def remove_job(self, job_id: str, opts: Mapping[str, Any]) -> bool:
        """Delete a job as `remove` does; return whether there was one.

        Raises:
            JobLockedError: A worker runs it or one below it.
        """
        asked = read_options("remove", opts, frozenset({"removeChildren"}))
        whole = bool(asked.get("removeChildren", True))
        return await (await self.engine()).remove(job_id, with_children=whole)

    async def retryJobs(self, opts: Mapping[str, Any] = NOTHING) -> None:
        """Run all jobs again that failed, or, as ``state`` says, completed.

        Args:
            opts: ``state``; ``timestamp``: those that finished no later; ``count``, which changes
                nothing but the size of a batch.
        """
        asked = read_options("retryJobs", opts, frozenset({"state", "count", "timestamp"}))
        checked_count("retryJobs", asked)
        until = instant_of("timestamp", asked["timestamp"]) if "timestamp" in asked else None
        await (await self.engine()).retry_jobs(asked.get("state", "failed"), until=until)

    async def promoteJobs(self, opts: Mapping[str, Any] = NOTHING) -> None:
        """Let all delayed jobs wait in line now; ``count`` is the size of a batch alone."""
        checked_count("promoteJobs", read_options("promoteJobs", opts, frozenset({"count"})))
        await (await self.engine()).promote_jobs()

    async def trimEvents(self, maxLength: int) -> int:
        """Delete events but for about the newest; return how many went."""
        return await (await self.engine()).trim_events(maxLength)

    is_paused = isPaused
    promote_jobs = promoteJobs
    retry_jobs = retryJobs
    trim_events = trimEvents
