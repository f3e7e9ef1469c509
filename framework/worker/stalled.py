"""Look for jobs whose worker vanished, now and every interval."""

from collections.abc import Callable

import anyio
import structlog
from anyio.abc import TaskGroup

from framework.errors import FrameworkError
from framework.model.events import Stalled
from framework.store.store import Store
from framework.store.transitions.stalled import recover_stalled
from framework.wire.keys import QueueKeys
from framework.worker.hooks import Hooks

log = structlog.get_logger("framework.worker")


async def watch_for_stalled(
    store: Store,
    keys: QueueKeys,
    interval_ms: int,
    max_stalled: int | None,
    hooks: Hooks,
    tasks: TaskGroup,
    on_found: Callable[[], None],
) -> None:
    """Bring stalled jobs back until cancelled. One check an interval and queue is made.

    Args:
        max_stalled: How often a job may stall before it is to fail; None: always.
        tasks: Where hooks run, so that none holds up the next check.
        on_found: Called when jobs are back in line: the marker that says so may wake the one that
            vanished, whose connection is still there.
    """
    while True:
        try:
            ids = await recover_stalled(
                store,
                keys,
                now_ms=store.clock.now_ms(),
                interval_ms=interval_ms,
                max_stalled=max_stalled,
            )
        except FrameworkError as error:
            store.outage.begin(error)
            ids = []
        if ids:
            on_found()
        for job_id in ids:
            log.warning(
                "job stalled: its worker vanished; it is back in line", job=job_id, queue=keys.queue
            )
            hooks.start(tasks, "stalled", Stalled(job_id, keys.queue))
        await anyio.sleep(interval_ms / 1000)
