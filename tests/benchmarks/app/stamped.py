"""A handler that notes when it started."""

from pydantic import BaseModel

from framework import Job, processor
from tests.benchmarks.app import CONCURRENCY, defaults
from tests.benchmarks.peers.stamps import stamps_of_environment


class Stamped(BaseModel):
    n: int


@processor("stamped", concurrency=CONCURRENCY, defaults=defaults())
class Stamper:
    def __init__(self) -> None:
        self.stamps = stamps_of_environment()

    async def process(self, job: Job[Stamped]) -> None:
        self.stamps.start(job.data.n)
