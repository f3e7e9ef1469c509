"""What clients of the Queue channel may call: this table, and nothing else."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from pydantic_core import to_json

from framework import (
    JobLockedError,
    JobNotFoundError,
    JobState,
    Queue,
    job_json,
)
from framework_gateway.adding import add_all, add_repeated, upsert
from framework_gateway.counts import TYPES, job_counts, jobs_page
from framework_gateway.errors import bad_request
from framework_gateway.http.queues import CLEANED
from framework_gateway.hub import Hub
from framework_gateway.job_check import checked_job, checked_jobs, options_of
from framework_gateway.option_check import MAX_INT, MAX_MS, OPTIONS
from framework_gateway.repeat_check import repeat_of
from framework_gateway.scheduler_json import EPOCH, scheduler_json
from framework_gateway.shown import demand, demand_whole, refuse_unknown, shown, unexpected
from framework_gateway.ws.arguments import Arguments

NULL = b"null"
LEAST = -MAX_INT

# Requests of one connection take effect in the order in which they came. Adds travel together,
# and so do reads; all else waits for what came before it.
Kind = Literal["add", "read", "write"]
Call = Callable[[Hub, Queue, Arguments], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Function:
    """One of them.

    Attributes:
        kind: What may be under way beside it.
        call: Takes its arguments, does it, and returns the result as JSON.
    """

    kind: Kind
    call: Call


def array(texts: list[bytes]) -> bytes:
    """Return a JSON array of JSON texts."""
    return b"[%b]" % b",".join(texts)


async def add(hub: Hub, queue: Queue, args: Arguments) -> bytes:
    """Add a job."""
    told = {"name": args.any("name"), "data": args.any("data"), "opts": args.any("opts", None)}
    args.end()
    job = checked_job(told, hub.prefix)
    if job.repeat is not None:
        run = await add_repeated(queue, job)
        return NULL if run is None else job_json(run)
    # Alone: adds of the same time travel together.
    return job_json(await queue.add(job.name, job.data, **job.options))


async def add_bulk(hub: Hub, queue: Queue, args: Arguments) -> bytes:
    """Add many jobs, or none."""
    told = args.any("jobs")
    args.end()
    added = await add_all(queue, checked_jobs(told, hub.prefix))
    return array([job_json(job) for job in added])


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


async def pause(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Let no worker take a job."""
    args.end()
    await queue.pause()
    return NULL


