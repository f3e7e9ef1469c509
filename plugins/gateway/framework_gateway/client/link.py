"""One channel's way to the gateway: a connection, and another one after each that was lost."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.protocol import State

from framework_gateway.client.address import Address
from framework_gateway.client.errors import GatewayRefusedError
from framework_gateway.client.log import log
from framework_gateway.quiet import quiet_logger

NORMAL, REVOKED = 1000, 4000
CLOSE_SECONDS = 2.0
# A connection that lasted so long was a success: what comes next is a first failure.
STEADY_SECONDS = 5.0
# Refusals that pass, beside all of a server's own troubles (500 and above).
PASSING = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
Delay = Callable[[int], timedelta]


class Link:
    """One channel's way to the gateway.

    Args:
        address: Where the gateway is.
        path: Of the channel, asked before each connection.
        where: What the channel is called in errors and logs.
        delay: How long to wait after so many failures in a row.

    Attributes:
        trouble: Why there is no connection; "" where there is one.
    """

    def __init__(self, address: Address, path: Callable[[], str], where: str, delay: Delay) -> None:
        self.where = where
        self.trouble = "not connected yet"
        self._address = address
        self._path = path
        self._delay = delay
        self._failures = 0
        self._since = 0.0
        self._is_ending = False
        self._connecting = anyio.CancelScope()

    async def serve(self, use: Callable[[ClientConnection], Awaitable[None]]) -> None:
        """Connect, let a connection be used, and another one after each that was lost.

        Returns once the gateway has closed one as ended, or one is open still after its use.

        Args:
            use: Returns once the connection is lost, or no longer needed.

        Raises:
            GatewayRefusedError: The gateway does not let the client in, or not any more.
        """
        while True:
            socket = await self.open()
            if socket is None:
                return
            try:
                await use(socket)
                is_needed = socket.state is not State.OPEN
            finally:
                await leave(socket)
            if not is_needed or not self.was_lost(socket):
                return

    def end(self) -> None:
        """Make no new connection; `serve` returns once the use of the last one does."""
        self._is_ending = True
        self._connecting.cancel()

    async def open(self) -> ClientConnection | None:
        """Return a connection, however long that takes; None after `end`. Raises as `serve`."""
        if not self._is_ending:
            with anyio.CancelScope() as self._connecting:
                return await self._connect()
        return None

    async def _connect(self) -> ClientConnection:
        while True:
            if self._failures:
                await anyio.sleep(self._delay(self._failures).total_seconds())
            url = self._address.url(self._path())
            try:
                socket = await connect(
                    url,
                    compression=None,
                    max_size=None,
                    close_timeout=CLOSE_SECONDS,
                    logger=quiet_logger(),  # its lines hold headers, and so the token
                    **self._address.options,
                )
            except InvalidStatus as error:
                self._raise_if_for_good(error)
                self._has_failed(f"the gateway answers {error.response.status_code}")
            except (OSError, WebSocketException) as error:
                self._has_failed(str(error) or type(error).__name__)
            else:
                if self._failures:
                    log.info("gateway is back", channel=self.where)
                self.trouble = ""
                self._since = anyio.current_time()
                return socket

    def was_lost(self, socket: ClientConnection) -> bool:
        """Tell whether a connection that is closed was lost, rather than ended by the gateway.

        Raises:
            GatewayRefusedError: The token was revoked.
        """
        code, reason = socket.close_code, socket.close_reason or ""
        if code == REVOKED:
            raise GatewayRefusedError(self.where, REVOKED, reason)
        self.trouble = f"the connection was closed with {code} {reason}".rstrip()
        if code == NORMAL:
            return False
        if anyio.current_time() - self._since >= STEADY_SECONDS:
            self._failures = 0
        self._has_failed(self.trouble)
        return True

    def _raise_if_for_good(self, error: InvalidStatus) -> None:
        response = error.response
        if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR and (
            response.status_code not in PASSING
        ):
            reason = (response.body or b"").decode(errors="replace")[:200]
            raise GatewayRefusedError(self.where, response.status_code, reason) from None

    def _has_failed(self, why: str) -> None:
        self.trouble = why
        self._failures += 1
        log.warning("gateway lost", channel=self.where, why=why, failures=self._failures)


async def leave(socket: ClientConnection) -> None:
    """Close a connection with 1000, whether or not the task was cancelled; that is bounded."""
    with anyio.CancelScope(shield=True):
        await socket.close()
