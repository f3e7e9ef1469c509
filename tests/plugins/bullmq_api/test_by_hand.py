"""Taking jobs by hand, and ending them with a token."""

import time

import pytest

from framework_bullmq import Job, UnrecoverableError
from tests.plugins.bullmq_api.bull import Bull


async def test_jobs_are_taken_and_completed_one_after_the_other(bull: Bull) -> None:
    worker, queue = bull.worker(None, autorun=False), bull.queue()
    await queue.addBulk([{"name": "a", "data": {"n": 1}}, {"name": "b", "data": {"n": 2}}])

    first = await worker.getNextJob("token-1")
    assert first is not None
    raw, job_id, limit, delay = await first.moveToCompleted("one", "token-1", fetchNext=True)
    second = await worker.nextJobFromJobData(raw, job_id, limit, delay, "token-1")
    assert second is not None
    nothing = await second.moveToCompleted("two", "token-1", True)

    assert (first.token, second.id, second.name, second.data) == ("token-1", "2", "b", {"n": 2})
    assert nothing == [None, None, None, None]
    done = await queue.getCompleted()
    assert {job.id: job.returnvalue for job in done} == {"1": "one", "2": "two"}
    assert await worker.getNextJob("token-2") is None


async def test_an_attempt_fails_and_another_follows(bull: Bull) -> None:
    worker, queue = bull.worker(None, autorun=False), bull.queue()
    await queue.add("n", {}, {"attempts": 2})

    states = []
    for _ in range(2):
        job = await worker.getNextJob("token")
        assert job is not None
        assert await job.moveToFailed(ValueError("bad"), "token") == [None] * 4
        states.append(await job.getState())
        assert job.failedReason == "bad"

    assert states == ["waiting", "failed"]


async def test_an_unrecoverable_error_fails_the_job_for_good(bull: Bull) -> None:
    worker, queue = bull.worker(None, autorun=False), bull.queue()
    await queue.addBulk([{"name": "n", "opts": {"attempts": 9}}, {"name": "n"}])
    job = await worker.getNextJob("token")
    assert job is not None

    raw, job_id, *_ = await job.moveToFailed(UnrecoverableError("no"), "token", fetchNext=True)

    assert await job.getState() == "failed"
    assert (job_id, raw["name"]) == ("2", "n")


async def test_a_job_that_is_held_is_moved(bull: Bull) -> None:
    worker, queue = bull.worker(None, autorun=False), bull.queue()
    await queue.addBulk([{"name": "a"}, {"name": "b"}])
    first, second = [await worker.getNextJob(token) for token in ("one", "two")]
    assert first is not None
    assert second is not None
    above = {"parent": {"id": second.id, "queue": second.queueQualifiedName}}
    await queue.add("child", {}, above)

    await first.extendLock("one", 60_000)
    await first.moveToDelayed(time.time_ns() // 1_000_000 + 60_000, "one")

    assert await first.isDelayed()
    assert await second.moveToWaitingChildren("two", {}) is True
    assert await second.isWaitingChildren()


async def test_another_token_moves_nothing(bull: Bull) -> None:
    worker, queue = bull.worker(None, autorun=False), bull.queue()
    await queue.add("n")
    job = await worker.getNextJob("mine")
    assert job is not None

    with pytest.raises(TypeError, match="Lock mismatch for job 1"):
        await job.moveToCompleted("x", "yours")
    stranger = await queue.getJob("1")
    assert stranger is not None
    with pytest.raises(TypeError, match="Missing lock for job 1"):
        await stranger.moveToDelayed(2**41)
    await stranger.moveToCompleted("by another object", "mine")
    with pytest.raises(TypeError, match="Missing lock for job 1"):
        await job.moveToFailed("x", "mine")

    found = await Job.fromId(queue, "1")
    assert found is not None
    assert found.returnvalue == "by another object"
