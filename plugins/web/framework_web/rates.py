"""How often a client may ask, and how many streams it may have open."""

import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from math import ceil

import structlog
from starlette.requests import Request

from framework_web.problems import ProblemError

log = structlog.get_logger("framework.web")

MINUTE = 60.0
# Beyond, those that have asked least lately are forgotten.
MOST_CLIENTS = 10_000
# Who has an address of version 6 has at least so many bits of it.
NETWORK_BITS = 64
AGAIN_SECONDS = 10
UNKNOWN = "unknown"


class Rates:
    """How often each client may ask: so often a minute, and all of them at once if it likes.

    Args:
        per_minute: 0: as often as it likes.
        now: A clock in seconds that only goes forward.
    """

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._now = now
        # Until when each client has used up what it may, and whether it was refused last.
        self._used: OrderedDict[str, tuple[float, bool]] = OrderedDict()

    @property
    def clients(self) -> int:
        """How many clients are remembered."""
        return len(self._used)

    def take(self, client: str) -> None:
        """Count a request.

        Raises:
            ProblemError: It is one too many.
        """
        if not self._per_minute:
            return
        now, each = self._now(), MINUTE / self._per_minute
        until, was_refused = self._used.pop(client, (now, False))
        until = max(until, now)
        wait = until + each - now - MINUTE
        self._used[client] = (until, True) if wait > 0 else (until + each, False)
        if len(self._used) > MOST_CLIENTS:
            self._used.popitem(last=False)
        if wait <= 0:
            return
        if not was_refused:
            log.warning("client asks too often", client=client, per_minute=self._per_minute)
        raise too_many(f"More than {self._per_minute} requests a minute.", ceil(wait))


class Streams:
    """How many streams each client has open.

    Args:
        most: 0: as many as it likes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @property
    def clients(self) -> int:
        """How many clients have any."""
        return len(self._open)

    @contextmanager
    def counted(self, client: str) -> Iterator[None]:
        """Count a stream for as long as the block lasts.

        Raises:
            ProblemError: It is one too many.
        """
        if self._most and self._open[client] >= self._most:
            log.warning("client has too many streams", client=client, streams=self._most)
            raise too_many(f"More than {self._most} streams at once.", AGAIN_SECONDS)
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]


def too_many(detail: str, seconds: int) -> ProblemError:
    """Ask a client to leave us alone for a while."""
    headers = {"Retry-After": str(max(1, seconds))}
    return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, headers=headers)


def client_of(request: Request) -> str:
    """Return whom a request is from: an address, or the network of one of version 6.

    Behind a proxy that is the proxy, unless the server is told to trust what it forwards.
    """
    host = request.client.host if request.client is not None else UNKNOWN
    if ":" not in host:
        return host
    try:
        address = ipaddress.IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, NETWORK_BITS), strict=False))
