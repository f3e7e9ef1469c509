"""Looking at queues and keeping them in order, as BullMQ's Python programs do."""

from typing import Any

import pytest

from framework import ActiveJobsError, JobLockedError, OptionsError
from framework.store.store import Store
from framework_bullmq import Job, Queue
from tests.plugins.bullmq_api.bull import Bull, state_is
from tests.support.until import until


def ids(jobs: list[Job]) -> list[str]:
    return [job.id for job in jobs]


async def filled(bull: Bull) -> Queue:
    """A queue of four waiting jobs, three with priorities, three delayed ones."""
    queue = bull.queue()
    await queue.addBulk([{"name": "w"} for _ in range(4)])
    await queue.addBulk([{"name": "p", "opts": {"priority": 3 - n}} for n in range(3)])
    await queue.addBulk([{"name": "d", "opts": {"delay": 100_000 * (3 - n)}} for n in range(3)])
    return queue


async def test_pages_come_in_bullmqs_order(bull: Bull) -> None:
    queue = await filled(bull)

    assert ids(await queue.getWaiting()) == ["1", "2", "3", "4"]
    assert ids(await queue.getWaiting(1, 2)) == ["2", "3"]
    assert ids(await queue.getPrioritized()) == ["7", "6", "5"]
    assert ids(await queue.getDelayed(0, 1)) == ["10", "9"]
    assert ids(await queue.getJobs(["wait", "delayed"], 0, 1)) == ["4", "3", "8", "9"]
    assert ids(await queue.getJobs("wait", 0, -1, asc=True)) == ["1", "2", "3", "4"]
    assert ids(await queue.get_jobs([])) == ["8", "9", "10", "5", "6", "7", "4", "3", "2", "1"]
    assert await queue.getActive() == await queue.getWaitingChildren() == []


async def test_finished_jobs_come_newest_first(bull: Bull) -> None:
    queue = bull.queue()

    async def run(job: Job, token: str) -> None:
        if job.data == "bad":
            raise ValueError("no")

    bull.worker(run)
    for data in ("good", "bad", "good", "bad"):
        job = await queue.add("n", data)
        await state_is(job, "failed" if data == "bad" else "completed")

    assert ids(await queue.getCompleted()) == ["3", "1"]
    assert ids(await queue.getFailed(0, 0)) == ["4"]
    assert (await queue.getCompletedCount(), await queue.getFailedCount()) == (2, 2)


async def test_jobs_are_counted_by_types(bull: Bull) -> None:
    queue = await filled(bull)

    assert await queue.getJobCounts() == {
        "active": 0,
        "completed": 0,
        "delayed": 3,
        "failed": 0,
        "prioritized": 3,
        "waiting": 4,
        "waiting-children": 0,
    }
    assert await queue.getJobCounts("wait", "paused") == {"wait": 4, "paused": 0}
    assert await queue.getJobCountByTypes("wait", "delayed") == 7
    assert (await queue.getWaitingCount(), await queue.getDelayedCount()) == (4, 3)
    assert await queue.getCountsPerPriority([0, 1, 9]) == {"0": 4, "1": 1, "9": 0}


@pytest.mark.parametrize("type", ["foo", "waitting"])
async def test_a_type_that_there_is_not_is_refused(bull: Bull, type: str) -> None:
    with pytest.raises(OptionsError, match="there is no"):
        await bull.queue().getJobs([type])
    with pytest.raises(OptionsError, match="there is no"):
        await bull.queue().clean(0, 10, type)


async def test_a_queue_is_paused_and_resumed(bull: Bull) -> None:
    queue = bull.queue()

    assert await queue.pause() == 0
    assert await queue.isPaused() is True
    assert await queue.resume() == 0
    assert await queue.is_paused() is False


async def test_jobs_are_drained_cleaned_and_removed(bull: Bull) -> None:
    queue = await filled(bull)

    assert await queue.clean(0, 2, "wait") == ["1", "2"]
    assert await queue.clean(60_000, 2, "wait") == []
    assert (await queue.remove("3"), await queue.remove("3")) == (1, 0)
    await queue.drain()
    assert await queue.getJobCountByTypes() == 3
    await queue.drain(delayed=True)
    assert await queue.getJobCountByTypes() == 0


