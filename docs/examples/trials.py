"""Trials: jobs that leave in the middle, for a time or until a carrier takes more."""

from datetime import timedelta

import anyio
from pydantic import BaseModel

from framework import Application, Context, Job, Producer, processor

TRIAL = timedelta(seconds=0.2)  # two weeks, in earnest


class Trial(BaseModel):
    user: str
    is_welcomed: bool = False


@processor("trials", concurrency=10)
class Trials:
    async def process(self, job: Job[Trial], ctx: Context) -> str:
        if not job.data.is_welcomed:
            print(f"welcome, {job.data.user}")
            await ctx.save(job, job.data.model_copy(update={"is_welcomed": True}))
            await ctx.delay_for(TRIAL)
        return f"{job.data.user}, your trial ends, attempt {ctx.attempt}"


class Message(BaseModel):
    text: str


class BusyCarrier:
    """Takes one message, then none for a while."""

    def __init__(self) -> None:
        self.free_at = 0.0

    def send(self, text: str) -> timedelta | None:
        """Send a message, or tell how long to wait."""
        now = anyio.current_time()
        if now < self.free_at:
            return timedelta(seconds=self.free_at - now)
        self.free_at = now + 0.1
        print(f"sent: {text}")
        return None


@processor("messages")
class Messages:
    def __init__(self) -> None:
        self.carrier = BusyCarrier()

    async def process(self, job: Job[Message], ctx: Context) -> int:
        wait = self.carrier.send(job.data.text)
        if wait is not None:
            await ctx.rate_limit(wait)
        return ctx.attempt


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        trials = await app.get(Producer[Trial, str])
        print(await trials.result(await trials.add(Trial(user="Ada"))))

        messages = await app.get(Producer[Message, int])
        jobs = await messages.add_bulk([Message(text="one"), Message(text="two")])
        print("attempts:", [await messages.result(job) for job in jobs])
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
