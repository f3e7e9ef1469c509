"""A processor that no child can build; alone here, since a package of it cannot start."""

from framework import Job, processor


@processor("unbuildable", run_in="process")
class Unbuildable:
    def __init__(self) -> None:
        raise RuntimeError("no such model")

    def process(self, job: Job[int]) -> None:
        pass
