"""Holding one job, and letting it go on from where it was."""

import json
from datetime import timedelta

import pytest

from framework.errors import (
    JobNotFoundError,
    RedisRefusedError,
    SchedulerJobError,
    WrongStateError,
)
from framework.model.job import Effect, JobId, JobState
from framework.model.options import Deduplication
from framework.store.store import Store
from framework.store.transitions.asking import cancel_job, hold_job, read_asks, release_job
from framework.store.transitions.ending import KEEP_ALL, Ending, given_back, parked_until, retried
from framework.store.transitions.exchange import Fetched
from framework.store.transitions.removal import drain
from framework.store.transitions.standing import (
    change_delay,
    change_priority,
    promote_job,
    promote_jobs,
)
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_job,
    add_tied,
    complete,
    completed_job,
    entries_of,
    hash_of,
    list_of,
    scores_of,
    state_of,
    tied,
    trade,
    waiting_job,
)

HELD_DUE = 2**41 - 1
UUID = "0123456789abcdef0123456789abcdef"
FAR = NOW + 50 * 365 * 24 * 3600 * 1000
PLACES: dict[str, tuple[dict[str, object], str, JobState]] = {
    "waiting": ({}, "wait", JobState.WAITING),
    "prioritized": ({"priority": 5}, "prioritized ", JobState.PRIORITIZED),
    "delayed": ({"delay": timedelta(days=400)}, "delayed ", JobState.DELAYED),
}


async def taken(store: Store, keys: QueueKeys, want: int = 5) -> list[str]:
    """The ids that a worker gets now."""
    return [job.id for job in (await trade(store, keys, want=want)).jobs]


@pytest.mark.parametrize("place", PLACES)
async def test_a_job_that_waits_is_held_at_once(store: Store, keys: QueueKeys, place: str) -> None:
    options, held, _ = PLACES[place]
    job_id = await waiting_job(store, keys, **options)

    assert await hold_job(store, keys, job_id) is Effect.DONE

    assert await state_of(store, keys, job_id) is JobState.DELAYED
    assert await scores_of(store, keys, "delayed") == {job_id: HELD_DUE * 4096}
    assert (await hash_of(store, keys, job_id))["fw.held"].startswith(held)
    assert (await entries_of(store, keys))[-1] == {
        "event": "delayed", "jobId": job_id, "delay": str(HELD_DUE),
    }  # fmt: skip
    assert await taken(store, keys) == []


@pytest.mark.parametrize("place", PLACES)
async def test_a_held_job_goes_back_to_where_it_was(
    store: Store, keys: QueueKeys, place: str
) -> None:
    options, _, state = PLACES[place]
    job_id = await waiting_job(store, keys, **options)
    before = await scores_of(store, keys, "prioritized")
    due = (await scores_of(store, keys, "delayed")).get(job_id, 0) / 4096
    await hold_job(store, keys, job_id)

    await release_job(store, keys, job_id)

    assert await state_of(store, keys, job_id) is state
    assert "fw.held" not in await hash_of(store, keys, job_id)
    assert await scores_of(store, keys, "prioritized") == before
    again = (await scores_of(store, keys, "delayed")).get(job_id, 0) / 4096
    # Its clock stood still meanwhile; the two calls are not of one millisecond.
    assert due <= again < due + 5_000
    assert (await entries_of(store, keys))[-1]["event"] == (
        "delayed" if place == "delayed" else "waiting"
    )


async def test_a_second_hold_changes_nothing(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys, priority=3)
    await hold_job(store, keys, job_id)
    held = await hash_of(store, keys, job_id)

    assert await hold_job(store, keys, job_id) is Effect.DONE

    assert await hash_of(store, keys, job_id) == held


async def test_what_waited_goes_to_the_end_of_the_line(store: Store, keys: QueueKeys) -> None:
    first, second = await waiting_job(store, keys), await waiting_job(store, keys)
    await hold_job(store, keys, first)

    await release_job(store, keys, first)

    assert await taken(store, keys) == [second, first]


async def test_what_has_a_priority_keeps_its_turn(store: Store, keys: QueueKeys) -> None:
    first, second = [await waiting_job(store, keys, priority=3) for _ in range(2)]
    await hold_job(store, keys, first)

    await release_job(store, keys, first)

    assert await taken(store, keys) == [first, second]


