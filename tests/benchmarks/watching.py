"""What a stretch of a queue's work costs, seen from outside while workers go through it."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis

from tests.benchmarks.peers.costs import Figures
from tests.benchmarks.processes import PeerError, Workers

LOOK_EVERY = 0.005
LONGEST_WINDOW = 4.0  # seconds that a slow worker is watched
FIRST_JOB_WITHIN = 30.0


@dataclass
class Watch:
    """Somebody who looks every few milliseconds at what is left to do.

    Args:
        left: Counts it.
        commands: How many commands of Redis one look takes: they are not the worker's.
    """

    redis: Redis
    workers: Workers
    left: Callable[[], int]
    commands: int

    def stretch(self, total: int, first: int, last: int = 0) -> dict[str, float]:
        """Return what it costs from ``first`` jobs left to ``last``, or to the longest time.

        Raises:
            PeerError: The worker ended, or does nothing.
        """
        until(lambda: self.left() < total, FIRST_JOB_WITHIN, self.workers)
        until(lambda: self.left() <= first, LONGEST_WINDOW / 2, self.workers, is_required=False)
        own = time.process_time()
        before, at_first = Figures.now(self.redis, self.workers.cpu_seconds), self.left()
        deadline, looks = time.monotonic() + LONGEST_WINDOW, 1
        while (left := self.left()) > last and time.monotonic() < deadline:
            looks += 1
            self.workers.check()
            time.sleep(LOOK_EVERY)
        after = Figures.now(self.redis, self.workers.cpu_seconds)
        if left == at_first:
            raise PeerError(f"nothing to measure: {left} jobs are left; is JOBS too low?")
        cost = after.since(before)
        cost["redis_commands"] -= (looks + 1) * self.commands + 1
        cost["busy_seconds"] -= time.process_time() - own
        return {"jobs": at_first - left, **cost}


def until(
    condition: Callable[[], bool], seconds: float, workers: Workers, *, is_required: bool = True
) -> None:
    """Wait for something.

    Raises:
        PeerError: It did not come about, and it had to.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        workers.check()
        if time.monotonic() > deadline:
            if is_required:
                raise PeerError(f"the worker did nothing for {seconds:g} s")
            return
        time.sleep(LOOK_EVERY)


def rates(cost: dict[str, float]) -> dict[str, float]:
    """Word a cost as what is printed."""
    jobs = cost["jobs"]
    others = cost["busy_seconds"] - cost["cpu_seconds"] - cost["redis_cpu_seconds"]
    return {
        "jobs/s": jobs / cost["seconds"],
        "worker µs/job": cost["cpu_seconds"] / jobs * 1e6,
        "Redis µs/job": cost["redis_cpu_seconds"] / jobs * 1e6,
        "commands/job": cost["redis_commands"] / jobs,
        "others %": max(100 * others / (cost["seconds"] * (os.cpu_count() or 1)), 0.0),
    }
