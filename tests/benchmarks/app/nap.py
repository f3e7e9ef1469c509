"""A handler that waits for 10 ms, as one that calls a service does."""

import anyio
from pydantic import BaseModel

from framework import Job, processor
from tests.benchmarks.app import CONCURRENCY, defaults


class Nap(BaseModel):
    n: int


@processor("nap", concurrency=CONCURRENCY, defaults=defaults())
class Napper:
    async def process(self, job: Job[Nap]) -> None:
        await anyio.sleep(0.01)
