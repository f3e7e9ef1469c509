"""What a client logs goes to the logging of its program, which need not be one of the framework's.

The logger is ``framework.gateway.client``. It tells of no payload, no URL and no token.
"""

import logging

import structlog
from structlog.typing import EventDict, WrappedLogger


def line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Word an event with its fields."""
    return " ".join([event.pop("event"), *(f"{name}={value!r}" for name, value in event.items())])


log: structlog.stdlib.BoundLogger = structlog.wrap_logger(
    logging.getLogger("framework.gateway.client"),
    processors=[structlog.stdlib.filter_by_level, line],
    wrapper_class=structlog.stdlib.BoundLogger,
)
