"""Put new jobs in line, many in one call."""

from collections.abc import Sequence
from dataclasses import dataclass

from framework.model.job import JobId
from framework.store.connection import Argument
from framework.store.lane import Lane
from framework.store.script import load_script
from framework.wire.keys import QueueKeys
from framework.wire.options import AddOptions

ADD = load_script("add")
MOST_JOBS = 1000
MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as it is about to be written."""

    name: str
    data: bytes
    options: AddOptions

    @property
    def size(self) -> int:
        """How many bytes it takes, roughly."""
        return len(self.data) + len(self.options.opts) + 100


@dataclass(frozen=True, slots=True)
class AddedJob:
    """Where a job went.

    Attributes:
        id: Its id.
        is_duplicate: Whether a job of its custom id was there already: nothing changed.
        timestamp_ms: When it was created, as written.
    """

    id: JobId
    is_duplicate: bool
    timestamp_ms: int


async def add_jobs(
    lane: Lane, keys: QueueKeys, jobs: Sequence[NewJob], now_ms: int, *, seconds: float | None
) -> list[AddedJob]:
    """Put jobs in line, all of them or, where Redis refuses the call, none.

    Wire: -> waiting, prioritized or delayed; events ``added`` and ``waiting`` or
    ``delayed``, or ``duplicated`` for a custom id that is there.

    Args:
        lane: A second send of the same call adds nothing more.
        jobs: At most 1,000.
        now_ms: Their timestamp, unless their options give another.
        seconds: How long to try.

    Raises:
        RedisUnavailableError: No answer in time; the jobs may have been added.
        RedisRefusedError: Redis refused; none was added.
    """
    args: list[Argument] = [now_ms]
    stamps: list[int] = []
    for job in jobs:
        options = job.options
        stamp = now_ms if options.timestamp_ms is None else options.timestamp_ms
        stamps.append(stamp)
        args += (
            options.job_id,
            job.name,
            job.data,
            options.opts,
            stamp,
            options.delay_ms,
            options.priority,
            1 if options.lifo else 0,
        )
    reply = await lane.call(
        ADD, keys.pick(ADD.keys, lane=keys.lane(lane.name)), args, seconds=seconds
    )
    ids, places = reply
    there = {int(place) - 1 for place in places}
    return [
        AddedJob(JobId(job_id.decode()), place in there, stamps[place])
        for place, job_id in enumerate(ids)
    ]
