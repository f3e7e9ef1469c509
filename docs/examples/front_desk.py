"""A front desk: jobs that people take and end, one by one."""

from datetime import timedelta

import anyio

from framework import Application, HeldJob, LockLostError, Queue


async def serve(queue: Queue) -> None:
    number = 0
    while job := await queue.next_job(f"desk-{number}", lock_duration=timedelta(minutes=5)):
        print(f"{job.job.data} asks, attempt {job.job.attempts_made + 1}")
        await answer(job)
        number += 1


async def answer(job: HeldJob) -> None:
    match job.job.data:
        case "Ada":
            await job.complete({"room": 12})
        case "Bob" if job.job.attempts_made == 0:
            print("again:", await job.fail("no room yet"))
        case "Bob":
            await job.fail("the house is full", unrecoverable=True)
        case _:
            await job.delay_for(timedelta(hours=1))


async def main() -> None:
    async with Application(__name__) as app:
        queue = app.queue("guests")
        for guest in ("Ada", "Bob", "Eve"):
            await queue.add("guest", guest, attempts=3)
        await serve(queue)

        try:
            await queue.held_job("3", "desk-2")
        except LockLostError:
            print("Eve is in nobody's hands")


if __name__ == "__main__":
    anyio.run(main)
