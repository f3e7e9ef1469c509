"""A worker of ours in a process of its own that works a job of five steps, to be killed.

``python -m tests.support.stepper REDIS_URL PREFIX``

It notes each step that it begins, with its pid, in the list ``trace:PREFIX``. A step ends only
once ``kills:PREFIX`` has reached the job's gate for it: so whoever kills decides how long it lasts.
"""

import os
import sys
from datetime import timedelta
from enum import IntEnum

import anyio
from pydantic import BaseModel

from framework import Application, Context, Job, processor
from tests.support.ours import Ours, does
from tests.support.until import until

LOCK = timedelta(milliseconds=250)
LOOK = timedelta(milliseconds=100)
REST = timedelta(milliseconds=5)
CHILDREN = 3


class Step(IntEnum):
    FETCH = 1
    REST = 2
    SPREAD = 3
    COLLECT = 4
    STORE = 5


class Digest(BaseModel):
    gates: dict[Step, int]
    step: Step = Step.FETCH


class Steps:
    """What the job does, step by step.

    Args:
        app: Where its children go: to the queue ``children``.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._prefix = app.settings.prefix

    async def run(self, job: Job[Digest], ctx: Context) -> int:
        """Run the steps that are left; save each that is done."""
        while job.data.step is not Step.STORE:
            step = job.data.step
            await self._begin(job.data)
            await self._act(job, ctx)
            following = job.data.model_copy(update={"step": Step(step + 1)})
            job = await ctx.save(job, following)
            if step is Step.REST:
                await ctx.delay_for(REST)
        await self._begin(job.data)
        return sum((await ctx.children_values(int)).values())

    async def _begin(self, data: Digest) -> None:
        """Note the step, and work at it until it may end."""
        command = self._app.store.command
        await command("RPUSH", f"trace:{self._prefix}", f"{os.getpid()}:{int(data.step)}")

        async def may_end() -> bool:
            return int(await command("GET", f"kills:{self._prefix}") or 0) >= data.gates[data.step]

        await until(may_end, timeout=60)

    async def _act(self, job: Job[Digest], ctx: Context) -> None:
        if job.data.step is Step.SPREAD:
            for n in range(CHILDREN):  # own ids: a second run adds nothing twice
                await self._app.queue("children").add("n", n, parent=job, job_id=f"{job.id}-c{n}")
        if job.data.step is Step.COLLECT:
            await ctx.wait_for_children()


async def main(redis_url: str, prefix: str) -> None:
    ours = Ours(redis_url, prefix)
    async with ours.producing() as app:
        steps = Steps(app)

        @processor("q", lock_duration=LOCK, stalled_interval=LOOK)
        async def digest(job: Job[Digest], ctx: Context) -> int:
            return await steps.run(job, ctx)

        children = does(queue="children", concurrency=CHILDREN, lock=LOCK, stalled=LOOK)
        async with ours.working(digest, children):
            await anyio.sleep_forever()


if __name__ == "__main__":
    url, prefix = sys.argv[1:]
    anyio.run(main, url, prefix)
