"""How each kind of workload is measured, from outside, the same for every peer."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from tests.benchmarks.field import NODE, Peer
from tests.benchmarks.peers.stamps import Stamps
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Workers, ask, timed, working
from tests.benchmarks.server import PrivateServer
from tests.benchmarks.watching import FIRST_JOB_WITHIN, LONGEST_WINDOW, Watch, rates, until
from tests.benchmarks.workloads import Workload

SLOW_PACE = 50
WARM_UP = 0.2  # which part of the jobs runs before the measuring begins


@dataclass
class Turn:
    """One peer at one workload, once."""

    peer: Peer
    workload: Workload
    plan: Plan
    server: PrivateServer
    folder: Path
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def jobs(self) -> int:
        return max(int(self.plan.jobs * self.peer.share), 100)

    def environment(self, **more: object) -> dict[str, str]:
        """What the peer's programs are told."""
        keep = "default" if self.workload.name == "defaults" else self.plan.keep
        said = {"BENCH_REDIS": self.server.url, "BENCH_KEEP": keep, "BENCH_JOBS": str(self.jobs)}
        own = {f"BENCH_{name.upper()}": str(value) for name, value in more.items()}
        return said | self.workload.environment | own

    def ask(self, role: str, **more: object) -> dict[str, float]:
        """Have the peer play a role to its end."""
        said = ask(self.peer.program, role, self.environment(**more))
        self.versions = {name: said.pop(name) for name in ("library", "runtime")}
        return said

    def left(self, stamps: Stamps | None) -> int:
        """How many jobs are not done."""
        if stamps is not None:
            return stamps.missing
        with self.server.redis.pipeline(transaction=True) as pipeline:
            for command in self.peer.left:
                words = command.format(queue=self.workload.kind.handler).split()
                pipeline.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py says no type
            return sum(map(int, pipeline.execute()))


def adds(turn: Turn) -> dict[str, float]:
    """The client measures its own adds, after some to warm up."""
    return rates(turn.ask(turn.workload.name))


def drain(turn: Turn) -> dict[str, float]:
    """Put jobs in line while real workers stand still; measure from a fifth of them to their end.

    So neither the start of the processes, which some peers make one after the other, nor what
    they do for the first time is in the figures. What is left is read from Redis; it counts as
    done when its library says so there.
    """
    stamps = None if turn.peer.left else Stamps.make(turn.folder / "stamps", turn.jobs)
    more: dict[str, object] = {"stamps": turn.folder / "stamps" if stamps else ""}
    copies = 1
    if turn.workload.name == "processes":
        more["processes"] = 2
        copies = 1 if turn.peer.forks else 2
    with working(turn.peer.program, turn.environment(**more), copies) as workers:
        wait_until_ready(turn, workers, stamps)
        workers.until_calm()
        with workers.frozen():
            turn.ask("fill")
        found = rates(watch(turn, workers, stamps))
    if turn.workload.name == "nap":
        naps = turn.ask("naps")
        found["% of ideal"] = 100 * found["jobs/s"] / (naps["jobs"] / naps["seconds"])
    return found


