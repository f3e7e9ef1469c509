"""How real processes stop: by their deadline, with every job back in line and no attempt burnt."""

import signal
from pathlib import Path

import pytest

from framework import JobState, Queue
from tests.integration.docs.test_examples import free_port
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


@pytest.fixture
def package(tmp_path: Path) -> Path:
    write_package(tmp_path, "shop", mail=SHOP, web=WEB)
    return tmp_path


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


async def test_fifty_long_jobs_hold_up_no_stop_for_longer_than_its_deadline(
    package: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    environment = environment_of(redis_url, prefix, 5)

    with command("run", "shop", cwd=package, environment=environment) as run:
        await fifty_run(queue)
        code = stopped_within(run, 7)

    assert code == 0
    await all_wait_unburnt(queue)
    assert "Traceback" not in run.output


@pytest.mark.parametrize("processes", ["0", "2"])
async def test_a_second_sigterm_waits_for_no_job(
    package: Path, redis_url: str, prefix: str, queue: Queue, processes: str
) -> None:
    environment = environment_of(redis_url, prefix, 60)

    asked = ("run", "shop", "--processes", processes)
    with command(*asked, cwd=package, environment=environment) as run:
        await fifty_run(queue)
        run.send(signal.SIGTERM)
        run.says("stopping")
        code = stopped_within(run, 2)

    assert code == 0
    await all_wait_unburnt(queue)


async def test_a_web_app_that_works_gives_its_jobs_back_too(
    package: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    environment = environment_of(redis_url, prefix, 0.5)

    with command(
        "serve", "shop.web:api", str(free_port()), cwd=package, environment=environment
    ) as run:
        await fifty_run(queue)
        stopped_within(run, 3)

    await all_wait_unburnt(queue)
    assert "Traceback" not in run.output


def test_a_web_app_that_works_does_not_start_without_redis(package: Path) -> None:
    nowhere = {"REDIS_URL": "redis://127.0.0.1:1", "FRAMEWORK_START_TIMEOUT": "0.3"}

    with command(
        "serve", "shop.web:api", str(free_port()), cwd=package, environment=nowhere
    ) as run:
        code = run.ends()

    assert code == 69
    assert "cannot reach redis at 127.0.0.1:1" in run.output
    assert "Traceback" not in run.output
