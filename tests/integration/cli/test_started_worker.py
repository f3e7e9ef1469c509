"""A worker that was started at run time, under a supervisor: it is looked after as others are."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from anyio import to_thread
from pydantic import SecretStr

from framework import Application, JobState, Queue, Settings
from framework.app.discovery import Declarations
from tests.support.command import children_of, command, write_package
from tests.support.until import until

JOBS = """
    import os
    import anyio
    from framework import Job, Workers, processor

    async def sleep(job: Job[float]) -> int:
        await anyio.sleep(job.data)
        return os.getpid()

    @processor("begin")
    async def begin(job: Job[str], workers: Workers) -> int:
        await workers.start(sleep, queue=job.data, concurrency=5)
        return os.getpid()
"""


@pytest.fixture
async def app(redis_url: str, prefix: str) -> AsyncIterator[Application]:
    settings = Settings(redis_url=SecretStr(redis_url), prefix=prefix)
    async with Application(Declarations("tests"), settings=settings) as app:
        yield app


async def is_in(queue: Queue, job_id: str, state: JobState) -> bool:
    return await queue.state(job_id) is state


async def test_jobs_of_a_started_worker_are_back_in_line_as_soon_as_it_dies(
    tmp_path: Path, redis_url: str, prefix: str, app: Application
) -> None:
    write_package(tmp_path, "shop", jobs=JOBS)
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "FRAMEWORK_REDIS_URL": redis_url,
        "FRAMEWORK_PREFIX": prefix,
    }
    with command("run", "shop", cwd=tmp_path, environment=environment) as run:
        await to_thread.run_sync(run.says, "ready")
        begin, late = app.queue("begin"), app.queue("late")
        (worker,) = children_of(run.process.pid)
        assert await begin.result(await begin.add("x", "late")) == worker
        # A second one, which takes another place with the supervisor.
        await begin.result(await begin.add("x", "later"))
        jobs = [await late.add("x", 600) for _ in range(3)]
        for job in jobs:
            await until(partial(is_in, late, job.id, JobState.ACTIVE), message="it runs")
        quick = await late.add("x", 0.0)
        assert await late.result(quick) == worker

        os.kill(worker, signal.SIGKILL)

        # Long before their locks of 30 s have ended.
        for job in jobs:
            await until(partial(is_in, late, job.id, JobState.WAITING), message="it is back")
        await to_thread.run_sync(partial(run.says, "jobs of a dead worker are back in line"))
