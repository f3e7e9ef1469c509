"""Writes a letter, and shows each sentence as soon as it is written. Workers included."""

import anyio
from pydantic import BaseModel

from framework import Application, Context, Job, processor


class Letter(BaseModel):
    to: str
    about: list[str]


class Sentence(BaseModel):
    text: str


@processor("letters")
async def write(job: Job[Letter], ctx: Context) -> int:
    await ctx.stream(Sentence(text=f"Dear {job.data.to},"))
    for matter in job.data.about:
        await ctx.stream(Sentence(text=f"the {matter} is well."))
    return len(job.data.about)


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        letters = app.queue("letters")
        job = await letters.add("letter", {"to": "Ada", "about": ["fern", "cat"]})
        async for chunk in letters.chunks(job.id, Sentence):
            print(chunk.index, chunk.data.text)
        print("matters:", await letters.result(job))
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
