"""One script of operations for the dump diff, in chapters that each have queues of their own."""

from collections.abc import Mapping
from typing import Any

from tests.interop.sides import Hand

HOUR = 3_600_000


async def finish(hand: Hand, queue: str, *, fails: str | None = None, final: bool = False) -> str:
    """Take a job and end it."""
    job_id = await hand.take(queue)
    assert job_id is not None, f"no job in {queue}"
    if fails is None:
        await hand.held(queue, job_id, "complete", {"done": job_id})
    else:
        await hand.held(queue, job_id, "fail", fails, final)
    return job_id


async def adding(hand: Hand) -> None:
    await hand.add("add", "plain", {"a": 1})
    await hand.add("add", "nothing")
    await hand.add("add", "text", 'Grüße, 世界 / \\ "')
    await hand.add("add", "list", [1, {"b": []}, None, 1.5])
    await hand.add_bulk("add", ["one", "two", "three"])
    await hand.add("add", "named", jobId="mine")
    await hand.add("add", "again", jobId="mine")
    await hand.add("add", "first", lifo=True)
    await hand.add("add", "urgent", priority=5)
    await hand.add("add", "more urgent", priority=1)
    await hand.add("add", "urgent too", priority=5)
    await hand.add("add", "later", delay=HOUR)
    await hand.add("add", "later, urgent", delay=HOUR, priority=3)
    await hand.add("add", "options", attempts=7, backoff=500, keepLogs=2, stackTraceLimit=1)


async def working(hand: Hand) -> None:
    for name in ("complete", "tell", "put off", "give back", "stay"):
        await hand.add("work", name)
    await hand.add("work", "urgent", priority=2)
    await finish(hand, "work")
    told = await hand.take("work")
    assert told is not None
    await hand.job("work", told, "updateProgress", 50)
    await hand.job("work", told, "updateProgress", {"pct": 100})
    for row in ("first", "second", "third"):
        await hand.job("work", told, "log", row)
    await hand.job("work", told, "clearLogs", 2)
    await hand.job("work", told, "updateData", {"step": 2})
    await hand.held("work", told, "extend")
    await hand.held("work", told, "complete", None)
    put_off = await hand.take("work")
    assert put_off is not None
    await hand.held("work", put_off, "delay", HOUR)
    back = await hand.take("work")
    assert back is not None
    await hand.held("work", back, "move to wait")
    assert await finish(hand, "work") == back
    await hand.take("work")
    await finish(hand, "work")
    assert await hand.take("work") is None


async def failing(hand: Hand) -> None:
    await hand.add("fail", "once")
    await finish(hand, "fail", fails="boom")
    await hand.add("fail", "twice", attempts=2)
    await finish(hand, "fail", fails="boom one")
    await finish(hand, "fail", fails="boom two")
    await hand.add("fail", "backs off", attempts=3, backoff=HOUR)
    await finish(hand, "fail", fails="later")
    await hand.add("fail", "hopeless", attempts=3)
    await finish(hand, "fail", fails="never", final=True)
    await hand.add("fail", "urgent", attempts=2, priority=4)
    await finish(hand, "fail", fails="soon")
    await hand.add("fail", "on top", attempts=2, lifo=True)
    await finish(hand, "fail", fails="at once")


async def retrying(hand: Hand) -> None:
    for name in ("bad", "worse", "worst"):
        await hand.add("again", name, attempts=2)
    for _ in range(6):
        await finish(hand, "again", fails="no")
    await hand.job("again", "1", "retry", "failed")
    await hand.job(
        "again", "2", "retry", "failed", {"resetAttemptsMade": True, "resetAttemptsStarted": True}
    )
    await hand.queue("again", "retryJobs", {"state": "failed"})
    for _ in range(3):
        await finish(hand, "again")
    await hand.job("again", "1", "retry", "completed")
    await hand.queue("again", "retryJobs", {"state": "completed"})


async def deduplicating(hand: Hand) -> None:
    simple = {"deduplication": {"id": "simple"}}
    await hand.add("dedup", "holds", 1, **simple)
    await hand.add("dedup", "is suppressed", 2, **simple)
    await finish(hand, "dedup")
    await hand.add("dedup", "holds again", 3, **simple)
    throttle = {"deduplication": {"id": "throttle", "ttl": HOUR}}
    await hand.add("dedup", "throttled", 4, **throttle)
    await hand.add("dedup", "is suppressed", 5, **throttle)
    extend = {"deduplication": {"id": "extend", "ttl": HOUR, "extend": True}}
    await hand.add("dedup", "extended", 6, **extend)
    await hand.add("dedup", "extends", 7, **extend)
    debounce = {"deduplication": {"id": "debounce", "ttl": HOUR, "extend": True, "replace": True}}
    await hand.add("dedup", "is replaced", 8, delay=HOUR, **debounce)
    await hand.add("dedup", "replaces", 9, delay=HOUR, **debounce)
    await hand.queue("dedup", "removeDeduplicationKey", "throttle")


