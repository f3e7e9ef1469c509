"""Put new jobs in line, many in one call."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, overload

from framework.model.job import JobId
from framework.store.connection import word
from framework.store.lane import Lane, Numbered, head_of
from framework.store.script import load_script
from framework.wire.keys import QueueKeys
from framework.wire.options import AddOptions

ADD = load_script("add")
MOST_JOBS = 1000
MOST_BYTES = 1024 * 1024
FIELD_BYTES = 100
WORD = b"$%d\r\n%b\r\n"
# One job in all, in one group: by far the most calls.
ONE_JOB = 2 * word(b"1") + b"%b" + WORD + b"%b" + WORD


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


class Call(NamedTuple):
    """What one call told of jobs that were asked for together.

    Attributes:
        start: The place of the first of them.
        counted: The id counter before the first of them.
        there: The places of those that were there already.
        now_ms: Their timestamp, unless their options give another.
    """

    start: int
    counted: int
    there: frozenset[int]
    now_ms: int

    def added(self, job: NewJob, place: int) -> AddedJob:
        """Return where the job at a place went."""
        start, counted, there, now_ms = self
        options = job[2]
        job_id = options.job_id or str(counted + place - start + 1)
        stamp = now_ms if options.timestamp_ms is None else options.timestamp_ms
        return AddedJob(JobId(job_id), place in there, stamp)

    def part(self, start: int, stop: int) -> "Call":
        """Return what it told of the jobs from ``start`` to before ``stop``."""
        there = self.there
        if there:
            there = frozenset(place - start for place in there if start <= place < stop)
        return Call(0, self.counted + start, there, self.now_ms)


class AddedJobs(Sequence[AddedJob]):
    """Where jobs went, each worded only when it is looked at: few callers look at all.

    Args:
        jobs: What was asked for.
        calls: By which calls, in order.
    """

    __slots__ = ("_calls", "_jobs")

    def __init__(self, jobs: Sequence[NewJob], calls: Sequence[Call]) -> None:
        self._jobs = jobs
        self._calls = calls

    def __len__(self) -> int:
        return len(self._jobs)

    @overload
    def __getitem__(self, place: int) -> AddedJob: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[AddedJob]: ...
    def __getitem__(self, place: int | slice) -> AddedJob | Sequence[AddedJob]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        call = self._calls[bisect_right(self._calls, place, key=START) - 1]
        return call.added(self._jobs[place], place)


NONE: frozenset[int] = frozenset()
START = attrgetter("start")


async def add_jobs(
    lane: Lane, keys: QueueKeys, jobs: Sequence[NewJob], now_ms: int, *, seconds: float | None
) -> AddedJobs:
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
    reply = await lane.insist(add_call(lane, keys, jobs, now_ms), seconds=seconds)
    return AddedJobs(jobs, [call_of(reply, now_ms)])


def add_call(lane: Lane, keys: QueueKeys, jobs: Sequence[NewJob], now_ms: int) -> Numbered:
    """Return the call that puts jobs in line; see `add_jobs`."""
    head = lane.heads.get(keys)
    if head is None:
        head = head_of(ADD, keys.pick(ADD.keys, lane=keys.lane(lane.name)))
        lane.heads[keys] = head
    return lane.number_words(head, *words_of(jobs, now_ms))


def call_of(reply: Any, now_ms: int) -> Call:  # noqa: ANN401 - replies have any shape
    """Read what such a call was answered."""
    counted, places = (reply, ()) if isinstance(reply, int) else reply
    return Call(0, counted, frozenset(place - 1 for place in places) if places else NONE, now_ms)


def words_of(jobs: Sequence[NewJob], now_ms: int) -> tuple[int, bytes]:
    """Return how many arguments the jobs make, and all of them as they go over the wire.

    They are in groups: what neighbours have in common travels once.
    """
    if len(jobs) == 1:
        name, data, options = jobs[0]
        before, after = shared_words(name, options)
        stamp = b"%d" % (now_ms if options.timestamp_ms is None else options.timestamp_ms)
        return 10, ONE_JOB % (before, len(stamp), stamp, after, len(data), data)
    return words_of_many(jobs, now_ms)


def words_of_many(jobs: Sequence[NewJob], now_ms: int) -> tuple[int, bytes]:
    """As `words_of`."""
    count, first = 1, 0
    words: list[bytes] = [word(b"%d" % len(jobs))]
    while first < len(jobs):
        name, _, options = jobs[first]
        after = first + 1
        if not options.job_id:
            while after < len(jobs) and jobs[after][2] is options and jobs[after][0] == name:
                after += 1
        shared, rest = shared_words(name, options)
        stamp = b"%d" % stamp_of(jobs[first], now_ms)
        words += (word(b"%d" % (after - first)), shared, word(stamp), rest)
        words += [WORD % (len(job[1]), job[1]) for job in jobs[first:after]]
        count += 8 + after - first
        first = after
    return count, b"".join(words)


@lru_cache(maxsize=512)
def shared_words(name: str, options: AddOptions) -> tuple[bytes, bytes]:
    """Return what goes before and what goes after the timestamp of a group of jobs."""
    before = (options.job_id.encode(), name.encode(), options.opts)
    after = (options.delay_ms, options.priority, 1 if options.lifo else 0)
    return b"".join(map(word, before)), b"".join(word(b"%d" % number) for number in after)


def stamp_of(job: NewJob, now_ms: int) -> int:
    """Return the time of creation that is written."""
    given = job.options.timestamp_ms
    return now_ms if given is None else given
