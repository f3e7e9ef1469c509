"""Look after parents that wait for children, every interval."""

import anyio
import structlog

from framework.errors import FrameworkError
from framework.store.store import Store
from framework.store.transitions.flows import PAGE, audit_flows
from framework.wire.keys import QueueKeys

log = structlog.get_logger("framework.worker")


# Of 100 parents each. Where more wait, the next look goes on behind them.
MOST_PAGES = 10


async def watch_flows(store: Store, keys: QueueKeys, interval_ms: int) -> None:
    """Let parents go on whose children have all ended or are gone, until cancelled.

    One look an interval and queue is made, at those that have waited at least that long.
    """
    skip = 0
    while True:
        await anyio.sleep(interval_ms / 1000)
        try:
            skip = await look_once(store, keys, interval_ms, skip)
        except FrameworkError as error:
            store.outage.begin(error)


async def look_once(store: Store, keys: QueueKeys, interval_ms: int, skip: int) -> int:
    """Look at a queue's parents, if nobody has within the interval.

    Args:
        skip: How many were looked at before.

    Returns:
        Where to begin the next time.
    """
    turn_ms: int | None = interval_ms
    for _ in range(MOST_PAGES):
        page = await audit_flows(store, keys, longest_ms=interval_ms, skip=skip, turn_ms=turn_ms)
        for job_id in page.repaired:
            log.warning(
                "parent goes on: its children had ended or were gone, and nobody had told it",
                job=job_id,
                queue=keys.queue,
            )
        if page.looked_at < 0:
            return skip
        if page.looked_at < PAGE:
            return 0
        turn_ms = None
        skip += page.looked_at - len(page.repaired)
    return skip
