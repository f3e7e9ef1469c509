"""The payload of `order`, as a plain dict."""

from typing import Any

from framework import Job, processor
from tests.benchmarks.app import CONCURRENCY, defaults
from tests.benchmarks.app.order import make_order


def make_raw(n: int) -> dict[str, Any]:
    """Return an order as a program without types would add it."""
    return make_order(n).model_dump(mode="json")


@processor("raw", concurrency=CONCURRENCY, defaults=defaults())
class Raw:
    async def process(self, job: Job[dict[str, Any]]) -> None:
        pass
