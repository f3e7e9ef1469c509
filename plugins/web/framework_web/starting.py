"""The endpoint that starts a task, and what it takes of a request."""

import uuid
from http import HTTPStatus
from urllib.parse import quote

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from framework import JobOptions, OptionsError
from framework_web.answering import kind_of
from framework_web.desk import Desk
from framework_web.problems import ProblemError
from framework_web.standing import iso
from framework_web.wish import WISH, Wish

KEY_HEADER = "Idempotency-Key"
JSON = "application/json"
BODY_SECONDS = 30


async def start(desk: Desk, request: Request) -> Response:
    """Start a task."""
    kind = kind_of(desk, request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {JSON}.")
    data = desk.payloads.of(kind).read(await body_of(request, desk.settings.web_body_limit))
    options = JobOptions(**{"job_id": str(uuid.uuid4()), **kind.defaults})
    key = key_of(request)
    if key is not None:
        options["job_id"] = key
    try:
        job = await desk.queue_of(kind).add(kind.name, data, **options)
    except OptionsError as error:
        if key is None:
            raise
        raise unfit_key(str(error)) from error
    at = f"{request.scope.get('root_path', '')}/{quote(kind.name)}/{quote(job.id, safe='')}"
    links = {"self": at, "events": f"{at}/events", "abort": at}
    told_of: dict[str, object] = {"id": job.id, "type": kind.name, "links": links}
    if desk.tokens.are_signed and await may_have_token(desk, request, kind.name, job.id, key):
        signed = desk.tokens.sign(kind.name, job.id, may_abort=True)
        told_of |= {"token": signed.token, "token_expires_at": iso(signed.expires_at)}
    return JSONResponse(told_of, HTTPStatus.ACCEPTED, {"Location": at})


async def may_have_token(desk: Desk, request: Request, type: str, id: str, key: str | None) -> bool:
    """Tell whether who started a task may watch it by token.

    Of an id of the client's own choice it is not known whose task it is: it may have been there.
    """
    if key is None:
        return True
    asked = Request({**request.scope, WISH: Wish("abort", type, id)})
    try:
        await desk.access.check(asked)
    except (ProblemError, HTTPException):
        return False
    return True


def key_of(request: Request) -> str | None:
    """Return the id that the client chose, if it did.

    Raises:
        ProblemError: It is no UTF-8, or what stands in a path for something else.
    """
    sent = request.headers.get(KEY_HEADER)
    if sent is None:
        return None
    try:
        key = sent.encode("latin-1").decode().strip().strip('"')
    except UnicodeDecodeError as error:
        raise unfit_key("it is not written in UTF-8") from error
    if key in {".", ".."}:
        raise unfit_key("it would mean another place in a path")
    return key


def unfit_key(why: str) -> ProblemError:
    """Refuse an id that the client chose."""
    told = [{"field": KEY_HEADER, "message": why}]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return ProblemError(status, f"{KEY_HEADER} cannot be used.", errors=told)


async def body_of(request: Request, most: int) -> bytes:
    """Return the body.

    Raises:
        ProblemError: It is too large, or does not come.
    """
    too_large = ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has more than {most} bytes."
    )
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise too_large
    body = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise too_large
    except TimeoutError as error:
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "The body does not come.") from error
    return bytes(body)
