"""Drains a queue through BullMQ's Python API, by whichever package has it: ``bullmq``, or ours.

The program is the same for both but for the import. It prints one line of JSON: how many jobs a
second one worker completed, counted from its start until its listener heard of the last.
"""

import asyncio
import json
import sys
import time
from importlib import import_module
from typing import Any

from tests.benchmarks.peers.roles import REDIS_URL, loop_factory, number, runtime

CHUNK = 1000


async def drain(library: Any, jobs: int, concurrency: int) -> float:  # noqa: ANN401 - either package
    """Put jobs in line, work them, and return how many a second were done."""
    place = {"connection": REDIS_URL}
    queue = library.Queue("drained", place)
    for start in range(0, jobs, CHUNK):
        numbers = range(start, min(start + CHUNK, jobs))
        await queue.addBulk([{"name": "noop", "data": {"n": n}} for n in numbers])
    left, done = jobs, asyncio.Event()

    async def noop(job: Any, token: str) -> Any:  # noqa: ANN401 - as above
        return job.data["n"]

    def count(job: Any, result: Any) -> None:  # noqa: ANN401 - as above
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    options = {**place, "concurrency": concurrency, "autorun": False}
    worker = library.Worker("drained", noop, options)
    worker.on("completed", count)
    began = time.perf_counter()
    running = asyncio.ensure_future(worker.run())
    await done.wait()
    seconds = time.perf_counter() - began
    await worker.close()
    await running
    counts = await queue.getJobCounts("completed", "wait", "active", "failed")
    if counts != {"completed": jobs, "wait": 0, "active": 0, "failed": 0}:
        raise SystemExit(f"not drained: {counts}")
    await queue.close()
    return jobs / seconds


def main() -> None:
    name = sys.argv[1]
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        rate = runner.run(
            drain(import_module(name), number("JOBS", 20_000), number("CONCURRENCY", 100))
        )
    sys.stdout.write(json.dumps({"library": name, "rate": rate, "runtime": runtime()}) + "\n")


if __name__ == "__main__":
    main()