async def test_another_priority_counts_once_it_goes_on(store: Store, keys: QueueKeys) -> None:
    first, second = [await waiting_job(store, keys, priority=3) for _ in range(2)]
    await hold_job(store, keys, first)
    await change_priority(store, keys, first, 7, lifo=False)
    assert await state_of(store, keys, first) is JobState.DELAYED

    await release_job(store, keys, first)

    assert await taken(store, keys) == [second, first]


async def test_no_promotion_of_ours_lets_a_held_job_run(store: Store, keys: QueueKeys) -> None:
    held = await waiting_job(store, keys)
    await hold_job(store, keys, held)
    delayed = await waiting_job(store, keys, delay=timedelta(days=1))

    with pytest.raises(WrongStateError):
        await promote_job(store, keys, held)
    with pytest.raises(WrongStateError):
        await change_delay(store, keys, held, 0)
    assert await promote_jobs(store, keys) == 1

    assert await taken(store, keys) == [delayed]
    assert await state_of(store, keys, held) is JobState.DELAYED


async def test_no_time_lets_a_held_job_run(store: Store, keys: QueueKeys) -> None:
    held = await waiting_job(store, keys)
    await hold_job(store, keys, held)

    reply = await trade(store, keys, want=1, now_ms=HELD_DUE - 1)

    assert reply.jobs == []


async def test_draining_the_delayed_removes_held_jobs_too(store: Store, keys: QueueKeys) -> None:
    held = await waiting_job(store, keys)
    await hold_job(store, keys, held)

    assert await drain(store, keys, ["wait"]) == 0
    assert await drain(store, keys, ["delayed"]) == 1


async def test_a_newer_payload_does_not_take_a_held_jobs_place(
    store: Store, keys: QueueKeys
) -> None:
    debounce = Deduplication(id="once", replace=True, extend=True, ttl=timedelta(minutes=1))
    delay = timedelta(seconds=10)
    await add_tied(store, keys, [tied(keys, deduplication=debounce, delay=delay)])
    await hold_job(store, keys, JobId("1"))

    await add_tied(store, keys, [tied(keys, deduplication=debounce, delay=delay)])

    assert list(await scores_of(store, keys, "delayed")) == ["1"]
    assert (await hash_of(store, keys, "1"))["fw.held"].startswith("delayed ")


async def test_what_is_not_there_has_finished_or_is_not_held(store: Store, keys: QueueKeys) -> None:
    done = await completed_job(store, keys)
    waiting = await waiting_job(store, keys)

    for call in (hold_job, release_job):
        with pytest.raises(JobNotFoundError):
            await call(store, keys, JobId("gone"))
        with pytest.raises(WrongStateError):
            await call(store, keys, done)
    with pytest.raises(WrongStateError):
        await release_job(store, keys, waiting)


async def test_the_next_run_of_a_schedule_is_not_held(store: Store, keys: QueueKeys) -> None:
    job_id = JobId(f"repeat:tick:{NOW}")
    await store.command("HSET", keys.job(job_id), "name", "tick", "rjk", "tick")
    await store.command("ZADD", keys["repeat_set"], NOW, "tick")
    await store.command("ZADD", keys["delayed"], NOW * 4096, job_id)

    with pytest.raises(SchedulerJobError):
        await hold_job(store, keys, job_id)


async def test_a_held_job_is_cancelled_as_any(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)
    await hold_job(store, keys, job_id)

    assert await cancel_job(store, keys, job_id, "cancelled", KEEP_ALL) is Effect.DONE

    assert await state_of(store, keys, job_id) is JobState.FAILED
    assert "fw.held" not in await hash_of(store, keys, job_id)


async def test_the_worker_of_a_running_job_is_asked(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys, by=f"{UUID}:")

    assert await hold_job(store, keys, job.id) is Effect.ASKED

    assert await state_of(store, keys, job.id) is JobState.ACTIVE
    assert await store.command("EXISTS", keys.calls(UUID)) == 1
    asks = await read_asks(store, keys, UUID, [job.id])
    assert [(ask.job_id, ask.cancelled, ask.is_pausing) for ask in asks] == [(job.id, "", True)]


def leaves(job: Fetched) -> dict[str, tuple[Ending, str]]:
    return {
        "give back": (given_back(job.id, job.token), "front"),
        "retry": (retried(job.id, job.token, "boom", b"[]", 0, lifo=False), "wait"),
        "back off": (retried(job.id, job.token, "boom", b"[]", 9000, lifo=False), "delayed "),
        "park": (parked_until(job.id, job.token, FAR), "delayed "),
    }


