"""Steps whose results a job remembers: no later run repeats them."""

from typing import Any

import pytest
from pydantic import BaseModel

from framework import Context, Job, JobFailedError, LockLostError, SyncContext, processor
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import hash_of
from tests.support.until import until


class Receipt(BaseModel):
    number: int


async def test_a_step_that_was_done_is_not_done_again(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    done: list[str] = []

    async def charge(cents: int) -> Receipt:
        done.append("charge")
        return Receipt(number=cents)

    async def send(receipt: Receipt) -> str:
        done.append("send")
        if len(done) < 4:
            raise ValueError("not yet")
        return f"sent {receipt.number}"

    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> str:
        receipt = await ctx.step("charge", charge, 500)
        again = await ctx.step("charge", charge, 1)
        assert receipt == again == Receipt(number=500)
        return await ctx.step("send", send, receipt=receipt)

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x", attempts=5)
        assert await app.queue("demo").result(job) == "sent 500"

    assert done == ["charge", "send", "send", "send"]
    fields = await hash_of(store, keys, job.id)
    assert fields["fw.step.charge"] == '{"number":500}'
    assert fields["fw.step.send"] == '"sent 500"'


async def test_a_step_runs_in_a_thread_too(open_app: Open) -> None:
    done: list[str] = []

    def charge() -> None:
        done.append("charge")

    @processor("demo", run_in="thread")
    def run(job: Job[Any], ctx: SyncContext) -> None:
        ctx.step("charge", charge)
        if ctx.attempt == 1:
            raise ValueError("once")

    app = open_app(run)

    async with working(app):
        await app.queue("demo").result(await app.queue("demo").add("x", attempts=2))

    assert done == ["charge"]


async def test_a_step_on_a_lost_lock_is_not_remembered(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    raised: list[BaseException] = []

    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> None:
        async def lose() -> int:
            await store.command("SET", f"{keys.job(job.id)}:lock", "another")
            return 1

        try:
            await ctx.step("lose", lose)
        except LockLostError as error:
            raised.append(error)

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x")
        await until(lambda: bool(raised), message="the step was refused")

    assert "fw.step.lose" not in await hash_of(store, keys, job.id)


async def test_a_result_that_cannot_be_written_fails_the_job_without_retry(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    async def strange() -> object:
        return object()

    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> None:
        await ctx.step("strange", strange)

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x", attempts=5)
        with pytest.raises(JobFailedError, match=r"fw\.step\.strange cannot be written"):
            await app.queue("demo").result(job)

    assert (await hash_of(store, keys, job.id))["atm"] == "1"
