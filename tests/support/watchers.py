"""Many clients that follow tasks over plain sockets, and what each of them heard."""

import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import SocketStream

# Each job waits for a file, then reports what the plan says, and at which time of the machine.
JOBS = """
    import time
    from pathlib import Path
    import anyio
    from pydantic import BaseModel
    from framework import Context, Job
    from framework_web import task

    class Plan(BaseModel):
        go: str
        pauses: list[float]

    @task("tick", concurrency=200, attempts=1)
    async def tick(job: Job[Plan], ctx: Context) -> int:
        while not Path(job.data.go).exists():
            await anyio.sleep(0.05)
        for number, pause in enumerate(job.data.pauses):
            await anyio.sleep(pause)
            await ctx.progress({"percentage": 0, "number": number, "at": time.monotonic()})
        return len(job.data.pauses)
"""


@dataclass
class Heard:
    """What one client heard of its task.

    Attributes:
        names: The events but for progress, in their order.
        numbers: What the task reported, in the order in which it came.
        delays: For how many seconds each was under way.
        is_following: Whether the first event is there.
    """

    names: list[str] = field(default_factory=list[str])
    numbers: list[int] = field(default_factory=list[int])
    delays: list[float] = field(default_factory=list[float])
    is_following: bool = False

    def take(self, frame: bytes) -> None:
        """Take in one event."""
        now = time.monotonic()
        lines = dict(line.split(b": ", 1) for line in frame.split(b"\n") if b": " in line)
        name = lines.get(b"event", b"").decode()
        if name == "progress":
            told = json.loads(lines[b"data"])
            self.numbers.append(told["number"])
            self.delays.append(now - told["at"])
        elif name:
            self.names.append(name)
            self.is_following = True


async def follow(port: int, path: str, heard: Heard) -> None:
    """Follow a task to the end of its stream."""
    # Of version 1.0, so that the answer comes as it is.
    async with await connected(port) as line:
        await line.send(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        rest = b""
        while True:
            try:
                rest += await line.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return
            *frames, rest = rest.split(b"\n\n")
            for frame in frames:
                heard.take(frame)


async def connected(port: int) -> SocketStream:
    """Connect; a thousand at once are more than a server's backlog holds."""
    for _ in range(50):
        try:
            return await anyio.connect_tcp("127.0.0.1", port)
        except OSError:
            await anyio.sleep(0.05)
    return await anyio.connect_tcp("127.0.0.1", port)


def plan_of(seed: int, go: Path, count: int, pause: float) -> dict[str, object]:
    """Return the payload of one task."""
    chance = random.Random(seed)  # noqa: S311 - when to report, no secret
    return {"go": str(go), "pauses": [chance.uniform(0.5, 1.5) * pause for _ in range(count)]}


def percentile(values: list[float], share: float) -> float:
    """Return what such a share of values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def memory_of(pid: int) -> int:
    """Return how many bytes of memory a process has."""
    told = Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]
    return int(told) * 1024


def files_of(pid: int) -> int:
    """Return how many files and sockets a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
