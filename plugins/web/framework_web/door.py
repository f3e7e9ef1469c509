"""What stands before all endpoints, whatever is asked of them."""

from collections.abc import MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from framework import Application, Queues, Routes
from framework.asgi import inject
from framework_web.access import Access, hide_token
from framework_web.desk import Desk
from framework_web.guard import Guarding
from framework_web.origins import refuse_forged, shared
from framework_web.paths import with_slashes_kept
from framework_web.problems import problem_of
from framework_web.rates import client_of
from framework_web.tasks import Tasks
from framework_web.tokens import WatchTokens
from framework_web.web_settings import WebSettings
from framework_web.wish import OUTER_APP

ALWAYS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
DESKS: WeakKeyDictionary[Application, Desk] = WeakKeyDictionary()


async def desk_of(request: Request) -> Desk:
    """Return what the endpoints of an application work with."""
    application: Application | None = getattr(request.state, "framework", None)
    desk = None if application is None else DESKS.get(application)
    if desk is None:
        # Where there is no application, it says so.
        queues: Queues = await inject(Queues)(request)
        settings: WebSettings = await inject(WebSettings)(request)
        tokens: WatchTokens = await inject(WatchTokens)(request)
        guarding: Guarding = await inject(Guarding)(request)
        access = Access(settings, tokens, guarding.guard)
        tasks: Tasks = await inject(Tasks)(request)
        desk = Desk(tasks, queues, await inject(Routes)(request), settings, access, tokens)
        desk = DESKS.setdefault(request.state.framework, desk)
    return desk


class Door:
    """Counts requests, refuses forged ones, and keeps secrets out of logs and caches. An ASGI app.

    Args:
        app: What answers those that pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._shared: WeakKeyDictionary[Desk, ASGIApp] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault(OUTER_APP, scope.get("app"))
        hide_token(scope)
        scope = with_slashes_kept(scope)
        app: ASGIApp
        try:
            desk = await desk_of(Request(scope))
            app = self._of(desk)
        except Exception as error:  # whatever it is, the caller gets a problem document
            app = problem_of(error).response()
        await app(scope, receive, telling(send))

    def _of(self, desk: Desk) -> ASGIApp:
        if desk not in self._shared:
            self._shared[desk] = shared(Inside(self._app, desk), desk.settings.origins)
        return self._shared[desk]


class Inside:
    """The same, behind what lets other sites ask: they may read why they are refused.

    Args:
        app: What answers those that pass.
        desk: What the endpoints work with.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        request = Request(scope)
        app = self._app
        try:
            self._desk.rates.take(client_of(request))
            refuse_forged(request, self._desk.settings.origins)
        except Exception as error:  # as above
            app = problem_of(error).response()
        await app(scope, receive, send)


def telling(send: Send) -> Send:
    """Send along what each answer must say: what it holds is for its reader alone."""

    async def tell(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in ALWAYS.items():
                headers.setdefault(name, value)
        await send(message)

    return tell
