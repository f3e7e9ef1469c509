"""Endpoints of workers that are called over HTTP: register, list and remove them."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from framework_gateway.auth import Channel, Token
from framework_gateway.errors import AnswerError, forbidden
from framework_gateway.http.answers import done, json_answer
from framework_gateway.http.body import read_json
from framework_gateway.hub import Hub


async def register(hub: Hub, request: Request) -> Response:
    """Register the worker of a queue, or replace it; it runs once this is answered."""
    body = await read_json(hub, request)
    queue = hub.callbacks.checked_queue(body)
    token: Token = request.scope["token"]
    if not token.may(Channel.CALLBACK, queue):
        raise forbidden()
    await hub.callbacks.register(queue, body)
    return done()


async def show_all(hub: Hub, request: Request) -> Response:
    """Show the URL of each queue's worker, as far as the token may see them."""
    token: Token = request.scope["token"]
    urls = await hub.callbacks.urls()
    return json_answer({q: url for q, url in urls.items() if token.may(Channel.CALLBACK, q)})


async def remove(hub: Hub, request: Request) -> Response:
    """Remove the worker of a queue; calls that are made may end."""
    if not await hub.callbacks.remove(request.path_params["queue"]):
        raise AnswerError(HTTPStatus.NOT_FOUND, "Worker not found")
    return done()
