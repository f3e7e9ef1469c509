"""What a running job writes: progress, log rows, saved data; and how its lock is renewed."""

import pytest
from anyio import to_thread

from framework.errors import JobNotFoundError, LockLostError
from framework.model.job import JobId, Token
from framework.server import EmbeddedServer
from framework.store.reads import read_logs
from framework.store.store import Store
from framework.store.transitions.running import (
    add_log,
    extend_locks,
    save_data,
    update_progress,
)
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    active_job,
    active_jobs,
    entries_of,
    hash_of,
    waiting_job,
)

GONE = JobId("gone")


async def test_progress_is_kept_and_announced(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    await update_progress(store, keys, job.id, b'{"pct":50}')

    assert (await hash_of(store, keys, job.id))["progress"] == '{"pct":50}'
    assert (await entries_of(store, keys))[-1] == {
        "event": "progress",
        "jobId": "1",
        "data": '{"pct":50}',
    }


async def test_progress_of_a_job_that_is_gone_is_refused(store: Store, keys: QueueKeys) -> None:
    with pytest.raises(JobNotFoundError) as raised:
        await update_progress(store, keys, GONE, b"1")

    assert (raised.value.job_id, raised.value.queue, raised.value.code) == ("gone", "demo", -1)
    assert await store.command("EXISTS", keys.job(GONE)) == 0


async def test_log_rows_are_counted_and_stay_in_their_order(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)

    counts = [await add_log(store, keys, job_id, row) for row in ("a", "b", "žluť")]

    assert counts == [1, 2, 3]
    assert await read_logs(store, keys, job_id) == ["a", "b", "žluť"]


async def test_only_the_newest_rows_are_kept(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)

    counts = [await add_log(store, keys, job_id, str(n), keep=2) for n in range(4)]

    assert counts == [1, 2, 2, 2]
    assert await read_logs(store, keys, job_id) == ["2", "3"]


async def test_a_log_of_no_rows_keeps_none(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)

    count = await add_log(store, keys, job_id, "a", keep=0)

    assert count == 0
    assert await read_logs(store, keys, job_id) == []


async def test_a_job_that_is_gone_takes_no_rows(store: Store, keys: QueueKeys) -> None:
    with pytest.raises(JobNotFoundError):
        await add_log(store, keys, GONE, "a")

    assert await store.command("EXISTS", keys.job(GONE) + ":logs") == 0


async def test_a_page_of_rows(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)
    for n in range(5):
        await add_log(store, keys, job_id, str(n))

    assert await read_logs(store, keys, job_id, 1, 2) == ["1", "2"]


async def test_the_holder_saves_data(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    await save_data(store, keys, job.id, job.token, b'{"step":2}')

    assert (await hash_of(store, keys, job.id))["data"] == '{"step":2}'


async def test_data_of_a_job_that_is_gone_is_not_saved(store: Store, keys: QueueKeys) -> None:
    with pytest.raises(JobNotFoundError):
        await save_data(store, keys, GONE, Token("t"), b"1")


async def test_data_without_a_lock_is_not_saved(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)

    with pytest.raises(LockLostError) as raised:
        await save_data(store, keys, job_id, Token("t"), b"1")

    assert raised.value.code == -2


async def test_data_of_another_workers_job_is_not_saved(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    with pytest.raises(LockLostError) as raised:
        await save_data(store, keys, job.id, Token("thief"), b"1")

    assert raised.value.code == -6
    assert (await hash_of(store, keys, job.id))["data"] == '{"a":1}'


async def test_a_renewed_lock_holds_for_its_whole_time(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys, lock_ms=5000)
    await store.command("SADD", keys["stalled"], job.id)

    lost = await extend_locks(store, keys, [(job.id, job.token)], 60_000)

    assert lost == set()
    assert await store.command("PTTL", keys.job(job.id) + ":lock") > 50_000
    assert await store.command("SISMEMBER", keys["stalled"], job.id) == 0


async def test_a_lock_that_is_gone_or_anothers_is_told(store: Store, keys: QueueKeys) -> None:
    a, b, c = await active_jobs(store, keys, 3)
    await store.command("DEL", keys.job(a.id) + ":lock")
    await store.command("SET", keys.job(b.id) + ":lock", "another")

    lost = await extend_locks(store, keys, [(job.id, job.token) for job in (a, b, c)], 60_000)

    assert lost == {a.id, b.id}
    assert await store.command("EXISTS", keys.job(a.id) + ":lock") == 0
    assert await store.command("GET", keys.job(b.id) + ":lock") == b"another"


async def test_any_number_of_locks_is_renewed(store: Store, keys: QueueKeys) -> None:
    held = [(job.id, job.token) for job in await active_jobs(store, keys, 3)]
    nobody = [(JobId(f"x{n}"), Token("t")) for n in range(2500)]

    lost = await extend_locks(store, keys, [*nobody, *held], 60_000)

    assert len(lost) == 2500


async def test_no_locks_are_no_work(store: Store, keys: QueueKeys) -> None:
    assert await extend_locks(store, keys, [], 60_000) == set()


async def test_locks_are_renewed_though_redis_is_out_of_memory(
    private_server: EmbeddedServer, keys: QueueKeys
) -> None:
    address = await to_thread.run_sync(private_server.start)
    async with Store(address.url) as store:
        job = await active_job(store, keys, lock_ms=5_000)
        await store.command("CONFIG", "SET", "maxmemory", 1)

        lost = await extend_locks(store, keys, [(job.id, job.token)], 60_000)

        assert lost == set()
        assert await store.command("PTTL", keys.job(job.id) + ":lock") > 50_000
