"""Seconds as the framework is to keep them, also on a machine that is busy with something else.

What is promised "within a second" is promised where there are cores to run on. Several processes
run tests, and other programs run beside them: time in which programs wait for a core is the
machine's. Where it tells that time (Linux), it does not count, up to a limit: nothing that takes
`SLOWEST` times as long as promised passes on any machine.
"""

import re
import time
from pathlib import Path

SLOWEST = 4
PRESSURE = Path("/proc/pressure/cpu")


class Stopwatch:
    """Runs since it was made, at ``at`` of the monotonic clock."""

    def __init__(self) -> None:
        self.at = time.monotonic()
        self.waited = waited_for_cores()

    @property
    def seconds(self) -> float:
        """Seconds so far, without those in which programs waited for a core."""
        return self.seconds_until(Stopwatch())

    @property
    def share(self) -> float:
        """How much of the time so far counts, 1 on a machine that has nothing else to do."""
        return self.seconds / max(time.monotonic() - self.at, 1e-9)

    def counted(self, took: float) -> float:
        """What so many seconds come to that somebody else measured since it was made."""
        return took * self.share

    def seconds_until(self, later: "Stopwatch") -> float:
        """The same, up to when another one was made."""
        took = later.at - self.at
        return max(took - (later.waited - self.waited), took / SLOWEST)


def waited_for_cores() -> float:
    """Tell for how many seconds some program has waited for a core, ever; else nought."""
    try:
        told = re.match(r"some .*total=(\d+)", PRESSURE.read_text())
    except OSError:
        return 0.0
    return int(told[1]) / 1e6 if told else 0.0
