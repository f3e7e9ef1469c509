"""Node and we share a cluster, and one of its masters dies: nothing is lost, nothing doubled."""

from collections import Counter

import anyio
from anyio import to_thread

from framework import Job, processor
from framework.app.application import Application
from framework.model.job import JobState
from framework.wire.slots import slot_of
from tests.places.load import TIMEOUT
from tests.support.apps import declared, settings_of, working
from tests.support.clusters import Cluster
from tests.support.node import Major, both_majors, node_peer
from tests.support.until import until

# For Node and for us, on one master for each test: another than the other tests here kill.
QUEUES: dict[Major, tuple[str, str]] = {6: ("{c}", "{g}"), 5: ("{a}", "{d}")}
JOBS = 60


@both_majors
async def test_both_go_on_when_a_master_dies(
    dying_cluster: Cluster, prefix: str, node_major: Major
) -> None:
    for_node, for_us = QUEUES[node_major]
    runs: Counter[str] = Counter()

    @processor(for_us, concurrency=3)
    async def run(job: Job[int]) -> int:
        runs[job.id] += 1
        await anyio.sleep(0.01)
        return job.data + 1

    app = Application(
        declared(run), settings=settings_of(dying_cluster.url, prefix, timeout=TIMEOUT)
    )
    async with node_peer(dying_cluster.url, prefix=prefix, major=node_major) as node, working(app):
        worker = await node.work(for_node, {"kind": "echo"}, concurrency=3)
        ours = app.queue(for_node)

        async def we_add() -> None:
            for n in range(JOBS):
                await ours.add("echo", n)

        async def node_adds() -> None:
            for n in range(JOBS):
                # It sends again what may have been added; an id of its own makes that harmless.
                await node.add(for_us, "int", n, jobId=f"n{n}")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(we_add)
            tasks.start_soon(node_adds)
            await until(lambda: len(runs) >= JOBS // 2, timeout=20, message="half of ours ran")
            await to_thread.run_sync(dying_cluster.master_of(slot_of(for_us)).kill)

        for queue in (for_node, for_us):
            await until(lambda q=queue: all_completed(app, q), timeout=30, message=queue)  # type: ignore[misc]  # bound now
        node_runs = await worker.runs()

    assert runs == {f"n{n}": 1 for n in range(JOBS)}
    assert len(node_runs) == JOBS
    assert set(node_runs.values()) == {1}


async def all_completed(app: Application, queue: str) -> bool:
    """Tell whether all jobs of a queue are there, and have completed."""
    counts = await app.queue(queue).counts()
    return counts[JobState.COMPLETED] == sum(counts.values()) == JOBS
