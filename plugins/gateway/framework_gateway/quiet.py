"""Servers under a gateway log nothing: their lines hold URLs, and so tokens."""

import logging


def quiet_logger() -> logging.Logger:
    """Return a logger that drops everything, whatever the levels of others are."""
    logger = logging.getLogger("framework.gateway.quiet")
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    return logger
