"""Look after parents that wait for children, every interval."""

import anyio
import structlog

from framework.errors import FrameworkError
from framework.store.store import Store
from framework.store.transitions.flows import PAGE, audit_flows
from framework.wire.keys import QueueKeys

log = structlog.get_logger("framework.worker")


async def watch_flows(store: Store, keys: QueueKeys, interval_ms: int) -> None:
    """Let parents go on whose children have all ended or are gone, until cancelled.

    One look an interval and queue is made, at those that have waited at least that long.
    """
    while True:
        await anyio.sleep(interval_ms / 1000)
        try:
            await look_once(store, keys, interval_ms)
        except FrameworkError as error:
            store.outage.begin(error)


async def look_once(store: Store, keys: QueueKeys, interval_ms: int) -> None:
    """Look at all parents of a queue, a page a call, if nobody has within the interval."""
    turn_ms: int | None = interval_ms
    skip, looked_at = 0, PAGE
    while looked_at == PAGE:
        page = await audit_flows(store, keys, longest_ms=interval_ms, skip=skip, turn_ms=turn_ms)
        looked_at, turn_ms = page.looked_at, None
        skip += page.looked_at - len(page.repaired)
        for job_id in page.repaired:
            log.warning(
                "parent goes on: its children had ended or were gone, and nobody had told it",
                job=job_id,
                queue=keys.queue,
            )
