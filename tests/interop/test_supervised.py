"""A worker process of ours dies under its supervisor: Node has its jobs at once."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.command import command, write_package
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import ECHO
from tests.support.ours import Ours, job_hash
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

HANG = """
    import os
    from typing import Any
    import anyio
    from framework import Context, Job, processor

    @processor("q", concurrency=100)
    async def hang(job: Job[Any], ctx: Context) -> None:
        await ctx.progress(os.getpid())
        await anyio.sleep_forever()
"""


async def test_node_has_the_jobs_of_a_dead_worker_of_ours_within_a_second(
    ours: Ours, node: NodePeer, tmp_path: Path
) -> None:
    write_package(tmp_path, "shop", mail=HANG)
    told = {"REDIS_URL": ours.redis_url, "FRAMEWORK_PREFIX": ours.prefix}
    recording = await node.record_events("q")
    with command("run", "shop", cwd=tmp_path, environment=told) as run:
        run.says("worker ready")
        async with ours.producing() as app:
            jobs = await app.queue("q").add_bulk([("n", {"a": 1})] * 100)

            async def worker() -> str | None:
                progress = [(await job_hash(app, job.id)).get("progress") for job in jobs]
                return progress[0] if all(progress) else None

            pid = int(await until(worker, timeout=10, message="all run in our worker"))
            idle = await node.work("q", ECHO, concurrency=100)

            os.kill(pid, signal.SIGKILL)
            killed = time.monotonic()

            async def taken() -> bool:
                return len(await idle.runs()) == len(jobs)

            await until(taken, message="all run on Node")
            took = time.monotonic() - killed
            fields = await job_hash(app, jobs[0].id)

    assert took < 1.0
    assert (fields["ats"], fields["atm"], fields["fw.crashes"]) == ("2", "1", "1")
    assert await recording.events("stalled") == []
