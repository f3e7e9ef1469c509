"""Adding jobs that were checked, over whatever channel they came."""

from collections.abc import Sequence
from typing import Any

from framework import Job, JobOptions, Queue
from framework_gateway.errors import bad_request
from framework_gateway.job_check import CheckedJob
from framework_gateway.repeat_check import Repeat


async def add_all(queue: Queue, jobs: Sequence[CheckedJob]) -> Sequence[Job[Any, Any]]:
    """Add jobs, in order; return them.

    Raises:
        AnswerError: 400, one that is to be repeated is not alone.
        FrameworkError: As `Queue.add_bulk`.
    """
    repeated = [job for job in jobs if job.repeat is not None]
    if not repeated:
        return await queue.add_bulk([(job.name, job.data, job.options) for job in jobs])
    if len(jobs) > 1:
        raise bad_request("A job with opts.repeat must be added alone")
    (job,) = repeated
    added = await add_repeated(queue, job)
    return [] if added is None else [added]


async def add_repeated(queue: Queue, job: CheckedJob) -> Job[Any, Any] | None:
    """Make the schedule of a job; return its next run, unless that is gone already."""
    if job.repeat is None:
        raise ValueError("it is added once")
    return await upsert(queue, job.repeat, job.name, job.data, job.options)


async def upsert(
    queue: Queue, repeat: Repeat, name: str | None, data: object, options: JobOptions
) -> Job[Any, Any] | None:
    """Make a schedule or change it; return its next run, unless that is gone already.

    Raises:
        FrameworkError: As `Queue.upsert_job_scheduler`.
    """
    run_id = await queue.upsert_job_scheduler(
        repeat.id,
        repeat.when,
        name,
        data,
        start=repeat.start,
        end=repeat.end,
        limit=repeat.limit,
        immediately=repeat.immediately,
        **options,
    )
    return await queue.job(run_id)
