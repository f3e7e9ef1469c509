"""Who may ask what: by key, by watch token, by the application's own guard, or everybody."""

import hmac
import re
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.types import Scope

from framework_web.guard import Guard
from framework_web.local import is_local
from framework_web.problems import ProblemError
from framework_web.tokens import WatchTokens, is_token
from framework_web.web_settings import WebSettings
from framework_web.wish import Wish, wish_of

SCHEME = "bearer"
TOKEN_KEY = "framework_web.token"  # noqa: S105 - where a token stands in the scope
IN_QUERY = re.compile(rb"(?:^|&)token=([^&]*)")
BY_TOKEN = frozenset({"look", "follow", "abort"})


class Access:
    """Decides whether a request may pass.

    Args:
        settings: Have the keys.
        tokens: Reads watch tokens.
        guard: The application's own, if it has one.
    """

    def __init__(self, settings: WebSettings, tokens: WatchTokens, guard: Guard | None) -> None:
        self._open = settings.web_open
        self._keys = [one.encode() for one in settings.keys]
        self._tokens = tokens
        self._guard = guard

    async def check(self, request: Request) -> float | None:
        """Let a request pass; return for how many seconds it may last, None: for ever.

        Raises:
            ProblemError: It may not; or whatever the application's guard raises.
        """
        bearer = bearer_of(request)
        token = request.scope.get(TOKEN_KEY) or (bearer if is_token(bearer) else "")
        left = self._left(token, wish_of(request)) if token else None
        if left is not None or self._is_key(bearer):
            return left
        if self._guard is not None:
            if not await self._guard.admits(request):
                raise refused_token() if token else forbidden("You may not do this.")
        elif self._keys or not self._is_open_to(request):
            raise refused_token() if token else self._refusal()
        return None

    def _is_open_to(self, request: Request) -> bool:
        return self._open is True or (self._open == "local" and is_local(request))

    def _left(self, token: str, wish: Wish) -> float | None:
        if wish.type is None or wish.id is None or wish.action not in BY_TOKEN:
            return None
        to_abort = wish.action == "abort"
        return self._tokens.expiry(token, wish.type, wish.id, to_abort=to_abort)

    def _is_key(self, bearer: str) -> bool:
        # All are compared, so that the time tells nothing.
        matches = [hmac.compare_digest(bearer.encode(), key) for key in self._keys]
        return any(matches)

    def _refusal(self) -> ProblemError:
        if self._keys:
            return unauthorized("A key is needed: Authorization: Bearer <key>.", "Bearer")
        if self._tokens.are_signed:
            return unauthorized("A watch token of this task is needed.", "Bearer")
        return forbidden(
            "Nobody may ask yet: provide a Guard, or set FRAMEWORK_WEB_KEYS, or "
            "FRAMEWORK_WEB_OPEN=true."
        )


def bearer_of(request: Request) -> str:
    """Return what stands in ``Authorization: Bearer …``, or nothing."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == SCHEME else ""


def hide_token(scope: Scope) -> None:
    """Take a watch token out of the query, before a server writes that into its log."""
    query: bytes = scope.get("query_string", b"")
    for found in IN_QUERY.finditer(query):
        text = unquote_to_bytes(found[1]).decode("latin-1")
        if is_token(text):
            scope[TOKEN_KEY] = text
            scope["query_string"] = query.replace(found[1], b"hidden")


def forbidden(detail: str) -> ProblemError:
    """Say that somebody may not."""
    return ProblemError(HTTPStatus.FORBIDDEN, detail)


def unauthorized(detail: str, challenge: str) -> ProblemError:
    """Ask somebody to say who they are."""
    headers = {"WWW-Authenticate": challenge}
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers=headers)


def refused_token() -> ProblemError:
    """Say that a watch token is of no use here; not why."""
    return unauthorized(
        "The watch token does not allow this, or has ended.", 'Bearer error="invalid_token"'
    )
