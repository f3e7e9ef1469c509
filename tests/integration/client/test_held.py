"""Jobs that are taken and ended by hand."""

import json
from datetime import timedelta

import pytest

from framework import (
    Application,
    Custom,
    Every,
    FailedChildrenError,
    HeldJob,
    JobNotFoundError,
    JobState,
    LockLostError,
    OptionsError,
    PendingChildrenError,
    Queue,
    ResultError,
    WrongStateError,
)
from framework.model.clock import SystemClock
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.wire.millis import instant_from_ms
from tests.support.apps import Open
from tests.support.builders import entries_of, events_of, hash_of, list_of, scores_of, state_of
from tests.support.until import until

MINUTE = timedelta(minutes=1)


@pytest.fixture
def app(open_app: Open) -> Application:
    return open_app()


async def held(queue: Queue, **options: object) -> HeldJob:
    """A job of the queue, which must be empty, in our hands."""
    await queue.add("n", {"a": 1}, **options)  # type: ignore[arg-type]  # whatever a test asks for
    job = await queue.next_job("mine")
    assert job is not None
    return job


async def test_the_next_job_is_held_with_the_token_given(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        job = await held(app.queue("demo"))

    assert (job.id, job.token, job.job.name, job.job.data) == ("1", "mine", "n", {"a": 1})
    assert job.job.attempts_started == 1
    assert await store.command("GET", keys.job("1") + ":lock") == b"mine"
    assert 29_000 < await store.command("PTTL", keys.job("1") + ":lock") <= 30_000
    assert await list_of(store, keys, "active") == ["1"]


async def test_an_empty_or_paused_queue_gives_nothing(app: Application) -> None:
    async with app:
        queue = app.queue("demo")
        assert await queue.next_job("mine") is None
        await queue.add("n")
        await queue.pause()
        assert await queue.next_job("mine") is None
        await queue.resume()
        assert await queue.next_job("mine") is not None


@pytest.mark.parametrize("token", ["", "0"])
async def test_a_token_that_would_hold_nothing_is_refused(app: Application, token: str) -> None:
    async with app:
        with pytest.raises(OptionsError, match="token"):
            await app.queue("demo").next_job(token)


async def test_a_delayed_job_that_is_due_is_taken(app: Application) -> None:
    async with app:
        queue = app.queue("demo")
        delayed = await queue.add("n", delay=timedelta(hours=1))
        assert await queue.next_job("mine") is None
        await queue.change_delay(delayed.id, timedelta(milliseconds=1))

        job = await until(lambda: queue.next_job("mine"), message="it is due")

    assert job.id == "1"


async def test_a_job_whose_failure_is_deferred_is_failed_and_the_next_one_taken(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        queue = app.queue("demo")
        await queue.add("n", attempts=3)
        await queue.add("n")
        await store.command("HSET", keys.job("1"), "defa", "child x failed")

        job = await queue.next_job("mine")

    assert job is not None
    assert job.id == "2"
    assert await state_of(store, keys, "1") is JobState.FAILED
    assert (await hash_of(store, keys, "1"))["failedReason"] == "child x failed"


async def test_a_job_is_completed_by_hand(app: Application, store: Store, keys: QueueKeys) -> None:
    async with app:
        queue = app.queue("demo")
        job = await held(queue)

        assert await job.complete({"ok": True}) is None

        assert await queue.result(job.id) == {"ok": True}
    assert (await hash_of(store, keys, "1"))["atm"] == "1"
    assert await events_of(store, keys, "1") == ["added", "waiting", "active", "completed"]
    assert await store.command("EXISTS", keys.job("1") + ":lock") == 0


async def test_the_next_job_comes_with_the_completion_of_the_last(app: Application) -> None:
    async with app:
        queue = app.queue("demo")
        first = await held(queue)
        await queue.add("n")

        second = await first.complete(fetch_next="other")

        assert second is not None
        assert (second.id, second.token) == ("2", "other")
        assert await second.complete(fetch_next="third") is None


async def test_a_refused_completion_takes_no_next_job(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        queue = app.queue("demo")
        first = await held(queue)
        await queue.add("n")
        await store.command("SADD", keys.job("1") + ":dependencies", keys.job("77"))

        with pytest.raises(PendingChildrenError):
            await first.complete(fetch_next="other")

    assert await list_of(store, keys, "wait") == ["2"]
    assert await state_of(store, keys, "1") is JobState.ACTIVE


async def test_what_is_no_json_completes_nothing(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        job = await held(app.queue("demo"))
        with pytest.raises(ResultError):
            await job.complete(object())

    assert await state_of(store, keys, "1") is JobState.ACTIVE


async def test_a_failed_attempt_goes_on_as_the_job_asks(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        queue = app.queue("demo")
        job = await held(queue, attempts=3, backoff=MINUTE)

        assert await job.fail(ValueError("boom")) == MINUTE

        assert await queue.state("1") is JobState.DELAYED
    fields = await hash_of(store, keys, "1")
    assert (fields["atm"], fields["failedReason"], fields["delay"]) == ("1", "boom", "60000")
    assert json.loads(fields["stacktrace"]) == ["ValueError: boom\n"]


async def test_the_last_attempt_fails_for_good(app: Application) -> None:
    async with app:
        queue = app.queue("demo")
        job = await held(queue)

        assert await job.fail("the printer is out of paper") is None

        failed = await queue.job("1")
    assert failed is not None
    assert failed.failed_reason == "the printer is out of paper"
    assert failed.finished_on is not None


async def test_what_is_unrecoverable_is_not_tried_again(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        job = await held(app.queue("demo"), attempts=3)

        assert await job.fail("no such address", unrecoverable=True) is None

    assert await state_of(store, keys, "1") is JobState.FAILED
    assert "retries-exhausted" not in await events_of(store, keys)


async def test_a_custom_backoff_is_not_known_to_hands(app: Application) -> None:
    async with app:
        job = await held(app.queue("demo"), attempts=3, backoff=Custom("bank"))

        assert await job.fail("busy") is None


async def test_a_retry_by_hand_goes_beyond_the_attempts(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        queue = app.queue("demo")
        job = await held(queue)
        await job.retry("busy")
        again = await queue.next_job("mine")
        assert again is not None
        assert again.job.attempts_made == 1
        await again.retry("busy", delay=MINUTE)

    assert await state_of(store, keys, "1") is JobState.DELAYED
    assert (await hash_of(store, keys, "1"))["atm"] == "2"


async def test_a_job_is_parked_by_hand_and_burns_no_attempt(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        queue = app.queue("demo")
        job = await held(queue)
        await job.delay_for(timedelta(0))
        job = await _again(queue)
        await job.delay_until(instant_from_ms(SystemClock().now_ms() - 1000))
        job = await _again(queue)
        await job.move_to_wait()
        job = await _again(queue)
        await job.rate_limit(MINUTE)

        assert await queue.next_job("mine") is None

    fields = await hash_of(store, keys, "1")
    assert (fields.get("atm"), fields["ats"]) == (None, "4")
    assert await list_of(store, keys, "wait") == ["1"]


async def _again(queue: Queue) -> HeldJob:
    job = await queue.next_job("mine")
    assert job is not None
    return job


async def test_a_parent_waits_for_children_by_hand(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        job = await held(app.queue("demo"))
        assert not await job.wait_for_children()
        assert await state_of(store, keys, "1") is JobState.ACTIVE
        await store.command("SADD", keys.job("1") + ":dependencies", keys.job("77"))

        assert await job.wait_for_children()

    assert await state_of(store, keys, "1") is JobState.WAITING_CHILDREN
    assert (await entries_of(store, keys))[-1]["event"] == "waiting-children"


async def test_a_parent_whose_child_failed_cannot_wait(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        job = await held(app.queue("demo"))
        await store.command("ZADD", keys.job("1") + ":unsuccessful", 1, keys.job("77"))

        with pytest.raises(FailedChildrenError):
            await job.wait_for_children()
        with pytest.raises(FailedChildrenError):
            await job.complete()


async def test_a_lock_is_extended_by_hand(app: Application, store: Store, keys: QueueKeys) -> None:
    async with app:
        job = await held(app.queue("demo"))

        await job.extend_lock(MINUTE)

        assert 50_000 < await store.command("PTTL", keys.job("1") + ":lock") <= 60_000
        await store.command("SET", keys.job("1") + ":lock", "another")
        with pytest.raises(LockLostError):
            await job.extend_lock(MINUTE)


async def test_a_held_job_reports_logs_and_saves(app: Application) -> None:
    async with app:
        queue = app.queue("demo")
        job = await held(queue)
        await job.progress({"percent": 50})
        await job.log("half way")
        saved = await job.save({"step": 2})

        assert saved.data == job.job.data == {"step": 2}
        found = await queue.job("1")
        assert found is not None
        assert (found.progress, found.data) == ({"percent": 50}, {"step": 2})
        assert await queue.logs("1") == ["half way"]


async def test_another_process_ends_a_job_by_its_id_and_token(
    app: Application, open_app: Open, store: Store, keys: QueueKeys
) -> None:
    async with app, open_app() as other:
        taken = await held(app.queue("demo"))

        job = await other.queue("demo").held_job(taken.id, "mine")
        await job.complete("there")

    assert (await hash_of(store, keys, "1"))["returnvalue"] == '"there"'


async def test_a_token_that_does_not_hold_the_job_is_refused(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        queue = app.queue("demo")
        job = await held(queue)
        with pytest.raises(LockLostError, match="another token holds it"):
            await queue.held_job("1", "another")
        with pytest.raises(JobNotFoundError):
            await queue.held_job("2", "mine")
        await store.command("DEL", keys.job("1") + ":lock")
        with pytest.raises(LockLostError):
            await queue.held_job("1", "mine")
        seen = await hash_of(store, keys, "1")
        for end in (
            lambda: job.complete(1),
            lambda: job.fail("x"),
            lambda: job.retry("x"),
            lambda: job.delay_for(MINUTE),
            lambda: job.rate_limit(MINUTE),
            job.move_to_wait,
            lambda: job.save({}),
            lambda: job.extend_lock(MINUTE),
        ):
            with pytest.raises(LockLostError, match="is not held with this token"):
                await end()

    assert await hash_of(store, keys, "1") == seen
    assert await state_of(store, keys, "1") is JobState.ACTIVE


async def test_a_job_is_ended_once(app: Application, store: Store, keys: QueueKeys) -> None:
    async with app:
        job = await held(app.queue("demo"))
        await job.complete("once")
        with pytest.raises(LockLostError, match="it was ended already") as caught:
            await job.complete("twice")

    assert "blocked machine" not in str(caught.value)
    assert (await hash_of(store, keys, "1"))["returnvalue"] == '"once"'


async def test_a_job_that_is_not_active_is_left_where_it_is(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        job = await held(app.queue("demo"))
        await store.command("LREM", keys["active"], 1, "1")
        await store.command("ZADD", keys["delayed"], 1, "1")

        with pytest.raises(WrongStateError):
            await job.complete()

    assert list(await scores_of(store, keys, "delayed")) == ["1"]
    assert await scores_of(store, keys, "completed") == {}


async def test_a_run_of_a_schedule_taken_by_hand_carries_it_on(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        queue = app.queue("demo")
        await queue.upsert_job_scheduler("nightly", Every(MINUTE))

        job = await queue.next_job("mine")

        assert job is not None
        assert job.id.startswith("repeat:nightly:")
    (following,) = await scores_of(store, keys, "delayed")
    assert following.startswith("repeat:nightly:")
    assert following != job.id


async def test_a_vanished_worker_is_told_by_hand_once_and_then_fails_the_job(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        queue = app.queue("demo")
        job = await held(queue, attempts=5)
        await queue.add("behind", 2)

        await job.stall()
        again = await queue.next_job("mine")
        assert again is not None
        between = again.job
        await again.stall()

    assert (between.id, between.stalled_counter, between.attempts_made) == ("1", 1, 0)
    assert await state_of(store, keys, job.id) is JobState.FAILED
    stored = await hash_of(store, keys, job.id)
    assert stored["failedReason"] == "job stalled more than allowable limit"
    assert json.loads(stored["stacktrace"]) == ["job stalled more than allowable limit"]
    assert stored["stc"] == "2"
    assert await list_of(store, keys, "active") == []
    assert (await entries_of(store, keys))[-1] == {
        "event": "failed",
        "jobId": "1",
        "failedReason": "job stalled more than allowable limit",
        "prev": "active",
    }


async def test_a_prioritized_job_of_a_vanished_worker_is_first_again(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app:
        queue = app.queue("demo")
        job = await held(queue, priority=5)
        await queue.add("behind", 2, priority=5)

        await job.stall(max_stalled=3)
        again = await queue.next_job("mine")

    assert again is not None
    assert again.id == job.id
