"""Where the engine's lines of log go in a program that knows nothing of the engine."""

import structlog


def use_logging() -> None:
    """Send them to the standard library's ``logging``, unless structlog is set up already.

    Left alone, structlog would print them to the program's standard output.
    """
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"], drop_missing=True),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
