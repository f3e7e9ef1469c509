"""A handler whose result is waited for."""

from pydantic import BaseModel

from framework import Job, processor
from tests.benchmarks.app import CONCURRENCY, defaults


class Echo(BaseModel):
    n: int


@processor("echo", concurrency=CONCURRENCY, defaults=defaults())
class Echoer:
    async def process(self, job: Job[Echo]) -> int:
        return job.data.n