async def resume(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Let workers take jobs again."""
    args.end()
    await queue.resume()
    return NULL


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


async def add_job_log(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Append a row to a job's log."""
    job_id, row = args.text("jobId"), args.text("row")
    keep = args.whole("keepLogs", None)
    args.end()
    return to_json(await queue.add_log(job_id, row, keep=keep))


async def update_job_progress(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Store how far a job is."""
    job_id, progress = args.text("jobId"), args.any("progress")
    args.end()
    if progress is None:
        raise bad_request("progress is required")
    await queue.update_progress(job_id, progress)
    return NULL


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


async def remove(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Delete a job."""
    job_id, opts = args.text("jobId"), args.object("opts", "removeChildren")
    args.end()
    with_children = opts.get("removeChildren", True)
    demand("opts.removeChildren", with_children, bool, "a boolean")
    try:
        return to_json(int(await queue.remove(job_id, with_children)))
    except (JobLockedError, JobNotFoundError):
        return to_json(0)


async def retry_jobs(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Run all finished jobs of a state again."""
    opts = args.object("opts", "state", "count", "timestamp")
    args.end()
    state = opts.get("state", "failed")
    if state not in {"failed", "completed"}:
        raise bad_request(f"Invalid opts.state {shown(state)}")
    demand_whole("opts.count", opts.get("count", 1000), 1, MAX_INT)
    until = None
    if "timestamp" in opts:
        ms = demand_whole("opts.timestamp", opts["timestamp"], 0, MAX_MS)
        until = EPOCH + timedelta(milliseconds=ms)
    await queue.retry_jobs(state, until=until)
    return NULL


async def promote_jobs(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Let all delayed jobs wait in line now."""
    opts = args.object("opts", "count")
    args.end()
    demand_whole("opts.count", opts.get("count", 1000), 1, MAX_INT)
    await queue.promote_jobs()
    return NULL


async def drain(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Remove all jobs that wait."""
    delayed = args.flag("delayed", default=False)
    args.end()
    await queue.drain(delayed)
    return NULL


async def clean(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Remove old jobs of one state."""
    grace, limit = args.whole("grace", most=MAX_MS), args.whole("limit")
    kind = args.text("type", "completed")
    args.end()
    if kind not in CLEANED:
        raise bad_request(f"Invalid type {shown(kind)}")
    return to_json(await queue.clean(timedelta(milliseconds=grace), limit, CLEANED[kind]))


async def obliterate(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Delete the queue with all that is in it."""
    opts = args.object("opts", "force", "count")
    args.end()
    force = opts.get("force", False)
    demand("opts.force", force, bool, "a boolean")
    demand_whole("opts.count", opts.get("count", 1000), 1, MAX_INT)
    await queue.obliterate(force)
    return NULL


async def upsert_job_scheduler(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Make a schedule or change it; return its next run."""
    scheduler_id, when = args.text("id"), args.any("repeat")
    template = args.object("template", "name", "data", "opts")
    args.end()
    name = template.get("name")
    if name is not None:
        demand("template.name", name, str, "a string")
    opts = template.get("opts") or {}
    demand("template.opts", opts, dict, "an object")
    refuse_unknown(opts, OPTIONS, unexpected("template.opts."))
    repeat = repeat_of(when, scheduler_id)
    run = await upsert(queue, repeat, name, template.get("data", {}), options_of(opts))
    return NULL if run is None else job_json(run)


async def remove_job_scheduler(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Delete a schedule."""
    scheduler_id = args.text("id")
    args.end()
    return to_json(await queue.remove_job_scheduler(scheduler_id))


async def get_job_schedulers(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Return schedules."""
    start, end = args.whole("start", 0), args.whole("end", -1, LEAST)
    asc = args.flag("asc", default=False)
    args.end()
    found = await queue.job_schedulers(start, end, latest_first=not asc)
    return to_json([scheduler_json(one) for one in found])


async def retry_job(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Run a finished job again."""
    job_id = args.text("jobId")
    args.end()
    await queue.retry_job(job_id)
    return NULL


async def promote_job(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Let a delayed job wait in line now."""
    job_id = args.text("jobId")
    args.end()
    await queue.promote_job(job_id)
    return NULL


FUNCTIONS = {
    "add": Function("add", add),
    "addBulk": Function("write", add_bulk),
    "getJob": Function("read", get_job),
    "getJobState": Function("read", get_job_state),
    "getJobs": Function("read", get_jobs),
    "getJobCounts": Function("read", get_job_counts),
    "count": Function("read", count),
    "pause": Function("write", pause),
    "resume": Function("write", resume),
    "isPaused": Function("read", is_paused),
    "getJobLogs": Function("read", get_job_logs),
    "addJobLog": Function("write", add_job_log),
    "jobLog": Function("write", add_job_log),
    "updateJobProgress": Function("write", update_job_progress),
    "jobProgress": Function("write", update_job_progress),
    "getWorkers": Function("read", get_workers),
    "remove": Function("write", remove),
    "retryJobs": Function("write", retry_jobs),
    "promoteJobs": Function("write", promote_jobs),
    "drain": Function("write", drain),
    "clean": Function("write", clean),
    "obliterate": Function("write", obliterate),
    "upsertJobScheduler": Function("write", upsert_job_scheduler),
    "removeJobScheduler": Function("write", remove_job_scheduler),
    "getJobSchedulers": Function("read", get_job_schedulers),
    "retryJob": Function("write", retry_job),
    "promoteJob": Function("write", promote_job),
}
