"""Jobs in each state, made through the transitions themselves, and what is to be seen of them."""

import re
from collections.abc import Sequence

from framework.model.job import JobId, JobState
from framework.model.options import JobOptions, KeepJobs
from framework.store import reads
from framework.store.store import Store
from framework.store.transitions.add import AddedJob, NewJob, add_jobs
from framework.store.transitions.add_linked import Answer, LinkedJob, add_linked
from framework.store.transitions.ending import Ending, completed, failed
from framework.store.transitions.exchange import Exchanged, Fetched, Taker, exchange
from framework.wire.keys import QueueKeys
from framework.wire.options import AddOptions, encode_options

# What every builder takes for "now": locks and limits live by the server's clock all the same.
NOW = 1_795_293_005_740
LOCK_MS = 30_000
KEEP_ALL = JobOptions(remove_on_complete=False, remove_on_fail=False)

# Every key that wire format 1.3 and 1.6 name, and those of ours below `meta:fw:`.
QUEUE_KEYS = {
    "wait", "paused", "active", "prioritized", "pc", "delayed", "completed", "failed",
    "waiting-children", "stalled", "stalled-check", "marker", "meta", "id", "events", "limiter",
    "repeat",
}  # fmt: skip
FORMS = (
    re.compile(r"meta:fw:(audit|schedules|calls:[0-9a-f]{32}|lane:[0-9a-z]+:\d+|fenced:[0-9a-z]+)"),
    re.compile(r"(de|dn):.+"),
    re.compile(r"repeat:.+"),
    re.compile(r"metrics:(completed|failed)(:data)?"),
    re.compile(r"[^:]+(:(lock|logs|chunks|dependencies|processed|failed|unsuccessful))?"),
)


def new_job(name: str = "echo", data: bytes = b'{"a":1}', **options: object) -> NewJob:
    """Word a job as a producer would, with BullMQ's retention: it is kept."""
    wanted = JobOptions(**{**KEEP_ALL, **options})  # type: ignore[typeddict-item]  # whatever a test asks for
    return NewJob(name, data, encode_options(wanted))


def raw_job(opts: bytes, *, name: str = "echo", data: bytes = b"{}") -> NewJob:
    """Word a job whose options are any text."""
    return NewJob(name, data, AddOptions(opts))


async def add(
    store: Store, keys: QueueKeys, *jobs: NewJob, now_ms: int = NOW
) -> Sequence[AddedJob]:
    """Add jobs in one call."""
    return await add_jobs(store.lane(), keys, jobs, now_ms, seconds=5)


async def add_tied(
    store: Store, keys: QueueKeys, *parcels: Sequence[LinkedJob], now_ms: int = NOW
) -> list[Answer]:
    """Add parcels of jobs with ties in one call."""
    return await add_linked(store.lane(), keys, parcels, now_ms, seconds=5)


def tied(
    keys: QueueKeys,
    name: str = "echo",
    data: bytes = b'{"a":1}',
    *,
    job_id: str = "",
    waits: bool = False,
    in_flow: bool = False,
    **options: object,
) -> LinkedJob:
    """Word a job with a parent, a deduplication or children."""
    wanted = JobOptions(**{**KEEP_ALL, **options})  # type: ignore[typeddict-item]  # whatever a test asks for
    worded = encode_options(wanted, prefix=keys.prefix, in_flow=in_flow)
    return LinkedJob(keys, NewJob(name, data, worded), job_id, waits)


async def trade(
    store: Store,
    keys: QueueKeys,
    *endings: Ending,
    want: int = 0,
    by: str = "worker:",
    now_ms: int = NOW,
    lock_ms: int = LOCK_MS,
    name: str = "",
    limit: tuple[int, int] | None = None,
    next_token: int | None = 0,
) -> Exchanged:
    """Make one exchange on a lane of its own.

    Args:
        by: The beginning of the tokens of what is taken.
        limit: The worker's own rate limit: how many in how many milliseconds.
    """
    most, window = limit or ("", "")
    taker = Taker(by, lock_ms, name, most, window)
    return await exchange(
        store.lane(),
        keys,
        endings,
        taker,
        want=want,
        next_token=next_token,
        now_ms=now_ms,
        seconds=5,
    )


