"""Endpoints for whoever works a job: what opens them is the token of the job's lock."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from framework import HeldJob, JobNotFoundError, LockLostError, OptionsError
from framework_gateway.auth import bearer_in
from framework_gateway.errors import AnswerError, unauthorized
from framework_gateway.http.answers import done
from framework_gateway.http.body import read_json
from framework_gateway.hub import Hub


async def held_job(hub: Hub, request: Request) -> HeldJob:
    """Return the job that the path names and whose lock the token holds.

    Raises:
        AnswerError: 401: there is no such job, or the token does not hold it, or no more.
    """
    sent = bearer_in(request.headers) or ""
    queue = hub.queue(request.path_params["queue"])
    try:
        return await queue.held_job(request.path_params["id"], sent)
    except (JobNotFoundError, LockLostError, OptionsError):
        raise unauthorized() from None


async def set_progress(hub: Hub, request: Request) -> Response:
    """Store how far a job is: the body's JSON value as it is."""
    held = await held_job(hub, request)
    progress = await read_json(hub, request)
    if progress is None:
        raise AnswerError(HTTPStatus.BAD_REQUEST, "Progress must not be null")
    await held.progress(progress)
    return done()


async def add_log(hub: Hub, request: Request) -> Response:
    """Append a row to a job's log: the body's JSON string."""
    held = await held_job(hub, request)
    row = await read_json(hub, request)
    if not isinstance(row, str):
        raise AnswerError(HTTPStatus.BAD_REQUEST, "Log must be a string")
    await held.log(row)
    return done()
