"""Draining, cleaning, obliterating a queue, and sweeping up what stands nowhere."""

from datetime import timedelta

import pytest

from framework.errors import ActiveJobsError
from framework.model.job import JobId, JobState
from framework.store.reads import job_counts
from framework.store.store import Store
from framework.store.transitions import removal
from framework.store.transitions.admin import pause_queue
from framework.store.transitions.ending import given_back
from framework.wire.keys import QueueKeys
from tests.integration.store.test_trees import hang, put
from tests.support.builders import (
    NOW,
    active_job,
    add,
    completed_job,
    entries_of,
    events_of,
    failed_job,
    list_of,
    new_job,
    scores_of,
    state_of,
    trade,
    waiting_job,
)

WAITING = ("wait", "paused", "prioritized")
ALL = 2**31
LATE = timedelta(hours=1)


async def next_run(store: Store, keys: QueueKeys, place: str, at: int = NOW) -> str:
    """The job of the next run of a schedule."""
    job_id = f"repeat:s{at}:{at}"
    await put(store, keys, job_id, place)
    await store.command("HSET", keys.job(job_id), "rjk", f"s{at}")
    await store.command("ZADD", keys["repeat_set"], at, f"s{at}")
    return job_id


async def jobs_left(store: Store, keys: QueueKeys) -> int:
    return sum((await job_counts(store, keys)).values())


async def hashes(store: Store, keys: QueueKeys) -> set[str]:
    found = await store.command("KEYS", keys.base + "*")
    names = {key.decode().removeprefix(keys.base) for key in found}
    return {name for name in names if name.isdigit()}


async def test_a_drain_removes_what_waits_and_nothing_else(store: Store, keys: QueueKeys) -> None:
    finished = {await completed_job(store, keys), await failed_job(store, keys)}
    held = (await active_job(store, keys)).id
    await waiting_job(store, keys)
    await waiting_job(store, keys, priority=1)
    later = await waiting_job(store, keys, delay=LATE)
    await put(store, keys, "parked", "paused")
    before = await events_of(store, keys)

    removed = await removal.drain(store, keys, WAITING)

    assert removed == 3
    assert await hashes(store, keys) == {*finished, held, later}
    assert await jobs_left(store, keys) == 4
    assert await events_of(store, keys) == before
    assert await removal.drain(store, keys, ("delayed",)) == 1


async def test_a_drain_keeps_the_next_runs_of_schedules(store: Store, keys: QueueKeys) -> None:
    first = await next_run(store, keys, "wait", NOW)
    await add(store, keys, *[new_job() for _ in range(1000)])
    second = await next_run(store, keys, "wait", NOW + 1)
    await add(store, keys, *[new_job() for _ in range(1000)])
    third = await next_run(store, keys, "delayed", NOW + 2)

    assert await removal.drain(store, keys, (*WAITING, "delayed")) == 2000

    assert await list_of(store, keys, "wait") == [second, first]
    assert [*await scores_of(store, keys, "delayed")] == [third]
    assert await hashes(store, keys) == set()


async def test_a_drain_drops_ids_without_a_job_and_old_markers(
    store: Store, keys: QueueKeys
) -> None:
    await store.command("LPUSH", keys["wait"], "ghost", "0:1", "ghost")

    await removal.drain(store, keys, WAITING)

    assert await store.command("EXISTS", keys["wait"], keys.job("ghost")) == 0


async def test_parents_of_drained_jobs_go_along_or_run(
    store: Store, keys: QueueKeys, prefix: str
) -> None:
    others = QueueKeys(prefix, "others")
    above = await put(store, others, "A1", "waiting_children")
    here = await put(store, keys, "P1", "waiting_children")
    there = await put(store, others, "P2", "waiting_children")
    await hang(store, above, here)
    for job_id, parent in (("C1", here), ("C2", there)):
        await hang(store, parent, await put(store, keys, job_id, "wait"))

    await removal.drain(store, keys, WAITING)

    assert await store.command("EXISTS", here, keys["waiting_children"]) == 0
    assert set(await list_of(store, others, "wait")) == {"A1", "P2"}
    assert await scores_of(store, others, "marker") == {"0": 0}


async def test_a_removed_job_sets_its_deduplication_id_free(store: Store, keys: QueueKeys) -> None:
    for job_id, owner in (("mine", "mine"), ("late", "other")):
        job = await put(store, keys, job_id, "wait")
        await store.command("HSET", job, "deid", job_id)
        await store.command("SET", f"{keys.base}de:{job_id}", owner)
        await store.command("HSET", f"{keys.base}dn:{job_id}", "name", "n")

    await removal.drain(store, keys, WAITING)

    left = sorted(await store.command("KEYS", f"{keys.base}d[en]:*"))
    assert left == [f"{keys.base}de:late".encode(), f"{keys.base}dn:late".encode()]


