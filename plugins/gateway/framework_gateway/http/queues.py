"""Endpoints of queues: look at, pause, empty and delete them."""

from datetime import timedelta
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from framework import ActiveJobsError, JobState
from framework_gateway.counts import job_counts
from framework_gateway.errors import AnswerError, bad_request
from framework_gateway.http.answers import done, json_answer
from framework_gateway.http.body import read_object
from framework_gateway.hub import Hub
from framework_gateway.option_check import MAX_INT, MAX_MS
from framework_gateway.shown import demand, demand_whole, refuse_unknown, shown, unexpected

# What can be cleaned, by BullMQ's names.
CLEANED = {
    "completed": JobState.COMPLETED,
    "failed": JobState.FAILED,
    "wait": JobState.WAITING,
    "waiting": JobState.WAITING,
    "paused": JobState.WAITING,
    "prioritized": JobState.PRIORITIZED,
    "delayed": JobState.DELAYED,
    "active": JobState.ACTIVE,
}
FLAGS = {None: False, "false": False, "0": False, "true": True, "1": True, "": True}


async def show_queue(hub: Hub, request: Request) -> Response:
    """Show a queue."""
    queue = hub.queue(request.path_params["queue"])
    is_paused, counts = await queue.is_paused(), await job_counts(queue)
    return json_answer({"name": queue.name, "isPaused": is_paused, "counts": counts})


async def show_counts(hub: Hub, request: Request) -> Response:
    """Count its jobs by their states."""
    return json_answer(await job_counts(hub.queue(request.path_params["queue"])))


async def pause(hub: Hub, request: Request) -> Response:
    """Let no worker take a job."""
    await hub.queue(request.path_params["queue"]).pause()
    return done()


async def resume(hub: Hub, request: Request) -> Response:
    """Let workers take jobs again."""
    await hub.queue(request.path_params["queue"]).resume()
    return done()


async def drain(hub: Hub, request: Request) -> Response:
    """Remove all jobs that wait."""
    asked = await read_object(hub, request, or_nothing=True)
    refuse_unknown(asked, ("delayed",), unexpected())
    delayed = asked.get("delayed", False)
    demand("delayed", delayed, bool, "a boolean")
    await hub.queue(request.path_params["queue"]).drain(delayed)
    return done()


async def clean(hub: Hub, request: Request) -> Response:
    """Remove old jobs of one state; tell their ids."""
    asked = await read_object(hub, request)
    refuse_unknown(asked, ("grace", "limit", "type"), unexpected())
    grace = demand_whole("grace", asked.get("grace", 0), 0, MAX_MS)
    limit = demand_whole("limit", asked.get("limit", 100), 0, MAX_INT)
    kind = asked.get("type", "completed")
    if not isinstance(kind, str) or kind not in CLEANED:
        raise bad_request(f"Invalid type {shown(kind)}")
    queue = hub.queue(request.path_params["queue"])
    ids = await queue.clean(timedelta(milliseconds=grace), limit, CLEANED[kind])
    return json_answer(ids)


async def obliterate(hub: Hub, request: Request) -> Response:
    """Delete a queue with all that is in it."""
    asked = request.query_params.get("force")
    if asked not in FLAGS:
        raise bad_request(f"Invalid force {shown(asked)}")
    try:
        await hub.queue(request.path_params["queue"]).obliterate(force=FLAGS[asked])
    except ActiveJobsError as error:
        raise AnswerError(HTTPStatus.CONFLICT, str(error)) from None
    return done()
