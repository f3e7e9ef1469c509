"""The limit of programs without a supervisor: code that holds the interpreter loses its lock."""

import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import anyio

from framework import Job, processor
from tests.support.apps import Open, working
from tests.support.until import until

ROOT = Path(__file__).parents[3]
LOCK = 1.0


async def test_without_a_supervisor_a_held_interpreter_loses_its_job_and_is_told_so(
    open_app: Open, redis_url: str, prefix: str
) -> None:
    runs: Counter[str] = Counter()
    second = timedelta(seconds=LOCK)

    @processor("demo", lock_duration=second, stalled_interval=second)
    async def rival(job: Job[Any]) -> str:
        runs[job.id] += 1
        return "rival"

    command = [sys.executable, "-m", "tests.support.held_interpreter", redis_url, prefix, str(LOCK)]
    said = bytearray()
    async with open_app() as app:
        process = await anyio.open_process(command, cwd=ROOT, stdout=PIPE, stderr=STDOUT)
        try:
            job = await app.queue("demo").add("x")
            await until(lambda: is_active(app, job.id), timeout=10, message="it runs there")
            async with working(open_app(rival)):
                result = await app.queue("demo").result(job)
            assert process.stdout is not None
            with anyio.fail_after(30):
                while b"outcome refused" not in said:
                    said += await process.stdout.receive()
        finally:
            process.kill()
            await process.aclose()
        ended = await app.queue("demo").job(job.id)

    assert (result, runs) == ("rival", Counter({job.id: 1}))
    assert ended is not None
    assert (ended.attempts_started, ended.result) == (2, "rival")


async def is_active(app: Any, job_id: str) -> bool:  # noqa: ANN401 - an application
    return bool(await app.queue("demo").state(job_id) == "active")
