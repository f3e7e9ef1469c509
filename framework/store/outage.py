"""Tells once when Redis is lost, and once when it is back."""

import structlog

from framework.errors import FrameworkError

log = structlog.get_logger("framework.redis")


class Outage:
    """The state of the connection, as all who use it see it."""

    def __init__(self) -> None:
        self.error: FrameworkError | None = None

    def begin(self, error: FrameworkError) -> None:
        """Note that a call failed."""
        if self.error is None or type(self.error) is not type(error):
            log.warning("redis lost", error=str(error))
        self.error = error

    def end(self) -> None:
        """Note that a call came through."""
        if self.error is not None:
            self.error = None
            log.info("redis back")
