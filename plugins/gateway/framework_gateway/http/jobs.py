"""Endpoints of jobs: add, list, look at, steer and remove them."""

from http import HTTPStatus

from anyio.lowlevel import checkpoint
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from framework import JobState, job_json
from framework_gateway.adding import add_all
from framework_gateway.auth import Channel, Token
from framework_gateway.counts import job_counts, jobs_page
from framework_gateway.errors import AnswerError, bad_request, forbidden
from framework_gateway.http.answers import done, json_answer, members_of, written
from framework_gateway.http.body import read_json
from framework_gateway.http.pages import page_of, types_of
from framework_gateway.hub import Hub
from framework_gateway.job_check import CheckedJob, checked_jobs

# How many jobs are checked or worded until others have their turn.
TURN = 500


def not_found() -> AnswerError:
    """Return what refuses the id of no job."""
    return AnswerError(HTTPStatus.NOT_FOUND, "Job not found", code="EJOB")


async def add_jobs(hub: Hub, request: Request) -> Response:
    """Add an array of jobs: all of them, or none."""
    body = await read_json(hub, request)
    if not isinstance(body, list):
        raise bad_request("Body must be an array")
    jobs: list[CheckedJob] = []
    for first in range(0, len(body), TURN):
        some = checked_jobs(body[first : first + TURN], hub.prefix)
        for job in some:
            check_parent(request.scope["token"], job)
        jobs += some
        await checkpoint()
    added = await add_all(hub.queue(request.path_params["queue"]), jobs)
    parts: list[bytes] = []
    for first in range(0, len(added), TURN):
        parts.append(members_of(added[first : first + TURN]))
        await checkpoint()
    return written(b"[%b]" % b",".join(parts))


def check_parent(token: Token, job: CheckedJob) -> None:
    """Refuse a parent in a queue that the token does not open.

    Raises:
        AnswerError: 403.
    """
    queue = job.parent_queue
    if queue is not None and not token.may(Channel.HTTP, queue):
        raise forbidden()


async def list_jobs(hub: Hub, request: Request) -> Response:
    """Show counts, and a page of the jobs of each type asked for, the newest first."""
    query = request.query_params
    start, length = page_of(query)
    types = types_of(query.get("statuses"))
    queue = hub.queue(request.path_params["queue"])
    counts = await job_counts(queue, types)
    jobs = await jobs_page(queue, types, start, start + length - 1) if length else []
    return written(
        b'{"counts":%b,"jobs":[%b],"start":%d,"length":%d}'
        % (to_json(counts), members_of(jobs), start, length)
    )


async def show_job(hub: Hub, request: Request) -> Response:
    """Show one job."""
    job = await hub.queue(request.path_params["queue"]).job(request.path_params["id"])
    if job is None:
        raise not_found()
    return written(job_json(job))


async def show_logs(hub: Hub, request: Request) -> Response:
    """Show a page of a job's log, the oldest row first."""
    start, length = page_of(request.query_params)
    queue, job_id = hub.queue(request.path_params["queue"]), request.path_params["id"]
    if await queue.job(job_id) is None:
        raise not_found()
    rows = await queue.logs(job_id, start, start + length - 1) if length else []
    return json_answer({"logs": rows, "count": await queue.log_count(job_id)})


async def show_state(hub: Hub, request: Request) -> Response:
    """Tell where a job stands."""
    state = await hub.queue(request.path_params["queue"]).state(request.path_params["id"])
    if state is JobState.UNKNOWN:
        raise not_found()
    return json_answer({"state": state.value})


async def retry_job(hub: Hub, request: Request) -> Response:
    """Run a finished job again."""
    await hub.queue(request.path_params["queue"]).retry_job(request.path_params["id"])
    return done()


async def promote_job(hub: Hub, request: Request) -> Response:
    """Let a delayed job wait in line now."""
    await hub.queue(request.path_params["queue"]).promote_job(request.path_params["id"])
    return done()


async def remove_job(hub: Hub, request: Request) -> Response:
    """Remove a job that does not run."""
    if not await hub.queue(request.path_params["queue"]).remove(request.path_params["id"]):
        raise not_found()
    return done()
