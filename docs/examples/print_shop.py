"""A print shop: jobs that are cancelled, or held for a while."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
from pydantic import BaseModel

from framework import (
    Application,
    Context,
    Failed,
    Job,
    JobCancelledError,
    JobFailedError,
    Producer,
    Queue,
    on_event,
    processor,
)

paper_bin: list[str] = []


class Poster(BaseModel):
    title: str
    copies: int
    printed: int = 0


@processor("posters")
class Press:
    async def process(self, job: Job[Poster], ctx: Context) -> str:
        while job.data.printed < job.data.copies:
            await anyio.sleep(0.02)  # the press runs
            done = job.data.printed + 1
            job = await ctx.save(job, job.data.model_copy(update={"printed": done}))
        return f"{job.data.copies} of {job.data.title}"

    @on_event("failed")
    async def tidy(self, event: Failed[Poster]) -> None:
        if isinstance(event.error, JobCancelledError):
            paper_bin.append(event.job.data.title)


async def cancel(app: Application, posters: Producer[Poster, str]) -> None:
    queue = app.queue("posters")
    endless = await posters.add(Poster(title="War and Peace", copies=100_000))
    later = await posters.add(Poster(title="Sale", copies=1), delay=timedelta(days=1))

    print(later.id, await queue.cancel(later.id))
    await when(queue, endless.id, lambda job: job.data["printed"])
    print(endless.id, await queue.cancel(endless.id, "out of paper"))
    try:
        await posters.result(endless)
    except JobFailedError as error:
        print(error.is_cancelled, error.reason)


async def hold(app: Application, posters: Producer[Poster, str]) -> None:
    queue = app.queue("posters")
    poster = await posters.add(Poster(title="Concert", copies=30))
    await when(queue, poster.id, lambda job: job.data["printed"])

    print(poster.id, await queue.pause_job(poster.id))
    held = await when(queue, poster.id, lambda job: job.is_held)
    print(await queue.state(poster.id), bool(held.data["printed"]))

    await queue.resume_job(poster.id)
    print(await posters.result(poster))


async def when(queue: Queue, job_id: str, is_so: Callable[[Job[Any]], object]) -> Job[Any]:
    while True:
        job = await queue.job(job_id)
        if job and is_so(job):
            return job
        await anyio.sleep(0.01)


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        posters = await app.get(Producer[Poster, str])
        await cancel(app, posters)
        await hold(app, posters)
        print("in the bin:", paper_bin)
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
