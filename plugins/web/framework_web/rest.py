"""The endpoints, each with its path: start, look at, follow and steer tasks."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from framework_web.answering import LASTS, Answering, Endpoint, at, behind_door, id_of, kind_of
from framework_web.cursor import EVENT_ID, read_cursor
from framework_web.desk import Desk
from framework_web.feed import Feed
from framework_web.listing import show_all
from framework_web.openapi import document
from framework_web.sse import HEADERS, EventStream
from framework_web.standing import snapshot_of
from framework_web.starting import start
from framework_web.updates import Updates
from framework_web.wish import Action

ONE = "/{type}/{id}"


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


def steered(action: Action) -> Answering:
    """Return what changes a task."""
    return Answering(steering(action), action)


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


async def describe(desk: Desk, request: Request) -> Response:
    """Describe all of it, as OpenAPI has it."""
    return JSONResponse(document(desk, request.scope.get("root_path", "")))


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
