"""The dictionaries of options, for type checkers; each key has a snake_case spelling too."""

from collections.abc import Mapping
from typing import Any, TypedDict

ConnectionOptions = Any
"""A URL, a dictionary of redis-py's keywords, or a client of redis-py's."""


class BackoffOptions(TypedDict, total=False):
    """How long to wait before a retry: ``fixed``, ``exponential`` or a name of one's own."""

    type: str
    delay: int
    jitter: float


class KeepJobs(TypedDict, total=False):
    """How many finished jobs to keep, and for how many seconds."""

    age: int
    count: int
    limit: int


class DeduplicationOptions(TypedDict, total=False):
    """What must not be there twice."""

    id: str
    ttl: int
    extend: bool
    replace: bool
    keepLastIfActive: bool


class JobOptions(TypedDict, total=False):
    """What a job is added with."""

    attempts: int
    backoff: int | BackoffOptions
    continueParentOnFailure: bool
    deduplication: DeduplicationOptions
    delay: int
    failParentOnFailure: bool
    ignoreDependencyOnFailure: bool
    jobId: str
    keepLogs: int
    lifo: bool
    parent: Mapping[str, str]
    priority: int
    removeDependencyOnFailure: bool
    removeOnComplete: bool | int | KeepJobs
    removeOnFail: bool | int | KeepJobs
    sizeLimit: int
    stackTraceLimit: int
    timestamp: int


class QueueBaseOptions(TypedDict, total=False):
    """What a queue or a flow producer is made with."""

    connection: ConnectionOptions
    prefix: str
    defaultJobOptions: JobOptions


class WorkerOptions(TypedDict, total=False):
    """What a worker is made with."""

    autorun: bool
    concurrency: int
    connection: ConnectionOptions
    limiter: Mapping[str, int]
    lockDuration: int
    maxStalledCount: int
    maxStartedAttempts: int
    metrics: Mapping[str, int]
    name: str
    prefix: str
    removeOnComplete: bool | int | KeepJobs
    removeOnFail: bool | int | KeepJobs
    settings: Mapping[str, Any]
    stalledInterval: int


class QueueEventsOptions(TypedDict, total=False):
    """What a `QueueEvents` is made with."""

    autorun: bool
    connection: ConnectionOptions
    lastEventId: str
    prefix: str


class QueueEventsProducerOptions(TypedDict, total=False):
    """What a `QueueEventsProducer` is made with."""

    connection: ConnectionOptions
    prefix: str


class PromoteJobsOptions(TypedDict, total=False):
    """What `Queue.promoteJobs` is asked."""

    count: int


class RetryJobsOptions(TypedDict, total=False):
    """What `Queue.retryJobs` is asked."""

    state: str
    count: int
    timestamp: int


class RepeatOptions(TypedDict, total=False):
    """How a scheduler repeats."""

    pattern: str
    every: int
    limit: int
    startDate: int | float | str
    endDate: int | float | str
    tz: str
    offset: int
    immediately: bool


class JobSchedulerTemplateJson(TypedDict, total=False):
    """What the jobs of a scheduler are added with."""

    data: object
    opts: dict[str, Any]


class JobSchedulerJson(TypedDict, total=False):
    """A scheduler as it stands."""

    key: str
    name: str
    next: int | None
    iterationCount: int
    limit: int
    startDate: int
    endDate: int
    tz: str
    pattern: str
    every: int
    offset: int
    template: JobSchedulerTemplateJson
