"""`Producer` for code without ``await``: Django, Flask, handlers that run in threads."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Generic, TypeVar

from anyio.from_thread import BlockingPortal
from typing_extensions import TypeVar as DefaultTypeVar
from typing_extensions import Unpack

from framework.client.producer import HALF_A_MINUTE, Producer
from framework.model.job import Job
from framework.model.options import JobOptions

T = TypeVar("T")
R = DefaultTypeVar("R", default=object)


class SyncProducer(Generic[T, R]):
    """Puts jobs in line from a thread that runs no event loop.

    Never call it in the event loop's own thread: it waits for that loop.

    Attributes:
        queue: The queue's name.
        name: The name that its jobs get.
    """

    def __init__(self, producer: Producer[T, R], portal: BlockingPortal) -> None:
        self._producer = producer
        self._portal = portal
        self.queue = producer.queue
        self.name = producer.name

    def add(self, data: T, **options: Unpack[JobOptions]) -> Job[T, R]:
        """Put one job in line; see `Producer.add`."""
        added = self._producer._add_from_thread(data, options)  # noqa: SLF001 - no way for others
        if added is None:
            return self._portal.call(partial(self._producer.add, data, **options))
        return added

    def add_bulk(self, payloads: Iterable[T], **options: Unpack[JobOptions]) -> Sequence[Job[T, R]]:
        """Put many jobs in line; see `Producer.add_bulk`."""
        return self._portal.call(partial(self._producer.add_bulk, payloads, **options))

    def result(self, job: Job[T, R] | str, *, timeout: timedelta = HALF_A_MINUTE) -> R:
        """Wait for what a job returns; see `Producer.result`."""
        return self._portal.call(partial(self._producer.result, job, timeout=timeout))
