"""Clients add, work and listen while their line is cut at random: nothing is lost or doubled."""

import random
from functools import partial

import anyio

from framework import JobState, Queue
from framework_gateway import DeliveredJob, GatewayClient, RemoteEvents
from tests.plugins.gateway.client.conftest import client_at
from tests.plugins.gateway.client.line import Line
from tests.plugins.gateway.conftest import Start

JOBS = 300
CUTS = 20
SEED = 7


async def echo(job: DeliveredJob) -> object:
    """Say something, take a little time, and return what came."""
    await job.log("seen")
    await anyio.sleep(0.05)
    return job.data


async def add_all(client: GatewayClient) -> None:
    """Add jobs one after the other, each with an id of its own."""
    demo = client.queue("demo")
    for number in range(JOBS):
        await demo.add("n", number, job_id=f"job-{number}", idempotent=True)


async def hear_all(events: RemoteEvents) -> list[str | None]:
    """Listen until all have completed; return the jobs in the order in which they did."""
    return [(await anext(events)).job_id for _ in range(JOBS)]


async def cut_at_random(line: Line) -> None:
    """Cut all connections now and then; some answers get lost before that, and handshakes too."""
    chance = random.Random(SEED)  # noqa: S311 - the same each time
    for _ in range(CUTS):
        await anyio.sleep(chance.uniform(0.02, 0.3))
        if chance.random() < 0.5:
            line.mute()
            await anyio.sleep(chance.uniform(0, 0.02))
        line.cut()


async def test_no_job_and_no_event_is_lost_or_doubled_while_clients_are_cut(
    start: Start, queue: Queue
) -> None:
    gateway = await start(max_stalled_count=10_000)
    async with (
        Line(gateway.port).serve() as line,
        client_at(line.url, seconds=None) as client,
        client.events("demo", "completed") as events,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(3):
            tasks.start_soon(partial(client.work, "demo", echo, concurrency=5))
        tasks.start_soon(cut_at_random, line)
        tasks.start_soon(add_all, client)

        with anyio.fail_after(60):
            heard = await hear_all(events)
        tasks.cancel_scope.cancel()

    assert sorted(one or "" for one in heard) == sorted(f"job-{n}" for n in range(JOBS))
    counts = await queue.counts()
    assert counts[JobState.COMPLETED] == JOBS
    assert sum(counts.values()) == JOBS
    assert line.opened > CUTS
