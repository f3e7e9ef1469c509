"""A payload of any size."""

from pydantic import BaseModel

from framework import Job, processor
from tests.benchmarks.app import CONCURRENCY, defaults


class Blob(BaseModel):
    text: str


@processor("blob", concurrency=CONCURRENCY, defaults=defaults())
class Blobs:
    async def process(self, job: Job[Blob]) -> None:
        pass
