"""A shorter way for lines of structlog: from the call to the stream, past the standard library.

A record of `logging` costs more than the line that is made of it. Nobody can tell the difference:
a line whose logger has a handler, filter or level of the user's goes the long way, and so does
whatever is worse than information. Each line is in the stream before the call returns: a process
that dies at once has still told why.
"""

import json
import logging
import time
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quote
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}
# These are for the long way's processors.
SPECIAL = frozenset({"exc_info", "exception", "level", "message", "stack_info", "timestamp"})
CALL_HANDLERS = logging.Logger.callHandlers

encode = json.JSONEncoder(default=str).encode


def write_straight(
    handler: logging.StreamHandler[TextIO], bind: Callable[[EventDict], None]
) -> Processor:
    """Return a processor that writes a JSON line where no one else wants its record.

    Args:
        handler: The one of the root logger, for the stream and its lock.
        bind: Adds what every line says.
    """
    stamp = Stamp().now

    def write(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        level = LEVELS.get(method)
        if level is None or not SPECIAL.isdisjoint(event) or not is_alone(handler, logger, level):
            return event
        try:
            bind(event)
            put(handler, line_of(stamp(), method, event))
        except Exception:  # the long way tells of it, as ever
            return event
        raise structlog.DropEvent  # nothing is left to do

    return write


class Stamp:
    """The time as lines say it; of most of them only the fraction of a second is new."""

    def __init__(self) -> None:
        self._said = -1, ""

    def now(self) -> str:
        """Return what ISO 8601 calls this instant, with six digits and a Z."""
        seconds, fraction = divmod(time.time_ns(), 1_000_000_000)
        said, text = self._said
        if seconds != said:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
            self._said = seconds, text
        return f"{text}.{fraction // 1000:06}Z"


def line_of(stamp: str, level: str, event: EventDict) -> str:
    """Return the JSON of a line, as the long way words it."""
    message = text_of(event.get("event"))
    parts = [f'{{"timestamp": "{stamp}", "level": "{level}", "message": {message}']
    for name, value in event.items():
        if name != "event":
            parts.append(f", {quote(name)}: {text_of(value)}")
    parts.append("}\n")
    return "".join(parts)


def text_of(value: object) -> str:
    """Return a field's JSON; text and whole numbers, which most are, need no encoder for it."""
    if type(value) is str:
        return quote(value)
    return str(value) if type(value) is int else encode(value)


def put(handler: logging.StreamHandler[TextIO], line: str) -> None:
    """Write a line as the handler would."""
    handler.acquire()
    try:
        stream = handler.stream
        stream.write(line)
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
