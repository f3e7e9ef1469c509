"""Functions that change one job."""

from pydantic_core import to_json

from framework import JobLockedError, JobNotFoundError, Queue
from framework_gateway.errors import bad_request
from framework_gateway.hub import Hub
from framework_gateway.shown import demand
from framework_gateway.ws.arguments import Arguments
from framework_gateway.ws.function_words import NULL


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
