"""A drop-in for the ``bullmq`` package: the same names, on the framework's engine.

``from bullmq import Queue, Worker`` becomes ``from framework_bullmq import Queue, Worker``.
"""

from framework_bullmq.abort_controller import AbortController as AbortController
from framework_bullmq.abort_controller import AbortError as AbortError
from framework_bullmq.abort_controller import AbortSignal as AbortSignal
from framework_bullmq.custom_errors import DelayedError as DelayedError
from framework_bullmq.custom_errors import RateLimitError as RateLimitError
from framework_bullmq.custom_errors import UnrecoverableError as UnrecoverableError
from framework_bullmq.custom_errors import WaitingChildrenError as WaitingChildrenError
from framework_bullmq.flow_producer import FlowProducer as FlowProducer
from framework_bullmq.job import Job as Job
from framework_bullmq.job_scheduler import JobScheduler as JobScheduler
from framework_bullmq.queue import Queue as Queue
from framework_bullmq.queue_events import QueueEvents as QueueEvents
from framework_bullmq.queue_events_producer import QueueEventsProducer as QueueEventsProducer
from framework_bullmq.refusals import REFUSED_NAMES, RefusedImportError, refusal
from framework_bullmq.worker import Worker as Worker

__version__ = "0.1.0"
__all__ = [
    "AbortController",
    "AbortError",
    "AbortSignal",
    "DelayedError",
    "FlowProducer",
    "Job",
    "JobScheduler",
    "Queue",
    "QueueEvents",
    "QueueEventsProducer",
    "RateLimitError",
    "UnrecoverableError",
    "WaitingChildrenError",
    "Worker",
]


def __getattr__(name: str) -> object:
    if name in REFUSED_NAMES:
        raise RefusedImportError(refusal(name, REFUSED_NAMES[name]))
    raise AttributeError(f"module 'framework_bullmq' has no attribute {name!r}")