async def test_a_parent_is_removed_with_its_children_unless_told_otherwise(bull: Bull) -> None:
    queue = bull.queue()
    families = []
    for _ in range(2):
        parent = await queue.add("parent")
        above = {"id": parent.id, "queue": parent.queueQualifiedName}
        families.append((parent, await queue.add("child", {}, {"parent": above})))
    (first, child), (second, left) = families

    await first.remove()
    await second.remove({"removeChildren": False})

    assert (await child.getState(), await left.getState()) == ("unknown", "waiting")


async def test_what_a_worker_holds_stays(bull: Bull) -> None:
    worker = bull.worker(None, autorun=False)
    queue = bull.queue()
    job = await queue.add("n")
    await worker.getNextJob("token")

    assert await queue.remove(job.id) == 0
    with pytest.raises(JobLockedError):
        await job.remove()
    with pytest.raises(ActiveJobsError):
        await queue.obliterate()
    await queue.obliterate(force=True)
    assert await job.getState() == "unknown"


async def test_failed_jobs_run_again(bull: Bull) -> None:
    queue = bull.queue()
    runs: list[str] = []

    async def fail_twice(job: Job, token: str) -> str:
        runs.append(job.id)
        if len(runs) <= 3:
            raise ValueError("no")
        return "mended"

    bull.worker(fail_twice)
    jobs = await queue.addBulk([{"name": "n"}, {"name": "n"}, {"name": "n"}])
    for job in jobs:
        await state_is(job, "failed")
    await jobs[0].retry("failed", {"resetAttemptsMade": True})
    assert await jobs[0].waitUntilFinished(None, 5000) == "mended"
    await queue.retryJobs({"state": "failed", "count": 100})

    for job in jobs:
        assert await job.waitUntilFinished(None, 5000) == "mended"
    first, second = [await queue.getJob(one) for one in ("1", "2")]
    assert first is not None
    assert second is not None
    assert (first.attemptsMade, second.attemptsMade) == (1, 2)


async def test_a_job_that_has_not_failed_is_not_retried(bull: Bull) -> None:
    job = await bull.queue().add("n")

    with pytest.raises(TypeError, match=r"Job 1 is not in the failed state\. reprocessJob"):
        await job.retry()
    with pytest.raises(TypeError, match=r"Job 1 is not in the delayed state\. promote"):
        await job.promote()


async def test_delayed_jobs_are_promoted(bull: Bull) -> None:
    queue = await filled(bull)
    job = await queue.getJob("8")
    assert job is not None

    await job.changeDelay(50_000)
    assert ids(await queue.getDelayed()) == ["8", "10", "9"]
    await job.promote()
    assert (await job.getState(), job.delay) == ("waiting", 0)
    await queue.promoteJobs({"count": 10})
    assert await queue.getDelayedCount() == 0
    with pytest.raises(OptionsError, match="count"):
        await queue.promoteJobs({"count": 0})


async def test_a_job_gets_another_priority(bull: Bull) -> None:
    queue = await filled(bull)
    job = await queue.getJob("4")
    assert job is not None

    await job.changePriority({"priority": 2, "lifo": True})

    assert ids(await queue.getPrioritized()) == ["7", "4", "6", "5"]
    assert job.priority == 2


async def test_a_job_that_waits_is_changed_from_outside(bull: Bull) -> None:
    queue = bull.queue()
    job = await queue.add("n", 1)

    await job.updateData({"v": 2})
    await job.updateProgress("half")
    assert await Job.addJobLog(queue, job.id, "a") == 1
    assert await job.add_job_log(queue, job.id, "b", 1) == 1

    found = await queue.getJob(job.id)
    assert found is not None
    assert (found.data, found.progress) == ({"v": 2}, "half")
    assert (await queue.getJobLogs(job.id))["logs"] == ["b"]


@pytest.mark.parametrize(
    "change",
    [
        lambda job: job.updateData(1),
        lambda job: job.updateProgress(1),
        lambda job: job.log("row"),
        lambda job: job.retry(),
        lambda job: job.promote(),
        lambda job: job.changePriority({"priority": 1}),
    ],
    ids=["data", "progress", "log", "retry", "promote", "priority"],
)
async def test_a_job_that_is_gone_cannot_be_changed(bull: Bull, change: Any) -> None:  # noqa: ANN401 - a lambda
    job = await bull.queue().add("n")
    await job.remove()

    with pytest.raises(TypeError, match="Missing key for job 1"):
        await change(job)


