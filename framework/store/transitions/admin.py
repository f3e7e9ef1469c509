"""What people do to queues and jobs: pause, resume, remove."""

from framework.errors import JobLockedError, SchedulerJobError
from framework.model.job import JobId
from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.keys import QueueKeys

PAUSE = load_script("pause")
RESUME = load_script("resume")
REMOVE_JOB = load_script("remove_job")
LOCKED, SCHEDULED = -7, -8


async def pause_queue(store: Store, keys: QueueKeys) -> None:
    """Let no worker of the fleet take a job; running ones go on.

    Wire: ``meta`` field ``paused``; with pause mode ``v5`` the jobs of ``wait`` go behind
    those of the list ``paused``; event ``paused``.
    """
    is_first = 1
    while await store.run(PAUSE, keys.pick(PAUSE.keys), [is_first]):
        is_first = 0


async def resume_queue(store: Store, keys: QueueKeys) -> None:
    """Let workers take jobs again.

    Wire: ``meta`` field ``paused``; the list ``paused`` of BullMQ 5 is merged into
    ``wait``, oldest first to run; event ``resumed``.
    """
    is_first = 1
    while await store.run(RESUME, keys.pick(RESUME.keys), [is_first]):
        is_first = 0


async def remove_job(store: Store, keys: QueueKeys, job_id: JobId) -> bool:
    """Delete a job; return whether there was one.

    Wire: event ``removed``; a parent that waited for it alone is released.

    Raises:
        JobLockedError: A worker runs it now.
        SchedulerJobError: It is the next run of a schedule.
    """
    code = await store.run(REMOVE_JOB, keys.pick(REMOVE_JOB.keys), [job_id], repeatable=False)
    if code == LOCKED:
        raise JobLockedError(job_id=job_id, queue=keys.queue, code=code)
    if code == SCHEDULED:
        raise SchedulerJobError(job_id=job_id, queue=keys.queue, code=code)
    return bool(code)
