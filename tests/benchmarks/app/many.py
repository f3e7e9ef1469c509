"""Many queues in one process: as many as BENCH_QUEUES says."""

import os

from framework import Job, processor
from tests.benchmarks.app import CONCURRENCY, defaults


def make_processor(queue: str) -> type[object]:
    """Return a processor of one of the queues."""

    @processor(queue, concurrency=CONCURRENCY, defaults=defaults())
    class Nothing:
        async def process(self, job: Job[dict[str, int]]) -> None:
            pass

    return Nothing


for number in range(int(os.environ.get("BENCH_QUEUES", "0"))):
    globals()[f"Nothing{number}"] = make_processor(f"many-{number}")
