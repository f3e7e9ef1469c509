"""What BullMQ's package has in public and this one has not, each with the reason."""

from collections.abc import Mapping
from typing import Any

from framework import FrameworkError
from framework_bullmq.spelling import camel

ENGINE = "the engine's own workers do it"
WORDED = "the engine words a tree by itself; add it with FlowProducer.add or addBulk"
CONNECTIONS = "the application behind it has the connections; open one of redis-py's for yourself"

REFUSED: Mapping[str, str] = {
    "FlowProducer.addChildren": WORDED,
    "FlowProducer.addNode": WORDED,
    "FlowProducer.addNodes": WORDED,
    "FlowProducer.backend": CONNECTIONS,
    "FlowProducer.disconnect": "nothing is cut off half way; await close()",
    "FlowProducer.queueFromNode": WORDED,
    "Job.backend": CONNECTIONS,
    "JobScheduler.backend": CONNECTIONS,
    "JobScheduler.repeat_strategy": "the engine decides when a run is due, for all workers alike",
    "Job.updateStacktrace": "a stack trace is written when its attempt fails",
    "Queue.backend": CONNECTIONS,
    "Queue.client": CONNECTIONS,
    "Queue.redisConnection": CONNECTIONS,
    "Queue.removeDeprecatedPriorityKey": "it mends queues of BullMQ 3, whose format is not read",
    "Queue.scripts": "the engine's scripts are private, and others than BullMQ's",
    "QueueEvents.client": CONNECTIONS,
    "QueueEvents.redisConnection": CONNECTIONS,
    "QueueEventsProducer.client": CONNECTIONS,
    "QueueEventsProducer.redisConnection": CONNECTIONS,
    "Worker.backend": CONNECTIONS,
    "Worker.bclient": CONNECTIONS,
    "Worker.blockUntil": ENGINE,
    "Worker.blockingRedisConnection": CONNECTIONS,
    "Worker.cancelProcessing": "await close(force=True): it gives running jobs back at once",
    "Worker.client": CONNECTIONS,
    "Worker.clientName": "the connection that dashboards see is named as BullMQ on Node names it",
    "Worker.drained": "hear the event drained",
    "Worker.extendLocks": "a thread of the engine renews all locks, without being asked",
    "Worker.forceClosing": ENGINE,
    "Worker.getBlockTimeout": ENGINE,
    "Worker.id": "each job's token begins with what is unique to its worker",
    "Worker.isConnectionError": "the engine decides what may be sent again",
    "Worker.jobs": ENGINE,
    "Worker.limitUntil": "ask queue.getRateLimitTtl()",
    "Worker.lockManager": "the engine keeps the locks; cancel with cancelJob and cancelAllJobs",
    "Worker.maximumBlockTimeout": ENGINE,
    "Worker.minimumBlockTimeout": ENGINE,
    "Worker.moveToActive": "take a job with getNextJob",
    "Worker.processJob": ENGINE,
    "Worker.processing": ENGINE,
    "Worker.redisConnection": CONNECTIONS,
    "Worker.resume_event": "ask paused, or hear the event resumed",
    "Worker.retryIfFailed": "the engine tries again by itself when Redis is away",
    "Worker.runStalledJobsCheck": "the engine checks each stalledInterval",
    "Worker.scripts": "the engine's scripts are private, and others than BullMQ's",
    "Worker.waitForJob": ENGINE,
    "Worker.waiting": ENGINE,
}

# Names of the package itself.
REFUSED_NAMES: Mapping[str, str] = {
    "LockManager": "a thread of the engine keeps the locks; cancel jobs with Worker.cancelJob and "
    "Worker.cancelAllJobs",
    "backend": "the engine is the only one",
    "backends": "the engine is the only one, and it speaks to Redis alone",
    "backoffs": "write backoff={'type': 'exponential', 'delay': 1000}, or "
    "settings={'backoffStrategy': ...} of a Worker",
    "error_code": "errors tell what Redis refused; see framework.TransitionError",
    "lock_manager": "a thread of the engine keeps the locks",
    "queue_keys": "ask queue.toKey(...) or queue.keys",
    "redis_connection": "give a URL, a dictionary or a client of redis-py as connection",
    "scripts": "the engine's scripts are private, and others than BullMQ's",
    "timer": "it is no part of working with queues",
    "utils": "it is no part of working with queues",
}


class RefusedError(FrameworkError, AttributeError):
    """A name that BullMQ's objects have, and that is refused here; its text says why."""


class RefusedImportError(FrameworkError, ImportError):
    """The same, of a name of the package."""


def refusal(name: str, reason: str) -> str:
    """Say why there is no such name, and what to use in its place."""
    return f"{name} is not provided: {reason}"


class Refuses:
    """Says of each missing attribute why it is missing, where there is a reason."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - it only raises
        raise missing(type(self), name)


def missing(kind: type, name: str) -> AttributeError:
    """Return the error of an attribute that is not there."""
    for each in kind.__mro__:
        for title in (f"{each.__name__}.{name}", f"{each.__name__}.{camel(name)}"):
            if title in REFUSED:
                return RefusedError(refusal(title, REFUSED[title]))
    return AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
