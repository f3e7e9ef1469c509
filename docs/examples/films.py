"""A processor that computes for long, in processes of its own."""

from datetime import timedelta

from pydantic import BaseModel

from framework import Job, SyncContext, processor


class Film(BaseModel):
    title: str
    frames: int


@processor("films", run_in="process", concurrency=2, timeout=timedelta(hours=1))
class Films:
    def __init__(self) -> None:
        self.pixels = range(20_000)  # a model that takes long to load, say

    def process(self, job: Job[Film], ctx: SyncContext) -> int:
        frames = job.data.frames
        brightness = 0
        for frame in range(1, frames + 1):
            brightness += sum(frame * pixel % 7 for pixel in self.pixels)
            ctx.progress(100 * frame // frames)
        ctx.log(f"rendered {job.data.title}")
        return brightness
