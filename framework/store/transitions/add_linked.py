"""Put new jobs in line that hang on others, of any queue, many in one call."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from framework.errors import ParentNotFoundError, TransitionError
from framework.model.job import JobId
from framework.store.connection import Argument
from framework.store.lane import Lane
from framework.store.script import load_script
from framework.store.transitions.add import FIELD_BYTES, AddedJob, NewJob, stamp_of
from framework.wire.codes import error_for
from framework.wire.keys import QueueKeys

ADD_LINKED = load_script("add_linked")


class LinkedJob(NamedTuple):
    """A job with ties as it is about to be written.

    Attributes:
        keys: Its queue.
        new: What is written.
        job_id: Its id, or "" for a counted one.
        waits: Whether it is a parent whose children follow it.
    """

    keys: QueueKeys
    new: NewJob
    job_id: str = ""
    waits: bool = False

    @property
    def size(self) -> int:
        """How many bytes it takes, roughly."""
        link = self.new.options.link
        return self.new.size + FIELD_BYTES + (len(link.parent) if link else 0)


Answer = Sequence[AddedJob] | TransitionError


async def add_linked(
    lane: Lane,
    keys: QueueKeys,
    parcels: Sequence[Sequence[LinkedJob]],
    now_ms: int,
    *,
    seconds: float | None,
) -> list[Answer]:
    """Put parcels of jobs in line, each of them whole or not at all.

    Wire: -> waiting, prioritized, delayed or waiting-children; ``Q:de:<id>``,
    ``Q:dn:<id>``; a parent's ``:dependencies`` and ``:processed``; events ``added`` and
    ``waiting``, ``delayed`` or ``waiting-children``; ``duplicated``, ``deduplicated``,
    ``removed``.

    Args:
        lane: A second send of the same call adds nothing more.
        keys: The queue that remembers this call.
        parcels: At most 10,000 jobs in all; parents before their children.
        now_ms: Their timestamp, unless their options give another.
        seconds: How long to try.

    Returns:
        For each parcel where its jobs went, or why it was refused.

    Raises:
        RedisUnavailableError: No answer in time; the jobs may have been added.
        RedisRefusedError: Redis refused; none was added.
    """
    args: list[Argument] = [now_ms]
    for parcel in parcels:
        args.append(len(parcel))
        args += group_args(parcel, now_ms)
    script_keys = keys.pick(ADD_LINKED.keys, lane=keys.lane(lane.name))
    ids, there, refusals = await lane.call(ADD_LINKED, script_keys, args, seconds=seconds)
    codes = dict(zip(refusals[::2], refusals[1::2], strict=True))
    places = frozenset(there)
    answers: list[Answer] = []
    first = 1
    for parcel in parcels:
        after = first + len(parcel)
        refused = next((place for place in range(first, after) if place in codes), None)
        if refused is None:
            answers.append(
                [
                    AddedJob(
                        JobId(ids[place - 1].decode() or parcel[place - first].job_id),
                        place in places,
                        stamp_of(parcel[place - first].new, now_ms),
                    )
                    for place in range(first, after)
                ]
            )
        else:
            answers.append(refusal(parcel[refused - first], codes[refused]))
        first = after
    return answers


def refusal(job: LinkedJob, code: int) -> TransitionError:
    """Return the error of a parcel, which names the job that its parent refused."""
    error = error_for(code, job_id=job.job_id or f'"{job.new.name}"', queue=job.keys.queue)
    link = job.new.options.link
    if link is None:
        return error
    if isinstance(error, ParentNotFoundError):
        error.parent = link.parent_key
    else:
        error.add_note(f"its parent would be {link.parent_key}")
    return error


def group_args(jobs: Sequence[LinkedJob], now_ms: int) -> list[Argument]:
    """Return the arguments of groups: what neighbours have in common travels once."""
    args: list[Argument] = []
    first = 0
    while first < len(jobs):
        keys, new, _, waits = jobs[first]
        name, _, options = new
        link = options.link
        after = first + 1
        while after < len(jobs) and alike(jobs[first], jobs[after]):
            after += 1
        args += (
            after - first,
            keys.base,
            name,
            options.opts,
            stamp_of(new, now_ms),
            options.delay_ms,
            options.priority,
            1 if options.lifo else 0,
            1 if waits else 0,
            link.dedup if link else "",
            link.parent_key if link else "",
            link.parent if link else "",
        )
        for job in jobs[first:after]:
            args += (job.job_id, job.new.data)
        first = after
    return args


def alike(one: LinkedJob, other: LinkedJob) -> bool:
    """Tell whether two jobs differ in their id and data alone."""
    return (
        one.keys is other.keys
        and one.waits == other.waits
        and one.new.name == other.new.name
        and one.new.options is other.new.options
    )


def touched_by(jobs: Sequence[LinkedJob]) -> Iterator[str]:
    """Go through the queues of jobs, and of the parents that they name."""
    for job in jobs:
        yield job.keys.base
        link = job.new.options.link
        if link is not None and link.parent_key:
            yield f"{link.parent_key.rpartition(':')[0]}:"
