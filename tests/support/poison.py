"""Jobs that end their process, among good ones: who falls, who does not, and what it costs."""

from collections import Counter
from pathlib import Path
from typing import Any

from framework import Job, Queue
from framework.model.job import JobState
from framework.wire.job_hash import StoredJob
from tests.support.command import command, write_package
from tests.support.until import until

# How a job ends its process, and what is told of it.
DEADLY = {
    "kill": "signal 9 SIGKILL (out of memory?)",
    "segfault": "signal 11 SIGSEGV",
    "exit": "exit code 3",
}
# A run is noted as it begins: job, process, and when.
SHOP = """
    import faulthandler
    import os
    import signal
    import time
    from datetime import timedelta
    from typing import Any
    import anyio
    from framework import Job, processor

    def act(job: Job[dict[str, Any]]) -> None:
        with open(job.data["file"], "a") as file:
            file.write(f"{job.id} {os.getpid()} {time.time()}\\n")
        match job.data.get("act"):
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "segfault":
                faulthandler._sigsegv()
            case "exit":
                os._exit(3)

    @processor("greetings", CONCURRENCY, RUN_IN, MORE)
    DEF serve(job: Job[dict[str, Any]]) -> None:
        act(job)
        SLEEP
"""


def write_shop(folder: Path, *, run_in: str = "loop", more: str = "") -> None:
    """Write the package ``shop``, which works the queue ``greetings``."""
    text = SHOP.replace("CONCURRENCY", "concurrency=10").replace("MORE", more)
    text = text.replace("RUN_IN", f'run_in="{run_in}"')
    is_async = run_in == "loop"
    text = text.replace("DEF", "async def" if is_async else "def")
    text = text.replace("SLEEP", "await anyio.sleep(0.05)" if is_async else "time.sleep(0.05)")
    write_package(folder, "shop", mail=text)


class Runs:
    """What the jobs noted of their runs."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.touch()

    @property
    def all(self) -> list[tuple[str, int, float]]:
        """Each run: its job, its process, when it began."""
        rows = [line.split() for line in self._file.read_text().splitlines()]
        return [(job_id, int(pid), float(at)) for job_id, pid, at in rows]

    def of(self, job: Job[Any, Any]) -> list[tuple[int, float]]:
        """The runs of one job."""
        return [(pid, at) for job_id, pid, at in self.all if job_id == job.id]


async def poison_among_good_ones(
    folder: Path,
    queue: Queue,
    environment: dict[str, str],
    *,
    acts: tuple[str, ...] = ("kill",),
    good: int = 200,
    run_in: str = "loop",
    processes: int = 2,
) -> list[float]:
    """Let supervised workers do good jobs, and some that end their process; see who falls.

    Returns:
        For each crash, how long it took until a good job began again, in seconds.
    """
    write_shop(folder, run_in=run_in)
    data = {"file": str(folder / "runs")}
    runs = Runs(folder / "runs")
    with command(
        "run", "shop", "--processes", str(processes), cwd=folder, environment=environment
    ) as run:
        for index in range(1, processes + 1):
            run.says(f'"worker": {index}}}', timeout=30)
        half = good // 2
        before = await queue.add_bulk([("x", data)] * half)
        bad = await queue.add_bulk([("x", {**data, "act": act}) for act in acts])
        after = await queue.add_bulk([("x", data)] * (good - half))

        async def are_done() -> bool:
            counts = await queue.counts()
            return counts[JobState.FAILED] == len(bad) and counts[JobState.COMPLETED] == good

        await until(are_done, timeout=60, message="all good ones are done, the others quarantined")
        assert run.process.poll() is None, run.output

    for job, act in zip(bad, acts, strict=True):
        found = await queue.job(job.id)
        assert isinstance(found, StoredJob)
        crashed = int(found.fields[b"fw.crashes"])
        # It may be there when another one kills the worker that it waits in to run alone.
        assert crashed == 3 or len(acts) > 1, run.output
        assert found.failed_reason == (
            f"quarantined: killed its process {crashed} times (last: {DEADLY[act]}); "
            f"once mended: framework jobs rescue greetings {job.id}"
        )
        # One more where it ran in a child that had run others before: that proves nothing. Fewer
        # where another one killed the worker before this one began.
        assert (3 if len(acts) == 1 else 1) <= len(runs.of(job)) <= 4, run.output
    crashes = sorted(at for job in bad for _, at in runs.of(job))
    begun = Counter(job_id for job_id, _, _ in runs.all)
    assert set(begun) == {job.id for job in (*before, *bad, *after)}
    died = {pid for job in bad for pid, _ in runs.of(job)}
    for job in (*before, *after):
        # Each run but the last was cut off by a crash.
        assert {pid for pid, _ in runs.of(job)[:-1]} <= died
    starts = sorted(at for job in (*before, *after) for _, at in runs.of(job))
    return [
        next(at for at in starts if at > crash) - crash for crash in crashes if crash < starts[-1]
    ]
