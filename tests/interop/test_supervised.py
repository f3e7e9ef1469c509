"""Beside Node, a worker process under its supervisor dies, or is asked to cancel what it runs."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.cancellable import PLACES, REASON, Place, Runs, package_of
from tests.support.command import command, write_package
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import ECHO
from tests.support.ours import Ours, job_hash
from tests.support.stopwatch import Stopwatch
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
            watch = Stopwatch()

            async def taken() -> bool:
                return len(await idle.runs()) == len(jobs)

            await until(taken, message="all run on Node")
            took = watch.seconds
            fields = await job_hash(app, jobs[0].id)

    assert took < 1.0
    assert (fields["ats"], fields["atm"], fields["fw.crashes"]) == ("2", "1", "1")
    assert await recording.events("stalled") == []


@pytest.mark.parametrize("place", PLACES)
async def test_node_cancels_what_a_worker_process_of_ours_runs(
    ours: Ours, node: NodePeer, tmp_path: Path, place: Place
) -> None:
    """In the way that `docs/reference/wire-format.md` tells peers."""
    write_package(tmp_path, "shop", mail=package_of(place, "q"))
    told = {"REDIS_URL": ours.redis_url, "FRAMEWORK_PREFIX": ours.prefix}
    base = f"{ours.prefix}:q:"

    async def ask(job_id: str) -> None:
        await node.redis("HSET", f"{base}meta", "x-fw.asks", 1)
        await node.redis("HSET", f"{base}{job_id}", "fw.cancelled", REASON, "defa", REASON)
        token = await node.redis("GET", f"{base}{job_id}:lock")
        await node.redis("ZADD", f"{base}meta:fw:calls:{token.partition(':')[0]}", 0, "0")

    async with ours.producing() as app:
        with command("run", "shop", "--processes", "2", cwd=tmp_path, environment=told):
            await Runs(app.queue("q"), tmp_path / "runs").cancel_each(ask)
