"""Errors as RFC 9457 has them: JSON that says what is wrong, and nothing of the inside."""

from collections.abc import Sequence
from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from framework import (
    FrameworkError,
    JobLockedError,
    JobNotFoundError,
    PayloadError,
    RedisRefusedError,
    RedisUnavailableError,
    SchedulerJobError,
    WrongStateError,
)

log = structlog.get_logger("framework.web")

MEDIA_TYPE = "application/problem+json"
AGAIN_SECONDS = 2
SERVERS_FAULT = 500
SOMETHING = HTTPStatus.INTERNAL_SERVER_ERROR
# What a caller may be told of our own errors, by their class.
TOLD: dict[type[FrameworkError], tuple[HTTPStatus, str]] = {
    JobNotFoundError: (HTTPStatus.NOT_FOUND, "There is no such task, or it is kept no longer."),
    WrongStateError: (HTTPStatus.CONFLICT, "The task is not in a state that allows this."),
    SchedulerJobError: (HTTPStatus.CONFLICT, "The task is the next run of a schedule."),
    JobLockedError: (HTTPStatus.CONFLICT, "The task is running."),
    PayloadError: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The body holds what JSON cannot, such as a number that is too large.",
    ),
    RedisUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "Tasks cannot be reached now."),
    RedisRefusedError: (HTTPStatus.SERVICE_UNAVAILABLE, "Tasks cannot be reached now."),
}


class ProblemError(Exception):
    """What is wrong with a request.

    Args:
        status: The HTTP status.
        detail: What is wrong, for whoever reads it.
        errors: The places in the body that are wrong: ``field`` and ``message`` of each.
        headers: To send along.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Sequence[dict[str, str]] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = headers or {}

    def response(self) -> Response:
        """Return it as an answer."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = self.errors
        return JSONResponse(body, self.status, self.headers, MEDIA_TYPE)


def problem_of(error: Exception) -> ProblemError:
    """Word an error; one that is not foreseen is logged, and said nothing of."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, HTTPException):
        return worded(error)
    for kind, (status, detail) in TOLD.items():
        if isinstance(error, kind):
            again = {"Retry-After": str(AGAIN_SECONDS)} if status >= HTTPStatus.BAD_GATEWAY else {}
            return ProblemError(status, detail, headers=again)
    log.error("request failed", exc_info=error)
    return ProblemError(SOMETHING, "Something is wrong here; it was logged.")


def worded(error: HTTPException) -> ProblemError:
    """Word an error of Starlette's or FastAPI's; its author's words are meant to be read."""
    try:
        status = HTTPStatus(error.status_code)
    except ValueError:  # one of somebody's own
        status = HTTPStatus.BAD_REQUEST if error.status_code < SERVERS_FAULT else SOMETHING
    told: object = error.detail  # FastAPI allows anything
    detail = told if isinstance(told, str) else ""
    if detail in {"", status.phrase}:
        detail = status.description or status.phrase
    return ProblemError(status, detail, headers=dict(error.headers or {}))


async def answer_problem(_: Request, error: Exception) -> Response:
    """Answer an error."""
    return problem_of(error).response()