def watch(turn: Turn, workers: Workers, stamps: Stamps | None) -> dict[str, float]:
    """Let a part of the jobs pass, and as many as fill the workers well; watch the others."""
    total = turn.jobs
    passed = max(int(total * WARM_UP), min(4 * (turn.workload.number or 100), total // 2))
    # MULTI and EXEC around the counts.
    commands = len(turn.peer.left) + 2 if turn.peer.left else 0
    watch = Watch(turn.server.redis, workers, lambda: turn.left(stamps), commands)
    return watch.stretch(total, total - passed)


def latency(turn: Turn) -> dict[str, float]:
    """Send at an even pace to a worker that is ready; each job is stamped twice."""
    rate = turn.workload.number or SLOW_PACE
    if rate > SLOW_PACE:
        rate = int(rate * turn.peer.share)  # a load that it can carry
    jobs = max(rate * 3, 300)
    path = turn.folder / "stamps"
    stamps = Stamps.make(path, jobs)
    with working(turn.peer.program, turn.environment(stamps=path, jobs=jobs)) as workers:
        wait_until_ready(turn, workers, stamps)
        sent = turn.ask("pace", stamps=path, jobs=jobs, rate=rate)
        if not turn.peer.name.startswith(NODE):
            until(lambda: stamps.missing == 0, 10, workers)
        else:
            until(lambda: turn.left(None) == 0, 10, workers)
    # The first tenth warms both programs up.
    waits = [1e3 * (stamps.started(n) - stamps.sent(n)) for n in range(jobs // 10, jobs)]
    return {**spread(waits), "jobs/s": jobs / sent["seconds"]}


def spread(waits: list[float]) -> dict[str, float]:
    return {"p50 ms": median(waits), "p99 ms": quantiles(waits, n=100)[98]}


def wait_until_ready(turn: Turn, workers: Workers, stamps: Stamps | None) -> None:
    """Give a worker one job and wait until it is done."""
    turn.ask("fill", jobs=1)
    if turn.peer.left or stamps is None:
        until(lambda: turn.left(None) == 0, FIRST_JOB_WITHIN, workers)
    else:
        until(lambda: stamps.started(0) > 0, FIRST_JOB_WITHIN, workers)


def round_trip(turn: Turn) -> dict[str, float]:
    """One caller, one job after the other, each result waited for."""
    with working(turn.peer.program, turn.environment()) as workers:
        if turn.peer.left:
            # SAQ, as it starts, sweeps away a job that it is just about to take.
            turn.ask("fill", jobs=1)
            until(lambda: turn.left(None) == 0, FIRST_JOB_WITHIN, workers)
        said = turn.ask("ask", jobs=300)
    waits: list[float] = said["waits"]  # type: ignore[assignment]  # the one list among the numbers
    return spread([1e3 * wait for wait in waits])


def memory(turn: Turn) -> dict[str, float]:
    """A worker that has run one job and waits for the next."""
    path = turn.folder / "stamps"
    stamps = Stamps.make(path, 1)
    with working(turn.peer.program, turn.environment(stamps=path)) as workers:
        wait_until_ready(turn, workers, stamps)
        time.sleep(1)
        megabytes = workers.megabytes
    return {"MB a process": max(megabytes.values()), "MB in all": sum(megabytes.values())}


def start(turn: Turn) -> dict[str, float]:
    """From the start of the command to the first job that is done; then what comes before."""
    path = turn.folder / "stamps"
    stamps = Stamps.make(path, 1)
    turn.ask("fill", jobs=1)
    before = time.monotonic()
    with working(turn.peer.program, turn.environment(stamps=path)) as workers:
        if turn.peer.left:
            until(lambda: turn.left(None) == 0, FIRST_JOB_WITHIN, workers)
        else:
            until(lambda: stamps.started(0) > 0, FIRST_JOB_WITHIN, workers)
        ready = time.monotonic() - before
    found = {"ready ms": 1e3 * ready}
    for name, command in turn.peer.commands.items():
        found[name] = 1e3 * min(timed(command) for _ in range(3))
    if "import ms" in found:
        found["import ms"] -= 1e3 * min(timed([turn.peer.python, "-c", ""]) for _ in range(3))
    return found


def redis_bytes(turn: Turn) -> dict[str, float]:
    """What the server's memory grows by: with all jobs in line, and with all of them done."""
    turn.ask("fill", jobs=1)
    empty = turn.server.used_memory
    turn.ask("fill")
    full = turn.server.used_memory
    stamps = None if turn.peer.left else Stamps.make(turn.folder / "stamps", turn.jobs)
    more = {"stamps": turn.folder / "stamps" if stamps else ""}
    with working(turn.peer.program, turn.environment(**more)) as workers:
        until(lambda: turn.left(stamps) == 0, 10 * LONGEST_WINDOW, workers)
    return {
        "B queued": (full - empty) / turn.jobs,
        "B kept": (turn.server.used_memory - empty) / turn.jobs,
    }


def million(turn: Turn) -> dict[str, float]:
    """Run 50 times JOBS, a million unless told otherwise, through one worker: does it grow?

    From the highest of the first tenth to the highest of the last.
    """
    seen = []
    with working(turn.peer.program, turn.environment(keep=1000)) as workers:
        for _ in range(50):
            turn.ask("fill", keep=1000)
            until(lambda: turn.left(None) == 0, 10 * LONGEST_WINDOW, workers)
            seen.append(max(workers.megabytes.values()))
    early = max(seen[:5])
    return {"MB grown": max(seen[-5:]) - early, "MB at 10 %": early, "MB at the end": seen[-1]}


WAYS: dict[str, Callable[[Turn], dict[str, float]]] = {
    "adds": adds,
    "drain": drain,
    "latency": latency,
    "round_trip": round_trip,
    "memory": memory,
    "start": start,
    "redis_bytes": redis_bytes,
    "million": million,
}


def measure(turn: Turn) -> dict[str, float]:
    """Run one turn on an empty server."""
    turn.server.clear()
    return WAYS[turn.workload.kind.way](turn)


def scratch() -> TemporaryDirectory[str]:
    """Return a folder for the stamps, in memory where the system has such a place."""
    shm = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    return TemporaryDirectory(prefix="bench-", dir=shm if os.access(shm, os.W_OK) else None)
