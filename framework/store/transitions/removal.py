"""Removing: one job with its children, what waits, what is old, what stands nowhere, a queue."""

from collections.abc import AsyncIterator, Sequence

from framework.errors import ActiveJobsError, JobLockedError, SchedulerJobError
from framework.model.job import JobId
from framework.store.connection import Argument
from framework.store.script import load_script
from framework.store.store import Store
from framework.store.transitions.admin import pause_queue
from framework.wire.keys import QueueKeys, is_leftover, job_in_key

REMOVE_JOB = load_script("remove_job")
DRAIN = load_script("drain")
CLEAN = load_script("clean")
OBLITERATE = load_script("obliterate")
REMOVE_ORPHANS = load_script("remove_orphans")
LOCKED, MORE, SCHEDULED = -7, 2, -8
NOT_PAUSED, HAS_ACTIVE = -1, -2
MOST_JOBS = 1000
PAGE = 10_000


async def remove_job(
    store: Store, keys: QueueKeys, job_id: JobId, *, with_children: bool = True
) -> bool:
    """Delete a job, and the tree below it; return whether there was one.

    At most 1,000 jobs go at once; a larger tree goes in parts, children first.

    Wire: event ``removed`` in the queue of each; a parent that waited for it alone is
    released; a deduplication id that it holds is free.

    Raises:
        JobLockedError: A worker runs it, or one of its children. Nothing was removed, unless
            the tree goes in parts.
        SchedulerJobError: It is the next run of a schedule.
    """
    code, is_first = MORE, 1
    while code == MORE:
        code, *rest = await store.run(
            REMOVE_JOB, [keys.base], [job_id, int(with_children), is_first], repeatable=False
        )
        is_first = 0
        if code == LOCKED:
            key = rest[0].decode(errors="replace").removeprefix(f"{keys.prefix}:")
            queue, _, locked = key.partition(":")
            raise JobLockedError(job_id=locked, queue=queue, code=code)
    if code == SCHEDULED:
        raise SchedulerJobError(job_id=job_id, queue=keys.queue, code=code)
    return bool(code)


async def drain(store: Store, keys: QueueKeys, names: Sequence[str]) -> int:
    """Remove the jobs of lists and sets of what waits; return how many.

    Wire: the next runs of schedules stay; parents in the same queue whose last child goes, go
    too; those in other queues are released.
    """
    removed = 0
    for name in names:
        skip, is_end = 0, 0
        while not is_end:
            script_keys = keys.pick(DRAIN.keys, place=keys[name])
            count, stay, is_end = await store.run(DRAIN, script_keys, [skip, MOST_JOBS])
            removed += count
            skip += stay
    return removed


async def clean(
    store: Store, keys: QueueKeys, names: Sequence[str], until_ms: int, limit: int
) -> list[JobId]:
    """Remove jobs that are older than a moment, at most ``limit``; return their ids.

    Wire: as `drain`; jobs with a lock stay; event ``cleaned``.

    Args:
        names: Lists and sets; ages count as in the first.
    """
    cleaned: list[JobId] = []
    for name in names:
        skip, is_end = 0, 0
        while not is_end:
            args: list[Argument] = [names[0], until_ms, skip, MOST_JOBS, limit - len(cleaned)]
            args += [len(cleaned), int(name == names[-1])]
            script_keys = keys.pick(CLEAN.keys, place=keys[name])
            ids, stay, is_end = await store.run(CLEAN, script_keys, args, repeatable=False)
            cleaned += [JobId(job_id.decode(errors="replace")) for job_id in ids]
            skip += stay
    return cleaned


async def obliterate(store: Store, keys: QueueKeys, *, force: bool) -> None:
    """Pause a queue, and delete all that it consists of.

    Wire: event ``paused``, then every key of the queue goes, those of ours below ``meta:fw:``
    too.

    Raises:
        ActiveJobsError: Workers hold jobs, and ``force`` was not asked for.
    """
    await take_apart(store, keys, force=force, is_last=False)
    await remove_orphans(store, keys, 0)
    async for found in scan(store, keys):
        left = [key for key in found if is_leftover(keys, key)]
        if left:
            await store.command("UNLINK", *left)
    await take_apart(store, keys, force=force, is_last=True)


async def take_apart(store: Store, keys: QueueKeys, *, force: bool, is_last: bool) -> None:
    """Run the script until it has nothing left to do; pause again what somebody resumed."""
    left = 1
    while left:
        args = [int(force), int(is_last)]
        left = await store.run(OBLITERATE, keys.pick(OBLITERATE.keys), args)
        if left == HAS_ACTIVE:
            raise ActiveJobsError(queue=keys.queue)
        if left == NOT_PAUSED:
            if is_last and not await store.command("EXISTS", keys["meta"]):
                return  # sent twice: the first run has deleted it
            await pause_queue(store, keys)


async def remove_orphans(store: Store, keys: QueueKeys, limit: int) -> int:
    """Delete jobs that stand in no state; return how many. ``limit`` 0: all.

    Wire: their keys and locks go; a parent that waited for one alone is released.
    """
    removed: int = 0
    # Most of what waits need not be looked for in the lists, which takes long.
    listed = await ids_in_lists(store, keys)
    async for found in scan(store, keys):
        ids = {job_id for key in found if (job_id := job_in_key(keys, key))}
        left = sorted(job_id for job_id in ids if job_id.encode(errors="replace") not in listed)
        while left:
            args: list[Argument] = [limit - removed if limit else MOST_JOBS, *left[:MOST_JOBS]]
            deleted, looked_at = await store.run(REMOVE_ORPHANS, [keys.base], args)
            removed += deleted
            if removed == limit > 0:
                return removed
            left = left[looked_at:]
    return removed


async def ids_in_lists(store: Store, keys: QueueKeys) -> set[bytes]:
    """Return the jobs that stand in a list now; those that move meanwhile may be missing."""
    ids: set[bytes] = set()
    for name in ("wait", "paused", "active"):
        first = 0
        while page := await store.command("LRANGE", keys[name], first, first + PAGE - 1):
            ids.update(page)
            first += PAGE
    return ids


async def scan(store: Store, keys: QueueKeys) -> AsyncIterator[list[str]]:
    """Go through the names of all keys of a queue; some may come twice."""
    cursor: Argument = 0
    pattern = "".join(f"\\{c}" if c in "*?[]\\" else c for c in keys.base) + "*"
    while True:
        cursor, found = await store.command("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
        yield [key.decode(errors="replace") for key in found]
        if int(cursor) == 0:
            return
