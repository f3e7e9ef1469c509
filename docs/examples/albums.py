"""Albums: code that blocks, run in threads, and jobs added from there."""

import time

import anyio
from pydantic import BaseModel

from framework import Application, Job, SyncContext, SyncProducer, processor


class Album(BaseModel):
    owner: str
    pictures: int


class Notice(BaseModel):
    owner: str
    text: str


class StoppedError(Exception):
    """The worker stops; the album is made again, from its first picture."""


@processor("albums", run_in="thread", concurrency=4)
class Albums:
    def __init__(self, notices: SyncProducer[Notice]) -> None:
        self.notices = notices

    def process(self, job: Job[Album], ctx: SyncContext) -> int:
        album = job.data
        for done in range(album.pictures):
            if ctx.cancelled:
                raise StoppedError
            ctx.progress({"done": done, "of": album.pictures})
            shrink_picture()
        ctx.log(f"shrank {album.pictures} pictures")
        self.notices.add(Notice(owner=album.owner, text="Your album is ready."))
        return album.pictures


def shrink_picture() -> None:
    time.sleep(0.01)  # a library that knows no await


@processor("notices")
class Notices:
    async def process(self, job: Job[Notice]) -> None:
        print(f"to {job.data.owner}: {job.data.text}")


def make_album() -> int:
    with Application(__name__).sync() as app:
        albums: SyncProducer[Album, int] = app.get(SyncProducer[Album, int])
        job = albums.add(Album(owner="Ada", pictures=3))
        return albums.result(job)


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        print("pictures:", await anyio.to_thread.run_sync(make_album))
        async for event in app.queue("notices").events(after="0"):
            if event.event == "completed":
                break
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
