"""The endpoints: start, look at, follow and steer tasks."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from urllib.parse import quote

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from framework import JobLook, JobOptions, JobState, OptionsError
from framework_web.cursor import EVENT_ID, read_cursor
from framework_web.desk import Desk
from framework_web.door import Door, desk_of
from framework_web.feed import Feed
from framework_web.kinds import TaskType
from framework_web.openapi import document
from framework_web.paths import part_of
from framework_web.problems import ProblemError, answer_problem, problem_of
from framework_web.rates import client_of
from framework_web.sse import HEADERS, EventStream
from framework_web.standing import iso, snapshot_of
from framework_web.updates import Updates
from framework_web.wish import WISH, Action, Wish, wish_of

LASTS = "framework_web.lasts"
KEY_HEADER = "Idempotency-Key"
JSON = "application/json"
BODY_SECONDS = 30
MOST_IN_PAGE = 100
PAGE = 20
MOST_DIGITS = 10

Endpoint = Callable[[Desk, Request], Awaitable[ASGIApp]]


class Answering:
    """An endpoint as an ASGI app: guarded, with errors as problems.

    Args:
        endpoint: What answers.
        action: What is asked of it.
    """

    def __init__(self, endpoint: Endpoint, action: Action) -> None:
        self._endpoint = endpoint
        self._action = action

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        answer: ASGIApp
        with ExitStack() as stack:
            try:
                desk = await desk_of(request)
                scope[WISH] = self._wish(request)
                scope[LASTS] = await desk.access.check(request)
                if self._action == "follow":
                    stack.enter_context(desk.streams.counted(client_of(request)))
                answer = await self._endpoint(desk, request)
            except ClientDisconnect:  # nobody is there to be answered
                return
            except Exception as error:  # whatever it is, the caller gets a problem document
                answer = problem_of(error).response()
            await answer(scope, receive, send)

    def _wish(self, request: Request) -> Wish:
        kind = part_of(request.scope, "type")
        if self._action == "list":
            kind = request.query_params.get("type")
        return Wish(self._action, kind, part_of(request.scope, "id"))


def kind_of(desk: Desk, request: Request) -> TaskType:
    """Return the type that the path names.

    Raises:
        ProblemError: There is none.
    """
    return desk.find(wish_of(request).type or "")


def id_of(request: Request) -> str:
    """Return the id that the path names."""
    return wish_of(request).id or ""


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


async def show(desk: Desk, request: Request) -> Response:
    """Tell how a task stands."""
    kind = kind_of(desk, request)
    look = await desk.look(kind, id_of(request))
    return JSONResponse(snapshot_of(look, kind.name))


def steering(action: Action) -> Endpoint:
    """Return the endpoint that changes a task."""

    async def steer(desk: Desk, request: Request) -> Response:
        kind = kind_of(desk, request)
        task_id = (await desk.look(kind, id_of(request))).job.id
        queue, effect = desk.queue_of(kind), "done"
        match action:
            case "abort":
                effect = str(await queue.cancel(task_id, "aborted"))
            case "pause":
                effect = str(await queue.pause_job(task_id))
            case "resume":
                await queue.resume_job(task_id)
            case _:
                await queue.retry_job(task_id, reset_attempts_made=True)
        return JSONResponse({"id": task_id, "effect": effect}, HTTPStatus.ACCEPTED)

    return steer


async def follow(desk: Desk, request: Request) -> ASGIApp:
    """Stream what happens to a task."""
    kind = kind_of(desk, request)
    queue, task_id = desk.queue_of(kind), id_of(request)
    resume = read_cursor(request.headers.get("last-event-id"))
    look = await queue.look(task_id)
    if request.method == "HEAD":
        await desk.look(kind, task_id)
        return Response(headers={name.decode(): value.decode() for name, value in HEADERS})
    feed = Feed(queue, task_id, kind.name, desk.logs, desk.settings.web_heartbeat)
    if not await feed.open(look, resume):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return EventStream(feed.frames(), feed.close, lasts=request.scope[LASTS])


async def follow_all(desk: Desk, request: Request) -> ASGIApp:
    """Stream what happens to all tasks of some types."""
    wanted = request.query_params.get("types")
    names = [one for one in (wanted or "").split(",") if one]
    kinds = desk.kinds if wanted is None else [desk.find(name) for name in names]
    if request.method == "HEAD":
        return Response(headers={name.decode(): value.decode() for name, value in HEADERS})
    queues = {kind.name: desk.queue_of(kind) for kind in kinds}
    last = request.headers.get("last-event-id", "").split(",")
    known = len(last) == len(queues) and all(map(EVENT_ID.fullmatch, last))
    updates = Updates(queues, last if known else (), desk.settings.web_heartbeat)
    return EventStream(updates.frames(), updates.close, updates.work)


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


async def describe(desk: Desk, request: Request) -> Response:
    """Describe all of it, as OpenAPI has it."""
    return JSONResponse(document(desk, request.scope.get("root_path", "")))


class ByMethod:
    """What answers one path: one route, so that 405 tells all methods of it. An ASGI app.

    Args:
        answers: What answers each method.
    """

    def __init__(self, answers: Mapping[str, Answering]) -> None:
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        await self._answers[method](scope, receive, send)


def at(path: str, **answers: Answering) -> Route:
    """Return the route of a path."""
    return Route(path, ByMethod(answers), methods=list(answers))


def steered(action: Action) -> Answering:
    """Return what changes a task."""
    return Answering(steering(action), action)


HANDLERS = {HTTPException: answer_problem, Exception: answer_problem}
ONE = "/{type}/{id}"


def behind_door(routes: Sequence[Route]) -> Door:
    """Return what serves some routes."""
    app = Starlette(routes=routes, exception_handlers=HANDLERS)
    app.router.redirect_slashes = False
    return Door(app)


tasks = behind_door(
    [
        at("/", GET=Answering(show_all, "list")),
        at("/openapi.json", GET=Answering(describe, "describe")),
        at("/{type}", POST=Answering(start, "start")),
        at(ONE, GET=Answering(show, "look"), DELETE=steered("abort")),
        at(f"{ONE}/events", GET=Answering(follow, "follow")),
        at(f"{ONE}/pause", POST=steered("pause")),
        at(f"{ONE}/resume", POST=steered("resume")),
        at(f"{ONE}/retry", POST=steered("retry")),
    ]
)
events = behind_door([at("/", GET=Answering(follow_all, "follow"))])
