"""Changing where one job stands, or many: retry, promote, another delay or priority."""

from typing import Literal

from framework.model.job import JobId, JobState
from framework.store.connection import Argument
from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.codes import raise_for
from framework.wire.keys import QueueKeys

RETRY_JOB = load_script("retry_job")
RETRY_JOBS = load_script("retry_jobs")
PROMOTE_JOB = load_script("promote_job")
PROMOTE_JOBS = load_script("promote_jobs")
CHANGE_DELAY = load_script("change_delay")
CHANGE_PRIORITY = load_script("change_priority")
MOST_JOBS = 1000
# "": any finished job, of which all is forgotten.
Rescue = Literal["", "forget", "isolate"]
UNFINISHED = "has neither completed nor failed"
NOT_DELAYED = "is not delayed"


async def retry_job(
    store: Store,
    keys: QueueKeys,
    job_id: JobId,
    *,
    reset_attempts_made: bool = False,
    reset_attempts_started: bool = False,
    rescue: Rescue = "",
) -> None:
    """Put a finished job back in line.

    Wire: completed, failed -> waiting, prioritized; what its run left goes, and ``stc``,
    ``defa``, ``fw.crashes`` and ``fw.quarantined``; event ``waiting``. A parent depends on the
    child again.

    Args:
        rescue: Only one that failed; "isolate": ``fw.crashes`` stays, or becomes 2.

    Raises:
        JobNotFoundError: There is no such job.
        WrongStateError: It has not finished, or not failed.
    """
    args: list[Argument] = [job_id, int(reset_attempts_made), int(reset_attempts_started), rescue]
    code = await store.run(RETRY_JOB, keys.pick(RETRY_JOB.keys), args, repeatable=False)
    wrong_state = "has not failed" if rescue else UNFINISHED
    raise_for(code, job_id=job_id, queue=keys.queue, wrong_state=wrong_state)


async def retry_jobs(store: Store, keys: QueueKeys, state: JobState, until_ms: int) -> int:
    """Put all jobs back in line that finished so until a moment; return how many.

    Wire: completed, failed -> waiting, whatever their priority; events ``waiting``.
    """
    retried, more = 0, 1
    script_keys = keys.pick(RETRY_JOBS.keys, place=keys[state])
    while more:
        # What was retried stands in the set no longer: a second send retries the next ones.
        count, more = await store.run(RETRY_JOBS, script_keys, [state, until_ms, MOST_JOBS])
        retried += count
    return retried


async def promote_job(store: Store, keys: QueueKeys, job_id: JobId) -> None:
    """Let a delayed job wait in line now.

    Wire: delayed -> waiting, prioritized; field ``delay``; event ``waiting``.

    Raises:
        JobNotFoundError: There is no such job.
        WrongStateError: It is not delayed.
    """
    code = await store.run(PROMOTE_JOB, keys.pick(PROMOTE_JOB.keys), [job_id], repeatable=False)
    raise_for(code, job_id=job_id, queue=keys.queue, wrong_state=NOT_DELAYED)


async def promote_jobs(store: Store, keys: QueueKeys) -> int:
    """Let all delayed jobs wait in line now; return how many.

    Wire: delayed -> waiting, whatever their priority; events ``waiting``.
    """
    promoted, more = 0, 1
    while more:
        count, more = await store.run(PROMOTE_JOBS, keys.pick(PROMOTE_JOBS.keys), [MOST_JOBS])
        promoted += count
    return promoted


async def change_delay(store: Store, keys: QueueKeys, job_id: JobId, delay_ms: int) -> None:
    """Let a delayed job fall due ``delay_ms`` from now.

    Wire: field ``delay``; event ``delayed``.

    Raises:
        JobNotFoundError: There is no such job.
        WrongStateError: It is not delayed.
    """
    args: list[Argument] = [job_id, store.clock.now_ms(), delay_ms]
    code = await store.run(CHANGE_DELAY, keys.pick(CHANGE_DELAY.keys), args)
    raise_for(code, job_id=job_id, queue=keys.queue, wrong_state=NOT_DELAYED)


async def change_priority(
    store: Store, keys: QueueKeys, job_id: JobId, priority: int, *, lifo: bool
) -> None:
    """Give a job another priority, and its place in line if it waits.

    Wire: field ``priority``; waiting <-> prioritized.

    Raises:
        JobNotFoundError: There is no such job.
    """
    args: list[Argument] = [job_id, priority, int(lifo)]
    code = await store.run(CHANGE_PRIORITY, keys.pick(CHANGE_PRIORITY.keys), args)
    raise_for(code, job_id=job_id, queue=keys.queue)
