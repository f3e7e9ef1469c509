"""Fifty long jobs at work, in a command or in a web app, and how that stops."""

import signal
from pathlib import Path

from framework import JobState, Queue
from tests.support.command import Command, command, write_package
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

JOBS = 50
SHOP = """
    import anyio
    from pydantic import BaseModel
    from framework import Job, processor

    class Greet(BaseModel):
        fails: bool = False

    @processor("greetings", concurrency=50)
    async def greet(job: Job[Greet]) -> None:
        if job.data.fails and job.attempts_made == 0:
            raise ValueError("the first attempt")
        await anyio.sleep(60)
"""
WEB = """
    from fastapi import FastAPI
    from framework.asgi import lifespan

    api = FastAPI(lifespan=lifespan("shop", work=True))
"""


def write_shop(folder: Path) -> Path:
    """Write a package that runs them, and a web app that does."""
    write_package(folder, "shop", mail=SHOP, web=WEB)
    return folder


async def fifty_run(queue: Queue) -> None:
    """Add jobs, of which one has burnt an attempt, and wait until all run."""
    await queue.add("greet", {"fails": True}, attempts=3)
    await queue.add_bulk([("greet", {}) for _ in range(JOBS - 1)])

    async def all_run() -> bool:
        first = await queue.job("1")
        made = first is not None and first.attempts_made == 1
        return made and (await queue.counts())[JobState.ACTIVE] == JOBS

    await until(all_run, timeout=15, message="fifty jobs run")


async def all_wait_unburnt(queue: Queue) -> None:
    counts = await queue.counts()
    jobs = [await queue.job(str(number)) for number in range(1, JOBS + 1)]
    assert (counts[JobState.WAITING], counts[JobState.ACTIVE]) == (JOBS, 0)
    assert [job.attempts_made for job in jobs if job] == [1] + [0] * (JOBS - 1)


def environment_of(redis_url: str, prefix: str, shutdown: float) -> dict[str, str]:
    return {
        "REDIS_URL": redis_url,
        "FRAMEWORK_PREFIX": prefix,
        "FRAMEWORK_SHUTDOWN_TIMEOUT": str(shutdown),
    }


def stopped_within(run: Command, seconds: float) -> int:
    """Send SIGTERM, and see that it ends in time."""
    watch = Stopwatch()
    run.send(signal.SIGTERM)
    code = run.ends()
    assert watch.seconds < seconds
    return code


async def stop_told_twice(
    folder: Path, queue: Queue, environment: dict[str, str], processes: str
) -> None:
    """Tell a command twice to stop while all fifty run: it is gone at once, and all wait again."""
    asked = ("run", "shop", "--processes", processes)
    with command(*asked, cwd=folder, environment=environment) as run:
        await fifty_run(queue)
        run.send(signal.SIGTERM)
        run.says("stopping")
        code = stopped_within(run, 2)

    assert code == 0
    await all_wait_unburnt(queue)
