"""A worker, or its supervisor, is killed while a hundred jobs run."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from anyio.to_thread import run_sync

from framework import Application
from framework.model.clock import SystemClock
from framework.model.job import JobState
from framework.wire.keys import QueueKeys
from tests.support.command import Command, command, write_package
from tests.support.diary import KEEPS_A_DIARY, by_job, read_diary
from tests.support.monitor import monitor
from tests.support.node import NodePeer
from tests.support.node_work import ECHO
from tests.support.rough_line import RoughLine, rough_line
from tests.support.stopwatch import Stopwatch
from tests.support.until import until
from tests.support.weather import workers_of

QUEUE = "greetings"
JOBS = 100
FENCED = re.compile(r'"SET" "[^"]*:meta:fw:fenced:(\w+)"')
# How much later than all else arrives what a dead worker has sent.
LATE_SECONDS = 0.3


@dataclass
class Place:
    """Where a package of workers runs, and the queue that they work on.

    Attributes:
        folder: Has the package and the diary.
        app: Puts jobs in and looks at them.
    """

    folder: Path
    app: Application

    @property
    def diary(self) -> Path:
        """The folder of the diary."""
        return self.folder / "diary"

    @property
    def keys(self) -> QueueKeys:
        """The keys of the queue."""
        return QueueKeys(self.app.settings.prefix, QUEUE)

    @contextmanager
    def working(
        self, processes: int, *, slots: int, line: RoughLine | None = None, lock: float = 30
    ) -> Iterator[Command]:
        """`framework run` with so many processes, each with so many slots."""
        if not self.diary.exists():
            self.diary.mkdir()
            write_package(self.folder, "shop", mail=KEEPS_A_DIARY)
        told = {
            "REDIS_URL": line.url if line is not None else self.app.settings.url,
            "FRAMEWORK_PREFIX": self.app.settings.prefix,
            "DIARY": str(self.diary),
            "SLOTS": str(slots),
            "LOCK_SECONDS": str(lock),
        }
        words = ("run", "shop", "--processes", str(processes))
        with command(*words, cwd=self.folder, environment=told) as run:
            yield run

    async def add(self, count: int, **data: float) -> list[str]:
        """Put jobs in line, and return their ids."""
        return [job.id for job in await self.app.queue(QUEUE).add_bulk([("x", data)] * count)]

    def running_in(self) -> dict[int, int]:
        """How many jobs have begun in each process and not ended."""
        found: dict[int, int] = {}
        for run in read_diary(self.diary):
            if run.ended is None:
                found[run.pid] = found.get(run.pid, 0) + 1
        return found

    def has_ended_some(self, pid: int) -> bool:
        """Whether a job has ended in a process."""
        return any(run.pid == pid and run.ended for run in read_diary(self.diary))

    async def worker_of(self, job_id: str) -> str:
        """The uuid of the worker that holds a job."""
        token: bytes = await self.app.store.command("GET", self.keys.job(job_id) + ":lock")
        return token.decode().partition(":")[0]

    async def check_done_again(self, ids: list[str]) -> None:
        """See that Redis has each of these jobs as one that completed with its second start."""
        fields = ("atm", "ats", "stc", "failedReason")
        commands = [("HMGET", self.keys.job(job_id), *fields) for job_id in ids]
        told = await self.app.store.pipeline(commands)
        assert told == [[b"1", b"2", None, None]] * len(ids)


async def kill_a_worker(
    place: Place, *, latency: float = 0.0, node: NodePeer | None = None, within: float = 1.0
) -> list[str]:
    """Kill a worker that runs a hundred jobs; all must run again elsewhere at once.

    Args:
        within: How many seconds that may take.
        latency: Seconds added to each round trip of ours. With it the worker has calls under way
            as it dies, and they reach Redis after all that its supervisor does.
        node: Stands by idle, in place of a second process.
    """
    has_calls = latency > 0 and node is None
    ids = await place.add(JOBS, seconds=600, again=0)
    url = place.app.settings.url
    with (
        rough_line(url, latency=latency) if latency else nullcontext() as line,
        monitor(url, only=place.app.settings.prefix) as watched,
        place.working(1 if node else 2, slots=JOBS + 20 * has_calls, line=line) as run,
    ):
        await until(lambda: list(place.running_in().values()) == [JOBS], timeout=20)
        (victim,) = place.running_in()
        worker = await place.worker_of(ids[0])
        peer = await node.work(QUEUE, ECHO, concurrency=JOBS) if node else None
        if node is None:
            await until(lambda: run.output.count("worker ready") == 2, timeout=20)
        if has_calls and line is not None:
            await place.add(600, seconds=0.05)
            await until(lambda: place.has_ended_some(victim), message="it ends short jobs")
            line.hold()
            await until(lambda: line.holds(worker.encode()), message="it has a call under way")

        killed, killed_ms = Stopwatch(), SystemClock().now_ms()
        os.kill(victim, signal.SIGKILL)
        if has_calls and line is not None:
            line.release(late=worker.encode(), seconds=LATE_SECONDS)

        async def begun_again() -> dict[str, float]:
            """How long after the kill each job began elsewhere."""
            runs = read_diary(place.diary)
            ours = {run.job: run.began - killed.at for run in runs if run.start == 2}
            theirs = await peer.order() if peer is not None else []
            return ours | {run.jobId: (run.at - killed_ms) / 1000 for run in theirs}

        async def all_run_again() -> bool:
            return set(ids) <= set(await begun_again())

        await until(all_run_again, timeout=10, message="all run again")
        waits = await begun_again()
        longest = killed.counted(max(waits[job_id] for job_id in ids))
        await until(lambda: is_empty(place), timeout=20, message="all are done")
        run.says("killed by SIGKILL")
        run.says("worker starts again")
        run.send(signal.SIGTERM)
        assert await run_sync(run.ends) == 0, run.output
        lines = watched.end()
    theirs = len(await peer.runs()) if peer is not None else 0
    await place.check_done_again(ids)
    late = calls_after_the_fence(lines, worker)
    assert late or not has_calls, "no call of the dead worker came late"
    assert longest < within, f"{longest:.2f} s"
    return [
        f"a worker with {JOBS} running jobs killed with -9, {latency * 1000:.0f} ms added latency",
        f"all began again elsewhere within {longest:.2f} s, {theirs} of them on Node; each "
        f"completed with its second run",
        f"{late} calls of the dead worker reached Redis after the fence and took nothing",
    ]


def calls_after_the_fence(lines: list[str], worker: str) -> int:
    """Count the calls of a dead worker that came after its fence; none of them locked a job."""
    fence = next(place for place, line in enumerate(lines) if FENCED.findall(line) == [worker])
    after = [line for line in lines[fence + 1 :] if f'"{worker}:' in line]
    locked = [line for line in after if re.search(r'"SET" "[^"]*:lock"', line)]
    assert not locked, locked[:3]
    return sum("EVALSHA" in line.upper() for line in after)


async def is_empty(place: Place) -> bool:
    """Whether nothing waits or runs."""
    counts = await place.app.queue(QUEUE).counts()
    return not (counts[JobState.WAITING] or counts[JobState.ACTIVE])


async def kill_the_supervisor(
    place: Place, *, shortest: float, lock: float, latency: float = 0.0
) -> list[str]:
    """Kill a supervisor whose two workers run a hundred jobs; each job ends once.

    Args:
        shortest: How many seconds the jobs run, at least; some twice as long.
        lock: How long a lock lives that nobody renews.
    """
    half = JOBS // 2
    url = place.app.settings.url
    with rough_line(url, latency=latency) if latency else nullcontext() as line:
        with place.working(2, slots=half, line=line, lock=lock) as run:
            await until(lambda: run.output.count("worker ready") == 2, timeout=20)
            ids = await place.add(half, seconds=shortest) + await place.add(
                half, seconds=shortest * 2
            )
            await until(lambda: sum(place.running_in().values()) == JOBS, timeout=20)
            old = workers_of(run.process.pid)
            late = await place.add(30, seconds=0.01)

            killed = time.monotonic()
            run.send(signal.SIGKILL)
            await run_sync(run.process.wait)
        with place.working(2, slots=half, line=line, lock=lock) as fresh:
            await until(lambda: not any(map(is_there, old)), timeout=30, message="workers ended")
            drained = time.monotonic() - killed
            await until(lambda: is_empty(place), timeout=20, message="all are done")
            fresh.send(signal.SIGTERM)
            assert await run_sync(fresh.ends) == 0, fresh.output
    counts = await place.app.queue(QUEUE).counts()
    assert counts[JobState.COMPLETED] == JOBS + len(late), counts
    runs = by_job(read_diary(place.diary))
    assert set(runs) == {*ids, *late}
    assert all(len(mine) == 1 and mine[0].ended for mine in runs.values())
    assert {run.pid for job_id in ids for run in runs[job_id]} == set(old)
    assert not any(run.pid in old for job_id in late for run in runs[job_id])
    return [
        f"a supervisor of two workers with {JOBS} running jobs killed with -9, jobs of "
        f"{shortest:g} to {2 * shortest:g} s, locks of {lock:g} s",
        f"each ended once; the workers had drained and ended after {drained:.1f} s; a fresh start "
        f"did the {len(late)} jobs behind them, none of which an old worker took",
    ]


def is_there(pid: int) -> bool:
    """Whether a process runs; one that has ended may still wait for somebody to take note."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return told.rpartition(")")[2].split()[0] != "Z"
