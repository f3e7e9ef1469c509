"""Our producers in front of Node's workers: order, delays, ids, speed."""

from datetime import timedelta
from statistics import median

import pytest
from pydantic import BaseModel

from framework import Application, JobState, Producer, route
from tests.support.node import NodePeer, NodeWorker, both_majors
from tests.support.node_work import ECHO
from tests.support.ours import Ours, job_hash
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]


class Greet(BaseModel):
    name: str


GREETS = route("q", Greet)
DELAYS_MS = [250, 50, 200, 100, 150]


async def node_has_run(worker: NodeWorker, count: int) -> list[str]:
    """Wait for so many runs; return the ids in the order in which they began."""

    async def enough() -> bool:
        return len(await worker.order()) >= count

    await until(enough, message=f"Node begins {count} jobs")
    return [run.jobId for run in await worker.order()]


async def test_node_completes_what_python_adds(ours: Ours, node: NodePeer) -> None:
    await node.work("q", ECHO)

    async with ours.producing(GREETS) as app:
        greetings = await app.get(Producer[Greet, Greet])
        job = await greetings.add(Greet(name="Ada"))

        assert await greetings.result(job, timeout=timedelta(seconds=5)) == Greet(name="Ada")
        assert await node.state("q", job.id) == "completed"


async def test_node_reads_all_fields_of_a_job_of_ours(ours: Ours, node: NodePeer) -> None:
    async with ours.producing(GREETS) as app:
        greetings = await app.get(Producer[Greet, Greet])

        job = await greetings.add(Greet(name="Žofie 世界"), delay=timedelta(minutes=1), priority=7)

    read = await node.job("q", job.id)
    assert read is not None
    assert (read["name"], read["data"]) == ("greet", {"name": "Žofie 世界"})
    assert (read["delay"], read["priority"]) == (60_000, 7)
    assert read["timestamp"] == round(job.timestamp.timestamp() * 1000)
    assert (read["attemptsMade"], read["attemptsStarted"], read["progress"]) == (0, 0, 0)
    assert read["opts"]["delay"] == 60_000
    assert read["opts"]["priority"] == 7


async def test_node_works_our_jobs_in_the_order_they_were_added(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        ids = [(await queue.add("n", n)).id for n in range(5)]

        worker = await node.work("q")

        assert await node_has_run(worker, 5) == ids


async def test_node_works_our_lifo_jobs_first(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        fifo = [(await queue.add("n", n)).id for n in range(3)]
        lifo = [(await queue.add("n", n, lifo=True)).id for n in range(2)]

        worker = await node.work("q")

        assert await node_has_run(worker, 5) == [*reversed(lifo), *fifo]


async def test_node_works_our_jobs_by_priority(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        five, one, none, fifth_again = [
            (await queue.add("n", priority=priority)).id for priority in (5, 1, 0, 5)
        ]
        assert await node.state("q", five) == "prioritized"

        worker = await node.work("q")

        assert await node_has_run(worker, 4) == [none, one, five, fifth_again]


async def test_node_starts_our_delayed_jobs_when_they_are_due(ours: Ours, node: NodePeer) -> None:
    watch = Stopwatch()
    worker = await node.work("q", concurrency=5)
    async with ours.producing() as app:
        queue = app.queue("q")

        jobs = [await queue.add("n", delay=timedelta(milliseconds=ms)) for ms in DELAYS_MS]

        due = {
            str(job.id): round(job.timestamp.timestamp() * 1000) + ms
            for job, ms in zip(jobs, DELAYS_MS, strict=True)
        }
        assert await node_has_run(worker, 5) == sorted(due, key=due.__getitem__)
        late = [run.at - due[run.jobId] for run in await worker.order()]
        assert min(late) >= 0, late
        assert watch.counted(median(late)) <= 100, late


async def test_node_keeps_the_order_of_our_jobs_due_at_once(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        delay = timedelta(milliseconds=100)
        jobs = await app.queue("q").add_bulk(("n", n, {"delay": delay}) for n in range(12))

        worker = await node.work("q")

        assert await node_has_run(worker, 12) == [job.id for job in jobs]


async def test_a_custom_id_is_added_once_by_whoever_comes_first(ours: Ours, node: NodePeer) -> None:
    recording = await node.record_events("q")
    async with ours.producing() as app:
        queue = app.queue("q")
        await queue.add("n", "first", job_id="invoice-1")

        assert (await queue.add("n", "second", job_id="invoice-1")).id == "invoice-1"
        assert await node.add("q", "n", "third", jobId="invoice-1") == "invoice-1"

        await node.add("q", "n", "first", jobId="invoice-2")
        assert (await queue.add("n", "second", job_id="invoice-2")).id == "invoice-2"
        assert (await queue.counts())[JobState.WAITING] == 2
        assert (await job_hash(app, "invoice-1"))["data"] == '"first"'
        assert (await job_hash(app, "invoice-2"))["data"] == '"first"'

    async def told() -> bool:
        return len(await recording.events("duplicated")) == 3

    await until(told, message="each duplicate is an event")


async def test_counted_ids_of_both_sides_never_meet(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        ids = [
            (await queue.add("n")).id,
            await node.add("q", "n"),
            *(job.id for job in await queue.add_bulk(("n", n) for n in range(3))),
            *await node.add_bulk("q", [{"name": "n"}, {"name": "n"}]),
            (await queue.add("n")).id,
        ]

    assert ids == [str(number) for number in range(1, 9)]


async def test_node_works_a_bulk_of_1000_in_order(ours: Ours, node: NodePeer) -> None:
    async with ours.producing(GREETS) as app:
        greetings = await app.get(Producer[Greet, Greet])
        jobs = await greetings.add_bulk(Greet(name=str(n)) for n in range(1000))

        worker = await node.work("q")

        assert await node_has_run(worker, 1000) == [job.id for job in jobs]
        await until(lambda: all_completed(app, 1000), message="all are completed")


async def all_completed(app: Application, count: int) -> bool:
    return (await app.queue("q").counts())[JobState.COMPLETED] == count


async def test_an_idle_node_worker_starts_our_job_at_once(ours: Ours, node: NodePeer) -> None:
    watch = Stopwatch()
    worker = await node.work("q")
    async with ours.producing() as app:
        queue = app.queue("q")
        added: dict[str, int] = {}

        for count in range(1, 22):
            job = await queue.add("n")
            added[job.id] = round(job.timestamp.timestamp() * 1000)
            await node_has_run(worker, count)

    waited = [run.at - added[run.jobId] for run in await worker.order()]
    assert watch.counted(median(waited)) < 50, waited


async def test_a_burst_of_ours_wakes_every_idle_node_worker(ours: Ours, node: NodePeer) -> None:
    workers = [await node.work("q", {"kind": "hang"}) for _ in range(3)]
    async with ours.producing() as app:
        jobs = await app.queue("q").add_bulk(("n", n) for n in range(3))

        async def all_busy() -> bool:
            return all([len(await worker.order()) == 1 for worker in workers])

        await until(all_busy, timeout=1, message="each worker begins one job")

    began = {run.jobId for worker in workers for run in await worker.order()}
    assert began == {job.id for job in jobs}