@pytest.mark.parametrize("state", ["completed", "failed"])
async def test_finished_jobs_are_cleaned_by_age_and_number(
    store: Store, keys: QueueKeys, state: str
) -> None:
    make = completed_job if state == "completed" else failed_job
    ids = [await make(store, keys) for _ in range(4)]
    for place, job_id in enumerate(ids):
        await store.command("ZADD", keys[state], NOW + place, job_id)

    assert await removal.clean(store, keys, (state,), NOW + 2, 2) == ids[:2]
    assert await removal.clean(store, keys, (state,), NOW + 2, ALL) == ids[2:3]
    assert await removal.clean(store, keys, (state,), NOW + 2, ALL) == []

    assert await hashes(store, keys) == {ids[3]}
    counts = [it["count"] for it in await entries_of(store, keys) if it["event"] == "cleaned"]
    assert counts == ["2", "1", "0"]


async def test_waiting_jobs_are_cleaned_from_both_lists_oldest_first(
    store: Store, keys: QueueKeys
) -> None:
    ids = [(await add(store, keys, new_job(), now_ms=NOW + n))[0].id for n in range(4)]
    run = await next_run(store, keys, "wait")
    parked = await put(store, keys, "parked", "paused")

    cleaned = await removal.clean(store, keys, ("wait", "paused"), NOW + 2, 2)
    rest = await removal.clean(store, keys, ("wait", "paused"), NOW + 2, ALL)

    assert cleaned == ids[:2]
    assert rest == [ids[2], "parked"]
    assert await list_of(store, keys, "wait") == [run, ids[3]]
    assert await store.command("EXISTS", parked) == 0
    assert [it["count"] for it in await entries_of(store, keys) if "count" in it] == ["2", "2"]


@pytest.mark.parametrize(
    ("place", "options"), [("delayed", {"delay": LATE}), ("prioritized", {"priority": 1})]
)
async def test_jobs_put_off_or_by_priority_are_cleaned_by_when_they_were_added(
    store: Store, keys: QueueKeys, place: str, options: dict[str, object]
) -> None:
    ids = [(await add(store, keys, new_job(**options), now_ms=NOW + n))[0].id for n in range(3)]  # type: ignore[arg-type]  # options
    run = await next_run(store, keys, place)

    assert await removal.clean(store, keys, (place,), NOW + 1, ALL) == ids[:2]

    assert set(await scores_of(store, keys, place)) == {run, ids[2]}


async def test_of_active_jobs_those_without_a_lock_are_cleaned(
    store: Store, keys: QueueKeys
) -> None:
    lost = await active_job(store, keys)
    held = await active_job(store, keys)
    await store.command("DEL", keys.job(lost.id) + ":lock")

    assert await removal.clean(store, keys, ("active",), NOW + 1, ALL) == [lost.id]

    assert await list_of(store, keys, "active") == [held.id]


async def test_thousands_are_cleaned_with_one_event(store: Store, keys: QueueKeys) -> None:
    for _ in range(3):
        await add(store, keys, *[new_job() for _ in range(800)])

    assert len(await removal.clean(store, keys, ("wait",), NOW, ALL)) == 2400

    assert await hashes(store, keys) == set()
    told = [it for it in await entries_of(store, keys) if it["event"] == "cleaned"]
    assert told == [{"event": "cleaned", "count": "2400"}]


async def full_queue(store: Store, keys: QueueKeys) -> None:
    """A queue with something of everything."""
    await completed_job(store, keys)
    await failed_job(store, keys)
    await active_job(store, keys)
    for options in ({}, {"priority": 1}, {"delay": LATE}):
        await waiting_job(store, keys, **options)
    await put(store, keys, "parked", "paused")
    await put(store, keys, "P1", "waiting_children")
    await next_run(store, keys, "delayed")
    await put(store, keys, f"s{NOW}", "wait")
    base = keys.base
    await store.command("HSET", f"{base}repeat:s{NOW}", "name", "n")
    await store.command("SET", f"{base}de:x", "gone")
    await store.command("HSET", f"{base}dn:x", "name", "n")
    await store.command("SET", f"{base}limiter", 5)
    await store.command("SADD", f"{base}stalled", "1")
    await store.command("SET", f"{base}stalled-check", 1)
    await store.command("HSET", f"{base}metrics:failed", "count", 1)
    await store.command("LPUSH", f"{base}metrics:failed:data", 1)
    await store.command("RPUSH", f"{base}1:logs", "row")
    await store.command("HSET", f"{base}orphan", "name", "n")


