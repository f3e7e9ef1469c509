"""Which path leads where: matched segment by segment as they were sent, each decoded once."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from framework_gateway.auth import Channel
from framework_gateway.errors import AnswerError, bad_request

if TYPE_CHECKING:
    from framework_gateway.hub import Hub

# What asks for no token of the gateway's: anybody may, or who holds the job that the path names.
Open = Literal["open", "held"]
OPEN: Open = "open"
HELD: Open = "held"
HttpEndpoint = Callable[["Hub", Request], Awaitable[ASGIApp]]
# What is checked before the upgrade, and what then serves the connection.
OpenChannel = Callable[["Hub", WebSocket], Awaitable[Callable[[], Awaitable[None]]]]

ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the HTTP API.

    Attributes:
        method: Such as ``GET``.
        path: Such as ``/queues/:queue/jobs/:id``; what follows a colon is in ``path_params``.
        endpoint: Answers; it may raise `AnswerError` and the framework's own errors.
        needs: What a token must open. No token of the gateway's is looked for where it is ``open``,
            or ``held``: there the endpoint looks whether the token holds the job.
    """

    method: str
    path: str
    endpoint: HttpEndpoint
    needs: Channel | Open = Channel.HTTP


@dataclass(frozen=True, slots=True)
class SocketRoute:
    """A path of a WebSocket channel.

    Attributes:
        path: As that of a `Route`.
        open: Checks the request, and returns what accepts and serves it; it may raise as an
            endpoint of a `Route` does.
        needs: What a token must open.
    """

    path: str
    open: OpenChannel
    needs: Channel


Pattern = tuple[str, ...]


class Table:
    """All paths.

    Args:
        routes: Those of the HTTP API.
        sockets: Those of WebSockets.
    """

    def __init__(self, routes: Sequence[Route], sockets: Sequence[SocketRoute]) -> None:
        self._http: dict[Pattern, dict[str, Route]] = {}
        self._sockets: dict[Pattern, SocketRoute] = {}
        for route in routes:
            self._http.setdefault(segments(route.path), {})[route.method] = route
        for socket in sockets:
            self._sockets[segments(socket.path)] = socket

    def http(self, method: str, raw_path: bytes) -> tuple[Route, Mapping[str, bytes]]:
        """Return what answers a request, and the parts of its path, as they were sent.

        Raises:
            AnswerError: Nothing does: 404, 405 or 426.
        """
        sent = raw_segments(raw_path)
        allowed: set[str] = set()
        for pattern, methods in self._http.items():
            found = match(pattern, sent)
            if found is None:
                continue
            route = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
            if route is not None:
                return route, found
            allowed.update(methods)
        if any(match(pattern, sent) is not None for pattern in self._sockets):
            if method == "GET":
                headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
                raise AnswerError(HTTPStatus.UPGRADE_REQUIRED, "Upgrade Required", headers=headers)
            allowed.add("GET")
        if not allowed:
            raise AnswerError(HTTPStatus.NOT_FOUND, "Not Found")
        raise AnswerError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "Method Not Allowed",
            headers={"Allow": ", ".join(sorted(allowed))},
        )

    def socket(self, raw_path: bytes) -> tuple[SocketRoute, Mapping[str, bytes]]:
        """Return what serves a WebSocket, and the parts of its path, as they were sent.

        Raises:
            AnswerError: Nothing does: 404.
        """
        sent = raw_segments(raw_path)
        for pattern, route in self._sockets.items():
            found = match(pattern, sent)
            if found is not None:
                return route, found
        raise AnswerError(HTTPStatus.NOT_FOUND, "Not Found")


def segments(path: str) -> Pattern:
    """Return the parts of a path."""
    return tuple(path.strip("/").split("/"))


def raw_segments(raw_path: bytes) -> Sequence[bytes]:
    """Return the parts of a path as it was sent; one slash at its end is none."""
    return raw_path.removeprefix(b"/").removesuffix(b"/").split(b"/")


def match(pattern: Pattern, sent: Sequence[bytes]) -> Mapping[str, bytes] | None:
    """Return the named parts of a path, or None where it is another one."""
    if len(pattern) != len(sent):
        return None
    named: dict[str, bytes] = {}
    for wanted, part in zip(pattern, sent, strict=True):
        if wanted.startswith(":"):
            if not part:
                return None
            named[wanted[1:]] = part
        elif wanted.encode() != part:
            return None
    return named


def decoded(parts: Mapping[str, bytes]) -> dict[str, str]:
    """Decode the named parts of a path, once each.

    Raises:
        AnswerError: A malformed escape, or no UTF-8.
    """
    return {name: decode(name, part) for name, part in parts.items()}


def decode(name: str, part: bytes) -> str:
    """Decode one part of a path. Raises as `decoded`."""
    what = "queue name" if name == QUEUE else name
    if ESCAPE.search(part):
        raise bad_request(f"{what} has a malformed percent escape")
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise bad_request(f"{what} is not UTF-8") from None
