"""Node's administration of a queue that we use: it harms nothing of ours, and leaves nothing."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from framework import Application, Context, Job, JobState
from framework.store.store import Store
from tests.support.node import NodePeer, both_majors
from tests.support.ours import Ours, Runs, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

LISTS = ("wait", "paused", "active")
SETS = ("prioritized", "delayed", "completed", "failed", "waiting-children")
LATER = timedelta(minutes=1)


async def by_its_name(job: Job[Any], ctx: Context) -> object:
    await ctx.log("row")
    if job.name == "bad":
        raise ValueError("no luck")
    if job.name == "hang":
        await until(lambda: False, timeout=30)
    return job.data


async def keys_of(store: Store, prefix: str) -> set[str]:
    return {key.decode() for key in await store.command("KEYS", f"{prefix}:*")}


async def audit(store: Store, prefix: str) -> Counter[str]:
    """Count each job's places; each id in a place must have its hash, and each hash one place."""
    base = f"{prefix}:q:"
    found = [await store.command("LRANGE", base + name, 0, -1) for name in LISTS]
    found += [await store.command("ZRANGE", base + name, 0, -1) for name in SETS]
    places = Counter(job_id.decode() for ids in found for job_id in ids)
    keys = await keys_of(store, prefix)
    hashes = {key.removeprefix(base) for key in keys if key.removeprefix(base).isdigit()}
    assert set(places) == hashes
    assert set(places.values()) <= {1}
    return places


async def fill(app: Application) -> None:
    """Add jobs of ours that end up in every state, the last ones behind one that hangs."""
    queue = app.queue("q")
    for name in ("n", "n", "bad", "bad", "hang", "n"):
        await queue.add(name)
    await queue.add("n", priority=2)
    await queue.add("n", delay=LATER)

    async def is_full() -> bool:
        counts = await queue.counts()
        return counts[JobState.ACTIVE] == 1 and counts[JobState.FAILED] == 2

    await until(is_full)


async def test_nodes_sweep_of_orphans_leaves_all_of_ours(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    async with ours.working(does(by_its_name)) as app:
        await fill(app)
        before = await keys_of(store, ours.prefix)
        assert any(":meta:fw:" in key for key in before)

        await node.call("removeOrphanedJobs", queue="q")

        assert await keys_of(store, ours.prefix) == before
        assert len(await audit(store, ours.prefix)) == 8


async def test_nodes_obliterate_leaves_only_keys_of_ours_that_expire(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    async with ours.working(does(by_its_name)) as app:
        await fill(app)

    await node.call("obliterate", queue="q", opts={"force": True})

    left = await keys_of(store, ours.prefix)
    assert all(key.startswith(f"{ours.prefix}:q:meta:fw:") for key in left), left
    for key in left:
        assert 0 < await store.command("PTTL", key) <= 3_600_000


async def test_our_worker_goes_on_after_node_obliterated_its_queue(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    runs = Runs()
    async with ours.working(does(runs=runs)):
        first = await node.add("q", "n")
        await node.wait_result("q", first)

        await node.call("obliterate", queue="q")
        again = await node.add("q", "n", {"a": 1})

        assert await node.wait_result("q", again) == {"a": 1}
    assert runs.ids == ["1", "1"]


async def test_node_cleans_what_we_finished(ours: Ours, node: NodePeer, store: Store) -> None:
    async with ours.working(does(by_its_name)) as app:
        await fill(app)

        for state in ("completed", "failed"):
            assert len(await node.call("clean", queue="q", type=state)) == 2

        assert len(await audit(store, ours.prefix)) == 4
        logs = [key for key in await keys_of(store, ours.prefix) if key.endswith(":logs")]
        assert len(logs) == 1, "only the running job's log is left"


async def test_node_drains_what_we_added(ours: Ours, node: NodePeer, store: Store) -> None:
    async with ours.working(does(by_its_name)) as app:
        await fill(app)

        await node.call("drain", queue="q", delayed=True)

        counts = await app.queue("q").counts()
        assert (counts[JobState.COMPLETED], counts[JobState.FAILED]) == (2, 2)
        assert sum(counts.values()) == 5
        await audit(store, ours.prefix)


async def test_we_run_what_node_retries_and_promotes_in_bulk(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    runs = Runs()
    async with ours.working(does(by_its_name, runs=runs)) as app:
        queue = app.queue("q")
        bad = [(await queue.add("bad")).id for _ in range(3)]
        later = [(await queue.add("n", delay=LATER)).id for _ in range(3)]
        await until(lambda: _failed(app, 3))

        await node.queue_call("q", "promoteJobs")
        await until(lambda: len(runs.ids) == 6)
        await node.queue_call("q", "retryJobs", {"state": "failed"})
        await until(lambda: len(runs.ids) == 9)
        await until(lambda: _failed(app, 3))

        assert Counter(runs.ids) == Counter({**dict.fromkeys(bad, 2), **dict.fromkeys(later, 1)})
        await audit(store, ours.prefix)


async def _failed(app: Application, count: int) -> bool:
    return (await app.queue("q").counts())[JobState.FAILED] == count


async def test_we_follow_a_stream_that_node_trims(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does()) as app:
        queue = app.queue("q")
        job = await queue.add("n", "first")
        await queue.result(job)
        await node.queue_call("q", "trimEvents", 0)

        assert await queue.result(await queue.add("n", "second")) == "second"


async def test_opening_a_queue_changes_no_setting_of_the_other_side(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    options = {"streams": {"events": {"maxLen": 500}}}
    await node.call("openQueue", queue="q", opts=options)
    before = await node.call("getMeta", queue="q")

    async with ours.working(does()) as app:
        await app.queue("q").result(await app.queue("q").add("n"))

    after = await node.call("getMeta", queue="q")
    assert {name: after[name] for name in before} == before
    assert after["version"].startswith(f"bullmq:{node.major}.")
    assert await store.command("HGET", f"{ours.prefix}:q:meta", "opts.maxLenEvents") == b"500"
