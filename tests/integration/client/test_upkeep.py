"""Looking after jobs and queues through `Queue`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from framework import (
    ActiveJobsError,
    Context,
    Deduplication,
    Every,
    Flow,
    FlowProducer,
    Job,
    JobNotFoundError,
    JobOptions,
    JobState,
    Limiter,
    OptionsError,
    PayloadError,
    Queue,
    processor,
)
from framework.store.presence import list_workers, show_workers
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, all_finished, working
from tests.support.builders import entries_of, list_of
from tests.support.minutes import minute_with_time_left
from tests.support.until import until

LATER = timedelta(hours=1)


@processor("demo", metrics=timedelta(days=1))
async def echo(job: Job[Any], ctx: Context) -> Any:  # noqa: ANN401 - JSON
    if job.name == "bad":
        raise ValueError("bad")
    await ctx.log("row")
    return job.data


@pytest.fixture
async def queue(open_app: Open) -> AsyncIterator[Queue]:
    async with open_app() as app:
        yield app.queue("demo")


Act = Callable[[Queue, str], Awaitable[object]]
ACTS: dict[str, Act] = {
    "retry_job": lambda queue, job_id: queue.retry_job(job_id),
    "promote_job": lambda queue, job_id: queue.promote_job(job_id),
    "change_delay": lambda queue, job_id: queue.change_delay(job_id, LATER),
    "change_priority": lambda queue, job_id: queue.change_priority(job_id, 1),
    "update_data": lambda queue, job_id: queue.update_data(job_id, {}),
    "update_progress": lambda queue, job_id: queue.update_progress(job_id, 1),
    "add_log": lambda queue, job_id: queue.add_log(job_id, "row"),
}


@pytest.mark.parametrize("job_id", ["gone", "wait", ""])
@pytest.mark.parametrize("act", ACTS)
async def test_what_is_done_to_no_job_says_so(queue: Queue, act: str, job_id: str) -> None:
    await queue.add("n")

    with pytest.raises(JobNotFoundError, match="is not in Redis"):
        await ACTS[act](queue, job_id)

    assert not await queue.remove(job_id)
    assert (await queue.counts())[JobState.WAITING] == 1


REFUSED: list[Callable[[Queue], Awaitable[object]]] = [
    lambda queue: queue.change_priority("1", -1),
    lambda queue: queue.change_priority("1", 2_097_152),
    lambda queue: queue.change_delay("1", timedelta(seconds=-1)),
    lambda queue: queue.clean(timedelta(seconds=-1)),
    lambda queue: queue.clean(limit=-1),
    lambda queue: queue.clean(state="waiting-children"),
    lambda queue: queue.retry_jobs("delayed"),  # type: ignore[arg-type]  # without a type checker
    lambda queue: queue.retry_jobs(until=datetime(2026, 1, 1)),  # noqa: DTZ001 - that is the point
    lambda queue: queue.clear_logs("1", keep=-1),
    lambda queue: queue.trim_events(-1),
    lambda queue: queue.set_global_concurrency(0),
    lambda queue: queue.set_global_rate_limit(0, LATER),
    lambda queue: queue.set_global_rate_limit(1, timedelta(0)),
    lambda queue: queue.rate_limit(timedelta(0)),
    lambda queue: queue.remove_orphaned_jobs(-1),
    lambda queue: queue.metrics("active"),  # type: ignore[arg-type]  # the same
]


@pytest.mark.parametrize("ask", REFUSED)
async def test_what_makes_no_sense_is_refused(
    queue: Queue, ask: Callable[[Queue], Awaitable[object]]
) -> None:
    await queue.add("n", delay=LATER)

    with pytest.raises(OptionsError):
        await ask(queue)


async def test_data_that_json_cannot_hold_changes_nothing(queue: Queue) -> None:
    job = await queue.add("n", {"a": 1})

    with pytest.raises(PayloadError, match="the data cannot be written"):
        await queue.update_data(job.id, {"a": float("nan")})

    found = await queue.job(job.id)
    assert found is not None
    assert found.data == {"a": 1}


async def test_jobs_that_failed_are_retried_until_a_moment(open_app: Open) -> None:
    app = open_app(echo)
    async with working(app):
        queue = app.queue("demo")
        ids = [(await queue.add("bad")).id for _ in range(3)]
        await all_finished(app, "demo")
    async with open_app() as app:
        queue = app.queue("demo")

        assert await queue.retry_jobs(until=datetime(2026, 1, 1, tzinfo=UTC)) == 0
        assert await queue.retry_jobs() == 3

        assert [job.id for job in await queue.jobs("waiting")] == ids


async def test_a_job_gets_new_data_and_progress(queue: Queue) -> None:
    job = await queue.add("n", {"a": 1})

    await queue.update_data(job.id, [None, "é"])
    await queue.update_progress(job.id, {"percentage": 50})

    found = await queue.job(job.id)
    assert found is not None
    assert (found.data, found.progress) == ([None, "é"], {"percentage": 50})


async def test_a_log_is_kept_as_the_job_says_and_read_in_pages(queue: Queue) -> None:
    short = await queue.add("n", keep_logs=3)
    job = await queue.add("n")

    counts = [await queue.add_log(short.id, f"row {n}") for n in range(5)]
    for n in range(5):
        await queue.add_log(job.id, f"row {n}")
    last = await queue.add_log(job.id, "last", keep=5)

    assert counts == [1, 2, 3, 3, 3]
    assert await queue.logs(short.id) == ["row 2", "row 3", "row 4"]
    assert last == await queue.log_count(job.id) == 5
    assert await queue.logs(job.id, 1, 2) == ["row 2", "row 3"]
    assert await queue.logs(job.id, 1, 2, newest_first=True) == ["row 4", "row 3"]
    assert await queue.logs(job.id, newest_first=True) == [
        "last",
        *(f"row {n}" for n in (4, 3, 2, 1)),
    ]

    await queue.clear_logs(job.id, keep=2)
    kept = await queue.logs(job.id)
    await queue.clear_logs(job.id)

    assert kept == ["row 4", "last"]
    assert await queue.logs(job.id) == []


async def test_pages_of_jobs_pass_over_ids_without_a_job(
    queue: Queue, store: Store, keys: QueueKeys
) -> None:
    jobs = await queue.add_bulk([("n", n) for n in range(20)])
    for job in jobs[2:6]:
        await store.command("DEL", keys.job(job.id))

    page = await queue.jobs("waiting", 0, 4)

    assert [job.data for job in page] == [0, 1, 6, 7, 8]
    assert [job.data for job in await queue.jobs("waiting", 0, 2, newest_first=True)] == [
        19,
        18,
        17,
    ]
    assert len(await queue.jobs("waiting", 0, -1)) == 16


async def test_a_marker_of_bullmq_4_counts_for_no_job(
    queue: Queue, store: Store, keys: QueueKeys
) -> None:
    await queue.add("n")
    await store.command("RPUSH", keys["wait"], "0:0")

    assert (await queue.counts())[JobState.WAITING] == 1
    assert [job.id for job in await queue.jobs("waiting")] == ["1"]


async def test_jobs_are_counted_by_priority(queue: Queue, store: Store, keys: QueueKeys) -> None:
    await queue.add_bulk([("n", 1, JobOptions(priority=p)) for p in (0, 1, 1, 1, 2_097_151, 0)])
    await store.command("LPUSH", keys["paused"], "parked")

    assert await queue.counts_per_priority(0, 1, 2, 2_097_151) == {0: 3, 1: 3, 2: 0, 2_097_151: 1}
    assert await queue.counts_per_priority(1) == {1: 3}


async def test_events_are_trimmed(queue: Queue, store: Store, keys: QueueKeys) -> None:
    await queue.add_bulk([("n", n) for n in range(500)])

    gone = await queue.trim_events(0)

    assert gone + len(await entries_of(store, keys)) == 1000
    assert gone >= 900


async def test_limits_of_the_queue_are_set_read_and_taken_away(queue: Queue) -> None:
    nothing = (await queue.global_concurrency(), await queue.global_rate_limit())
    await queue.set_global_concurrency(3)
    await queue.set_global_rate_limit(10, timedelta(seconds=2))
    limited = (await queue.global_concurrency(), await queue.global_rate_limit())
    meta = await queue.meta()

    assert nothing == (None, None)
    assert limited == (3, Limiter(10, timedelta(seconds=2)))
    assert (meta["concurrency"], meta["max"], meta["duration"]) == ("3", "10", "2000")
    assert await queue.remove_global_concurrency()
    assert await queue.remove_global_rate_limit()
    assert not await queue.remove_global_rate_limit()
    assert (await queue.global_concurrency(), await queue.global_rate_limit()) == nothing


async def test_a_rate_limited_by_hand_ends_by_itself_or_by_hand(queue: Queue) -> None:
    before = await queue.rate_limit_ttl()
    await queue.rate_limit(timedelta(seconds=20))
    during = await queue.rate_limit_ttl()
    of_a_worker = await queue.rate_limit_ttl(5)

    assert before == timedelta(0)
    assert timedelta(seconds=19) < during <= timedelta(seconds=20)
    assert timedelta(seconds=19) < of_a_worker <= timedelta(seconds=20)
    assert await queue.remove_rate_limit_key()
    assert await queue.rate_limit_ttl() == timedelta(0)
    assert not await queue.remove_rate_limit_key()


async def test_what_started_in_a_window_limits_only_once_it_is_enough(
    queue: Queue, store: Store, keys: QueueKeys
) -> None:
    await store.command("SET", keys["limiter"], 3, "PX", 20_000)

    assert await queue.rate_limit_ttl(4) == timedelta(0)
    assert await queue.rate_limit_ttl(3) > timedelta(seconds=19)
    await queue.set_global_rate_limit(4, LATER)
    assert await queue.rate_limit_ttl() == timedelta(0)


async def test_a_refused_obliteration_leaves_the_queue_as_it_was(open_app: Open) -> None:
    begun, gate = anyio.Event(), anyio.Event()

    @processor("demo")
    async def hang(_: Job[Any]) -> None:
        begun.set()
        await gate.wait()

    app = open_app(hang)
    async with working(app):
        queue = app.queue("demo")
        await queue.add("n")
        await queue.add("n")
        await begun.wait()

        with pytest.raises(ActiveJobsError, match="force=True"):
            await queue.obliterate()

        assert not await queue.is_paused()
        assert (await queue.counts())[JobState.WAITING] == 1
        gate.set()


async def test_metrics_tell_what_workers_counted(open_app: Open) -> None:
    app = open_app(echo)
    async with working(app):
        queue = app.queue("demo")
        await minute_with_time_left()
        await queue.add("n")
        await queue.add("bad")
        await queue.add("n")
        await all_finished(app, "demo")

        completed, failed = await queue.metrics(), await queue.metrics("failed")

    assert (completed.count, failed.count) == (2, 1)
    assert (completed.points, completed.total_points, completed.previous_count) == ((), 0, 0)
    assert completed.previous_at is not None


async def test_metrics_may_be_asked_for_by_a_setting(open_app: Open) -> None:
    @processor("demo")
    async def work(_: Job[Any]) -> None: ...

    app = open_app(work, metrics=timedelta(minutes=5))
    async with working(app):
        await app.queue("demo").result(await app.queue("demo").add("n"))
        counted = await app.queue("demo").metrics()

    assert counted.count == 1


async def test_a_queue_tells_who_works_on_it(open_app: Open) -> None:
    app = open_app(echo)
    async with open_app() as other, working(app):
        queue = other.queue("demo")
        await until(queue.workers, message="the worker is seen")
        (worker,) = await queue.workers()
        elsewhere = await other.queue("demo2").workers()

    assert worker.age < timedelta(seconds=20)
    assert elsewhere == []


async def test_a_worker_may_stay_unseen(open_app: Open) -> None:
    app = open_app(echo, worker_presence=False)
    async with working(app):
        await app.queue("demo").result(await app.queue("demo").add("n"))

        assert await app.queue("demo").workers() == []


async def test_the_pause_mode_of_an_application_that_only_adds_is_written(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    async with open_app(pause_mode="v5") as app:
        queue = app.queue("demo")
        await queue.pause()
        job = await queue.add("n")

        assert (await queue.meta())["x-fw.pause"] == "v5"
        assert await list_of(store, keys, "paused") == [job.id]
    async with open_app() as app:
        await app.queue("demo").add("n")
        assert len(await list_of(store, keys, "paused")) == 2


async def test_a_queue_says_which_library_opened_it(open_app: Open) -> None:
    app = open_app(echo)
    async with open_app() as other, working(app):
        version = await other.queue("demo").version()
        unused = await other.queue("unused").version()

    assert version is not None
    assert version.startswith("framework:")
    assert unused is None


async def test_workers_of_many_queues_stay_unseen(store: Store, prefix: str) -> None:
    workers = [(QueueKeys(prefix, f"q{n}"), "many") for n in range(51)]

    await show_workers(store, workers)

    assert await list_workers(store, workers[0][0]) == []


async def test_whatever_is_added_in_a_pause_beside_bullmq_5_is_parked(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    tree = Flow.named("demo", "parent", children=[Flow.named("demo", "child", job_id="leaf")])
    async with open_app(pause_mode="v5") as app:
        queue = app.queue("demo")
        await queue.pause()

        added: list[str] = [(await queue.add("n")).id]
        added += [(await queue.add("n", deduplication=Deduplication("d"))).id]
        added += [(await queue.add("n", lifo=True)).id]
        added += [await queue.upsert_job_scheduler("s", Every(timedelta(hours=1)))]
        await (await app.get(FlowProducer)).add(tree)
        added += ["leaf"]

        assert sorted(await list_of(store, keys, "paused")) == sorted(added)
        assert await list_of(store, keys, "wait") == []
        await queue.resume()
        assert sorted(await list_of(store, keys, "wait")) == sorted(added)


async def test_what_waited_behind_a_job_is_parked_when_it_ends_in_a_pause(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    begun, gate = anyio.Event(), anyio.Event()

    @processor("demo")
    async def hang(_: Job[Any]) -> None:
        begun.set()
        await gate.wait()

    app = open_app(hang, pause_mode="v5")
    async with working(app):
        queue = app.queue("demo")
        last = Deduplication("d", keep_last_if_active=True)
        first = await queue.add("n", deduplication=last)
        await begun.wait()
        await queue.add("n", "next", deduplication=last)
        await queue.pause()
        gate.set()
        await queue.result(first)

        (parked,) = await list_of(store, keys, "paused")
        found = await queue.job(parked)

    assert found is not None
    assert found.data == "next"


async def test_a_queue_that_was_obliterated_keeps_the_pause_mode_of_its_application(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    """What is added later would else be lost when BullMQ 5 resumes."""
    async with open_app(pause_mode="v5") as app:
        queue = app.queue("demo")
        await queue.add("first", {})
        await queue.obliterate()

        await store.command("HSET", keys["meta"], "paused", 1)
        job = await queue.add("second", {})

    assert await list_of(store, keys, "paused") == [job.id]
    assert await list_of(store, keys, "wait") == []
