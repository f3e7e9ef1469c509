"""The ASGI app: finds what answers, checks who asks, and words what goes wrong."""

from collections.abc import Mapping

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from framework_gateway.auth import Channel, Token, bearer_in
from framework_gateway.deadline import Deadline
from framework_gateway.errors import AnswerError, answer_of, forbidden, unauthorized
from framework_gateway.http.routes import ROUTES
from framework_gateway.hub import Hub
from framework_gateway.names import check_queue_name
from framework_gateway.routing import HELD, OPEN, QUEUE, Open, Table, decoded
from framework_gateway.status import STATUS
from framework_gateway.ws.connection import RECEIVE, SEND
from framework_gateway.ws.routes import SOCKETS

log = structlog.get_logger("framework.gateway")

TABLE = Table((*ROUTES, *STATUS), SOCKETS)
# The other side has left: nobody is there to be answered.
GONE = (ClientDisconnect, WebSocketDisconnect, OSError)
TOKEN = "token"  # noqa: S105 - the name of a parameter


class GatewayApp:
    """The ASGI app of one gateway.

    Args:
        hub: What the endpoints share.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or serve a WebSocket."""
        try:
            if scope["type"] == "websocket":
                scope[RECEIVE], scope[SEND] = receive, send
                await self._serve(WebSocket(scope, receive, send))
            else:
                seconds = self._hub.settings.request_timeout
                await self._answer(scope, Deadline(receive, seconds).receive, send)
        except GONE:
            pass
        except Exception:
            # The server logs nothing: its lines hold URLs.
            log.exception("connection failed", path=scope["path"])
            raise

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer: ASGIApp
        try:
            route, parts = TABLE.http(scope["method"], scope["raw_path"])
            token = self._admit(route.needs, bearer_in(request.headers))
            self._hub.check_open()
            scope["path_params"] = self._parts(parts, token, route.needs)
            scope[TOKEN] = token
            answer = await route.endpoint(self._hub, request)
        except GONE:
            return
        except Exception as error:  # whatever it is, the caller gets an answer
            answer = answer_of(error).response(request.headers)
        await answer(scope, receive, send)

    async def _serve(self, socket: WebSocket) -> None:
        try:
            route, parts = TABLE.socket(socket.scope["raw_path"])
            sent = bearer_in(socket.headers)
            if sent is None:
                sent = socket.query_params.get(TOKEN)
            token = self._admit(route.needs, sent)
            self._hub.check_open()
            socket.scope["path_params"] = self._parts(parts, token, route.needs)
            socket.scope[TOKEN] = token
            channel = await route.open(self._hub, socket)
            await channel()
        except Exception as error:
            if socket.application_state is not WebSocketState.CONNECTING:
                raise
            await socket.send_denial_response(answer_of(error).response(socket.headers))

    def _admit(self, needs: Channel | Open, sent: str | None) -> Token | None:
        """Return the token that was sent; None where none is needed.

        Raises:
            AnswerError: 401, there is no such token.
        """
        if needs == OPEN:
            return None
        token = self._hub.guard.find(sent)
        if needs == HELD and sent is not None and token is None:
            return None
        if needs == HELD:
            raise unauthorized()
        if token is None:
            raise unauthorized()
        return token

    def _parts(
        self, parts: Mapping[str, bytes], token: Token | None, needs: Channel | Open
    ) -> dict[str, str]:
        """Return the parts of the path, decoded and checked.

        Raises:
            AnswerError: 400; 403 where the token does not open this.
        """
        try:
            named = decoded(parts)
            queue = check_queue_name(named[QUEUE], self._hub.settings) if QUEUE in named else None
        except AnswerError:
            if needs == HELD:  # nobody holds a job of such a queue
                raise unauthorized() from None
            raise
        if token is not None and isinstance(needs, Channel) and not token.may(needs, queue):
            raise forbidden()
        return named
