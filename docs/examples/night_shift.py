"""A night shift: retrying, moving, removing and limiting the jobs of a queue."""

from datetime import timedelta
from typing import Any

import anyio

from framework import Application, Job, JobState, Queue, WrongStateError, processor

bank = {"is_open": False}


@processor("payments", metrics=timedelta(days=14))
async def pay(job: Job[Any]) -> str:
    if not bank["is_open"]:
        raise ConnectionError("the bank is closed")
    return f"paid {job.data}"


async def retry(queue: Queue) -> None:
    first = (await queue.jobs(JobState.FAILED, newest_first=False))[0]
    print(f"{first.id} failed: {first.failed_reason}")
    await queue.retry_job(first.id, reset_attempts_made=True)
    print(await queue.retry_jobs(), "more")


async def move(queue: Queue) -> None:
    later = await queue.add("pay", 4, delay=timedelta(days=1))
    await queue.change_delay(later.id, timedelta(hours=1))
    await queue.promote_job(later.id)
    try:
        await queue.promote_job(later.id)
    except WrongStateError as error:
        print(error)
    await queue.change_priority(later.id, 5)
    await queue.update_data(later.id, 40)
    await queue.add_log(later.id, "the amount was wrong")
    print(await queue.counts_per_priority(0, 5), await queue.logs(later.id))


async def limit(queue: Queue) -> None:
    await queue.set_global_concurrency(2)
    await queue.set_global_rate_limit(100, timedelta(seconds=1))
    await queue.rate_limit(timedelta(minutes=5))
    print(await queue.global_concurrency(), await queue.rate_limit_ttl() > timedelta(minutes=4))
    await queue.remove_rate_limit_key()


async def watch(queue: Queue) -> None:
    paid = await queue.metrics()
    failed = await queue.metrics("failed")
    print(f"{paid.count} paid, {failed.count} failed, {len(await queue.workers())} at work")


async def tidy(queue: Queue) -> None:
    print(await queue.clean(timedelta(hours=1)), await queue.clean(limit=2))
    await queue.add("pay", 7)
    await queue.add("pay", 8, delay=timedelta(days=1))
    print(await queue.drain(), await queue.drain(delayed=True))
    await queue.obliterate()
    print(sum((await queue.counts()).values()), await queue.meta())


async def work(app: Application, queue: Queue, until: int) -> None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        ended = 0
        async for event in queue.events(after="0"):
            ended += event.event in {"completed", "failed"}
            if ended == until:
                break
        if bank["is_open"]:
            await watch(queue)
        app.stop()


async def main() -> None:
    async with Application(__name__) as app:
        queue = app.queue("payments")
        await queue.add_bulk([("pay", 1), ("pay", 2), ("pay", 3)])
        await work(app, queue, until=3)
        await retry(queue)
        await move(queue)
        await limit(queue)
        bank["is_open"] = True
        await work(app, queue, until=7)
        await tidy(queue)


if __name__ == "__main__":
    anyio.run(main)
