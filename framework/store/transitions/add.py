"""Put new jobs in line, many in one call."""

from collections.abc import Sequence
from typing import NamedTuple

from framework.model.job import JobId
from framework.store.connection import Argument
from framework.store.lane import Lane
from framework.store.script import load_script
from framework.wire.keys import QueueKeys
from framework.wire.options import AddOptions

ADD = load_script("add")
MOST_JOBS = 1000
MOST_BYTES = 1024 * 1024
FIELD_BYTES = 100


class NewJob(NamedTuple):
    """A job as it is about to be written."""

    name: str
    data: bytes
    options: AddOptions

    @property
    def size(self) -> int:
        """How many bytes it takes, roughly."""
        return len(self.data) + len(self.options.opts) + FIELD_BYTES


class AddedJob(NamedTuple):
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
    args: list[Argument] = [len(jobs), *group_args(jobs, now_ms)]
    script_keys = keys.pick(ADD.keys, lane=keys.lane(lane.name))
    first, places = await lane.call(ADD, script_keys, args, seconds=seconds)
    there = {place - 1 for place in places}
    return [
        AddedJob(
            JobId(job.options.job_id or str(first + place + 1)),
            place in there,
            stamp_of(job, now_ms),
        )
        for place, job in enumerate(jobs)
    ]


def group_args(jobs: Sequence[NewJob], now_ms: int) -> list[Argument]:
    """Return the arguments of groups: what neighbours have in common travels once."""
    args: list[Argument] = []
    first = 0
    while first < len(jobs):
        name, _, options = jobs[first]
        after = first + 1
        if not options.job_id:
            while after < len(jobs) and jobs[after][2] is options and jobs[after][0] == name:
                after += 1
        args += (
            after - first,
            options.job_id,
            name,
            options.opts,
            stamp_of(jobs[first], now_ms),
            options.delay_ms,
            options.priority,
            1 if options.lifo else 0,
        )
        args += [job[1] for job in jobs[first:after]]
        first = after
    return args


def stamp_of(job: NewJob, now_ms: int) -> int:
    """Return the time of creation that is written."""
    given = job.options.timestamp_ms
    return now_ms if given is None else given
