"""What users do with deduplication ids, mode by mode."""

from collections.abc import Awaitable, Callable

from tests.interop.histories import History
from tests.support.until import until

MINUTE_MS = 60_000


async def simple(it: History) -> None:
    same = {"deduplication": {"id": "k"}}
    first = await it.side.add("n", 1, **same)
    assert await it.side.add("n", 2, **same) == first
    async with it.running():
        await it.settled(first)
        second = await it.side.add("bad", 3, **same)
        assert second != first
        await it.settled(second)
    await it.side.remove(await it.side.add("n", 4, delay=MINUTE_MS, **same))
    await it.side.add("n", 5, **same)


async def throttled(it: History) -> None:
    same = {"deduplication": {"id": "a:b", "ttl": MINUTE_MS}}
    first = await it.side.add("n", 1, **same)
    assert await it.side.add("n", 2, **same) == first
    async with it.running():
        await it.settled(first)
    assert await it.side.add("n", 3, **same) == first


async def extended(it: History) -> None:
    same = {"deduplication": {"id": "k", "ttl": MINUTE_MS, "extend": True}}
    first = await it.side.add("n", 1, **same)
    for n in (2, 3):
        assert await it.side.add("n", n, **same) == first


async def debounced(it: History) -> None:
    same = {"deduplication": {"id": "k", "ttl": MINUTE_MS, "extend": True, "replace": True}}
    ids = [await it.side.add("n", n, delay=MINUTE_MS, **same) for n in range(3)]
    assert len(set(ids)) == 3


async def replaced(it: History) -> None:
    same = {"deduplication": {"id": "k", "ttl": MINUTE_MS, "replace": True}}
    for n in range(2):
        await it.side.add("n", n, delay=MINUTE_MS, **same)
    waiting = {"deduplication": {"id": "waiting", "replace": True}}
    first = await it.side.add("n", 3, **waiting)
    assert await it.side.add("n", 4, **waiting) == first


async def rescheduled(it: History) -> None:
    same = {"deduplication": {"id": "k", "reschedule": True}}
    first = await it.side.add("n", 1, delay=MINUTE_MS, **same)
    assert await it.side.add("n", 2, delay=2 * MINUTE_MS, **same) == first
    waiting = {"deduplication": {"id": "waiting", "reschedule": True}}
    await it.side.add("n", 3, **waiting)
    await it.side.add("n", 4, delay=MINUTE_MS, **waiting)


async def kept_for_later(it: History) -> None:
    same = {"deduplication": {"id": "k", "keepLastIfActive": True}}
    first = await it.side.add("slow", 1, **same)
    await it.side.add("n", 2, **same)
    async with it.running():
        await is_active(it, first)
        await it.side.add("n", 3, **same)
        assert await it.side.add("n", 4, priority=2, **same) == first
        await it.let_end(first)
        await it.settled("4")


async def kept_beside_a_window(it: History) -> None:
    window = {"deduplication": {"id": "k", "ttl": MINUTE_MS}}
    later = {
        "deduplication": {"id": "k", "ttl": MINUTE_MS, "extend": True, "keepLastIfActive": True}
    }
    first = await it.side.add("slow", 1, **window)
    async with it.running():
        await is_active(it, first)
        await it.side.add("n", 2, **later)
        await it.let_end(first)
        await it.settled("2")


async def is_active(it: History, job_id: str) -> None:
    async def has_begun() -> bool:
        return await it.node.state(it.queue, job_id) == "active"

    await until(has_begun, message=f"job {job_id} runs")


DEDUP_HISTORIES: dict[str, Callable[[History], Awaitable[None]]] = {
    "simple": simple,
    "throttled": throttled,
    "extended": extended,
    "debounced": debounced,
    "replaced": replaced,
    "rescheduled": rescheduled,
    "kept-for-later": kept_for_later,
    "kept-beside-a-window": kept_beside_a_window,
}
# What BullMQ 5 does not know, or does another way.
ONLY_6 = {"rescheduled"}
