"""What a worker client asks for in its handshake."""

from dataclasses import dataclass
from datetime import timedelta

from starlette.datastructures import QueryParams

from framework_gateway.errors import bad_request
from framework_gateway.settings import GatewaySettings
from framework_gateway.shown import shown

MOST_MS = 24 * 3600 * 1000
LEAST_LOCK_MS = 1000
LOCK_MS = 30_000
MOST_COUNT = 1_000_000
MOST_DIGITS = 12
MOST_NAME = 100


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """What a worker client asks for.

    Attributes:
        concurrency: How many jobs it takes at once.
        ack_seconds: How long it may say nothing of a delivery; None: for ever.
        job_seconds: How long it may work on one; None: for ever.
        lock: How long a job is locked unless that is renewed.
        max_stalled: How often a job's client may vanish.
        name: What it calls itself.
    """

    concurrency: int
    ack_seconds: float | None
    job_seconds: float | None
    lock: timedelta
    max_stalled: int
    name: str


def worker_request(
    concurrency: str, query: QueryParams, settings: GatewaySettings
) -> WorkerRequest:
    """Read the handshake of a worker client.

    Raises:
        AnswerError: 400, something is not a whole number in its range.
    """
    ack_ms = number(query, "ackTimeout", settings.ack_timeout, 0, MOST_MS)
    job_ms = number(query, "jobTimeout", 0, 0, MOST_MS)
    lock_ms = number(query, "lockDuration", LOCK_MS, LEAST_LOCK_MS, MOST_MS)
    most = number(query, "maxStalledCount", settings.max_stalled_count, 0, MOST_COUNT)
    return WorkerRequest(
        concurrency=whole("concurrency", concurrency, 1, settings.max_concurrency),
        ack_seconds=ack_ms / 1000 if ack_ms else None,
        job_seconds=job_ms / 1000 if job_ms else None,
        lock=timedelta(milliseconds=lock_ms),
        max_stalled=most,
        name=query.get("name", "")[:MOST_NAME],
    )


def number(query: QueryParams, name: str, unless: int, least: int, most: int) -> int:
    """Read a parameter. Raises as `worker_request`."""
    return whole(name, query[name], least, most) if name in query else unless


def whole(name: str, text: str, least: int, most: int) -> int:
    """Read a whole number. Raises as `worker_request`."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    if not is_number or not least <= int(text) <= most:
        raise bad_request(
            f"Invalid {name} {shown(text)}, must be an integer from {least} to {most}"
        )
    return int(text)
