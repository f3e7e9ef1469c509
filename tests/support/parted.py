"""A worker that a parted network keeps from Redis, and another one that is not."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
from pydantic import BaseModel
from structlog.testing import capture_logs

from framework import Job, processor
from framework.app.application import Application
from tests.support.apps import declared, settings_of, working
from tests.support.proxy import Proxy
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

JOBS = 5
# How soon a healed worker has a job again.
MOST_SECONDS = 2.0
MINUTE = timedelta(minutes=1)


class Number(BaseModel):
    number: int


@dataclass
class Seen:
    """What happened to the jobs, by their numbers."""

    begun: Counter[str] = field(default_factory=Counter[str])
    cancelled: dict[int, Stopwatch] = field(default_factory=dict[int, Stopwatch])


def slow(seen: Seen, who: str, lock: float) -> Any:  # noqa: ANN401 - a processor
    """What a parted worker runs has no end; the first job returns something when cancelled."""
    seconds = timedelta(seconds=lock)

    @processor("demo", concurrency=2 * JOBS, lock_duration=seconds, stalled_interval=seconds)
    async def run(job: Job[Number]) -> str:
        number = job.data.number
        seen.begun[f"{who} {number}"] += 1
        if who == "rival" or number >= JOBS:
            return who
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            seen.cancelled[number] = Stopwatch()
            if number:
                raise
        return who

    return run


@dataclass
class Measured:
    """How long it took, in seconds, from the parting on; and from the healing on."""

    cancelled: float
    done_elsewhere: float
    back: float


async def part_a_worker(redis_url: str, prefix: str, *, lock: float, apart: float) -> Measured:
    """Part a worker from Redis for so many seconds at least, and see what becomes of its jobs."""
    seen = Seen()
    async with Proxy(redis_url, chance=0).serve() as proxy:
        parted, rival = (
            Application(declared(slow(seen, who, lock)), settings=settings_of(url, prefix))
            for who, url in (("parted", proxy.url), ("rival", redis_url))
        )
        other = Application(declared(), settings=settings_of(redis_url, prefix))
        async with other, working(parted):
            queue = other.queue("demo")
            jobs = await queue.add_bulk([("Number", {"number": n}) for n in range(JOBS)])
            await until(lambda: parted.running == JOBS, message="all run")
            with capture_logs() as logs:
                async with working(rival):
                    proxy.part()
                    began = Stopwatch()
                    results = [await queue.result(job, timeout=MINUTE) for job in jobs]
                    elsewhere = began.seconds
                await until(lambda: len(seen.cancelled) == JOBS, timeout=30, message="cancelled")
                await anyio.sleep(max(0.0, began.at + apart - time.monotonic()))
                late = await queue.add("Number", {"number": JOBS})
                assert seen.begun[f"parted {JOBS}"] == 0

                proxy.heal()
                healed = Stopwatch()
                result = await queue.result(late)
                back = healed.seconds
                await until(lambda: said(logs, "outcome refused"), message="the late outcome")
            assert [await queue.result(job) for job in jobs] == results
    assert (results, result) == (["rival"] * JOBS, "parted")
    assert set(seen.begun.values()) == {1}
    assert len(said(logs, "lock not renewed in time")) == JOBS - 1
    cancelled = max(map(began.seconds_until, seen.cancelled.values()))
    return Measured(cancelled, elsewhere, back)


def said(logs: Sequence[Any], text: str) -> list[Any]:
    """What was logged with these words."""
    return [one for one in logs if text in one["event"]]
