"""What a gateway answers where it refuses something: one error, told as HTTP tells it."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response

from framework import (
    FrameworkError,
    JobNotFoundError,
    LockLostError,
    OptionsError,
    RedisRefusedError,
    RedisUnavailableError,
    TransitionError,
)

log = structlog.get_logger("framework.gateway")

JSON = "application/json"


class AnswerError(Exception):
    """Something is refused.

    Args:
        status: The HTTP status.
        message: What is wrong, word for word as the client gets it.
        code: The code that goes with it in JSON; by the status unless given.
        headers: To send along.
    """

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *,
        code: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or CODES.get(status, "EINTERNAL")
        self.headers = dict(headers or {})

    def response(self, headers: Headers) -> Response:
        """Return the answer to a request with these headers: text, or JSON where it asks for it."""
        if JSON in headers.get("accept", ""):
            told = {"error": {"message": self.message, "code": self.code}}
            return JSONResponse(told, self.status, self.headers)
        return PlainTextResponse(self.message, self.status, self.headers)


CODES = {
    HTTPStatus.BAD_REQUEST: "EARGS",
    HTTPStatus.UNAUTHORIZED: "EAUTH",
    HTTPStatus.FORBIDDEN: "EFORBIDDEN",
    HTTPStatus.NOT_FOUND: "ENOTFOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "EMETHOD",
    HTTPStatus.REQUEST_TIMEOUT: "ETIMEOUT",
    HTTPStatus.CONFLICT: "EJOB",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "ETOOLARGE",
    HTTPStatus.UPGRADE_REQUIRED: "EUPGRADE",
    HTTPStatus.SERVICE_UNAVAILABLE: "EREDIS",
}


def bad_request(message: str) -> AnswerError:
    """Return what refuses a client's mistake."""
    return AnswerError(HTTPStatus.BAD_REQUEST, message)


def unauthorized() -> AnswerError:
    """Return what refuses a missing or wrong token."""
    return AnswerError(
        HTTPStatus.UNAUTHORIZED, "Unauthorized", headers={"WWW-Authenticate": "Bearer"}
    )


def answer_of(error: Exception) -> AnswerError:
    """Word an error; one that is not foreseen is logged, and said nothing of."""
    if isinstance(error, AnswerError):
        return error
    for kinds, word in WORDED:
        if isinstance(error, kinds):
            return word(error)
    log.error("request failed", exc_info=error)
    return AnswerError(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error")


def closing() -> AnswerError:
    """Return what refuses whatever begins while the gateway closes."""
    return AnswerError(HTTPStatus.SERVICE_UNAVAILABLE, "The gateway is closing", code="ECLOSING")


def forbidden() -> AnswerError:
    """Return what refuses a token that does not open this."""
    return AnswerError(HTTPStatus.FORBIDDEN, "Forbidden")


Word = Callable[[Exception], AnswerError]
# What clients are told of the framework's errors; the first that fits counts.
WORDED: tuple[tuple[tuple[type[FrameworkError], ...], Word], ...] = (
    (
        (RedisUnavailableError, RedisRefusedError),
        lambda _: AnswerError(HTTPStatus.SERVICE_UNAVAILABLE, "Redis is unavailable"),
    ),
    (
        (JobNotFoundError,),
        lambda _: AnswerError(HTTPStatus.NOT_FOUND, "Job not found", code="EJOB"),
    ),
    ((LockLostError,), lambda _: unauthorized()),
    ((TransitionError,), lambda error: AnswerError(HTTPStatus.CONFLICT, str(error))),
    ((OptionsError,), lambda error: bad_request(str(error))),
    (
        (FrameworkError,),
        lambda error: AnswerError(HTTPStatus.BAD_REQUEST, str(error), code="EJOB"),
    ),
)
