"""The payload and the processor of tests that need no particular ones."""

from pydantic import BaseModel

from framework import Job, processor


class Echo(BaseModel):
    message: str


@processor("demo", concurrency=5)
class Echoes:
    async def process(self, job: Job[Echo]) -> dict[str, str]:
        return {"echoed": job.data.message}