async def test_limits_of_the_fleet(bull: Bull) -> None:
    queue = bull.queue()

    assert await queue.getGlobalConcurrency() is None
    assert [await queue.setGlobalConcurrency(3) for _ in range(2)] == [1, 0]
    assert await queue.getGlobalConcurrency() == 3
    assert [await queue.removeGlobalConcurrency() for _ in range(2)] == [1, 0]
    assert await queue.getGlobalRateLimit() is None
    assert [await queue.setGlobalRateLimit(5, 1000) for _ in range(2)] == [2, 0]
    assert await queue.getGlobalRateLimit() == {"max": 5, "duration": 1000}
    assert [await queue.removeGlobalRateLimit() for _ in range(2)] == [2, 0]
    assert await queue.getRateLimitTtl() == -2
    await queue.rateLimit(60_000)
    assert 0 < await queue.getRateLimitTtl() <= 60_000
    assert [await queue.removeRateLimitKey() for _ in range(2)] == [1, 0]


async def test_events_are_trimmed(bull: Bull, store: Store) -> None:
    queue = await filled(bull)

    assert await queue.trimEvents(0) > 0
    assert await store.command("XLEN", queue.toKey("events")) == 0


async def test_a_queue_that_is_closed_opens_again_when_it_is_used(bull: Bull) -> None:
    queue = bull.queue()
    await queue.add("n")

    await queue.close()
    await queue.close()

    assert (await queue.add("n")).id == "2"


async def test_queues_of_one_place_share_their_connections(bull: Bull, store: Store) -> None:
    async def clients() -> int:
        return len((await store.command("CLIENT", "LIST", "TYPE", "normal")).splitlines())

    before = await clients()
    for n in range(20):
        await bull.queue(f"q{n}").add("n")

    async def few() -> bool:
        return await clients() <= before + 3

    await until(few, message="few connections are open")


def test_a_job_made_by_hand_tells_what_it_was_made_of() -> None:
    queue = Queue("q")

    job = Job(queue, "n", {"a": 1}, {"delay": 5, "attempts": 2}, "id1")
    unnamed = Job(queue, "n", None)

    assert (job.id, job.name, job.data, job.delay, job.attempts) == ("id1", "n", {"a": 1}, 5, 2)
    assert job.opts == {"attempts": 2, "delay": 5, "backoff": None}
    assert job.timestamp > 0
    assert (unnamed.id, unnamed.token, unnamed.discarded) == (None, None, False)
    assert repr(job) == "Job(id='id1', queue='q', name='n')"


def test_a_job_is_made_of_its_hash() -> None:
    raw = {
        "name": "n",
        "data": '{"a":1}',
        "opts": '{"kl":3,"attempts":2,"de":{"id":"d"},"fpof":true}',
        "timestamp": "5",
        "atm": "1",
        "ats": "2",
        "returnvalue": '"x"',
        "progress": "5",
        "parent": '{"id":"1","queueKey":"bull:p"}',
        "parentKey": "bull:p:1",
        "deid": "d",
        "rjk": "k",
        "defa": "later",
        "stacktrace": '["t"]',
        "processedOn": "7",
    }

    job = Job.fromJSON(Queue("q"), raw, "77")

    assert (job.id, job.name, job.data, job.timestamp, job.progress) == ("77", "n", {"a": 1}, 5, 5)
    assert (job.attemptsMade, job.attemptsStarted, job.attempts) == (1, 2, 2)
    assert (job.returnvalue, job.stacktrace, job.processedOn) == ("x", ["t"], 7)
    assert (job.parentKey, job.parent) == ("bull:p:1", {"id": "1", "queueKey": "bull:p"})
    assert (job.repeatJobKey, job.deferredFailure, job.deduplication_id) == ("k", "later", "d")
    assert job.opts == {
        "attempts": 2,
        "keepLogs": 3,
        "deduplication": {"id": "d"},
        "failParentOnFailure": True,
    }
