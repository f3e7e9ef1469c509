"""What a `Worker` is asked for, and what the engine calls it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from framework import Job as Record
from framework import Limiter, OptionsError
from framework_bullmq.job import Job
from framework_bullmq.job_options import keep_of
from framework_bullmq.millis import span_of
from framework_bullmq.queue import Queue
from framework_bullmq.spelling import read_options

OPTIONS = frozenset({
    "autorun", "concurrency", "connection", "limiter", "lockDuration", "maxStalledCount",
    "maxStartedAttempts", "metrics", "name", "prefix", "removeOnComplete", "removeOnFail",
    "settings", "skipVersionCheck", "stalledInterval",
})  # fmt: skip
IDLE = "an idle worker is woken by the job itself"
REFUSED = {
    "blockingConnection": "one reader of the engine waits for all queues",
    "drainDelay": IDLE,
    "id": "the engine makes one",
    "lockRenewTime": "a thread of the engine renews each lock several times while it lasts; "
    "lockDuration says how long that is",
    "maximumRateLimitDelay": IDLE,
    "runRetryDelay": "the engine tries again by itself when Redis is away",
    "skipLockRenewal": "a lock that is not renewed gives the job to another worker",
    "skipStalledCheck": "who else would bring back the jobs of a dead worker",
    "skipWaitingForReady": "it is no longer of use in BullMQ either: leave it out",
    "telemetry": "it is an interface of BullMQ's own; hear events in its place",
    "useWorkerThreads": "a processor runs in the loop; for threads and processes, declare it with "
    "framework.processor(run_in=...)",
}
DEFAULTS: Mapping[str, Any] = {
    "autorun": True,
    "concurrency": 1,
    "lockDuration": 30_000,
    "maxStalledCount": 1,
    "stalledInterval": 30_000,
}
# The attempt's number, the backoff's type, the error, the job -> milliseconds; below 0: no retry.
BackoffStrategy = Callable[[int, str, BaseException, Job], int]


def read_worker_options(given: object) -> dict[str, Any]:
    """Return a worker's options, those that it is not told as they usually are.

    Raises:
        OptionsError: One that there is not, that is refused, or out of its range.
    """
    options = {**DEFAULTS, **read_options("Worker", given, OPTIONS, REFUSED)}
    for name, least in (("concurrency", 1), ("maxStalledCount", 0)):
        number = options[name]
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            raise OptionsError(name, f"it is a whole number, at least {least}, got {number!r}")
    return options


def engine_keywords(options: Mapping[str, Any], queue: Queue) -> dict[str, Any]:
    """Return the keywords of the engine's ``processor``."""
    keywords: dict[str, Any] = {
        "concurrency": options["concurrency"],
        "lock_duration": span_of("lockDuration", options["lockDuration"]),
        "stalled_interval": span_of("stalledInterval", options["stalledInterval"]),
        "max_stalled_count": options["maxStalledCount"],
        "max_started_attempts": options.get("maxStartedAttempts"),
    }
    for name, word in (
        ("removeOnComplete", "remove_on_complete"),
        ("removeOnFail", "remove_on_fail"),
    ):
        if name in options:
            keywords[word] = keep_of(name)(options[name])
    if "limiter" in options:
        limiter = read_options("limiter", options["limiter"], frozenset({"max", "duration"}))
        duration = span_of("limiter", limiter.get("duration"))
        keywords["limiter"] = Limiter(limiter.get("max", 0), duration)
    if "metrics" in options:
        metrics = read_options("metrics", options["metrics"], frozenset({"maxDataPoints"}))
        keywords["metrics"] = timedelta(minutes=metrics.get("maxDataPoints", 0))
    settings = read_options("settings", options.get("settings"), frozenset({"backoffStrategy"}))
    if "backoffStrategy" in settings:
        keywords["backoffs"] = AnyBackoff(settings["backoffStrategy"], queue)
    return keywords


class AnyBackoff(Mapping[str, Callable[..., timedelta | None]]):
    """One strategy for whatever type of backoff a job names.

    Args:
        strategy: BullMQ's: ``(attemptsMade, type, error, job)`` -> milliseconds.
        queue: The jobs'.
    """

    def __init__(self, strategy: BackoffStrategy, queue: Queue) -> None:
        self._strategy = strategy
        self._queue = queue

    def __getitem__(self, name: str) -> Callable[..., timedelta | None]:
        """Return what the engine asks for a type."""
        return partial(self._ask, name)

    def __contains__(self, name: object) -> bool:
        """Say that every type is known."""
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        """Name none: there is no end of them."""
        return iter(())

    def __len__(self) -> int:
        """Count those that are named."""
        return 0

    def _ask(
        self, name: str, attempt: int, error: BaseException, record: Record[Any, Any]
    ) -> timedelta | None:
        wait = self._strategy(attempt, name, error, Job.of_record(self._queue, record))
        return None if wait < 0 else span_of("backoffStrategy", wait)
