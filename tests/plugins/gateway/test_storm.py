"""Clients that are cut at random while they work: no job is lost. The long form is in chaos."""

import anyio

from framework import JobOptions, JobState, Queue
from framework_gateway import Gateway
from tests.plugins.gateway.clients import url
from tests.plugins.gateway.conftest import KEY, Start
from tests.plugins.gateway.crowd import Crowd
from tests.support.until import until

KEEP = JobOptions(remove_on_complete=None)


async def all_done(queue: Queue, count: int, timeout: float) -> dict[JobState, int]:
    """Wait until so many jobs have finished; return the counts."""

    async def are_done() -> dict[JobState, int] | None:
        counts = await queue.counts()
        finished = counts[JobState.COMPLETED] + counts[JobState.FAILED]
        return counts if finished >= count else None

    return await until(are_done, timeout=timeout, message=f"{count} jobs finished")


async def storm(
    gateway: Gateway, queue: Queue, jobs: int, clients: int, life: int, timeout: float
) -> Crowd:
    """Drain a queue by clients that are cut at random; show that each job completed."""
    for first in range(0, jobs, 1000):
        count = min(1000, jobs - first)
        await queue.add_bulk([("n", first + number, KEEP) for number in range(count)])
    where = url(gateway, f"/queue/demo/process/10?token={KEY}&maxStalledCount=1000")
    crowd = Crowd(where, clients, life)
    async with anyio.create_task_group() as tasks:
        await crowd.run(tasks)
        counts = await all_done(queue, jobs, timeout)
        tasks.cancel_scope.cancel()

    assert counts[JobState.COMPLETED] == jobs
    assert {state: count for state, count in counts.items() if count and state != "completed"} == {}
    assert len(crowd.answered) == jobs
    return crowd


async def test_no_job_is_lost_while_clients_are_cut_at_random(start: Start, queue: Queue) -> None:
    gateway = await start()

    crowd = await storm(gateway, queue, jobs=1500, clients=20, life=30, timeout=60)

    assert crowd.cuts >= 20
