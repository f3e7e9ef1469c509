"""structlog, set up once: readable in a terminal, JSON lines otherwise."""

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from framework.app.settings import Settings
from framework.app.straight import write_straight
from framework.worker.current import CURRENT

LogFormat = Literal["auto", "console", "json"]


def bind_running_job(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the running job's fields to every line that its handler logs."""
    running = CURRENT.get()
    if running is not None:
        event.setdefault("job", running.id)
        event.setdefault("queue", running.queue)
        event.setdefault("name", running.name)
        event.setdefault("attempt", running.attempts_made + 1)
    return event


def set_up_logs(
    settings: Settings, stream: TextIO | None = None, *, worker: int | None = None
) -> None:
    """Send structlog's and the standard library's lines to a stream in one format.

    Args:
        settings: How they look.
        stream: Where they go; stderr unless given.
        worker: Which process of a supervisor's this is; each line says so.
    """
    stream = sys.stderr if stream is None else stream

    def bind_worker(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("worker", worker)
        return event

    def bind(event: EventDict) -> None:
        structlog.contextvars.merge_contextvars(None, "", event)
        if worker is not None:
            event.setdefault("worker", worker)
        bind_running_job(None, "", event)

    is_console = settings.log_format == "console" or (
        settings.log_format == "auto" and stream.isatty()
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        *(() if worker is None else (bind_worker,)),
        bind_running_job,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(
            fmt="%H:%M:%S" if is_console else "iso", utc=not is_console
        ),
    ]
    handler = logging.StreamHandler(stream)
    straight = () if is_console else (write_straight(handler, bind),)
    structlog.configure(
        processors=[*straight, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(console_lines(stream) if is_console else json_lines()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def console_lines(stream: TextIO) -> list[Processor]:
    """Return what words a line for people."""
    return [
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(),
            pad_event_to=0,
            pad_level=False,
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]


def json_lines() -> list[Processor]:
    """Return what words a line for machines."""
    return [
        structlog.processors.format_exc_info,
        message_first,
        structlog.processors.JSONRenderer(default=str),
    ]


def message_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put what a person looks for first: when, how bad, what."""
    first = {
        "timestamp": event.pop("timestamp", None),
        "level": event.pop("level", None),
        "message": event.pop("event", None),
    }
    return {**first, **event}
