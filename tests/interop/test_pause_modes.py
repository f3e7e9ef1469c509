"""Pausing beside BullMQ 6 and 5: which jobs stand where, and that none of ours is lost."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from framework import Application, Context, Job, JobState, Queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.builders import list_of, scores_of
from tests.support.node import NodePeer, both_majors
from tests.support.ours import Ours, Runs, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def mode(node: NodePeer) -> str:
    """What a fleet with this BullMQ is to be set to."""
    return f"v{node.major}"


@pytest.fixture
def beside(ours: Ours, mode: str) -> Ours:
    return replace(ours, settings={"pause_mode": mode})


async def lines(store: Store, ours: Ours) -> tuple[list[str], list[str]]:
    keys = QueueKeys(ours.prefix, "q")
    return await list_of(store, keys, "wait"), await list_of(store, keys, "paused")


def standing(node: NodePeer, *ids: str) -> tuple[list[str], list[str]]:
    """Where jobs stand in a pause, the oldest last."""
    newest_first = list(ids[::-1])
    return ([], newest_first) if node.major == 5 else (newest_first, [])


@asynccontextmanager
async def adding(ours: Ours) -> AsyncIterator[Queue]:
    async with ours.producing() as app:
        yield app.queue("q")


async def assert_all_run(ours: Ours, *ids: str) -> None:
    """Work off the queue, and see that each job ran once, in this order."""
    runs = Runs()
    async with ours.working(does(runs=runs)) as app:

        async def is_empty() -> bool:
            counts = await app.queue("q").counts()
            return counts[JobState.COMPLETED] == sum(counts.values())

        await until(is_empty, message="all are completed")
    assert runs.ids == list(ids)


async def test_a_pause_by_us_stands_as_nodes_own(
    beside: Ours, node: NodePeer, store: Store
) -> None:
    async with adding(beside) as queue:
        for name in ("theirs", "q"):
            await node.add_bulk(name, [{"name": "n"}] * 2)
        await node.call("pause", queue="theirs")
        await queue.pause()
        await node.add("theirs", "n")
        await queue.add("n")

        for name in ("wait", "paused"):
            by_node = await list_of(store, QueueKeys(beside.prefix, "theirs"), name)
            assert await list_of(store, QueueKeys(beside.prefix, "q"), name) == by_node
        await node.call("resume", queue="q")
        await node.call("resume", queue="theirs")

    assert await lines(store, beside) == (["3", "2", "1"], [])
    assert await scores_of(store, QueueKeys(beside.prefix, "q"), "marker") == {"0": 0}
    await assert_all_run(beside, "1", "2", "3")


async def test_what_both_add_in_a_pause_of_ours_runs_after_nodes_resume(
    beside: Ours, node: NodePeer, store: Store
) -> None:
    async with adding(beside) as queue:
        first = (await queue.add("n")).id
        await queue.pause()
        ids: list[str] = [first]
        for _ in range(3):
            ids += [await node.add("q", "n"), (await queue.add("n")).id]
        assert await lines(store, beside) == standing(node, *ids)
        assert (await queue.counts())[JobState.WAITING] == 7

        await node.call("resume", queue="q")

    await assert_all_run(beside, *ids)


async def test_what_both_add_in_a_pause_of_nodes_runs_after_our_resume(
    beside: Ours, node: NodePeer, store: Store
) -> None:
    async with adding(beside) as queue:
        ids = [await node.add("q", "n"), (await queue.add("n")).id]
        await node.call("pause", queue="q")
        ids += [(await queue.add("n")).id, await node.add("q", "n")]
        assert await lines(store, beside) == standing(node, *ids)

        await queue.resume()

    await assert_all_run(beside, *ids)


@pytest.mark.parametrize("again", ["node", "us"])
async def test_a_second_pause_loses_nothing(
    beside: Ours, node: NodePeer, store: Store, again: str
) -> None:
    async with adding(beside) as queue:
        ids: list[str] = [(await queue.add("n")).id]
        await (queue.pause() if again == "node" else node.call("pause", queue="q"))
        ids += [await node.add("q", "n"), (await queue.add("n")).id]

        await (node.call("pause", queue="q") if again == "node" else queue.pause())

        assert await lines(store, beside) == standing(node, *ids)
        await node.call("resume", queue="q")
    await assert_all_run(beside, *ids)


async def test_jobs_that_fail_and_fall_due_in_a_pause_run_after_it(
    beside: Ours, node: NodePeer
) -> None:
    async def fail_once(job: Job[Any], _: Context) -> None:
        if job.attempts_made == 0 and job.id == "1":
            await app.queue("q").pause()
            raise ValueError("once")

    runs = Runs()
    async with beside.working(does(fail_once, runs=runs)) as app:
        await app.queue("q").add("n", attempts=2)
        await until(lambda: runs.ids == ["1"])
        await until(lambda: waits(node))
        late = await node.add("q", "n", delay=50)
        await until(lambda: due(app, late), message="it is promoted")

        await node.call("resume", queue="q")

        await until(lambda: len(runs.ids) == 3)
    assert Counter(runs.ids) == {"1": 2, late: 1}


async def waits(node: NodePeer) -> bool:
    return await node.state("q", "1") == "waiting"


async def due(app: Application, job_id: str) -> bool:
    return await app.queue("q").state(job_id) is JobState.WAITING


async def test_beside_bullmq_5_the_default_mode_loses_jobs_as_bullmq_6_does(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    async with adding(ours) as queue:
        first = (await queue.add("n")).id
        await queue.pause()
        second = await node.add("q", "n")
        await node.call("resume", queue="q")

    wait, _ = await lines(store, ours)
    assert wait == ([second, first] if node.major == 6 else [second])


async def test_what_bullmq_6_left_is_merged_by_our_resume(
    beside: Ours, node: NodePeer, store: Store
) -> None:
    async with adding(beside) as queue:
        ids = [await node.add("q", "n") for _ in range(3)]
        await node.call("pause", queue="q")
        # As BullMQ 6 beside it would: it leaves new jobs where they are.
        keys = QueueKeys(beside.prefix, "q")
        fields = ("name", "n", "data", "{}", "opts", "{}", "timestamp", 1)
        await store.command("HSET", keys.job("x"), *fields)
        await store.command("LPUSH", keys["wait"], "x")

        await queue.resume()

    expected = [*ids, "x"]
    assert await lines(store, beside) == (expected[::-1], [])
    await assert_all_run(beside, *expected)


@pytest.mark.parametrize("seed", range(3))
async def test_pauses_of_both_sides_in_any_order_lose_nothing(
    beside: Ours, node: NodePeer, store: Store, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - an order of acts
    ids: list[str] = []
    async with adding(beside) as queue:

        async def add() -> None:
            ids.append((await queue.add("n")).id)

        async def add_by_node() -> None:
            ids.append(await node.add("q", "n"))

        async def promote() -> None:
            ids.append((await queue.add("n", delay=MINUTE)).id)
            await queue.promote_job(ids[-1])

        async def lower() -> None:
            ids.append((await queue.add("n", priority=3)).id)
            await queue.change_priority(ids[-1], 0)

        acts = [add, add_by_node, promote, lower, queue.pause, queue.resume]
        acts += [partial(node.call, "pause", queue="q"), partial(node.call, "resume", queue="q")]
        for act in chance.choices(acts, k=60):
            await act()
            wait, parked = await lines(store, beside)
            assert sorted(wait + parked) == sorted(ids)
        await queue.resume()
    await assert_all_run(beside, *ids)
