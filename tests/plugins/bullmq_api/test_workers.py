"""Workers: how processors are called, what is told, how they pause and end."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from framework import JobFailedError, OptionsError, ResultTimeoutError
from framework.store.store import Store
from framework_bullmq import (
    AbortError,
    AbortSignal,
    Job,
    RateLimitError,
    UnrecoverableError,
    Worker,
)
from framework_bullmq.refusals import RefusedError
from tests.plugins.bullmq_api.bull import Bull, state_is
from tests.support.until import until


async def add_token(job: Job, token: str) -> list[Any]:
    return [job.data, token]


async def only_job(job: Job) -> Any:  # noqa: ANN401 - JSON
    return job.data


def plain(job: Job, token: str) -> Any:  # noqa: ANN401 - JSON
    return job.data


async def with_signal(job: Job, token: str, signal: AbortSignal) -> Any:  # noqa: ANN401 - JSON
    return [job.data, signal.aborted]


class Called:
    async def __call__(self, job: Job, token: str) -> Any:  # noqa: ANN401 - JSON
        return job.data


async def any_number(*args: Any) -> int:  # noqa: ANN401 - as the worker calls it
    return len(args)


@pytest.mark.parametrize(
    ("processor", "result"),
    [
        (only_job, 5),
        (plain, 5),
        (with_signal, [5, False]),
        (lambda job, token: only_job(job), 5),
        (Called(), 5),
        (any_number, 3),
    ],
    ids=["job", "plain", "signal", "lambda", "object", "args"],
)
async def test_a_processor_is_called_with_what_it_takes(
    bull: Bull,
    processor: Any,  # noqa: ANN401 - as above
    result: object,
) -> None:
    bull.worker(processor)
    job = await bull.queue().add("n", 5)

    assert await job.waitUntilFinished(bull.events(), 5000) == result
    assert await job.isCompleted()


async def test_a_processor_has_the_token_that_holds_its_job(bull: Bull, store: Store) -> None:
    held: list[bytes] = []

    async def look(job: Job, token: str) -> bool:
        held.append(await store.command("GET", f"{job.queue.toKey(job.id)}:lock"))
        return token == job.token == held[0].decode()

    bull.worker(look)
    job = await bull.queue().add("n")

    assert await job.waitUntilFinished(None, 5000) is True


async def test_a_job_tells_and_changes_itself_while_it_runs(bull: Bull) -> None:
    seen: list[Any] = []

    async def work(job: Job, token: str) -> str:
        seen.append([await job.isActive(), await job.getState(), await job.isInList("active")])
        await job.updateProgress(50)
        await job.update_progress({"percent": 100})
        seen.append([await job.log("one"), await job.log("two")])
        await job.updateData({"step": 2})
        seen.append([job.data, job.progress, job.attemptsMade, job.attemptsStarted])
        return "done"

    bull.worker(work)
    queue = bull.queue()
    job = await queue.add("n", {"step": 1})
    await state_is(job, "completed")

    found = await queue.getJob(job.id)
    assert found is not None
    assert seen == [[True, "active", True], [1, 2], [{"step": 2}, {"percent": 100}, 0, 1]]
    assert (found.data, found.progress, found.returnvalue) == (
        {"step": 2},
        {"percent": 100},
        "done",
    )
    assert await queue.getJobLogs(job.id) == {"logs": ["one", "two"], "count": 2}
    assert await queue.getJobLogs(job.id, 0, 0, asc=False) == {"logs": ["two"], "count": 2}
    assert found.processedOn <= found.finishedOn


async def test_a_worker_tells_its_listeners(bull: Bull) -> None:
    told: list[tuple[object, ...]] = []

    async def work(job: Job, token: str) -> int:
        await job.updateProgress(10)
        if job.data == "bad":
            raise ValueError("no good")
        return 7

    worker = bull.worker(work, autorun=False)
    worker.on("active", lambda job, prev: told.append(("active", job.id, prev)))
    worker.on("progress", lambda job, progress: told.append(("progress", job.id, progress)))
    worker.on("completed", lambda job, result: told.append(("completed", job.returnvalue, result)))

    @(lambda listener: worker.on("failed", listener))
    async def failed(job: Job, error: Exception) -> None:
        told.append(("failed", job.failedReason, job.attemptsMade, type(error)))

    worker.on("closed", lambda: told.append(("closed",)))
    queue = bull.queue()
    await queue.addBulk([{"name": "n", "data": "good"}, {"name": "n", "data": "bad"}])
    running = asyncio.ensure_future(worker.run())
    await until(lambda: len(told) == 6, message="all is told")
    await worker.close()
    await running

    told.sort(key=lambda one: one[0] == "closed")
    assert [one for one in told if one[1:2] != ("2",) and one[0] != "failed"] == [
        ("active", "1", "waiting"),
        ("progress", "1", 10),
        ("completed", 7, 7),
        ("closed",),
    ]
    assert [one for one in told if one[1:2] == ("2",) or one[0] == "failed"] == [
        ("active", "2", "waiting"),
        ("progress", "2", 10),
        ("failed", "no good", 1, ValueError),
    ]
    assert (worker.closed, worker.running) == (True, False)


async def test_the_job_of_a_processor_is_the_one_that_listeners_get(bull: Bull) -> None:
    had: list[Job] = []
    heard: list[Job] = []
    worker = bull.worker(lambda job, token: had.append(job))
    worker.on("completed", lambda job, result: heard.append(job))
    await bull.queue().add("n")
    await until(lambda: heard, message="it is told")

    assert heard[0] is had[0]


async def test_listeners_see_how_an_attempt_ended(bull: Bull) -> None:
    seen: list[Job] = []

    async def fail_once(job: Job, token: str) -> int:
        if job.attemptsMade == 0:
            raise ValueError("once")
        return 1

    worker = bull.worker(fail_once)
    worker.on("failed", lambda job, error: seen.append(job))
    worker.on("completed", lambda job, result: seen.append(job))
    await bull.queue().add("n", {}, {"attempts": 2})
    await until(lambda: len(seen) == 2, message="both are told")

    failed, completed = seen
    assert (failed.attemptsMade, failed.finishedOn, failed.failedReason) == (1, 0, "once")
    assert "ValueError: once" in failed.stacktrace[0]
    assert (completed.attemptsMade, completed.returnvalue) == (2, 1)
    assert completed.finishedOn >= completed.processedOn > 0


async def test_a_job_that_has_ended_can_still_be_changed(bull: Bull) -> None:
    changed: list[object] = []

    async def note(job: Job, result: object) -> None:
        await job.updateData({"noted": result})
        await job.updateProgress(100)
        changed.append(await job.log("noted"))

    worker = bull.worker(lambda job, token: 7)
    worker.on("completed", note)
    queue = bull.queue()
    job = await queue.add("n")
    await until(lambda: changed, message="it is changed")

    found = await queue.getJob(job.id)
    assert found is not None
    assert (found.data, found.progress, changed) == ({"noted": 7}, 100, [1])


async def test_an_error_that_nobody_listens_to_is_logged() -> None:
    worker = Worker("q", only_job, {"autorun": False})

    with capture_logs() as logs:
        worker.emit("error", ValueError("boom"))

    assert [(line["event"], line["error"]) for line in logs] == [
        ("nobody listens to error", "boom")
    ]


async def test_a_worker_whose_application_ends_says_so(bull: Bull) -> None:
    worker = bull.worker(only_job, autorun=False)
    running = asyncio.ensure_future(worker.run())
    job = await bull.queue().add("n", 1)
    await job.waitUntilFinished(None, 5000)

    app = await worker._tenant.app()  # noqa: SLF001 - its application is to break

    async def breaks() -> None:
        raise ValueError("broken")

    app._tasks.start_soon(breaks)  # type: ignore[union-attr]  # noqa: SLF001 - as above
    with pytest.raises(BaseExceptionGroup, match="unhandled errors"):
        await asyncio.wait_for(running, 5)
    assert worker.running is False


async def test_a_listener_that_raises_harms_nobody(bull: Bull) -> None:
    errors: list[object] = []
    told: list[str] = []

    def raises(*args: object) -> None:
        raise RuntimeError("listener")

    worker = bull.worker(only_job)
    worker.on("completed", raises)
    worker.on("completed", lambda job, result: told.append(job.id))
    worker.on("error", errors.append)
    job = await bull.queue().add("n")
    await state_is(job, "completed")
    await until(lambda: told, message="the other one is told")
    worker.off("completed", raises)

    assert [str(error) for error in errors] == ["listener"]
    with pytest.raises(ValueError, match="not in list"):
        worker.off("completed", raises)


async def test_a_failure_that_nobody_hears_of_is_logged(bull: Bull) -> None:
    async def fail(job: Job, token: str) -> None:
        raise ValueError("boom")

    with capture_logs() as logs:
        bull.worker(fail)
        job = await bull.queue().add("n")
        await state_is(job, "failed")
        await until(
            lambda: any(line["event"] == "job failed" for line in logs), message="it is logged"
        )

    with pytest.raises(JobFailedError, match="boom"):
        await job.waitUntilFinished(None, 5000)
    assert await job.isFailed()


async def test_retries_and_unrecoverable_errors(bull: Bull) -> None:
    async def fail(job: Job, token: str) -> str:
        if job.name == "hopeless":
            raise UnrecoverableError("never")
        if job.attemptsMade < 2:
            raise ValueError(f"attempt {job.attemptsMade}")
        return "third time"

    queue = bull.queue()
    bull.worker(fail, concurrency=2)
    tries = await queue.add("n", {}, {"attempts": 3, "backoff": 5})
    hopeless = await queue.add("hopeless", {}, {"attempts": 3})

    assert await tries.waitUntilFinished(None, 5000) == "third time"
    await state_is(hopeless, "failed")
    found = await queue.getJob(tries.id)
    assert found is not None
    assert (found.attemptsMade, len(found.stacktrace)) == (3, 2)
    assert "attempt 0" in found.stacktrace[0]


async def test_a_strategy_of_ones_own_says_how_long_to_wait(bull: Bull) -> None:
    asked: list[tuple[object, ...]] = []

    def strategy(attempts_made: int, kind: str, error: Exception, job: Job) -> int:
        asked.append((attempts_made, kind, str(error), job.id))
        return 1 if attempts_made < 2 else -1

    async def fail(job: Job, token: str) -> None:
        raise ValueError("no")

    bull.worker(fail, settings={"backoffStrategy": strategy})
    job = await bull.queue().add("n", {}, {"attempts": 9, "backoff": {"type": "bank"}})
    await state_is(job, "failed")

    assert asked == [(1, "bank", "no", "1"), (2, "bank", "no", "1")]


async def test_a_worker_runs_as_many_at_once_as_asked(bull: Bull) -> None:
    running: set[str] = set()
    most: list[int] = []
    may_end = asyncio.Event()

    async def wait(job: Job, token: str) -> None:
        running.add(job.id)
        most.append(len(running))
        await may_end.wait()
        running.discard(job.id)

    bull.worker(wait, concurrency=3)
    queue = bull.queue()
    await queue.addBulk([{"name": "n"} for _ in range(6)])
    await until(lambda: len(running) == 3, message="three run")
    counts = await queue.getJobCounts("active", "wait")
    may_end.set()
    jobs = await queue.getJobs([])
    for job in jobs:
        await state_is(job, "completed")

    assert counts == {"active": 3, "wait": 3}
    assert max(most) == 3


async def test_a_paused_worker_takes_no_jobs_until_it_is_resumed(bull: Bull) -> None:
    worker = bull.worker(only_job)
    told: list[str] = []
    worker.on("paused", lambda: told.append("paused"))
    worker.on("resumed", lambda: told.append("resumed"))
    queue = bull.queue()
    await (await queue.add("n", 1)).waitUntilFinished(None, 5000)

    await worker.pause()
    job = await queue.add("n", 2)
    with pytest.raises(ResultTimeoutError):
        await job.waitUntilFinished(None, 100)
    state = await job.getState()
    worker.resume()

    assert await job.waitUntilFinished(None, 5000) == 2
    assert (state, told) == ("waiting", ["paused", "resumed"])


async def test_closing_waits_for_running_jobs(bull: Bull) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    async def wait(job: Job, token: str) -> str:
        began.set()
        await may_end.wait()
        return "done"

    worker = bull.worker(wait)
    queue = bull.queue()
    first, second = await queue.addBulk([{"name": "n"}, {"name": "n"}])
    await began.wait()
    closing = asyncio.ensure_future(worker.close())
    await until(lambda: worker.closing, message="it closes")
    may_end.set()
    await closing

    assert (await first.getState(), await second.getState()) == ("completed", "waiting")


async def test_who_waited_in_vain_may_close_by_force(bull: Bull) -> None:
    began = asyncio.Event()

    async def wait(job: Job, token: str) -> None:
        began.set()
        await asyncio.sleep(60)

    worker = bull.worker(wait)
    job = await bull.queue().add("n")
    await began.wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(worker.close(), 0.1)
    await worker.close(force=True)
    await worker.close()

    assert (worker.closed, await job.getState()) == (True, "waiting")


async def test_closing_by_force_gives_running_jobs_back_at_once(bull: Bull) -> None:
    began = asyncio.Event()
    ended: list[object] = []

    async def wait(job: Job, token: str, signal: AbortSignal) -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(signal.reason)

    worker = bull.worker(wait)
    job = await bull.queue().add("n")
    await began.wait()
    await worker.close(force=True)

    assert await job.getState() == "waiting"
    assert ended == ["the worker closes"]


async def test_a_job_is_cancelled_through_its_signal(bull: Bull) -> None:
    began = asyncio.Event()

    async def wait(job: Job, token: str, signal: AbortSignal) -> None:
        began.set()
        await signal.wait()
        signal.throw_if_aborted()

    worker = bull.worker(wait)
    errors: list[Exception] = []
    worker.on("failed", lambda job, error: errors.append(error))
    job = await bull.queue().add("n")
    await began.wait()

    assert worker.cancelJob("nobody") is False
    assert worker.cancelJob(job.id, "too slow") is True
    await state_is(job, "failed")
    await until(lambda: errors, message="it is told")
    assert isinstance(errors[0], AbortError)
    assert (errors[0].reason, str(errors[0])) == ("too slow", "too slow")


async def test_a_worker_that_takes_no_signal_cancels_nothing(bull: Bull) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    async def wait(job: Job) -> None:
        began.set()
        await may_end.wait()

    worker = bull.worker(wait)
    job = await bull.queue().add("n")
    await began.wait()
    cancelled = worker.cancelJob(job.id)
    worker.cancelAllJobs("all")
    may_end.set()
    await state_is(job, "completed")

    assert cancelled is False


@pytest.mark.parametrize(("allowed", "state"), [(0, "failed"), (1, "completed")])
async def test_a_job_may_stall_as_often_as_its_worker_says(
    bull: Bull, allowed: int, state: str
) -> None:
    queue = bull.queue()
    job = await queue.add("n", 3)
    vanishes = bull.worker(None, autorun=False, lockDuration=10)
    await vanishes.getNextJob("token")
    stalled: list[str] = []

    worker = bull.worker(only_job, stalledInterval=50, maxStalledCount=allowed)
    worker.on("stalled", stalled.append)
    await state_is(job, state)
    await until(lambda: stalled, message="it is told")

    found = await queue.getJob(job.id)
    assert found is not None
    assert (stalled, found.stalledCounter) == (["1"], 1)
    reason = None if allowed else "job stalled more than allowable limit"
    assert found.failedReason == reason


async def test_a_worker_says_how_long_to_keep_jobs_that_do_not(bull: Bull) -> None:
    bull.worker(only_job, removeOnComplete={"count": 1})
    queue = bull.queue()
    for options in ({}, {"removeOnComplete": False}, {}, {}):
        await (await queue.add("n", 1, options)).waitUntilFinished(None, 5000)

    async def is_trimmed() -> bool:
        return [job.id for job in await queue.getCompleted()] == ["4"]

    await until(is_trimmed, message="the newest is kept")


async def test_a_limiter_holds_jobs_back(bull: Bull) -> None:
    bull.worker(only_job, limiter={"max": 1, "duration": 60_000})
    queue = bull.queue()
    first, second = await queue.addBulk([{"name": "n"}, {"name": "n"}])
    await state_is(first, "completed")

    async def is_limited() -> bool:
        return await queue.getRateLimitTtl() > 0

    await until(is_limited, message="the limit is reached")
    assert await second.getState() == "waiting"
    await queue.removeRateLimitKey()


async def test_a_processor_may_limit_the_rate(bull: Bull) -> None:
    starts: list[int] = []

    async def limit(job: Job, token: str) -> str:
        starts.append(job.attemptsStarted)
        if len(starts) == 1:
            await worker.rateLimit(50)
            raise RateLimitError
        return "done"

    worker = bull.worker(limit)
    job = await bull.queue().add("n")

    assert await job.waitUntilFinished(None, 5000) == "done"
    found = await bull.queue().getJob(job.id)
    assert found is not None
    assert (starts, found.attemptsMade) == ([1, 2], 1)


async def test_a_worker_is_called_as_asked(bull: Bull) -> None:
    bull.worker(only_job, name="one", concurrency=2)
    queue = bull.queue()
    job = await queue.add("n")
    await state_is(job, "completed")

    async def shown() -> list[str]:
        return [worker["name"] for worker in await queue.get_workers()]

    assert await until(shown, message="it is shown") == ["one"]
    assert await queue.get_workers_count() == 1
    found = await queue.getJob(job.id)
    assert found is not None
    assert found.processedBy == "one"


async def test_two_workers_of_one_process_work_one_queue(bull: Bull) -> None:
    by: set[str] = set()

    async def note(name: str) -> None:
        by.add(name)
        await until(lambda: len(by) == 2, message="both work")

    bull.worker(lambda job, token: note("a"))
    bull.worker(lambda job, token: note("b"))
    for job in await bull.queue().addBulk([{"name": "n"}, {"name": "n"}]):
        await state_is(job, "completed")

    assert by == {"a", "b"}


async def test_a_worker_runs_once(bull: Bull) -> None:
    worker = bull.worker(only_job)
    await until(lambda: worker.running, message="it runs")

    with pytest.raises(RuntimeError, match="already running"):
        await worker.run()


async def test_a_run_that_is_cancelled_gives_its_jobs_back_and_takes_no_more(bull: Bull) -> None:
    queue = bull.queue()
    begun = asyncio.Event()

    async def hold(job: Job, token: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    worker = bull.worker(hold, autorun=False)
    task = asyncio.ensure_future(worker.run())
    job = await queue.add("held")
    await asyncio.wait_for(begun.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (await job.getState(), worker.running) == ("waiting", False)
    bull.worker(only_job)
    await state_is(job, "completed")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"lockRenewTime": 5000}, "a thread of the engine renews"),
        ({"drainDelay": 5}, "woken by the job itself"),
        ({"telemetry": object()}, "interface of BullMQ"),
        ({"concurrency": 0}, "at least 1"),
        ({"max_stalled_count": -1}, "at least 0"),
        ({"concurency": 2}, "did you mean concurrency"),
        ({"useWorkerThreads": True}, "run_in"),
    ],
)
def test_options_of_a_worker_without_meaning_are_refused(
    options: dict[str, Any], text: str
) -> None:
    with pytest.raises(OptionsError, match=text):
        Worker("q", only_job, {"autorun": False, **options})


async def test_what_a_worker_has_not_says_why(bull: Bull) -> None:
    worker = bull.worker(None, autorun=False)

    with pytest.raises(RefusedError, match="take a job with getNextJob"):
        _ = worker.moveToActive
    with pytest.raises(RefusedError, match="getNextJob"):
        _ = worker.move_to_active
    with pytest.raises(AttributeError, match="no attribute 'moveToMoon'"):
        _ = worker.moveToMoon
    with pytest.raises(RuntimeError, match="no processor"):
        await worker.run()
