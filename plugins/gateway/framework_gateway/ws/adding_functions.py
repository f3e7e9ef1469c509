"""Functions that put jobs in line, at once or on a schedule."""

from pydantic_core import to_json

from framework import Queue, job_json
from framework_gateway.adding import add_all, add_repeated, upsert
from framework_gateway.hub import Hub
from framework_gateway.job_check import checked_job, checked_jobs, options_of
from framework_gateway.option_check import OPTIONS
from framework_gateway.repeat_check import repeat_of
from framework_gateway.shown import demand, refuse_unknown, unexpected
from framework_gateway.ws.arguments import Arguments
from framework_gateway.ws.function_words import NULL, array


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