async def keeping_the_last(hand: Hand) -> None:
    last = {"deduplication": {"id": "last", "keepLastIfActive": True}}
    await hand.add("last", "first", 1, **last)
    await hand.take("last")
    await hand.add("last", "second", 2, **last)
    await hand.add("last", "third", 3, priority=2, **last)
    await hand.held("last", "1", "complete", "one")
    await finish(hand, "last")


async def rescheduling(hand: Hand) -> None:
    """BullMQ 5 knows no such mode."""
    again = {"deduplication": {"id": "again", "reschedule": True}}
    await hand.add("resched", "first", 1, delay=HOUR, **again)
    await hand.add("resched", "second", 2, delay=2 * HOUR, **again)


def node(name: str, queue: str, *children: Mapping[str, Any]) -> dict[str, Any]:
    opts = {"jobId": name}
    return {"name": name, "queueName": queue, "data": 1, "opts": opts, "children": children}


def tree(parent: str, *children: Mapping[str, Any]) -> dict[str, Any]:
    return node(parent, "top", *children)


def leaf(name: str, policy: str = "failParentOnFailure") -> dict[str, Any]:
    return {**node(name, "leaf"), "opts": {"jobId": name, policy: True}}


async def flows(hand: Hand) -> None:
    # In a queue of its own: Node does not say in what order cousins of one queue are added.
    low = {**leaf("low"), "queueName": "low"}
    await hand.add_flow(tree("grandparent", {**leaf("middle"), "children": [low]}, leaf("side")))
    await finish(hand, "low")
    await finish(hand, "leaf")
    await finish(hand, "leaf")
    await finish(hand, "top")
    for policy in (
        "failParentOnFailure",
        "continueParentOnFailure",
        "ignoreDependencyOnFailure",
        "removeDependencyOnFailure",
    ):
        await hand.add_flow(
            tree(policy, leaf(f"{policy}-bad", policy), leaf(f"{policy}-good", policy))
        )
        await finish(hand, "leaf", fails="no luck")
        await finish(hand, "leaf")
        if policy == "failParentOnFailure":
            assert await hand.take("top") is None
        else:
            await finish(hand, "top")


async def adopting(hand: Hand) -> None:
    """Children that are there already: one that has completed, and one that waits."""

    def above(name: str, child: str) -> dict[str, Any]:
        return node(name, "adopts", {**leaf(child), "queueName": "pot"})

    await hand.add("pot", "done", jobId="done")
    await finish(hand, "pot")
    await hand.add("pot", "waits", jobId="waits")
    await hand.add_flow(above("has one", "done"))
    await hand.add_flow(above("gets one", "waits"))
    assert await finish(hand, "adopts") == "has one"
    assert await hand.take("adopts") is None
    await finish(hand, "pot")
    assert await finish(hand, "adopts") == "gets one"


async def growing_flows(hand: Hand) -> None:
    await hand.add("grow", "parent", jobId="parent")
    await hand.take("grow")
    await hand.add(
        "twig", "child", parent=("grow", "parent"), failParentOnFailure=True, jobId="late"
    )
    assert await hand.refused("grow", "parent", "complete", 1)
    assert await hand.held("grow", "parent", "wait for children")
    await finish(hand, "twig")
    await hand.take("grow")
    assert not await hand.held("grow", "parent", "wait for children")
    await hand.held("grow", "parent", "complete", "grown")
    await hand.job("twig", "late", "retry", "completed")


async def cutting_flows(hand: Hand) -> None:
    def stem(name: str) -> dict[str, Any]:
        return {**leaf(name), "queueName": "stem"}

    def pair(name: str) -> dict[str, Any]:
        return node(name, "cut", stem(f"{name}-1"), stem(f"{name}-2"))

    await hand.add_flow(pair("all"))
    await hand.job("cut", "all", "remove")
    await hand.add_flow(pair("one"))
    await hand.job("stem", "one-1", "remove")
    await hand.job("stem", "one-2", "removeChildDependency")
    await hand.add_flow(pair("rest"))
    await hand.job("cut", "rest", "removeUnprocessedChildren")
    await hand.add_flow(node("left", "cut", stem("left-1")))
    await hand.job("cut", "left", "remove", {"removeChildren": False})


