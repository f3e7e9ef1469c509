"""How an endpoint answers: guarded, with errors as problems, one route a path."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from framework_web.desk import Desk
from framework_web.door import Door, desk_of
from framework_web.kinds import TaskType
from framework_web.paths import part_of
from framework_web.problems import answer_problem, problem_of
from framework_web.rates import client_of
from framework_web.wish import WISH, Action, Wish, wish_of

# Where it stands in a request's scope how long its asker may go on listening.
LASTS = "framework_web.lasts"
HANDLERS = {HTTPException: answer_problem, Exception: answer_problem}

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


def behind_door(routes: Sequence[Route]) -> Door:
    """Return what serves some routes."""
    app = Starlette(routes=routes, exception_handlers=HANDLERS)
    app.router.redirect_slashes = False
    return Door(app)


def kind_of(desk: Desk, request: Request) -> TaskType:
    """Return the type that the path names.

    Raises:
        ProblemError: There is none.
    """
    return desk.find(wish_of(request).type or "")


def id_of(request: Request) -> str:
    """Return the id that the path names."""
    return wish_of(request).id or ""
