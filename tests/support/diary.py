"""What workers write down as they run jobs, outside of Redis, and how it explains each run.

Each process has a file of its own and appends to it before a job begins and after it has ended:
what was written is there, even if the process is killed in the next moment.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

# A module of a package that writes the diary into the folder that DIARY names.
KEEPS_A_DIARY = """
    import os, time
    from typing import Any
    import anyio
    from datetime import timedelta
    from framework import Job, processor

    FILE = os.open(
        os.path.join(os.environ["DIARY"], str(os.getpid())), os.O_CREAT | os.O_APPEND | os.O_WRONLY
    )
    LOCK = timedelta(seconds=float(os.environ.get("LOCK_SECONDS", "30")))

    def note(word: str, job: Job[Any]) -> None:
        said = f"{word} {job.id} {job.attempts_started} {os.getppid()} {time.monotonic()}"
        os.write(FILE, (said + chr(10)).encode())

    @processor("greetings", concurrency=int(os.environ["SLOTS"]), lock_duration=LOCK)
    async def work(job: Job[dict[str, Any]]) -> int:
        note("began", job)
        seconds = job.data["seconds"]
        # The first run may be one that does not end by itself.
        await anyio.sleep(seconds if job.attempts_started == 1 else job.data.get("again", seconds))
        note("ended", job)
        return os.getpid()
"""


class Run(NamedTuple):
    """One run of a job; times are of the clock that all processes of a machine share.

    Attributes:
        start: Which fetch of the job it was, from 1, as Redis counts them.
        pid: The process it was in.
        parent: That process's parent.
        ended: None if it never did.
    """

    job: str
    start: int
    pid: int
    parent: int
    began: float
    ended: float | None


def read_diary(folder: Path) -> list[Run]:
    """Return all runs, as they began."""
    begun: dict[tuple[str, int, int], Run] = {}
    for page in folder.iterdir():
        pid = int(page.name)
        for line in page.read_text().splitlines():
            word, job, start, parent, at = line.split()
            key = (job, int(start), pid)
            if word == "began":
                assert key not in begun, f"job {job} began twice with one token: {line}"
                begun[key] = Run(job, int(start), pid, int(parent), float(at), None)
            else:
                begun[key] = begun[key]._replace(ended=float(at))
    return sorted(begun.values(), key=lambda run: run.began)


def by_job(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Sort runs by their job."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.job, []).append(run)
    return found


class Again(NamedTuple):
    """A run beyond a job's first, and the one before."""

    before: Run
    run: Run

    def is_explained(self, deaths: Mapping[int, float]) -> bool:
        """Whether the process of the run before had been killed when this one began."""
        before, run = self
        died = min(deaths.get(pid, float("inf")) for pid in (before.pid, before.parent))
        return died <= run.began and run.start > before.start


def runs_again(runs: Iterable[Run]) -> list[Again]:
    """Return each run of a job beyond its first."""
    return [Again(before, run) for mine in by_job(runs).values() for before, run in pairwise(mine)]
