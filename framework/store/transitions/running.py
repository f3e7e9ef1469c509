"""What a running job writes: progress, log rows, saved data, and renewed locks."""

from collections.abc import Sequence

from framework.model.job import JobId, Token
from framework.store.connection import Argument
from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.codes import raise_for
from framework.wire.keys import QueueKeys

UPDATE_PROGRESS = load_script("update_progress")
ADD_LOG = load_script("add_log")
ADD_CHUNK = load_script("add_chunk")
UPDATE_DATA = load_script("update_data")
SAVE_FIELD = load_script("save_field")
EXTEND_LOCKS = load_script("extend_locks")
MOST_LOCKS = 1000
# What a job streams: about so many of the newest chunks are kept, for so long after the last one.
MOST_CHUNKS = 10_000
CHUNKS_MS = 24 * 3600 * 1000


async def update_progress(store: Store, keys: QueueKeys, job_id: JobId, progress: bytes) -> None:
    """Store a job's progress, a JSON text.

    Wire: field ``progress``; event ``progress``.

    Raises:
        JobNotFoundError: The job's hash is gone.
    """
    code = await store.run(UPDATE_PROGRESS, keys.pick(UPDATE_PROGRESS.keys), [job_id, progress])
    raise_for(code, job_id=job_id, queue=keys.queue)


async def add_log(
    store: Store, keys: QueueKeys, job_id: JobId, row: str, keep: int | None = None
) -> int:
    """Append a row to a job's log and return how many there are.

    Wire: list ``J:logs``. Not sent twice: a lost reply raises.

    Args:
        keep: Keep so many rows, the newest; None keeps all.

    Raises:
        JobNotFoundError: The job's hash is gone.
    """
    args: list[Argument] = [job_id, row, -1 if keep is None else keep]
    code: int = await store.run(ADD_LOG, keys.pick(ADD_LOG.keys), args, repeatable=False)
    raise_for(code, job_id=job_id, queue=keys.queue)
    return code


async def add_chunk(
    store: Store, keys: QueueKeys, job_id: JobId, token: Token, attempt: int, chunk: bytes
) -> int:
    """Append a chunk, a JSON text, to what a running job streams; return which one it is, from 0.

    Wire: stream ``J:chunks``; field ``fw.chunks``. Not sent twice: a lost reply raises.

    Raises:
        JobNotFoundError: The job's hash is gone.
        LockLostError: The lock expired, or another worker holds it.
    """
    args: list[Argument] = [job_id, token, attempt, chunk, MOST_CHUNKS, CHUNKS_MS]
    code: int = await store.run(ADD_CHUNK, [keys.base], args, repeatable=False)
    raise_for(code, job_id=job_id, queue=keys.queue)
    return code


async def clear_logs(store: Store, keys: QueueKeys, job_id: JobId, keep: int) -> None:
    """Delete a job's log, but for the newest ``keep`` rows. Wire: list ``J:logs``."""
    logs = f"{keys.job(job_id)}:logs"
    if keep:
        await store.command("LTRIM", logs, -keep, -1)
    else:
        await store.command("DEL", logs)


async def update_data(store: Store, keys: QueueKeys, job_id: JobId, data: bytes) -> None:
    """Replace a job's data, a JSON text, wherever it stands.

    Wire: field ``data``.

    Raises:
        JobNotFoundError: The job's hash is gone.
    """
    code = await store.run(UPDATE_DATA, [keys.base], [job_id, data])
    raise_for(code, job_id=job_id, queue=keys.queue)


async def save_data(
    store: Store, keys: QueueKeys, job_id: JobId, token: Token, data: bytes
) -> None:
    """Replace a running job's data, a JSON text. Wire: field ``data``. Raises as `save_field`."""
    await save_field(store, keys, job_id, token, "data", data)


async def save_field(
    store: Store, keys: QueueKeys, job_id: JobId, token: Token, field: str, value: bytes
) -> None:
    """Write one field of a running job's hash.

    Raises:
        JobNotFoundError: The job's hash is gone.
        LockLostError: The lock expired, or another worker holds it.
    """
    args: list[Argument] = [job_id, token, field, value]
    code = await store.run(SAVE_FIELD, keys.pick(SAVE_FIELD.keys), args)
    raise_for(code, job_id=job_id, queue=keys.queue)


def extend_args(
    held: Sequence[tuple[JobId, Token]], lock_ms: int, *, at_least: bool = False
) -> list[Argument]:
    """Return the arguments of ``EXTEND_LOCKS`` for at most 1,000 jobs.

    Args:
        at_least: Leave a lock alone that lasts longer: somebody extended it by hand.
    """
    args: list[Argument] = [lock_ms, int(at_least)]
    for job_id, token in held:
        args += (job_id, token)
    return args


async def extend_locks(
    store: Store, keys: QueueKeys, held: Sequence[tuple[JobId, Token]], lock_ms: int
) -> set[JobId]:
    """Renew locks; return the jobs that were removed, or whose lock is gone or held by another.

    Wire: key ``J:lock``; leaves the set ``stalled``.
    """
    lost: set[JobId] = set()
    for first in range(0, len(held), MOST_LOCKS):
        part = held[first : first + MOST_LOCKS]
        lost_ids, gone_ids = await store.run(
            EXTEND_LOCKS, keys.pick(EXTEND_LOCKS.keys), extend_args(part, lock_ms)
        )
        lost.update(JobId(job_id.decode()) for job_id in (*lost_ids, *gone_ids))
    return lost
