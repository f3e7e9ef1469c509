"""What a run costs: time, this process's CPU, Redis' CPU and commands."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

STAT = Path("/proc/stat")
BUSY = (1, 2, 3, 6, 7, 8)  # user, nice, system, irq, softirq, steal


@dataclass(frozen=True)
class Figures:
    """What the clocks show at one moment."""

    seconds: float
    cpu_seconds: float
    redis_cpu_seconds: float
    redis_commands: int
    busy_seconds: float

    @classmethod
    def now(cls, redis: Any, cpu_seconds: float | None = None) -> Self:  # noqa: ANN401 - each peer has a redis-py of its own
        """Read them: the CPU of this process, unless another's is given."""
        info = redis.info()
        return cls(
            seconds=time.monotonic(),
            cpu_seconds=time.process_time() if cpu_seconds is None else cpu_seconds,
            redis_cpu_seconds=float(info["used_cpu_user"]) + float(info["used_cpu_sys"]),
            redis_commands=int(info["total_commands_processed"]),
            busy_seconds=busy_seconds(),
        )

    def since(self, before: Self) -> dict[str, float]:
        """Return what passed, under the names of the peers' line of JSON."""
        return {name: value - getattr(before, name) for name, value in vars(self).items()}


def busy_seconds() -> float:
    """Return the time for which the machine's cores have been busy, whoever kept them so."""
    fields = STAT.read_text().split("\n", 1)[0].split()
    return sum(int(fields[n]) for n in BUSY) / os.sysconf("SC_CLK_TCK")
