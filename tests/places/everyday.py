"""What every deployment must do: one short day of an application."""

from collections import Counter
from datetime import timedelta
from typing import Any

from framework import (
    Context,
    Deduplication,
    Flow,
    FlowProducer,
    Job,
    QueueEvent,
    on_queue_event,
    processor,
)
from framework.app.application import Application
from framework.model.job import JobState
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import declared, settings_of, working
from tests.support.builders import add, new_job, trade
from tests.support.until import until

# In a cluster their hash tags put them in different slots.
MAIL, POST = "{mail}", "{post}"
JOBS = 20
FAMILY = 4


async def everyday(url: str, prefix: str, **settings: Any) -> None:  # noqa: ANN401 - whatever the settings take
    """Add, work, hear, delay, and bring back what a dead worker left, on two queues at once."""
    runs: Counter[str] = Counter()
    heard: list[str] = []

    @processor(MAIL, lock_duration=timedelta(seconds=1))
    class Mail:
        async def process(self, job: Job[str, str], ctx: Context) -> str:
            runs[f"mail {job.data}"] += 1
            await ctx.progress(50)
            return job.data.upper()

        @on_queue_event("completed")
        async def note(self, event: QueueEvent) -> None:
            heard.append(event.job_id or "")

    @processor(POST, concurrency=4, stalled_interval=timedelta(seconds=0.3))
    async def post(job: Job[int], ctx: Context) -> int:
        runs[f"post {job.data}"] += 1
        return job.data

    told = settings_of(url, prefix, **settings)
    app = Application(declared(Mail, post), settings=told)
    async with Store(told.url) as store:
        await leave_a_stalled_job(store, QueueKeys(prefix, POST))
        async with working(app):
            mail, numbers = await app.producer(str), await app.producer(int)
            later = await mail.add("later", delay=timedelta(seconds=0.3))
            now = await mail.add("now")
            added = await numbers.add_bulk(range(JOBS))

            assert await mail.result(now, timeout=timedelta(seconds=10)) == "NOW"
            assert await mail.result(later, timeout=timedelta(seconds=10)) == "LATER"
            for job in added:
                assert await numbers.result(job, timeout=timedelta(seconds=10)) == job.data
            await until(lambda: runs["post 99"] == 1, timeout=10, message="the stalled job ran")
            await until(lambda: {now.id, later.id} <= set(heard), message="both were heard of")
            await a_family_in_one_slot(app)
            counts = await app.queue(POST).counts()

    assert counts[JobState.COMPLETED] == JOBS + 1 + FAMILY
    assert runs.total() == JOBS + 3 + FAMILY
    assert set(runs.values()) == {1}


async def a_family_in_one_slot(app: Application) -> None:
    """Let a parent wait for its children, and look at all of them; add a job once."""
    flows, queue = await app.get(FlowProducer), app.queue(POST)
    kids = [Flow.named(POST, "int", number) for number in (101, 102)]
    root = await flows.add(Flow.named(POST, "int", 100, kids))

    assert await queue.result(root.id, timeout=timedelta(seconds=10)) == 100
    assert sorted((await queue.children_values(root.id, int)).values()) == [101, 102]
    assert len((await queue.dependencies_page(root.id, "processed")).children) == 2
    assert (await queue.dependencies(root.id)).unprocessed == ()
    tree = await flows.get_flow(POST, root.id)
    assert tree is not None
    assert len(tree.children) == 2
    same = Deduplication("k", ttl=timedelta(minutes=1), extend=True, replace=True)
    jobs = [
        await queue.add("int", 103, delay=timedelta(seconds=0.1), deduplication=same)
        for _ in range(2)
    ]
    assert await queue.result(jobs[-1], timeout=timedelta(seconds=10)) == 103
    assert await queue.remove_deduplication_key("k", job_id=jobs[-1].id)
    assert (await queue.audit_flows()).looked_at == 0


async def leave_a_stalled_job(store: Store, keys: QueueKeys) -> None:
    """Leave a job as a worker does that was killed while it ran."""
    await add(store, keys, new_job("int", b"99"))
    await trade(store, keys, want=1, lock_ms=1)
