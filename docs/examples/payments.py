"""Payments: what is tried again, what is given up at once, and what is kept."""

from datetime import timedelta

import anyio
from pydantic import BaseModel

from framework import (
    Application,
    Context,
    Exponential,
    Failed,
    Fixed,
    Job,
    JobFailedError,
    JobOptions,
    KeepJobs,
    Producer,
    UnrecoverableError,
    on_event,
    processor,
)


class Payment(BaseModel):
    card: str
    cents: int


BUSY_UNTIL = 3


class BankBusyError(Exception):
    """It may have time for us later."""


@processor(
    "payments",
    concurrency=5,
    defaults=JobOptions(
        attempts=5,
        backoff=Exponential(timedelta(seconds=0.1), jitter=0.5),
        remove_on_complete=KeepJobs(count=500, age=timedelta(hours=1)),
        remove_on_fail=KeepJobs(age=timedelta(days=30)),
    ),
)
class Payments:
    async def process(self, job: Job[Payment], ctx: Context) -> str:
        if job.data.card == "expired":
            raise UnrecoverableError("the card has expired")
        if ctx.attempt < BUSY_UNTIL:
            raise BankBusyError("the bank is busy")
        return f"{job.data.cents} cents, attempt {ctx.attempt}"

    @on_event("failed")
    async def tell(self, event: Failed[Payment]) -> None:
        if not event.will_retry:
            print(f"given up after attempt {event.attempt}: {event.reason}")


async def pay(payments: Producer[Payment, str]) -> None:
    job = await payments.add(Payment(card="valid", cents=500))
    print("paid:", await payments.result(job))

    twice = await payments.add(
        Payment(card="valid", cents=900), attempts=2, backoff=Fixed(timedelta(seconds=0.1))
    )
    expired = await payments.add(Payment(card="expired", cents=700))
    for job in (twice, expired):
        try:
            await payments.result(job)
        except JobFailedError as error:
            print("not paid:", error.reason)


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        await pay(await app.get(Producer[Payment, str]))
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
