"""A dependency of FastAPI, asked outside of FastAPI's own routes."""

from collections.abc import MutableMapping
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message

from framework_web.problems import ProblemError
from framework_web.wish import OUTER_APP

TOLD = "framework_web.told"
# Where FastAPI's own app leaves what it closes with the request; another app leaves nothing.
FILES = "fastapi_middleware_astack"


class FastApiCheck:
    """Asks a dependency, with all that it asks for.

    A route of FastAPI's does so, of which nothing is sent: whoever follows a task for an hour
    holds no session of a database meanwhile.

    Args:
        dependency: What ``Depends`` or ``Security`` made.
    """

    def __init__(self, dependency: Any) -> None:  # noqa: ANN401 - without FastAPI there is no type
        async def tell(request: Request, told: Any = dependency) -> Response:  # noqa: ANN401 - whatever it gives
            request.scope[TOLD].append(told)
            return Response()

        self._endpoint = tell
        self._routes: WeakKeyDictionary[Any, ASGIApp] = WeakKeyDictionary()
        # What FastAPI cannot ask is found here.
        self._lone = self._route(None)

    def _route(self, app: Any) -> ASGIApp:  # noqa: ANN401 - FastAPI, or any other
        provider = app if hasattr(app, "dependency_overrides") else None
        return APIRoute("/", self._endpoint, dependency_overrides_provider=provider).app

    async def __call__(self, request: Request) -> object:
        """Return what the dependency gives; it raises what that raises.

        Raises:
            ProblemError: The request lacks what the dependency asks for.
        """
        app = request.scope.get(OUTER_APP)
        if app is not None and app not in self._routes:
            self._routes[app] = self._route(app)
        route = self._lone if app is None else self._routes[app]
        told: list[object] = []
        scope = {**request.scope, "app": app, "path_params": {}, TOLD: told}
        # With those, its errors would be answered in place of being raised.
        scope.pop("starlette.exception_handlers", None)
        try:
            async with AsyncExitStack() as scope[FILES]:
                await route(scope, take_nothing, send_nothing)
        except RequestValidationError as error:
            raise unfit(error) from error
        return told[0] if told else None


async def take_nothing() -> Message:
    """Refuse the body: whoever starts the task reads it.

    Raises:
        RuntimeError: Always.
    """
    raise RuntimeError("a guard cannot read the body: let it look at headers, cookies or the path")


async def send_nothing(_: MutableMapping[str, Any]) -> None:
    """Leave an answer unsent."""


def unfit(error: RequestValidationError) -> ProblemError:
    """Say what a request lacks; not what it holds."""
    errors = [
        {"field": ".".join(map(str, one["loc"])), "message": str(one["msg"])}
        for one in error.errors()
    ]
    where = ", ".join(dict.fromkeys(one["field"] for one in errors))
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"The request does not fit: {where}.", errors=errors
    )
