"""Finish many jobs and fetch many, in one call: the hot path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import structlog

from framework.model.job import JobId, Token
from framework.model.options import KeepJobs
from framework.store.connection import Argument
from framework.store.script import Script, load_script
from framework.store.transitions.ending import Ending
from framework.wire.codes import BROKEN, CANCELLED
from framework.wire.job_hash import number
from framework.wire.keys import QueueKeys
from framework.wire.millis import to_ms

log = structlog.get_logger("framework.store")

EXCHANGE = load_script("exchange")
MOST_ENDINGS = 250
MOST_WANTED = 250
MOST_BYTES = 4 * 1024 * 1024
COMPLETIONS = (b"c", b"n")
# Of a call after which all was done, and that took as many jobs as it wanted.
SHORT_REPLY = 2


class Fetched(NamedTuple):
    """A job that this worker now holds.

    Attributes:
        is_new: Whether its hash had what every job has, and nothing else.
    """

    id: JobId
    token: Token
    fields: dict[bytes, bytes]
    is_new: bool = False


class Exchanged(NamedTuple):
    """What one call came back with.

    Attributes:
        codes: One for each ending: 0, or why it was refused. -20: its keys are odd; -22: its job
            was cancelled.
        jobs: What was fetched, locked and ready to run.
        limited_ms: How long no job may be taken because of a rate limit, or 0.
        next_due_ms: When the first delayed job is due, or 0.
        is_blocked: Whether the queue is paused or at its global concurrency.
        is_drained: Whether this call ended jobs and left nothing to do.
        cancelled: Of endings refused with -22, by their place: the reason to fail with.
    """

    codes: list[int]
    jobs: list[Fetched]
    limited_ms: int
    next_due_ms: int
    is_blocked: bool
    is_drained: bool
    cancelled: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Taker:
    """For whom jobs are taken.

    Attributes:
        token: The beginning of every token: ``<worker uuid>:``.
        name: Written as ``processedBy``; "" writes nothing.
        lock_ms: How long a lock holds unless renewed.
        limit_max: The worker's own rate limit, or "".
        limit_ms: Its window, or "".
        metrics: For how many minutes to keep how many jobs ended; 0: do not count.
    """

    token: str
    lock_ms: int
    name: str = ""
    limit_max: int | str = ""
    limit_ms: int | str = ""
    metrics: int = 0

    def fence(self, keys: QueueKeys) -> str:
        """Return the key that keeps it from taking jobs of a queue."""
        return keys.fenced(self.token.rpartition(":")[0] or self.token)


class Caller(Protocol):
    """What may send a call twice: a `Lane`, or a `SingleCall`."""

    name: str

    async def call(
        self,
        script: Script,
        keys: Sequence[str],
        args: Sequence[Argument],
        *,
        seconds: float | None,
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Run a script whose first two arguments are ``sequence`` and ``lane_ms``."""


async def exchange(
    lane: Caller,
    keys: QueueKeys,
    endings: Sequence[Ending],
    taker: Taker,
    *,
    want: int,
    next_token: int | None,
    now_ms: int,
    seconds: float | None = None,
) -> Exchanged:
    """Deliver endings, each decided alone, and take at most ``want`` jobs.

    Wire: as the functions that make endings say; taken jobs: waiting, prioritized ->
    active. Due delayed jobs are promoted first.

    Args:
        endings: At most 250.
        want: At most 250; 0 takes none.
        next_token: The first number for the tokens of what is taken; None: the taker's
            token is that of the one job wanted.
        seconds: How long to try; None: until Redis answers.

    Raises:
        RedisUnavailableError: No answer within ``seconds``.
    """
    script_keys = exchange_keys(lane.name, keys, taker)
    args = exchange_args(endings, taker, want=want, next_token=next_token, now_ms=now_ms)
    reply = await lane.call(EXCHANGE, script_keys, args, seconds=seconds)
    return exchanged(reply, endings, keys, taker, next_token=next_token, now_ms=now_ms)


def exchange_keys(lane: str, keys: QueueKeys, taker: Taker) -> list[str]:
    """Return the keys of a call; they are the same for all calls of a worker on one lane."""
    return keys.pick(EXCHANGE.keys, lane=keys.lane(lane), fenced=taker.fence(keys))


def exchange_args(
    endings: Sequence[Ending], taker: Taker, *, want: int, next_token: int | None, now_ms: int
) -> list[Argument]:
    """Return the arguments of a call, without those of its lane. Args: as `exchange`."""
    return [
        now_ms,
        taker.lock_ms,
        taker.token,
        "" if next_token is None else next_token,
        taker.name,
        want,
        MOST_BYTES,
        taker.limit_max,
        taker.limit_ms,
        taker.metrics,
        *records_of(endings),
    ]


