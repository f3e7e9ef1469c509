"""Tells once when Redis is lost, and once when it is back."""

import time

import anyio
import structlog

from framework.errors import FrameworkError, KeyTypeError, RedisUnavailableError

log = structlog.get_logger("framework.redis")

# The longest wait between two tries to reach Redis.
MOST_SECONDS = 5.0


class Outage:
    """The state of the connection, as all who use it see it.

    Args:
        quiet: Seconds without a failed call after which one that came through ends it. Of a
            cluster's nodes one may be lost, and calls to the others say nothing of it.

    Attributes:
        error: Why the last call failed; None: Redis is there.
        failed_at: When a call last failed, by ``time.monotonic``; None: never.
        odd_keys_met: How many calls failed since a key is of the wrong type: Redis is there.
        returns: How often it was seen that Redis answers again.
    """

    def __init__(self, quiet: float = 0.0) -> None:
        self._quiet = quiet
        self.failed_at: float | None = None
        self._began = 0.0
        self.error: FrameworkError | None = None
        self.odd_keys_met = 0
        self.returns = 0
        self._waiting: set[anyio.CancelScope] = set()

    @classmethod
    def of_cluster(cls) -> "Outage":
        """Make one that outlasts the longest wait between two tries."""
        return cls(MOST_SECONDS + 1)

    def begin(self, error: FrameworkError) -> None:
        """Note that a call failed."""
        if isinstance(error, KeyTypeError):
            self.odd_keys_met += 1
            return
        if self.error is None or type(self.error) is not type(error):
            log.warning("redis lost", error=in_passing(error))
        self.failed_at = time.monotonic()
        if self.error is None:
            self._began = self.failed_at
        self.error = error

    def end(self) -> None:
        """Note that a call came through."""
        failed_at = self.failed_at or 0.0
        if self.error is not None and time.monotonic() - failed_at >= self._quiet:
            self.error = None
            log.info("redis back", seconds=round(time.monotonic() - self._began, 1))

    def end_after(self, quiet: float) -> None:
        """Note that a call came through that says little: others may fail all the same.

        Args:
            quiet: Seconds without a failed call after which it ends the outage.
        """
        if self.failed_at is not None and time.monotonic() - self.failed_at >= quiet:
            self.end()

    async def wait(self, seconds: float) -> None:
        """Wait before the next try, no longer than until `hurry`."""
        with anyio.move_on_after(seconds) as scope:
            self._waiting.add(scope)
            try:
                await anyio.sleep_forever()
            finally:
                self._waiting.discard(scope)

    def hurry(self) -> None:
        """Let all who wait try now: Redis answers again."""
        self.returns += 1
        for scope in self._waiting:
            scope.cancel()


def in_passing(error: FrameworkError) -> str:
    """Word an error for those who found Redis once: the address is not what is wrong."""
    if type(error) is RedisUnavailableError and error.fix == RedisUnavailableError.fix:
        return str(error).removesuffix(error.fix) + "Tried until it is back"
    return str(error)
