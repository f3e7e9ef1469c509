"""A shorter way for lines of structlog: from the call to the stream, past the standard library.

A record of `logging` costs more than the line that is made of it. Nobody can tell the difference:
a line whose logger has a handler, filter or level of the user's goes the long way, and so does
whatever is worse than information. Each line is in the stream before the call returns: a process
that dies at once has still told why.
"""

import json
import logging
from collections.abc import Callable
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}
# These are for the long way's processors.
SPECIAL = frozenset({"exc_info", "exception", "level", "stack_info", "timestamp"})
CALL_HANDLERS = logging.Logger.callHandlers


def write_straight(
    handler: logging.StreamHandler[TextIO], bind: Callable[[EventDict], None]
) -> Processor:
    """Return a processor that writes a JSON line where no one else wants its record.

    Args:
        handler: The one of the root logger, for the stream and its lock.
        bind: Adds what every line says.
    """
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    encode = json.JSONEncoder(default=str).encode

    def write(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        level = LEVELS.get(method)
        if level is None or not SPECIAL.isdisjoint(event) or not is_alone(handler, logger, level):
            return event
        words = stamp(logger, method, {})
        words["level"] = method
        words["message"] = event.get("event")
        try:
            bind(event)
            words.update(event)
            words.pop("event", None)
            put(handler, encode(words))
        except Exception:  # the long way tells of it, as ever
            return event
        raise structlog.DropEvent  # nothing is left to do

    return write


def put(handler: logging.StreamHandler[TextIO], line: str) -> None:
    """Write a line as the handler would."""
    handler.acquire()
    try:
        stream = handler.stream
        stream.write(line + "\n")
        if not getattr(stream, "line_buffering", False):
            stream.flush()
    finally:
        handler.release()


def is_alone(handler: logging.Handler, logger: logging.Logger | None, level: int) -> bool:
    """Tell whether a line would come to this handler and to nothing else on its way."""
    if logger is None or not logger.isEnabledFor(level):
        return False
    while logger.parent is not None:
        if logger.handlers or logger.filters or not logger.propagate:
            return False
        logger = logger.parent
    return (
        len(logger.handlers) == 1
        and logger.handlers[0] is handler
        and not (logger.filters or handler.filters or handler.level)
        and logging.Logger.callHandlers is CALL_HANDLERS
    )