def exchanged(
    reply: Sequence[Any],
    endings: Sequence[Ending],
    keys: QueueKeys,
    taker: Taker,
    *,
    next_token: int | None,
    now_ms: int,
) -> Exchanged:
    """Return what a reply says. Args: as the call had them."""
    if len(reply) == SHORT_REPLY:
        reply = ([], *reply, 0, 0, 0, 0, 0)
    codes, ids, fields, limited_ms, due_ms, blocked, drained, was_served = reply
    jobs: list[Fetched] = []
    if ids:
        started = {} if was_served else started_fields(taker, now_ms)
        jobs = [
            Fetched(
                JobId(job_id.decode()),
                Token(taker.token if next_token is None else f"{taker.token}{next_token + place}"),
                fields_of(flat, started),
                len(flat) % 2 == 1,
            )
            for place, (job_id, flat) in enumerate(zip(ids, fields, strict=True))
            if is_text(job_id)
        ]
    codes = codes or [0] * len(endings)
    cancelled: dict[int, bytes] = {}
    if any(codes):
        cancelled = {place: code[1] for place, code in enumerate(codes) if isinstance(code, list)}
        codes = [
            broken(ending, code, keys.queue)
            if isinstance(code, bytes)
            else (CANCELLED if place in cancelled else code)
            for place, (ending, code) in enumerate(zip(endings, codes, strict=True))
        ]
    return Exchanged(codes, jobs, limited_ms, int(due_ms), bool(blocked), bool(drained), cancelled)


def records_of(endings: Sequence[Ending]) -> list[Argument]:
    """Return the records of endings: completions that are kept alike travel together."""
    records: list[Argument] = []
    last: KeepJobs | None = None
    last_kind, kept, count_at, count = b"", "", -1, 0
    for kind, job_id, token, rest, keep in endings:
        is_other_keep = keep is not None and keep is not last
        if is_other_keep:  # to look it up costs more than the rest
            last, kept = keep, keep_text(keep)
        if kind not in COMPLETIONS:
            count_at = -1
            records += (kind, job_id, token, *rest)
            if keep is not None:
                records.append(kept)
        elif is_other_keep or kind != last_kind or count_at < 0:
            records += (kind, kept, 1, job_id, token, rest[0])
            last_kind, count_at, count = kind, len(records) - 4, 1
        else:
            count += 1
            records[count_at] = count
            records += (job_id, token, rest[0])
    return records


def started_fields(taker: Taker, now_ms: int) -> dict[bytes, bytes]:
    """Return what the script has written to each job that it took, had none started before."""
    written = {b"processedOn": b"%d" % now_ms, b"ats": b"1"}
    return written | {b"pb": taker.name.encode()} if taker.name else written


def fields_of(flat: Sequence[bytes], started: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return a job's hash as it stands now, from what it was before the call.

    Args:
        flat: Names and values by turns, or the values alone of what every job has, but for the
            priority: it is 0.
        started: From `started_fields`; empty: the hash was read after the call.
    """
    if len(flat) % 2:  # to pair names and values takes three times as long
        name, data, opts, timestamp, delay = flat
        return {
            b"name": name,
            b"data": data,
            b"opts": opts,
            b"timestamp": timestamp,
            b"delay": delay,
            b"priority": b"0",
            **started,
        }
    by_turns = iter(flat)
    fields = dict(zip(by_turns, by_turns, strict=True))
    if started:
        times = number(fields, b"ats") + 1
        fields.update(started)
        fields[b"ats"] = b"%d" % times
    return fields


def broken(ending: Ending, error: bytes, queue: str) -> int:
    """Tell of an ending that raised in the script, and return its code."""
    log.error(
        "a job's outcome cannot be recorded: some key is not what it should be",
        job=ending.job_id,
        queue=queue,
        error=error.decode(errors="replace"),
    )
    return BROKEN


def is_text(job_id: bytes) -> bool:
    """Tell whether an id can be read; one that cannot is left to the stalled check."""
    readable = job_id.isascii() or job_id.decode(errors="ignore").encode() == job_id
    if not readable:
        log.error("a job's id is no UTF-8 text; remove it from the queue by hand", id=repr(job_id))
    return readable


@lru_cache(maxsize=256)
def keep_text(keep: KeepJobs) -> str:
    """Return how to keep jobs as the script takes it."""
    if keep.count == 0:
        return ""
    if keep.count is None and keep.age is None:
        return "all"
    return " ".join(map(str, keep_args(keep)))


@lru_cache(maxsize=256)
def keep_args(keep: KeepJobs) -> tuple[int, int, int, int]:
    """Return count, age_ms, limit and young_ms; -1 stands for no limit."""
    return (
        -1 if keep.count is None else keep.count,
        -1 if keep.age is None else to_ms(keep.age),
        keep.limit or 1000,
        0 if keep.at_least is None else to_ms(keep.at_least),
    )