async def test_nothing_is_left_of_an_obliterated_queue(
    store: Store, keys: QueueKeys, prefix: str
) -> None:
    await full_queue(store, keys)
    near = QueueKeys(prefix, f"{keys.queue}2")
    await waiting_job(store, near)
    await pause_queue(store, keys)

    await removal.obliterate(store, keys, force=True)

    assert await store.command("KEYS", f"{keys.base}*") == []
    assert await jobs_left(store, near) == 1


async def test_a_queue_with_active_jobs_is_obliterated_only_by_force(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    waiting = await waiting_job(store, keys)
    await pause_queue(store, keys)

    with pytest.raises(ActiveJobsError, match='"demo" has active jobs'):
        await removal.obliterate(store, keys, force=False)

    assert await state_of(store, keys, waiting) is JobState.WAITING
    assert await store.command("EXISTS", keys.job(job.id) + ":lock") == 1


async def test_a_queue_that_was_resumed_is_paused_again(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)

    await removal.obliterate(store, keys, force=False)

    assert await store.command("KEYS", f"{keys.base}*") == []


async def test_a_large_queue_is_obliterated_in_parts(store: Store, keys: QueueKeys) -> None:
    for _ in range(3):
        await add(store, keys, *[new_job() for _ in range(900)])
    await pause_queue(store, keys)

    await removal.obliterate(store, keys, force=False)

    assert await store.command("KEYS", f"{keys.base}*") == []


async def test_a_parent_elsewhere_runs_without_the_children_of_an_obliterated_queue(
    store: Store, keys: QueueKeys, prefix: str
) -> None:
    others = QueueKeys(prefix, "others")
    parent = await put(store, others, "P1", "waiting_children")
    await hang(store, parent, await put(store, keys, "C1", "wait"))
    await pause_queue(store, keys)

    await removal.obliterate(store, keys, force=False)

    assert await list_of(store, others, "wait") == ["P1"]


async def test_what_a_worker_held_in_an_obliterated_queue_does_not_come_back(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    await pause_queue(store, keys)
    await removal.obliterate(store, keys, force=True)

    codes = (await trade(store, keys, given_back(job.id, job.token))).codes

    assert codes == [-1]
    assert await store.command("EXISTS", keys.job(job.id), keys["wait"], keys["active"]) == 0


async def test_jobs_that_stand_nowhere_are_swept_up(
    store: Store, keys: QueueKeys, prefix: str
) -> None:
    await full_queue(store, keys)
    await store.command("DEL", keys.job("orphan"))
    others = QueueKeys(prefix, "others")
    parent = await put(store, others, "P2", "waiting_children")
    for job_id in ("a", "b", "c"):
        await store.command("HSET", keys.job(job_id), "name", "n", "parentKey", parent)
        await store.command("SADD", f"{parent}:dependencies", keys.job(job_id))
    await store.command("SET", keys.job("a") + ":lock", "t")
    await store.command("RPUSH", keys.job("d") + ":logs", "row")
    before = {*await store.command("KEYS", f"{keys.base}*")}

    assert await removal.remove_orphans(store, keys, 2) == 2
    assert await removal.remove_orphans(store, keys, 0) == 2

    gone = before - {*await store.command("KEYS", f"{keys.base}*")}
    assert {key.decode().removeprefix(keys.base) for key in gone} == {
        "a", "a:lock", "b", "c", "d:logs",
    }  # fmt: skip
    assert await list_of(store, others, "wait") == ["P2"]
    await store.command("DEL", f"{keys.base}metrics:failed", f"{keys.base}metrics:failed:data")


async def test_a_sweep_leaves_what_is_no_job(store: Store, keys: QueueKeys) -> None:
    # A queue "x" below the prefix that is this queue's whole name, and a key of somebody's.
    near = QueueKeys(keys.qualified, "x")
    await failed_job(store, near)
    await store.command("SET", keys.job("note"), "mine")

    assert await removal.remove_orphans(store, keys, 0) == 0

    assert await state_of(store, near, JobId("1")) is JobState.FAILED
    await store.command("DEL", *await store.command("KEYS", f"{keys.base}*"))


async def test_a_sweep_beside_a_long_line_keeps_each_call_short(
    store: Store, keys: QueueKeys
) -> None:
    """To look for one id means to go through the whole line."""
    line = [f"w{n}" for n in range(250_000)]
    for first in range(0, len(line), 50_000):
        await store.command("LPUSH", keys["wait"], *line[first : first + 50_000])
    orphans = [f"o{n}" for n in range(10)]
    for orphan in orphans:
        await store.command("HSET", keys.job(orphan), "name", "n")
    await store.command("HSET", keys.job(line[-1]), "name", "n")

    said = await store.run(removal.REMOVE_ORPHANS, [keys.base], [1000, *orphans[:5]])
    rest = await removal.remove_orphans(store, keys, 0)

    assert (said, rest) == ([4, 4], 6)
    assert await store.command("EXISTS", keys.job(line[-1])) == 1
