"""A mail room: a queue by its name, from adding to removing, and what happens in it."""

from datetime import timedelta
from typing import Annotated

import anyio
from pydantic import BaseModel

from framework import (
    Application,
    Job,
    JobOptions,
    JobState,
    Limiter,
    Named,
    Producer,
    Queue,
    QueueEvent,
    Route,
    on_queue_event,
    processor,
    provider,
    route,
)


class Letter(BaseModel):
    to: str


@provider
class Porter:
    def __init__(self) -> None:
        self.knows = anyio.Event()


@processor("mail", limiter=Limiter(max=100, duration=timedelta(seconds=1)))
class Mail:
    def __init__(self, porter: Porter) -> None:
        self.porter = porter

    async def process(self, job: Job[Letter]) -> str:
        print(f"{job.name} to {job.data.to}")
        return job.data.to

    @on_queue_event("paused")
    async def tell(self, event: QueueEvent) -> None:
        print(f"somebody paused {event.queue}")
        self.porter.knows.set()


class Invoice(BaseModel):
    number: int


invoices = route("invoices", Invoice)


@provider
class MailRoom:
    def __init__(
        self,
        queue: Annotated[Queue, Named("mail")],
        invoices: Producer[Invoice],
        copies: Annotated[Producer[Invoice], Route("archive", "copy")],
    ) -> None:
        self.queue = queue
        self.invoices = invoices
        self.copies = copies

    async def fill(self) -> None:
        await self.queue.add("card", {"to": "Ada"}, priority=2)
        await self.queue.add("card", {"to": "Bob"}, priority=1)
        await self.queue.add("card", {"to": "Cyd"}, delay=timedelta(days=1))
        await self.queue.add("card", {"to": "Dan"}, job_id="card-for-dan")
        await self.queue.add("card", {"to": "Dan"}, job_id="card-for-dan")  # changes nothing
        await self.queue.add("telegram", {"to": "Eve"}, lifo=True)
        await self.queue.add_bulk(
            [
                ("parcel", {"to": "Fay"}),
                ("parcel", {"to": "Gus"}, JobOptions(attempts=3)),
            ]
        )

    async def look(self) -> None:
        counts = await self.queue.counts()
        print({str(state): count for state, count in counts.items() if count})
        for job in await self.queue.jobs(JobState.WAITING, 0, 9):
            print(f"waiting: {job.name} {job.data}")

        print(await self.queue.state("card-for-dan"))
        dans = await self.queue.job("card-for-dan")
        if dans is not None:
            print(f"tried {dans.attempts_made} times, log: {await self.queue.logs(dans.id)}")

    async def hold(self) -> None:
        await self.queue.pause()
        print("removed:", await self.queue.remove("card-for-dan"))
        print("paused:", await self.queue.is_paused())
        await self.queue.resume()

    async def bill(self) -> None:
        invoice = Invoice(number=7)
        job = await self.invoices.add(invoice)
        copy = await self.copies.add(invoice)
        print(f"{job.name} in {job.queue}, {copy.name} in {copy.queue}")

    async def follow(self) -> None:
        async for event in self.queue.events(after="0"):
            if event.event == "completed":
                print(f"completed: {event.job_id} = {event.result}")
            if event.event == "completed" and event.result == "Ada":
                break


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        room = await app.get(MailRoom)
        await room.fill()
        await room.look()
        await room.hold()
        await room.bill()
        await tasks.start(app.work)
        await room.follow()
        await room.queue.pause()
        await (await app.get(Porter)).knows.wait()
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
