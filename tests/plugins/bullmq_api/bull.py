"""Makes objects of the drop-in for a test, and closes them."""

from collections.abc import Callable
from typing import Any, Protocol

from framework_bullmq import FlowProducer, Job, Queue, QueueEvents, QueueEventsProducer, Worker
from tests.support.until import until


class Closes(Protocol):
    async def close(self) -> None: ...


class Bull:
    def __init__(self, url: str, prefix: str) -> None:
        self.url = url
        self.prefix = prefix
        self.options = {"connection": url, "prefix": prefix}
        self._open: list[Closes] = []

    def _kept(self, made: Any) -> Any:  # noqa: ANN401 - what was made
        self._open.append(made)
        return made

    def queue(self, name: str = "q", **options: Any) -> Queue:  # noqa: ANN401 - options
        made: Queue = self._kept(Queue(name, {**self.options, **options}))
        return made

    def worker(
        self,
        processor: Callable[..., Any] | None,
        queue: str = "q",
        **options: Any,  # noqa: ANN401 - options
    ) -> Worker:
        made: Worker = self._kept(Worker(queue, processor, {**self.options, **options}))
        return made

    def flows(self) -> FlowProducer:
        made: FlowProducer = self._kept(FlowProducer(self.url, {"prefix": self.prefix}))
        return made

    def events(self, name: str = "q", **options: Any) -> QueueEvents:  # noqa: ANN401 - options
        made: QueueEvents = self._kept(QueueEvents(name, {**self.options, **options}))
        return made

    def events_producer(self, name: str = "q") -> QueueEventsProducer:
        made: QueueEventsProducer = self._kept(QueueEventsProducer(name, self.options))
        return made

    async def close(self) -> None:
        for one in reversed(self._open):
            await one.close()


async def state_is(job: Job, state: str) -> None:
    """Wait until a job stands there."""

    async def is_there() -> bool:
        return await job.getState() == state

    await until(is_there, message=f"job {job.id} is {state}")
