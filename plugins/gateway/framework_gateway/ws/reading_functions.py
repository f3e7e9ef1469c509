"""Functions that tell of a queue and its jobs, and change nothing."""

from datetime import timedelta
from typing import Any

from pydantic_core import to_json

from framework import JobState, Queue, job_json
from framework_gateway.counts import TYPES, job_counts, jobs_page
from framework_gateway.errors import bad_request
from framework_gateway.hub import Hub
from framework_gateway.scheduler_json import scheduler_json
from framework_gateway.shown import demand, shown
from framework_gateway.ws.arguments import Arguments
from framework_gateway.ws.function_words import LEAST, NULL, array


async def get_job(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Return a job, or null."""
    job_id = args.text("jobId")
    args.end()
    job = await queue.job(job_id)
    return NULL if job is None else job_json(job)


async def get_job_state(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Return where a job stands."""
    job_id = args.text("jobId")
    args.end()
    return to_json((await queue.state(job_id)).value)


async def get_jobs(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Return jobs of some types."""
    asked = args.any("types", None)
    types = checked_types([asked] if isinstance(asked, str) else asked or [])
    start, end = args.whole("start", 0, LEAST), args.whole("end", -1, LEAST)
    asc = args.flag("asc", default=False)
    args.end()
    return array([job_json(job) for job in await jobs_page(queue, types, start, end, asc=asc)])


async def get_job_counts(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Count jobs by their states."""
    return to_json(await job_counts(queue, checked_types(args.rest())))


def checked_types(types: Any) -> list[str]:  # noqa: ANN401 - out of JSON
    """Refuse a type that there is not; ``wait`` is ``waiting``.

    Raises:
        AnswerError: 400.
    """
    demand("types", types, list, "a string or an array of strings")
    for one in types:
        if one not in (*TYPES, "wait"):
            raise bad_request(f"Invalid type {shown(one)}")
    return ["waiting" if one == "wait" else one for one in types]


async def count(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Count the jobs that are still to run."""
    args.end()
    counts = await queue.counts()
    waiting = (JobState.WAITING, JobState.DELAYED, JobState.PRIORITIZED, JobState.WAITING_CHILDREN)
    return to_json(sum(counts[state] for state in waiting))


async def is_paused(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Tell whether the queue is paused."""
    args.end()
    return to_json(await queue.is_paused())


async def get_job_logs(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Return rows of a job's log."""
    job_id, start = args.text("jobId"), args.whole("start", 0, LEAST)
    end, asc = args.whole("end", -1, LEAST), args.flag("asc", default=True)
    args.end()
    rows = await queue.logs(job_id, start, end, newest_first=not asc)
    return to_json({"logs": rows, "count": await queue.log_count(job_id)})


async def get_workers(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Return the workers that are connected now, through this gateway or not."""
    args.end()
    found = [
        {
            "id": one.id,
            "name": one.name,
            "addr": one.address,
            "age": one.age // timedelta(seconds=1),
            "idle": one.idle // timedelta(seconds=1),
        }
        for one in await queue.workers()
    ]
    return to_json(found)


async def get_job_schedulers(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Return schedules."""
    start, end = args.whole("start", 0), args.whole("end", -1, LEAST)
    asc = args.flag("asc", default=False)
    args.end()
    found = await queue.job_schedulers(start, end, latest_first=not asc)
    return to_json([scheduler_json(one) for one in found])
