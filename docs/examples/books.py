"""Books: a child that has children of its own."""

import anyio
from pydantic import BaseModel

from framework import Application, Context, Job, Producer, processor


class Sheet(BaseModel):
    text: str


class Chapter(BaseModel):
    title: str
    sheets: int
    is_spread: bool = False


class Book(BaseModel):
    chapters: list[Chapter]
    is_spread: bool = False


@processor("sheets", concurrency=5)
async def set_type(job: Job[Sheet]) -> int:
    return len(job.data.text)


@processor("chapters")
class Chapters:
    def __init__(self, sheets: Producer[Sheet, int]) -> None:
        self.sheets = sheets

    async def process(self, job: Job[Chapter], ctx: Context) -> int:
        if not job.data.is_spread:
            for n in range(job.data.sheets):
                sheet = Sheet(text=f"{job.data.title}, sheet {n}")
                await self.sheets.add(sheet, parent=job, job_id=f"{job.id}-sheet-{n}")
            await ctx.save(job, job.data.model_copy(update={"is_spread": True}))
        await ctx.wait_for_children()
        return sum((await ctx.children_values(int)).values())


@processor("books")
class Books:
    def __init__(self, chapters: Producer[Chapter, int]) -> None:
        self.chapters = chapters

    async def process(self, job: Job[Book], ctx: Context) -> int:
        if not job.data.is_spread:
            for n, chapter in enumerate(job.data.chapters):
                await self.chapters.add(chapter, parent=job, job_id=f"{job.id}-chapter-{n}")
            await ctx.save(job, job.data.model_copy(update={"is_spread": True}))
        await ctx.wait_for_children()
        return sum((await ctx.children_values(int)).values())


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        books = await app.get(Producer[Book, int])
        job = await books.add(
            Book(chapters=[Chapter(title="Ferns", sheets=2), Chapter(title="Moss", sheets=1)])
        )
        print("letters:", await books.result(job))
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
