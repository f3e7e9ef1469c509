"""Digests: a job that adds children as it runs, and waits for them."""

from enum import StrEnum

import anyio
from pydantic import BaseModel

from framework import Application, Context, Job, Producer, processor


class Page(BaseModel):
    url: str


@processor("pages", concurrency=5)
async def fetch(job: Job[Page]) -> str:
    if "gone" in job.data.url:
        raise LookupError(f"no page at {job.data.url}")
    return f"text of {job.data.url}"


class Step(StrEnum):
    SPREAD = "spread"
    COLLECT = "collect"


class Digest(BaseModel):
    urls: list[str]
    step: Step = Step.SPREAD


@processor("digests")
class Digests:
    def __init__(self, pages: Producer[Page, str]) -> None:
        self.pages = pages

    async def process(self, job: Job[Digest], ctx: Context) -> str:
        if job.data.step is Step.SPREAD:
            for n, url in enumerate(job.data.urls):  # own ids: a second run adds nothing twice
                await self.pages.add(
                    Page(url=url),
                    parent=job,
                    job_id=f"{job.id}-page-{n}",
                    on_child_failure="ignore",
                )
            job = await ctx.save(job, job.data.model_copy(update={"step": Step.COLLECT}))

        await ctx.wait_for_children()
        pages = await ctx.children_values(str)
        missing = await ctx.ignored_children()
        return "; ".join([*sorted(pages.values()), *missing.values()])


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        digests = await app.get(Producer[Digest, str])
        urls = ["/ferns", "/moss", "/gone"]
        print(await digests.result(await digests.add(Digest(urls=urls))))
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
