"""Looking at queues and jobs; nothing here changes anything."""

from collections.abc import Sequence
from datetime import datetime

from framework.model.job import JobId, JobState
from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.wire.millis import MAX_DUE_MS, instant_from_ms
from framework.wire.stream_id import FIRST

JOB_STATE = load_script("job_state")
LOOK_AT_JOB = load_script("look_at_job")
RESULTS = load_script("results")
LISTS = {JobState.WAITING: ("wait", "paused"), JobState.ACTIVE: ("active",)}
SETS = {
    JobState.PRIORITIZED: "prioritized",
    JobState.DELAYED: "delayed",
    JobState.WAITING_CHILDREN: "waiting_children",
    JobState.COMPLETED: "completed",
    JobState.FAILED: "failed",
}

PRIORITY_STEP = 2**32
SCORES_IN_MS = 4096
MARKER = b"0:"

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


async def look_at_job(
    store: Store, keys: QueueKeys, job_id: JobId
) -> tuple[JobState, datetime | None, str, RawFields]:
    """Return where a job stands, when it is due, the newest event and the hash, of one moment."""
    picked = keys.pick(LOOK_AT_JOB.keys, job=keys.job(job_id))
    state, score, event_id, flat = await store.run(LOOK_AT_JOB, picked, [job_id])
    due_ms = float(score) // SCORES_IN_MS if score else None
    is_due = due_ms is not None and due_ms <= MAX_DUE_MS  # what is held is due never
    due = instant_from_ms(due_ms) if due_ms is not None and is_due else None
    return JobState(state.decode()), due, event_id.decode() or FIRST, as_fields(flat)


async def job_counts(store: Store, keys: QueueKeys) -> dict[JobState, int]:
    """Return how many jobs are in each state; what BullMQ 5 paused counts as waiting.

    A marker that BullMQ 4 left at the end of a list is no job.
    """
    lists = [(state, name) for state, names in LISTS.items() for name in names]
    replies = await store.pipeline(
        [
            *(("LLEN", keys[name]) for _, name in lists),
            *(("ZCARD", keys[name]) for name in SETS.values()),
            *(("LINDEX", keys[name], -1) for _, name in lists),
        ]
    )
    counts = dict.fromkeys((*LISTS, *SETS), 0)
    lengths, last = replies[: len(lists)], replies[len(lists) + len(SETS) :]
    for (state, _), count, last_id in zip(lists, lengths, last, strict=True):
        counts[state] += count - bool(last_id and last_id.startswith(MARKER))
    for state, count in zip(SETS, replies[len(lists) :], strict=False):
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
    store: Store,
    keys: QueueKeys,
    job_id: JobId,
    start: int = 0,
    stop: int = -1,
    *,
    newest_first: bool = False,
) -> list[str]:
    """Return rows of a job's log."""
    first, last = (-stop - 1, -start - 1) if newest_first else (start, stop)
    rows = await store.command("LRANGE", f"{keys.job(job_id)}:logs", first, last)
    texts = [row.decode(errors="replace") for row in rows]
    return texts[::-1] if newest_first else texts


async def count_logs(store: Store, keys: QueueKeys, job_id: JobId) -> int:
    """Return how many rows a job's log has."""
    return int(await store.command("LLEN", f"{keys.job(job_id)}:logs"))


async def counts_per_priority(
    store: Store, keys: QueueKeys, priorities: Sequence[int]
) -> dict[int, int]:
    """Return how many jobs wait by each priority; those without one stand in lists."""
    commands: list[tuple[str | int, ...]] = [("LLEN", keys["wait"]), ("LLEN", keys["paused"])]
    ranked = [priority for priority in dict.fromkeys(priorities) if priority]
    for priority in ranked:
        first = priority * PRIORITY_STEP
        commands.append(("ZCOUNT", keys["prioritized"], first, first + PRIORITY_STEP - 1))
    in_wait, parked, *counts = await store.pipeline(commands)
    found = {0: in_wait + parked, **dict(zip(ranked, counts, strict=True))}
    return {priority: found[priority] for priority in priorities}


async def read_metrics(
    store: Store, keys: QueueKeys, kind: str, start: int, stop: int
) -> tuple[list[int], list[int], int]:
    """Return ``count``, ``prevTS`` and ``prevCount``; a page of points; how many there are."""
    totals = f"{keys.base}metrics:{kind}"
    counts, points, length = await store.pipeline(
        [
            ("HMGET", totals, "count", "prevTS", "prevCount"),
            ("LRANGE", f"{totals}:data", start, stop),
            ("LLEN", f"{totals}:data"),
        ]
    )
    return [int(one or 0) for one in counts], [int(one) for one in points], length


async def read_meta(store: Store, keys: QueueKeys) -> dict[str, str]:
    """Return all that stands in ``meta``."""
    fields = as_fields(await store.command("HGETALL", keys["meta"]))
    return {name.decode(): value.decode(errors="replace") for name, value in fields.items()}


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
