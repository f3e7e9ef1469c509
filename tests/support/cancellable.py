"""Runs under a supervisor that go on until they are cancelled, in each place where runs can be."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from framework import Effect, JobState, Queue
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

Place = Literal["loop", "thread", "process"]
PLACES: tuple[Place, ...] = ("loop", "thread", "process")
# Whom no call reaches looks after a quarter of its lock's life: 7.5 s.
CALLED_SECONDS = 3.0
REASON = "cancelled: enough"
# Two processes of two slots: four jobs are in both of them.
JOBS = 4
RUNS = """
    import os, time
    from typing import Any
    import anyio
    from framework import Context, Job, SyncContext, processor

    def note(job: Job[Any], what: str, pid: int) -> None:
        with open(job.data["file"], "a") as file:
            file.write(f"{job.id} {what} {pid}\\n")

    @processor("LOOP", concurrency=2)
    async def in_the_loop(job: Job[Any]) -> None:
        note(job, "begun", os.getpid())
        try:
            await anyio.sleep_forever()
        finally:
            note(job, "ended", os.getpid())

    @processor("THREAD", concurrency=2, run_in="thread")
    def in_a_thread(job: Job[Any], ctx: SyncContext) -> None:
        note(job, "begun", os.getpid())
        while not ctx.cancelled:
            time.sleep(0.005)
        note(job, "ended", os.getpid())

    @processor("PROCESS", concurrency=2, run_in="process")
    def in_a_process(job: Job[Any]) -> None:
        note(job, "begun", os.getppid())
        try:
            while True:
                time.sleep(0.01)
        finally:
            note(job, "ended", os.getppid())
"""


def package_of(place: Place, queue: str) -> str:
    """The module of a package that has one processor, on this queue."""
    head, *processors = RUNS.split("\n    @processor")
    (one,) = (text for text in processors if f'"{place.upper()}"' in text)
    return f"{head}\n    @processor{one}".replace(place.upper(), queue)


@dataclass
class Runs:
    """What runs have written into a file.

    Args:
        queue: Where they are asked of.
        file: Where they write.
    """

    queue: Queue
    file: Path

    def noted(self, what: str) -> dict[str, int]:
        """In which worker process each job has done this."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        found = [line.split() for line in lines]
        return {job_id: int(pid) for job_id, it, pid in found if it == what}

    async def begin(self) -> list[str]:
        """Add jobs, and return their ids once they run in two worker processes."""
        data = {"file": str(self.file)}
        jobs = await self.queue.add_bulk([("n", data, {"attempts": 3})] * JOBS)
        await until(lambda: len(self.noted("begun")) == JOBS, timeout=40, message="all run")
        assert len(set(self.noted("begun").values())) == 2
        return [job.id for job in jobs]

    async def only_ends(self, job_id: str, asked: Stopwatch, running: list[str]) -> None:
        """See that this job fails at once, that its run ends, and that no other's does."""

        async def has_failed() -> bool:
            return await self.queue.state(job_id) is JobState.FAILED

        await until(has_failed, message="it has failed")
        assert asked.seconds < CALLED_SECONDS
        await until(lambda: job_id in self.noted("ended"), message="its run has ended")
        assert self.noted("ended")[job_id] == self.noted("begun")[job_id]
        for one in running:
            assert await self.queue.state(one) is JobState.ACTIVE
            assert one not in self.noted("ended")

    async def cancel_each(self, ask: Callable[[str], Awaitable[None]] | None = None) -> None:
        """Cancel one run after the other, in both processes.

        Args:
            ask: Asks it; `Queue.cancel` unless given.
        """
        running = await self.begin()
        while running:
            job_id = running.pop()
            asked = Stopwatch()
            await (ask or self.cancel)(job_id)
            await self.only_ends(job_id, asked, running)
            job = await self.queue.job(job_id)
            assert job is not None
            assert job.failed_reason == REASON

    async def cancel(self, job_id: str) -> None:
        """Cancel one as a program of ours does."""
        assert await self.queue.cancel(job_id, "enough") is Effect.ASKED
