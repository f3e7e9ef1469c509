"""A parent at work: it waits for its children, reads their values, and fails with them."""

from typing import Any

import pytest

from framework import Context, Job, JobFailedError, JobState, processor
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import events_of, hash_of, state_of
from tests.support.until import until

CHILD = "c1"


async def bear(store: Store, keys: QueueKeys, job_id: str, child: str = CHILD) -> str:
    """Tie a child to a running job; return its full key."""
    await store.command("SADD", f"{keys.job(job_id)}:dependencies", keys.job(child))
    return keys.job(child)


async def end(store: Store, keys: QueueKeys, job_id: str, child: str, value: str) -> None:
    """Record a child's end, as its worker would while the parent runs."""
    await store.command("SREM", f"{keys.job(job_id)}:dependencies", child)
    await store.command("HSET", f"{keys.job(job_id)}:processed", child, value)


async def test_a_parent_waits_while_a_child_is_pending(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> None:
        await bear(store, keys, job.id)
        await ctx.wait_for_children()

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x")
        await until(lambda: _waits(store, keys, job.id), message="it waits")

    assert (await events_of(store, keys, job.id))[-2:] == ["active", "waiting-children"]
    assert "atm" not in await hash_of(store, keys, job.id)


async def _waits(store: Store, keys: QueueKeys, job_id: str) -> bool:
    return await state_of(store, keys, job_id) is JobState.WAITING_CHILDREN


async def test_a_parent_whose_children_have_ended_goes_on_with_their_values(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> dict[str, int]:
        child = await bear(store, keys, job.id)
        await end(store, keys, job.id, child, "7")
        await ctx.wait_for_children()
        counts = await ctx.dependencies_count()
        assert (counts.processed, counts.unprocessed, counts.ignored, counts.failed) == (1, 0, 0, 0)
        return await ctx.children_values(int)

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x")
        assert await app.queue("demo").result(job) == {keys.job(CHILD): 7}

    assert (await hash_of(store, keys, job.id))["ats"] == "1"


async def test_a_child_that_ends_while_its_parent_parks_brings_it_back_at_once(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> int:
        if job.attempts_started == 1:
            child = await bear(store, keys, job.id)
            try:
                await ctx.wait_for_children()
            finally:
                await end(store, keys, job.id, child, "7")
        return sum((await ctx.children_values(int)).values())

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x")
        assert await app.queue("demo").result(job) == 7

    fields = await hash_of(store, keys, job.id)
    assert (fields["atm"], fields["ats"]) == ("1", "2")


@pytest.mark.parametrize("when", ["before", "while it parks", "as it returns"])
async def test_a_child_that_a_parent_may_not_outlive_fails_it_without_retry(
    open_app: Open, store: Store, keys: QueueKeys, when: str
) -> None:
    runs: list[str] = []

    async def fail_child(job_id: str) -> None:
        await store.command("ZADD", f"{keys.job(job_id)}:unsuccessful", 1, keys.job("dead"))

    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> None:
        runs.append(job.id)
        await bear(store, keys, job.id)
        if when == "before":
            await fail_child(job.id)
        try:
            if when != "as it returns":
                await ctx.wait_for_children()
        finally:
            await fail_child(job.id)
            if when == "as it returns":
                await store.command("DEL", f"{keys.job(job.id)}:dependencies")

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x", attempts=3)
        with pytest.raises(JobFailedError, match=r"child .*failed"):
            await app.queue("demo").result(job)

    assert runs == [job.id]
    assert (await hash_of(store, keys, job.id))["atm"] == "1"


async def test_a_parent_that_returns_while_children_are_pending_has_failed_that_attempt(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> str:
        if ctx.attempt == 1:
            await bear(store, keys, job.id)
            return "too early"
        await end(store, keys, job.id, keys.job(CHILD), "7")
        return "in time"

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x", attempts=2)
        assert await app.queue("demo").result(job) == "in time"

    fields = await hash_of(store, keys, job.id)
    assert fields["atm"] == "2"
    assert "children of it are pending" in fields["failedReason"]


async def test_a_parent_sees_which_children_failed(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> list[object]:
        await store.command("HSET", f"{keys.job(job.id)}:failed", keys.job("a"), "boom")
        await store.command("ZADD", f"{keys.job(job.id)}:unsuccessful", 1, keys.job("b"))
        told: list[object] = [await ctx.ignored_children(), await ctx.failed_children()]
        await store.command("DEL", f"{keys.job(job.id)}:unsuccessful")
        return told

    app = open_app(run)

    async with working(app):
        told = await app.queue("demo").result(await app.queue("demo").add("x"))

    assert told == [{keys.job("a"): "boom"}, [keys.job("b")]]