async def scheduling(hand: Hand) -> None:
    await hand.upsert("every", "tick", {"every": HOUR}, "ticks")
    first = await hand.take("every")
    assert first is not None
    await hand.held("every", first, "complete", None)
    await hand.upsert("cron", "night", {"pattern": "0 15 3 * * *", "tz": "UTC"}, "nights")
    await hand.upsert("cron", "night", {"pattern": "0 16 3 * * *", "tz": "UTC"}, "nights")
    await hand.upsert("limited", "once", {"every": HOUR, "limit": 1}, "once")
    await finish(hand, "limited")
    await hand.upsert("dropped", "gone", {"pattern": "0 0 4 * * *", "tz": "Europe/Paris"}, "gone")
    await hand.queue("dropped", "removeJobScheduler", "gone")


async def limiting(hand: Hand) -> None:
    await hand.add_bulk("limit", ["a", "b", "c", "d", "e"])
    await hand.queue("limit", "setGlobalConcurrency", 1)
    await hand.take("limit")
    assert await hand.take("limit") is None
    await hand.queue("limit", "removeGlobalConcurrency")
    assert await hand.take("limit") == "2"
    await hand.queue("limit", "setGlobalRateLimit", 1, HOUR)
    assert await hand.take("limit") == "3"
    assert await hand.take("limit") is None
    await hand.queue("limit", "removeRateLimitKey")
    await hand.queue("limit", "setGlobalConcurrency", 10)


async def tending(hand: Hand) -> None:
    for _ in range(3):
        await hand.add("tend", "later", delay=HOUR)
    await hand.job("tend", "1", "changeDelay", 2 * HOUR)
    await hand.job("tend", "2", "promote")
    await hand.add("tend", "later, urgent", delay=HOUR, priority=7)
    await hand.job("tend", "4", "promote")
    await hand.queue("tend", "promoteJobs")
    await hand.job("tend", "4", "changePriority", {"priority": 1})
    await hand.job("tend", "2", "changePriority", {"priority": 3, "lifo": True})
    await hand.job("tend", "4", "changePriority", {"priority": 0})
    await hand.queue("tend", "setGlobalConcurrency", 3)


async def pausing(hand: Hand) -> None:
    await hand.add("pause", "before")
    await hand.queue("pause", "pause")
    await hand.add("pause", "meanwhile")
    await hand.add("pause", "urgent", priority=1)
    await hand.add("pause", "later", delay=HOUR)
    await hand.job("pause", "4", "promote")
    assert await hand.take("pause") is None
    await hand.queue("pause", "resume")
    await hand.take("pause")
    await hand.add("still", "before")
    await hand.queue("still", "pause")
    await hand.add("still", "meanwhile")


async def removing(hand: Hand) -> None:
    await hand.add("remove", "waits", deduplication={"id": "freed"})
    await hand.job("remove", "1", "remove")
    await hand.add("remove", "urgent", priority=1)
    await hand.job("remove", "2", "remove")
    await hand.add("remove", "later", delay=HOUR)
    await hand.job("remove", "3", "remove")
    await hand.add("remove", "done")
    await finish(hand, "remove")
    await hand.job("remove", "4", "remove")
    await hand.add("remove", "bad")
    await finish(hand, "remove", fails="no")
    await hand.job("remove", "5", "remove")


async def tidying(hand: Hand) -> None:
    await hand.add_bulk("tidy", ["done", "done too"])
    await finish(hand, "tidy")
    await finish(hand, "tidy", fails="no")
    await hand.queue("tidy", "clean", 0, 0, "completed")
    await hand.queue("tidy", "clean", 0, 0, "failed")
    await hand.add_bulk("tidy", ["waits", "waits too"])
    await hand.queue("tidy", "clean", 0, 1, "wait")
    await hand.add("tidy", "urgent", priority=1)
    await hand.queue("tidy", "clean", 0, 0, "prioritized")
    await hand.add("tidy", "later", delay=HOUR)
    await hand.queue("tidy", "clean", 0, 0, "delayed")
    await hand.add_bulk("tidy", ["runs", "waits"])
    await hand.take("tidy")
    await hand.add("tidy", "later", delay=HOUR)
    await hand.queue("tidy", "drain", False)
    await hand.add("tidy", "stays")
    await hand.queue("tidy", "trimEvents", 100_000)
    await hand.add("gone", "waits", deduplication={"id": "gone"})
    await hand.add("gone", "later", delay=HOUR)
    await hand.take("gone")
    await hand.queue("gone", "obliterate", {"force": True})


CHAPTERS = (
    adding,
    working,
    failing,
    retrying,
    deduplicating,
    keeping_the_last,
    rescheduling,
    flows,
    adopting,
    growing_flows,
    cutting_flows,
    scheduling,
    limiting,
    tending,
    pausing,
    removing,
    tidying,
)

NEW_IN_6 = {rescheduling}
