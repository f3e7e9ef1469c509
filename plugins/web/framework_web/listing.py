"""The endpoint that counts tasks and lists them, a page at a time."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from framework import JobLook, JobState
from framework_web.desk import Desk
from framework_web.problems import ProblemError
from framework_web.standing import snapshot_of

MOST_IN_PAGE = 100
PAGE = 20
MOST_DIGITS = 10


async def show_all(desk: Desk, request: Request) -> Response:
    """Count tasks by type and state, or show a page of those of one type and state."""
    query = request.query_params
    if "type" not in query:
        counts = [
            {"type": kind.name, "queue": kind.queue, "counts": await desk.queue_of(kind).counts()}
            for kind in desk.kinds
        ]
        return JSONResponse({"types": counts})
    kind = desk.find(query["type"])
    state = state_in(query.get("state", JobState.WAITING))
    offset, limit = whole(query, "offset", 0, 2**31), whole(query, "limit", PAGE, MOST_IN_PAGE, 1)
    jobs = await desk.queue_of(kind).jobs(state, offset, offset + limit - 1)
    looks = [JobLook(job, state, None, "") for job in jobs]
    at = f"{request.scope.get('root_path', '')}?type={quote(kind.name)}&state={state}"
    is_full = len(jobs) >= limit
    following = f"{at}&offset={offset + len(jobs)}&limit={limit}" if is_full else None
    tasks = [snapshot_of(look, kind.name) for look in looks]
    return JSONResponse({"type": kind.name, "state": state, "tasks": tasks, "next": following})


def state_in(text: str) -> JobState:
    """Read a state.

    Raises:
        ProblemError: There is none of this name.
    """
    try:
        state = JobState(text)
    except ValueError:
        state = JobState.UNKNOWN
    if state is JobState.UNKNOWN:
        known = ", ".join(one for one in JobState if one is not JobState.UNKNOWN)
        told = [{"field": "state", "message": f"there is no such state; there are: {known}"}]
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "state does not fit.", errors=told)
    return state


def whole(query: Mapping[str, str], name: str, default: int, most: int, least: int = 0) -> int:
    """Read a whole number.

    Raises:
        ProblemError: It is none, or larger than it may be.
    """
    text = query.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else -1
    if not least <= number <= most:
        told = [{"field": name, "message": f"a whole number from {least} to {most}"}]
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} does not fit.", errors=told)
    return number
