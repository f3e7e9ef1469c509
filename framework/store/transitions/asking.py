"""Cancelling, holding and releasing one job, and what its worker is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from framework.model.job import Effect, JobId
from framework.model.options import KeepJobs
from framework.store.connection import Argument
from framework.store.script import load_script
from framework.store.store import Store
from framework.store.transitions.exchange import keep_args
from framework.wire.codes import raise_for
from framework.wire.job_hash import ASKED
from framework.wire.keys import QueueKeys

CANCEL = load_script("cancel")
HOLD_JOB = load_script("hold_job")
RELEASE_JOB = load_script("release_job")
READ_ASKS = load_script("read_asks")
MOST_JOBS = 1000
EFFECTS = (Effect.DONE, Effect.ASKED, Effect.LATER)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a running job.

    Attributes:
        job_id: The job.
        cancelled: The reason to fail with; "" if it is not cancelled.
        is_pausing: Whether it is to be held once its run leaves.
    """

    job_id: JobId
    cancelled: str
    is_pausing: bool


async def cancel_job(
    store: Store, keys: QueueKeys, job_id: JobId, reason: str, keep: KeepJobs
) -> Effect:
    """Fail a job where it waits; of one that runs, ask its worker to stop it.

    Wire: waiting, prioritized, delayed, waiting-children -> failed; event ``failed``. Of one
    that runs, and of the next run of a schedule: fields ``fw.cancelled`` and ``defa``.

    Args:
        reason: Its ``failedReason``.
        keep: How long the queue keeps it.

    Raises:
        JobNotFoundError: There is no such job.
        WrongStateError: It has finished.
    """
    args: list[Argument] = [job_id, store.clock.now_ms(), reason, *keep_args(keep)]
    code = await store.run(CANCEL, keys.pick(CANCEL.keys), args, repeatable=False)
    raise_for(code, job_id=job_id, queue=keys.queue)
    return EFFECTS[code]


async def hold_job(store: Store, keys: QueueKeys, job_id: JobId) -> Effect:
    """Hold a job that waits; of one that runs, ask its worker to leave it.

    Wire: waiting, prioritized, waiting-children -> delayed, due at 2^41-1 ms; field
    ``fw.held``; event ``delayed``. Of one that runs: ``fw.held`` is ``asked``.

    Raises:
        JobNotFoundError: There is no such job.
        WrongStateError: It has finished.
        SchedulerJobError: It is the next run of a schedule.
    """
    args: list[Argument] = [job_id, store.clock.now_ms()]
    code = await store.run(HOLD_JOB, keys.pick(HOLD_JOB.keys), args)
    raise_for(code, job_id=job_id, queue=keys.queue)
    return EFFECTS[code]


async def release_job(store: Store, keys: QueueKeys, job_id: JobId) -> None:
    """Put a held job back to where it was; withdraw what was asked of its worker.

    Wire: delayed -> waiting, prioritized, delayed or waiting-children; field ``fw.held``
    goes; event of that state.

    Raises:
        JobNotFoundError: There is no such job.
        WrongStateError: It is not held.
    """
    args: list[Argument] = [job_id, store.clock.now_ms()]
    code = await store.run(RELEASE_JOB, keys.pick(RELEASE_JOB.keys), args, repeatable=False)
    raise_for(code, job_id=job_id, queue=keys.queue)


async def read_asks(
    store: Store, keys: QueueKeys, worker: str, job_ids: Sequence[JobId]
) -> list[Ask]:
    """Return what is asked of jobs that a worker runs, and take back its wake-up.

    Wire: key ``meta:fw:calls:<worker>`` goes.
    """
    asks: list[Ask] = []
    script_keys = keys.pick(READ_ASKS.keys, calls=keys.calls(worker))
    for first in range(0, max(1, len(job_ids)), MOST_JOBS):
        found = await store.run(READ_ASKS, script_keys, list(job_ids[first : first + MOST_JOBS]))
        asks += [
            Ask(JobId(job_id.decode()), reason.decode(errors="replace"), held == ASKED)
            for job_id, reason, held in found
        ]
    return asks
