"""Deduplication ids of both sides: one history made twice, and each side heeds the other's."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio
import pytest

from framework import Context, Deduplication, Job
from framework.store.store import Store
from tests.interop.dedup_histories import DEDUP_HISTORIES, ONLY_6
from tests.interop.histories import History, on_node, on_us
from tests.interop.shown import OUR_META, Entry, dump, events_of
from tests.support.node import Major, NodePeer, both_majors
from tests.support.node_work import HANG
from tests.support.ours import Ours, does, job_hash
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

every_history = pytest.mark.parametrize("name", DEDUP_HISTORIES)


async def both_ways(ours: Ours, node: NodePeer, node_major: Major, name: str) -> None:
    """Make a history by Node alone, and by us."""
    if node_major == 5 and name in ONLY_6:
        pytest.skip("BullMQ 5 does not know this mode")
    history: Callable[[History], Awaitable[None]] = DEDUP_HISTORIES[name]
    async with on_node(node, "theirs") as theirs:
        await history(theirs)
    async with on_us(ours, node, "mine") as mine:
        await history(mine)


async def times_of(store: Store, base: str) -> dict[str, str]:
    """Tell of each deduplication key whether it ends by itself; and read the counter."""
    keys = [key.decode() for key in await store.command("KEYS", f"{base}de:*")]
    ends = {key: await store.command("PTTL", key) > 0 for key in keys}
    said = {key.removeprefix(base): "ends" if end else "stays" for key, end in ends.items()}
    return {**said, "id": (await store.command("GET", f"{base}id")).decode()}


def without_the_older_event(entries: list[Entry]) -> list[Entry]:
    """Leave out `debounced`, which BullMQ 5 writes beside `deduplicated`."""
    return [entry for entry in entries if entry[0] != ("event", "debounced")]


@every_history
async def test_our_deduplication_has_the_events_that_node_writes(
    ours: Ours, node: NodePeer, node_major: Major, store: Store, name: str
) -> None:
    await both_ways(ours, node, node_major, name)

    expected = without_the_older_event(await events_of(store, ours.prefix, "theirs"))
    assert await events_of(store, ours.prefix, "mine") == expected


@every_history
async def test_our_deduplication_leaves_the_keys_that_node_leaves(
    ours: Ours, node: NodePeer, node_major: Major, store: Store, name: str
) -> None:
    await both_ways(ours, node, node_major, name)

    expected = await dump(store, ours.prefix, "theirs")
    found = await dump(store, ours.prefix, "mine")
    for meta in (expected["meta"], found["meta"]):
        for field in OUR_META:
            meta.pop(field, None)
    assert found == expected
    bases = [f"{ours.prefix}:{queue}:" for queue in ("theirs", "mine")]
    theirs, mine = [await times_of(store, base) for base in bases]
    assert mine == theirs


async def test_node_heeds_an_id_that_our_job_holds(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        job = await app.queue("q").add("n", 1, deduplication=Deduplication("k"))

        assert await node.add("q", "n", 2, deduplication={"id": "k"}) == job.id
        assert await node.queue_call("q", "getDeduplicationJobId", "k") == job.id
        shown = await node.job("q", job.id)

    assert shown is not None
    assert shown["deduplicationId"] == "k"
    assert shown["opts"]["deduplication"] == {"id": "k"}


async def test_we_heed_an_id_that_nodes_job_holds(ours: Ours, node: NodePeer) -> None:
    first = await node.add("q", "n", 1, deduplication={"id": "k", "ttl": 60_000})
    async with ours.producing() as app:
        queue = app.queue("q")

        job = await queue.add("n", 2, deduplication=Deduplication("k"))

        assert job.id == first
        assert await queue.deduplication_job_id("k") == first
        stored = await queue.job(first)

    assert stored is not None
    assert stored.options["deduplication"].id == "k"


async def test_either_side_sets_an_id_free(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        mine = await queue.add("n", deduplication=Deduplication("mine"))
        theirs = await node.add("q", "n", deduplication={"id": "theirs"})

        assert await node.queue_call("q", "removeDeduplicationKey", "mine") == 1
        assert not await queue.remove_deduplication_key("theirs", job_id=mine.id)
        assert await queue.remove_deduplication_key("theirs", job_id=theirs)

        assert await node.add("q", "n", deduplication={"id": "mine"}) != mine.id
        assert (await queue.add("n", deduplication=Deduplication("theirs"))).id != theirs


async def test_node_replaces_our_delayed_job_and_we_replace_nodes(
    ours: Ours, node: NodePeer
) -> None:
    theirs = {"id": "k", "replace": True}
    async with ours.producing() as app:
        queue = app.queue("q")
        delay = Deduplication("k", replace=True)
        first = await queue.add("n", 1, delay=timedelta(minutes=1), deduplication=delay)
        second = await node.add("q", "n", 2, delay=60_000, deduplication=theirs)
        third = await queue.add("n", 3, delay=timedelta(minutes=1), deduplication=delay)

        counts = await node.counts("q", "delayed")
        assert counts == {"delayed": 1}
        assert await node.job("q", first.id) is None
        assert await node.job("q", second) is None
        assert await node.queue_call("q", "getDeduplicationJobId", "k") == third.id


async def test_what_we_keep_for_later_node_puts_in_line(ours: Ours, node: NodePeer) -> None:
    keep = Deduplication("k", keep_last_if_active=True)
    worker = await node.work("q", HANG)
    async with ours.producing() as app:
        queue = app.queue("q")
        first = await queue.add("n", 1, deduplication=keep)
        await until(worker.runs, message="the job runs")
        for n in (2, 3):
            assert (await queue.add("n", n, deduplication=keep)).id == first.id

        await worker.release(first.id, value="done")
        await worker.release("3", value="last")

        assert await queue.result("3") == "last"
        assert (await job_hash(app, "3"))["data"] == "3"


async def test_what_node_keeps_for_later_we_put_in_line(ours: Ours, node: NodePeer) -> None:
    may_end = anyio.Event()

    async def work(job: Job[object], _: Context) -> object:
        if job.data == 1:
            await may_end.wait()
        return job.data

    keep = {"deduplication": {"id": "k", "keepLastIfActive": True}}
    async with ours.working(does(work)) as app:
        first = await node.add("q", "n", 1, **keep)

        async def is_active() -> bool:
            return await node.state("q", first) == "active"

        await until(is_active, message="the job runs")
        for n in (2, 3):
            assert await node.add("q", "n", n, **keep) == first
        may_end.set()

        async def is_in_line() -> bool:
            return await node.state("q", "3") != "unknown"

        await until(is_in_line, message="the last one is put in line")
        assert await node.wait_result("q", "3") == 3
        assert await app.queue("q").deduplication_job_id("k") is None


async def test_an_id_whose_job_is_gone_is_free_beside_either_version(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    first = await node.add("q", "n", deduplication={"id": "k"})
    await store.command("DEL", f"{ours.prefix}:q:{first}")

    async with ours.producing() as app:
        job = await app.queue("q").add("n", deduplication=Deduplication("k"))

    assert job.id != first
    assert await node.add("q", "n", deduplication={"id": "k"}) == job.id
