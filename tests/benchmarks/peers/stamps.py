"""When each job was sent and when its handler ran, in a file that all processes share."""

import mmap
import os
import time
from pathlib import Path

DOUBLE = 8


class Stamps:
    """Two columns of monotonic seconds: sent and started; 0 where nothing happened yet."""

    def __init__(self, path: Path) -> None:
        size = path.stat().st_size
        self.jobs = size // (2 * DOUBLE)
        with path.open("r+b") as file:
            self._seconds = memoryview(mmap.mmap(file.fileno(), size)).cast("d")

    @classmethod
    def make(cls, path: Path, jobs: int) -> "Stamps":
        """Make the file anew."""
        path.write_bytes(bytes(jobs * 2 * DOUBLE))
        return cls(path)

    def send(self, n: int) -> None:
        self._seconds[n] = time.monotonic()

    def start(self, n: int) -> None:
        self._seconds[self.jobs + n] = time.monotonic()

    def sent(self, n: int) -> float:
        return self._seconds[n]

    def started(self, n: int) -> float:
        return self._seconds[self.jobs + n]

    @property
    def missing(self) -> int:
        """How many have not started, counted without a loop: of a time, no eight bytes are zero."""
        return self._seconds[self.jobs :].tobytes().count(bytes(DOUBLE))


def stamps_of_environment() -> Stamps:
    """Open the file that the environment names."""
    return Stamps(Path(os.environ["BENCH_STAMPS"]))
