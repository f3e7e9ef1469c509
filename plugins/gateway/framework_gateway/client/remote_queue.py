"""A queue behind a gateway."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal, Unpack

from framework import JobOptions, JobState
from framework_gateway.client.calls import Calls
from framework_gateway.client.options import ONE_MS, options_json
from framework_gateway.client.remote_job import RemoteJob

FinishedState = Literal["completed", "failed"]


class RemoteQueue:
    """A queue behind a gateway, in the words of `Queue`. Get it from `GatewayClient.queue`.

    Any number of calls may wait for their answers; they take effect in the order in which they
    were made. While there is no connection they wait for it.

    All raise:
        GatewayAnswerError: The gateway did not do it.
        GatewayConnectionError: The connection was lost before the answer came: it may have been
            done. What is ``idempotent`` is sent again instead, on the next connection.
        GatewayTimeoutError: No answer came in the client's ``timeout``.
        GatewayRefusedError: The token does not open this queue, or not any more.
        PayloadError: JSON cannot hold an argument.

    Attributes:
        name: Its name.
    """

    def __init__(self, name: str, calls: Calls, timeout: timedelta | None) -> None:
        self.name = name
        self._calls = calls
        self._timeout = timeout

    async def call(
        self, fn: str, *args: object, idempotent: bool = False, timeout: timedelta | None = None
    ) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Call a function by its name on the wire; return its result as JSON.

        Args:
            fn: Such as ``getJobSchedulers``.
            args: What it takes.
            idempotent: It may be done twice, as an ``add`` with a ``jobId``: it is sent again
                where the connection was lost before its answer came.
            timeout: How long to wait for the answer; the client's unless given.
        """
        patience = self._timeout if timeout is None else timeout
        return await self._calls.call(fn, list(args), idempotent=idempotent, timeout=patience)

    async def add(
        self,
        name: str,
        data: object = None,
        *,
        idempotent: bool = False,
        **options: Unpack[JobOptions],
    ) -> RemoteJob:
        """Put one job in line.

        Args:
            idempotent: Send it again where its answer was lost; give it a ``job_id`` then, or it
                may be there twice.

        Raises:
            OptionsError: A gateway takes no such option.
        """
        told = options_json(options)
        return RemoteJob.of(await self.call("add", name, data, told, idempotent=idempotent))

    async def add_bulk(
        self,
        jobs: Iterable[tuple[str, object] | tuple[str, object, JobOptions]],
        *,
        idempotent: bool = False,
    ) -> list[RemoteJob]:
        """Put many jobs in line, or none: each ``(name, data)`` or ``(name, data, options)``.

        Raises as `add`.
        """
        told = [
            {"name": name, "data": data, "opts": options_json(more[0]) if more else {}}
            for name, data, *more in jobs
        ]
        return [
            RemoteJob.of(one) for one in await self.call("addBulk", told, idempotent=idempotent)
        ]

    async def job(self, job_id: str) -> RemoteJob | None:
        """Return a job, or None where there is no such one."""
        told = await self._read("getJob", job_id)
        return None if told is None else RemoteJob.of(told)

    async def state(self, job_id: str) -> JobState:
        """Return where a job stands."""
        return JobState(await self._read("getJobState", job_id))

    async def jobs(
        self, *states: JobState | str, start: int = 0, stop: int = -1, newest_first: bool = True
    ) -> list[RemoteJob]:
        """Return jobs of some states, of all unless named; the last is that at ``stop``."""
        told = await self._read("getJobs", list(states), start, stop, not newest_first)
        return [RemoteJob.of(one) for one in told]

    async def counts(self, *states: JobState | str) -> dict[str, int]:
        """Count jobs by their states, all unless named."""
        counts: dict[str, int] = await self._read("getJobCounts", *states)
        return counts

    async def logs(
        self, job_id: str, start: int = 0, stop: int = -1, *, newest_first: bool = False
    ) -> list[str]:
        """Return rows of a job's log; the last is that at ``stop``."""
        told = await self._read("getJobLogs", job_id, start, stop, not newest_first)
        rows: list[str] = told["logs"]
        return rows

    async def pause(self) -> None:
        """Let no worker take a job. Done twice is done once: it is sent again after a cut."""
        await self.call("pause", idempotent=True)

    async def resume(self) -> None:
        """Let workers take jobs again; sent again as `pause`."""
        await self.call("resume", idempotent=True)

    async def is_paused(self) -> bool:
        """Tell whether the queue is paused."""
        return bool(await self._read("isPaused"))

    async def remove(self, job_id: str, *, with_children: bool = True) -> bool:
        """Delete a job; tell whether it is gone by that. A worker's is not removed."""
        return bool(await self.call("remove", job_id, {"removeChildren": with_children}))

    async def retry_job(self, job_id: str) -> None:
        """Run a finished job again."""
        await self.call("retryJob", job_id)

    async def promote_job(self, job_id: str) -> None:
        """Let a delayed job wait in line now."""
        await self.call("promoteJob", job_id)

    async def drain(self, *, delayed: bool = False) -> None:
        """Remove all jobs that wait, and if told those that are delayed."""
        await self.call("drain", delayed)

    async def clean(
        self, grace: timedelta, limit: int = 1000, state: FinishedState = "completed"
    ) -> list[str]:
        """Remove at most so many jobs that ended longer ago; return their ids."""
        removed: list[str] = await self.call("clean", grace // ONE_MS, limit, state)
        return removed

    async def _read(self, fn: str, *args: object) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Call what changes nothing, and so may be sent again."""
        return await self.call(fn, *args, idempotent=True)
