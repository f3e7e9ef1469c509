"""All at once: a typed payload, hooks, a provider that lives as long as the job, a line of log."""

from collections.abc import AsyncIterator

import structlog

from framework import Completed, Failed, Job, on_event, processor, provider
from tests.benchmarks.app import CONCURRENCY, defaults
from tests.benchmarks.app.order import Order

log = structlog.get_logger()


class FullOrder(Order):
    """A type of its own, so that it has a route of its own."""


class Session:
    """What a handler would write to a database with."""

    def __init__(self) -> None:
        self.orders = 0


@provider(scope="job")
async def session() -> AsyncIterator[Session]:
    yield Session()


@processor("full", concurrency=CONCURRENCY, defaults=defaults())
class FullOrders:
    def __init__(self) -> None:
        self.completed = self.failed = 0

    async def process(self, job: Job[FullOrder], session: Session) -> int:
        session.orders += 1
        log.info("order taken", n=job.data.n, lines=len(job.data.lines))
        return session.orders

    @on_event("completed")
    async def count(self, event: Completed[FullOrder, int]) -> None:
        self.completed += event.result

    @on_event("failed")
    async def complain(self, event: Failed[FullOrder]) -> None:
        self.failed += 1
