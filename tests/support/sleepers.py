"""Handlers that sleep until somebody cancels or holds their job, and what they saw."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio

from framework import Context, Failed, Job, JobState, Queue, on_event, processor
from tests.support.until import until

HALF_A_MINUTE = timedelta(seconds=30)


class Seen:
    """What a test's handler saw."""

    def __init__(self) -> None:
        self.begun = 0
        self.ends: list[object] = []
        self.failures: list[Failed[Any]] = []


def sleeper(
    seen: Seen,
    body: Callable[[Job[Any], Context], Any] | None = None,
    *,
    lock: timedelta = HALF_A_MINUTE,
    concurrency: int = 1,
) -> Any:  # noqa: ANN401 - a processor
    """A processor that sleeps, or does what it is told, and notes how that ends."""

    @processor("demo", lock_duration=lock, concurrency=concurrency)
    class Sleeper:
        async def process(self, job: Job[Any], ctx: Context) -> str:
            seen.begun += 1
            try:
                await (body(job, ctx) if body else anyio.sleep_forever())
            except BaseException as error:
                seen.ends.append(error)
                raise
            return "done"

        @on_event("failed")
        def note(self, event: Failed[Any]) -> None:
            seen.failures.append(event)

    return Sleeper


async def asked_to_pause(ctx: Context) -> None:
    await until(lambda: ctx.pausing, message="the run is asked to leave")


async def has_begun(seen: Seen, times: int = 1) -> None:
    await until(lambda: seen.begun >= times, message="the handler has begun")


async def is_in(queue: Queue, job: Job[Any], state: JobState) -> None:
    async def reached() -> bool:
        return await queue.state(job.id) is state

    await until(reached, message=f"job {job.id} is {state}")
