"""A plain ``def`` that does nothing, in a thread."""

from pydantic import BaseModel

from framework import Job, processor
from tests.benchmarks.app import CONCURRENCY, defaults


class Block(BaseModel):
    n: int


@processor("block", concurrency=CONCURRENCY, run_in="thread", defaults=defaults())
class Blocker:
    def process(self, job: Job[Block]) -> None:
        pass
