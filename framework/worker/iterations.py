"""A run of a schedule has begun: see that the next one is in line before it goes on."""

import anyio
import structlog

from framework.errors import RedisUnavailableError, ScheduleError
from framework.model.job import JobId
from framework.store.store import Store
from framework.store.transitions.schedulers import add_next_run
from framework.wire.job_hash import Fields, text
from framework.wire.keys import QueueKeys

log = structlog.get_logger("framework.worker")

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0


async def continue_schedule(store: Store, keys: QueueKeys, job_id: JobId, fields: Fields) -> None:
    """Put the next run in line, however long Redis is away; a run may be cancelled meanwhile.

    A run that went on without it would be the last one. One that cannot be read is told of, and
    goes on.
    """
    wait = FIRST_WAIT
    while True:
        try:
            await add_next_run(store, keys, job_id, fields)
        except (ScheduleError, ValueError, TypeError) as error:
            log.error(  # noqa: TRY400 - the text says all; where it was found says nothing
                "schedule ends here, its next run cannot be told",
                scheduler=text(fields, b"rjk"),
                queue=keys.queue,
                error=str(error),
            )
        except RedisUnavailableError as error:
            store.outage.begin(error)
            await anyio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
            continue
        return
