"""Supervised workers that are killed now and then: each job is done, each extra run explained."""

import os
import random
import signal
from collections import Counter
from pathlib import Path

import anyio

from framework import Queue
from framework.model.job import JobState
from tests.support.command import command, write_package
from tests.support.until import until

COUNTS = """
    import os
    from typing import Any
    import anyio
    from framework import Job, processor

    @processor("greetings", concurrency=20)
    async def count(job: Job[dict[str, Any]]) -> None:
        with open(job.data["file"], "a") as file:
            file.write(f"{job.id} {os.getpid()}\\n")
        await anyio.sleep(0.02)
"""


def workers_of(pid: int) -> list[int]:
    """The processes that a supervisor has now."""
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(found) for found in told.split()]


async def kill_workers_while_jobs_run(
    folder: Path, queue: Queue, environment: dict[str, str], *, jobs: int, every: float, seed: int
) -> None:
    """Let two worker processes do jobs, kill one at random now and then, and count the runs."""
    chance = random.Random(seed)  # noqa: S311 - repeats what failed
    file = folder / "runs"
    write_package(folder, "shop", mail=COUNTS)
    killed: list[int] = []

    async def are_done() -> bool:
        counts = await queue.counts()
        return not (counts[JobState.WAITING] or counts[JobState.ACTIVE])

    with command("run", "shop", "--processes", "2", cwd=folder, environment=environment) as run:
        run.says("worker ready")
        for first in range(0, jobs, 1000):
            data = {"file": str(file)}
            await queue.add_bulk(
                [("x", data, {"remove_on_complete": True})] * min(1000, jobs - first)
            )
        while not await are_done():
            await anyio.sleep(every * chance.uniform(0.5, 1.5))
            busy = Counter(line.split()[1] for line in file.read_text().splitlines()[-40:])
            victims = [pid for pid in workers_of(run.process.pid) if str(pid) in busy]
            if victims:
                killed.append(chance.choice(victims))
                os.kill(killed[-1], signal.SIGKILL)
        await until(are_done, timeout=20, message="all is done")
        run.send(signal.SIGTERM)
        assert run.ends() == 0, run.output

    runs = [line.split() for line in file.read_text().splitlines()]
    by_job: dict[str, list[int]] = {}
    for job_id, pid in runs:
        by_job.setdefault(job_id, []).append(int(pid))
    assert len(by_job) == jobs, f"seed {seed}"
    unexplained = [job_id for job_id, pids in by_job.items() if not set(pids[:-1]) <= set(killed)]
    assert not unexplained, f"seed {seed}: {unexplained[:5]}"
    assert killed