@pytest.mark.parametrize("way", ["give back", "retry", "back off", "park"])
async def test_a_run_that_leaves_is_held_then(store: Store, keys: QueueKeys, way: str) -> None:
    job = await active_job(store, keys)
    await hold_job(store, keys, job.id)
    ending, held = leaves(job)[way]

    assert (await trade(store, keys, ending)).codes == [0]

    assert await state_of(store, keys, job.id) is JobState.DELAYED
    assert await scores_of(store, keys, "delayed") == {job.id: HELD_DUE * 4096}
    assert (await hash_of(store, keys, job.id))["fw.held"].startswith(held)
    assert await store.command("EXISTS", keys.job(job.id) + ":lock") == 0


async def test_a_run_that_ends_has_ended(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await hold_job(store, keys, job.id)

    assert (await trade(store, keys, complete(job))).codes == [0]

    assert await state_of(store, keys, job.id) is JobState.COMPLETED


@pytest.mark.parametrize("priority", [0, 5])
async def test_what_was_running_runs_next(store: Store, keys: QueueKeys, priority: int) -> None:
    job = await active_job(store, keys, priority=priority)
    other = await waiting_job(store, keys, priority=priority)
    await hold_job(store, keys, job.id)
    await trade(store, keys, given_back(job.id, job.token))

    await release_job(store, keys, job.id)

    assert await taken(store, keys) == [job.id, other]


async def test_what_is_asked_of_a_running_job_can_be_withdrawn(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys, by=f"{UUID}:")
    await hold_job(store, keys, job.id)
    await read_asks(store, keys, UUID, [job.id])

    await release_job(store, keys, job.id)

    assert await store.command("EXISTS", keys.calls(UUID)) == 1
    assert await read_asks(store, keys, UUID, [job.id]) == []
    await trade(store, keys, given_back(job.id, job.token))
    assert await list_of(store, keys, "wait") == [job.id]


async def test_a_parent_that_waits_for_children_is_held_whatever_they_do(
    store: Store, keys: QueueKeys
) -> None:
    flow = [
        tied(keys, "parent", waits=True, job_id="p", in_flow=True),
    ]
    await add_tied(store, keys, flow)
    await store.command("SADD", keys.job("p") + ":dependencies", keys.job("c"))

    await hold_job(store, keys, JobId("p"))
    assert await state_of(store, keys, "p") is JobState.DELAYED

    await release_job(store, keys, JobId("p"))
    assert await state_of(store, keys, "p") is JobState.WAITING_CHILDREN

    await hold_job(store, keys, JobId("p"))
    await store.command("DEL", keys.job("p") + ":dependencies")
    await release_job(store, keys, JobId("p"))
    assert await state_of(store, keys, "p") is JobState.WAITING


async def test_a_held_parent_whose_child_fails_is_let_go_to_fail(
    store: Store, keys: QueueKeys
) -> None:
    await add_tied(store, keys, [tied(keys, "parent", waits=True, job_id="p", in_flow=True)])
    child = await waiting_job(store, keys)
    link = json.dumps({"id": "p", "queueKey": keys.qualified, "fpof": True})
    await store.command("SADD", keys.job("p") + ":dependencies", keys.job(child))
    await store.command("HSET", keys.job(child), "parentKey", keys.job("p"), "parent", link)
    await hold_job(store, keys, JobId("p"))

    await cancel_job(store, keys, child, "cancelled", KEEP_ALL)

    assert await state_of(store, keys, "p") is JobState.WAITING
    told = await hash_of(store, keys, "p")
    assert told["defa"] == f"child {keys.job(child)} failed"
    assert "fw.held" not in told


async def test_odd_keys_keep_a_job_where_it_is(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)
    await store.command("DEL", keys["events"])
    await store.command("SET", keys["events"], "odd")

    for call in (
        hold_job(store, keys, job_id),
        cancel_job(store, keys, job_id, "cancelled", KEEP_ALL),
    ):
        with pytest.raises(RedisRefusedError):
            await call

    assert await list_of(store, keys, "wait") == [job_id]


async def test_a_job_that_a_peer_let_start_is_held_no_longer(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)
    await hold_job(store, keys, job_id)
    await store.command("ZREM", keys["delayed"], job_id)
    await store.command("LPUSH", keys["wait"], job_id)

    fetched = (await trade(store, keys, want=1)).jobs[0]

    assert fetched.fields.get(b"fw.held", b"") == b""
    assert "fw.held" not in await hash_of(store, keys, job_id)
