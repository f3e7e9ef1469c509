"""Looking at queues and jobs; nothing here changes anything."""

from collections.abc import Sequence

from framework.model.job import JobId, JobState
from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.keys import QueueKeys

JOB_STATE = load_script("job_state")
RESULTS = load_script("results")
LISTS = {JobState.WAITING: ("wait", "paused"), JobState.ACTIVE: ("active",)}
SETS = {
    JobState.PRIORITIZED: "prioritized",
    JobState.DELAYED: "delayed",
    JobState.WAITING_CHILDREN: "waiting_children",
    JobState.COMPLETED: "completed",
    JobState.FAILED: "failed",
}

RawFields = dict[bytes, bytes]


async def read_job(store: Store, keys: QueueKeys, job_id: JobId) -> RawFields:
    """Return a job's hash; empty where there is none."""
    return as_fields(await store.command("HGETALL", keys.job(job_id)))


async def read_jobs(
    store: Store, keys: QueueKeys, job_ids: Sequence[JobId]
) -> dict[JobId, RawFields]:
    """Return the hashes of many jobs, without those that are gone."""
    if not job_ids:
        return {}
    replies = await store.pipeline([("HGETALL", keys.job(job_id)) for job_id in job_ids])
    found = {job_id: as_fields(flat) for job_id, flat in zip(job_ids, replies, strict=True)}
    return {job_id: fields for job_id, fields in found.items() if fields}


def as_fields(reply: dict[bytes, bytes] | list[bytes]) -> RawFields:
    """Return a hash reply as a dictionary, whichever way the client gave it."""
    if isinstance(reply, dict):
        return reply
    return dict(zip(reply[::2], reply[1::2], strict=True))


async def job_state(store: Store, keys: QueueKeys, job_id: JobId) -> JobState:
    """Tell where a job stands."""
    state = await store.run(JOB_STATE, keys.pick(JOB_STATE.keys), [job_id])
    return JobState(state.decode())


async def job_counts(store: Store, keys: QueueKeys) -> dict[JobState, int]:
    """Return how many jobs are in each state; what BullMQ 5 paused counts as waiting."""
    lists = [(state, name) for state, names in LISTS.items() for name in names]
    replies = await store.pipeline(
        [
            *(("LLEN", keys[name]) for _, name in lists),
            *(("ZCARD", keys[name]) for name in SETS.values()),
        ]
    )
    counts = dict.fromkeys((*LISTS, *SETS), 0)
    for (state, _), count in zip(lists, replies, strict=False):
        counts[state] += count
    for state, count in zip(SETS, replies[len(lists) :], strict=True):
        counts[state] = count
    return counts


async def job_ids(
    store: Store, keys: QueueKeys, state: JobState, start: int, stop: int, *, newest_first: bool
) -> list[JobId]:
    """Return a page of the ids in one state.

    Args:
        start: Place of the first, from 0.
        stop: Place of the last, included; -1: to the end.
        newest_first: Else the oldest, or what runs next, comes first.
    """
    if state in SETS:
        command = "ZREVRANGE" if newest_first else "ZRANGE"
        ids = await store.command(command, keys[SETS[state]], start, stop)
    else:
        ids = await list_ids(store, keys, state, start, stop, newest_first=newest_first)
    return [JobId(job_id.decode(errors="replace")) for job_id in ids]


async def list_ids(
    store: Store, keys: QueueKeys, state: JobState, start: int, stop: int, *, newest_first: bool
) -> list[bytes]:
    """Return a page of a state that lists hold; what BullMQ 5 parked stands behind the rest."""
    names = LISTS.get(state, ())
    lengths = await store.pipeline([("LLEN", keys[name]) for name in names])
    lists = list(zip(names, lengths, strict=True))
    stop = sum(lengths) - 1 if stop == -1 else stop
    ids: list[bytes] = []
    for name, length in reversed(lists) if newest_first else lists:
        first, last = max(0, start), min(stop, length - 1)
        if first <= last and newest_first:
            ids += await store.command("LRANGE", keys[name], first, last)
        elif first <= last:
            part = await store.command("LRANGE", keys[name], -last - 1, -first - 1)
            ids += reversed(part)
        start, stop = start - length, stop - length
    return ids


async def read_logs(
    store: Store, keys: QueueKeys, job_id: JobId, start: int = 0, stop: int = -1
) -> list[str]:
    """Return rows of a job's log, oldest first."""
    rows = await store.command("LRANGE", f"{keys.job(job_id)}:logs", start, stop)
    return [row.decode(errors="replace") for row in rows]


async def read_results(
    store: Store, keys: QueueKeys, ids: Sequence[JobId]
) -> list[tuple[int, bytes, bytes]]:
    """Tell of many jobs whether they finished.

    Returns:
        For each ``(0, "", "")`` not yet, ``(-1, …)`` no such job,
        ``(1, returnvalue, "")``, ``(2, reason, stacktrace)``.
    """
    replies = await store.run(RESULTS, keys.pick(RESULTS.keys), list(ids))
    return [(reply[0], *reply[1:], b"", b"")[:3] for reply in replies]


async def is_paused(store: Store, keys: QueueKeys) -> bool:
    """Tell whether the queue is paused."""
    return bool(await store.command("HEXISTS", keys["meta"], "paused"))
