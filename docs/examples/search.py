"""Search: jobs that many ask for, and that need to run once."""

from datetime import timedelta

import anyio
from pydantic import BaseModel

from framework import (
    Application,
    Completed,
    Deduplication,
    Job,
    Producer,
    on_event,
    processor,
    provider,
)

A_MOMENT = timedelta(seconds=0.5)


class Reindex(BaseModel):
    product: str
    text: str = ""


@provider
class Desk:
    def __init__(self) -> None:
        self.has_final = anyio.Event()


@processor("search", concurrency=2)
class Search:
    def __init__(self, search: Producer[Reindex, str], desk: Desk) -> None:
        self.search = search
        self.desk = desk

    async def process(self, job: Job[Reindex]) -> str:
        if job.data.text == "draft":  # and it changes while we index it
            await ask_for_the_latest(self.search, "better")
            await ask_for_the_latest(self.search, "final")
        return f"{job.data.product} {job.data.text}".strip()

    @on_event("completed")
    async def note(self, event: Completed[Reindex, str]) -> None:
        if event.job.data.text == "final":
            print("afterwards:", event.result)
            self.desk.has_final.set()


async def ask_twice(search: Producer[Reindex, str]) -> None:
    once = Deduplication("tea")
    first = await search.add(Reindex(product="tea"), delay=A_MOMENT, deduplication=once)
    again = await search.add(Reindex(product="tea"), deduplication=once)
    print("asked twice, one job:", first.id == again.id)
    await search.result(first)


async def ask_too_often(search: Producer[Reindex, str]) -> None:
    hourly = Deduplication("milk", ttl=timedelta(hours=1))
    first = await search.add(Reindex(product="milk"), deduplication=hourly)
    await search.result(first)
    again = await search.add(Reindex(product="milk"), deduplication=hourly)
    print("not again within the hour:", first.id == again.id)


async def ask_in_a_burst(search: Producer[Reindex, str]) -> None:
    quiet = Deduplication("rice", ttl=A_MOMENT, extend=True, replace=True)
    jobs = [
        await search.add(Reindex(product="rice", text=text), delay=A_MOMENT, deduplication=quiet)
        for text in ("r", "ri", "rice")
    ]
    print("the last of a burst:", await search.result(jobs[-1]))


async def ask_for_the_latest(search: Producer[Reindex, str], text: str) -> Job[Reindex, str]:
    latest = Deduplication("salt", keep_last_if_active=True)
    return await search.add(Reindex(product="salt", text=text), deduplication=latest)


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        search = await app.get(Producer[Reindex, str])
        await ask_twice(search)
        await ask_too_often(search)
        await ask_in_a_burst(search)
        print("at first:", await search.result(await ask_for_the_latest(search, "draft")))
        await (await app.get(Desk)).has_final.wait()

        queue = app.queue("search")
        print("held for an hour:", await queue.deduplication_job_id("milk") is not None)
        print("set free:", await queue.remove_deduplication_key("milk"))
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
