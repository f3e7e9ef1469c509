"""A handler that does nothing."""

from pydantic import BaseModel

from framework import Job, processor
from tests.benchmarks.app import CONCURRENCY, defaults


class Noop(BaseModel):
    n: int


@processor("noop", concurrency=CONCURRENCY, defaults=defaults())
class Nothing:
    async def process(self, job: Job[Noop]) -> None:
        pass
