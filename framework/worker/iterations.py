"""A run of a schedule has begun: see that the next one is in line, and whether it may run."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import anyio
import structlog

from framework.errors import RedisUnavailableError, ScheduleError
from framework.model.job import JobId
from framework.store.store import Store
from framework.store.transitions.schedulers import add_next_run, claim_run
from framework.wire.job_hash import Fields, text
from framework.wire.keys import QueueKeys
from framework.wire.scheduler_plan import OVERLAP

log = structlog.get_logger("framework.worker")

T = TypeVar("T")

# Looked for in the text of the options, so that a run without it costs nothing.
SKIPS = f'"{OVERLAP}":"skip"'.encode()
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0


async def begin_run(store: Store, keys: QueueKeys, job_id: JobId, fields: Fields) -> bool:
    """Put the next run in line, however long Redis is away; tell whether this one may run.

    A run that went on without it would be the last one. One whose options cannot be read is told
    of, and goes on. A worker that stops cancels this, and gives the job back.
    """
    try:
        await insist(store, partial(add_next_run, store, keys, job_id, fields))
    except (ScheduleError, ValueError, TypeError) as error:
        log.error(  # noqa: TRY400 - the text says all; where it was found says nothing
            "schedule ends here, its next run cannot be told",
            scheduler=text(fields, b"rjk"),
            queue=keys.queue,
            error=str(error),
        )
    if SKIPS not in fields.get(b"opts", b""):
        return True
    may_run = await insist(store, partial(claim_run, store, keys, text(fields, b"rjk"), job_id))
    if not may_run:
        log.info("run left out, the one before has not finished", job=job_id, queue=keys.queue)
    return may_run


async def insist(store: Store, call: Callable[[], Awaitable[T]]) -> T:
    """Make a call until Redis answers it."""
    wait = FIRST_WAIT
    while True:
        try:
            return await call()
        except RedisUnavailableError as error:
            store.outage.begin(error)
            await anyio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