async def waiting_job(store: Store, keys: QueueKeys, **options: object) -> JobId:
    """A job that waits."""
    added = await add(store, keys, new_job(**options))  # type: ignore[arg-type]  # options, not the name
    return added[0].id


async def active_job(
    store: Store, keys: QueueKeys, by: str = "worker:", lock_ms: int = LOCK_MS, **options: object
) -> Fetched:
    """A job that a worker holds; the line must be empty before."""
    await waiting_job(store, keys, **options)
    return (await trade(store, keys, want=1, by=by, lock_ms=lock_ms)).jobs[0]


async def active_jobs(store: Store, keys: QueueKeys, count: int) -> list[Fetched]:
    """Jobs that a worker holds."""
    await add(store, keys, *(new_job() for _ in range(count)))
    return (await trade(store, keys, want=count)).jobs


async def completed_job(store: Store, keys: QueueKeys, result: bytes = b"1") -> JobId:
    """A job that has completed."""
    job = await active_job(store, keys)
    await trade(store, keys, complete(job, result))
    return job.id


async def failed_job(store: Store, keys: QueueKeys, reason: str = "boom") -> JobId:
    """A job that has failed for good."""
    job = await active_job(store, keys)
    await trade(store, keys, fail(job, reason))
    return job.id


def complete(job: Fetched, result: bytes = b"1") -> Ending:
    """The ending of a run that returned."""
    return completed(job.id, job.token, result, keep(), was_new=job.is_new)


def fail(job: Fetched, reason: str = "boom", *, attempts: int = 1) -> Ending:
    """The ending of a run that failed for good."""
    return failed(job.id, job.token, reason, b'["trace"]', attempts, keep())


def keep(count: int | None = None) -> KeepJobs:
    """A retention."""
    return KeepJobs(count=count)


async def state_of(store: Store, keys: QueueKeys, job_id: str) -> JobState:
    """Tell where a job stands."""
    return await reads.job_state(store, keys, JobId(job_id))


async def hash_of(store: Store, keys: QueueKeys, job_id: str) -> dict[str, str]:
    """Read a job's hash as text."""
    fields = await reads.read_job(store, keys, JobId(job_id))
    return {name.decode(): value.decode() for name, value in fields.items()}


async def entries_of(store: Store, keys: QueueKeys) -> list[dict[str, str]]:
    """Read the whole event stream, each entry's fields in their order."""
    found = await store.command("XRANGE", keys["events"], "-", "+")
    return [
        {name.decode(): value.decode() for name, value in fields.items()} for _, fields in found
    ]


async def events_of(store: Store, keys: QueueKeys, job_id: str | None = None) -> list[str]:
    """List the names of all events, or of one job's."""
    entries = await entries_of(store, keys)
    return [one["event"] for one in entries if job_id is None or one.get("jobId") == job_id]


async def list_of(store: Store, keys: QueueKeys, name: str) -> list[str]:
    """Read a list from its head to its tail."""
    return [one.decode() for one in await store.command("LRANGE", keys[name], 0, -1)]


async def scores_of(store: Store, keys: QueueKeys, name: str) -> dict[str, float]:
    """Read a sorted set by rising score."""
    found = await store.command("ZRANGE", keys[name], 0, -1, "WITHSCORES")
    return {found[n].decode(): float(found[n + 1]) for n in range(0, len(found), 2)}


async def dump_of(store: Store, keys: QueueKeys) -> dict[str, object]:
    """Read all that a queue holds, but for what only remembers a lane's last answer."""
    shown: dict[str, object] = {}
    for key in sorted(await store.command("KEYS", f"{keys.base}*")):
        if b":meta:fw:lane:" not in key:
            shown[key.decode()] = await store.command("DUMP", key)
    return shown


async def unknown_keys(store: Store, prefix: str) -> list[str]:
    """List the keys under a prefix that neither the wire format names nor we have listed."""
    found = [key.decode() for key in await store.command("KEYS", f"{prefix}:*")]
    return [key for key in found if not is_known(key)]


def is_known(key: str) -> bool:
    """Tell whether the wire format names such a key."""
    _prefix, _queue, suffix = key.split(":", 2)
    return suffix in QUEUE_KEYS or any(form.fullmatch(suffix) for form in FORMS)
