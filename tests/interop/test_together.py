"""Both sides add to and work one queue at the same time."""

from collections import Counter
from typing import Any

import anyio
import pytest

from framework import Application, Context, Job, JobOptions, JobState
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import sleeps
from tests.support.ours import Ours, Runs, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

JOBS = 2000
# Our default keeps 1,000; a Node worker that finishes one of our jobs would trim to that.
KEPT = JobOptions(remove_on_complete=False)
CONCURRENCY = 20


async def linger(_: Job[Any], __: Context) -> None:
    await anyio.sleep(0.001)


async def add_ours(app: Application, ids: list[str]) -> None:
    queue = app.queue("q")
    for first in range(0, JOBS // 4, 50):
        jobs = await queue.add_bulk(("n", n, KEPT) for n in range(first, first + 50))
        ids += [job.id for job in jobs]

    async def add_alone() -> None:
        for _ in range(JOBS // 40):
            ids.append((await queue.add("n", remove_on_complete=False)).id)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(add_alone)


async def add_theirs(node: NodePeer, ids: list[str]) -> None:
    for first in range(0, JOBS // 2, 50):
        jobs = [{"name": "n", "data": n} for n in range(first, first + 50)]
        ids += await node.add_bulk("q", jobs)


async def test_2000_jobs_of_both_sides_are_each_completed_once_by_one_of_them(
    ours: Ours, node: NodePeer
) -> None:
    runs, ids = Runs(), list[str]()
    worker = await node.work("q", sleeps(1), concurrency=CONCURRENCY)
    async with ours.working(does(linger, runs=runs, concurrency=CONCURRENCY)) as app:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(add_ours, app, ids)
            tasks.start_soon(add_theirs, node, ids)
        queue = app.queue("q")

        async def nothing_left() -> bool:
            counts = await queue.counts()
            return not any(count for state, count in counts.items() if not state.is_final)

        await until(nothing_left, timeout=20, message="all jobs have finished")
        theirs = await worker.runs()
        completed = {job.id: job for job in await queue.jobs(JobState.COMPLETED, stop=-1)}
        heard = Counter(
            [
                entry[b"jobId"].decode()
                for _, entry in await app.store.command(
                    "XRANGE", f"{ours.prefix}:q:events", "-", "+"
                )
                if entry[b"event"] == b"completed"
            ]
        )

    assert len(set(ids)) == JOBS
    assert Counter(theirs) + Counter(runs.ids) == Counter(ids)
    assert min(len(theirs), len(runs.ids)) > JOBS // 20, "both sides work"
    assert await worker.events("error") == []
    assert set(completed) == set(ids)
    assert {job.attempts_started for job in completed.values()} == {1}
    assert {job.attempts_made for job in completed.values()} == {1}
    # The stream is trimmed, but what it still holds is there once.
    assert set(heard.values()) == {1}
