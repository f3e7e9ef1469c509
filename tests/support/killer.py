"""Kills whoever works a job of five steps, at random points, and sees that no step is lost."""

import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import anyio

from framework import Application, Job, JobState
from tests.support.ours import Ours, job_hash
from tests.support.stepper import CHILDREN, Digest, Step
from tests.support.until import until

ROOT = Path(__file__).parents[2]
LONGEST = 0.06


class Begun(NamedTuple):
    """One entry of the trace."""

    pid: int
    step: int


class Killer:
    """Workers in processes of their own: one works the job, the others are there to go on.

    Args:
        ours: Where.
        app: An application open there.
        seed: Of all that is left to chance.
    """

    def __init__(self, ours: Ours, app: Application, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeats what failed
        self._ours = ours
        self._app = app
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start_one(self) -> None:
        """Start one more worker."""
        command = [sys.executable, "-m", "tests.support.stepper"]
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, self._ours.redis_url, self._ours.prefix], cwd=ROOT
        )
        self._processes[process.pid] = process

    def end_all(self) -> None:
        """Kill whoever is left."""
        for pid in list(self._processes):
            self._kill(pid)

    def _kill(self, pid: int) -> None:
        process = self._processes.pop(pid)
        process.kill()
        process.wait()

    async def trace(self) -> list[Begun]:
        """List which steps were begun, and by whom."""
        found = await self._app.store.command("LRANGE", f"trace:{self._ours.prefix}", 0, -1)
        return [Begun(*map(int, entry.decode().split(":"))) for entry in found]

    async def saved_step(self, job_id: str) -> int:
        """Return the step that is due, as Redis has it."""
        data = (await job_hash(self._app, job_id))["data"]
        return Digest.model_validate_json(data).step

    async def kill_a_worker_at_work(self, job_id: str) -> tuple[int, int]:
        """Kill whoever began a step last, at some point after.

        Returns:
            How many steps had begun by then, and which one was due.
        """

        async def worker_at_work() -> int | None:
            trace = await self.trace()
            return trace[-1].pid if trace and trace[-1].pid in self._processes else None

        pid = await until(worker_at_work, timeout=30, message="somebody works the job")
        await anyio.sleep(self.random.uniform(0, LONGEST))
        self._kill(pid)
        saved = await self.saved_step(job_id)
        await self._app.store.command("INCR", f"kills:{self._ours.prefix}")
        self.start_one()
        # Somebody else may have begun already: what the killed one began comes first.
        places = [place for place, begun in enumerate(await self.trace(), 1) if begun.pid == pid]
        return places[-1], saved


@asynccontextmanager
async def killer(ours: Ours, app: Application, seed: int) -> AsyncIterator[Killer]:
    """Start three workers; on the way out all are killed."""
    one = Killer(ours, app, seed)
    try:
        for _ in range(3):
            one.start_one()
        yield one
    finally:
        one.end_all()
        await app.store.command("DEL", f"trace:{ours.prefix}", f"kills:{ours.prefix}")


async def kill_through_five_steps(ours: Ours, *, kills: int, seed: int) -> None:
    """Kill a job's workers so many times, then let it end, and check what was run."""
    async with ours.producing() as app, killer(ours, app, seed) as reaper:
        gates = sorted(reaper.random.randrange(kills) for _ in range(len(Step) - 1))
        by_step = dict(zip(Step, [*gates, kills], strict=True))
        job: Job[object] = await app.queue("q").add(
            "digest", Digest(gates=by_step).model_dump(mode="json")
        )
        for n in range(kills):
            begun, saved = await reaper.kill_a_worker_at_work(job.id)
            await reaper_sees_no_step_again(reaper, begun, saved, f"seed {seed}, kill {n}")

        assert await app.queue("q").result(job) == sum(range(CHILDREN))

        steps = [one.step for one in await reaper.trace()]
        assert steps == sorted(steps), f"seed {seed}: {steps}"
        assert set(steps) == set(Step)
        fields = await job_hash(app, job.id)
        assert fields["atm"] == "1"
        assert int(fields["ats"]) > kills
        counts = await app.queue("children").counts()
        assert counts[JobState.COMPLETED] == CHILDREN


async def reaper_sees_no_step_again(reaper: Killer, begun: int, saved: int, when: str) -> None:
    """Wait for the next start, and see that it is of the step that Redis had, or a later one."""

    async def next_steps() -> list[int]:
        return [one.step for one in (await reaper.trace())[begun:]]

    for step in await until(next_steps, timeout=30, message=f"{when}: it goes on"):
        assert step >= saved, f"{when}: step {step} ran again, {saved} was due"
