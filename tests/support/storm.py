"""A storm over supervised workers: all that can break does, and each job is done nevertheless."""

import random
import signal
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import anyio
from anyio.to_thread import run_sync
from pydantic import SecretStr

from framework import Application, KeepJobs, Settings
from framework.app.discovery import Declarations
from framework.model.job import JobState
from framework.server import EmbeddedServer
from framework.wire.keys import QueueKeys
from tests.support.command import command, write_package
from tests.support.diary import KEEPS_A_DIARY, Again, Run, by_job, read_diary, runs_again
from tests.support.rough_line import RoughLine, rough_line
from tests.support.until import until
from tests.support.weather import Weather

QUEUE = "greetings"
SLOTS = 25
PART = 500
# When Redis is killed: once so much of the work is done.
SHARES = (0.3, 0.6)


@dataclass(frozen=True)
class Storm:
    """What happens, and how often.

    Attributes:
        jobs: How many jobs are to be done, by two worker processes.
        every: Kill a worker once in so many seconds.
        longest_outage: How many seconds Redis is away at most, each of the two times.
        cuts: How likely it is that a line breaks with a piece of data.
        seconds: How long a job runs at most.
        within: When all must be done.
        seed: Of all that is left to chance.
    """

    jobs: int
    every: float
    longest_outage: float
    cuts: float
    seconds: float
    within: float
    seed: int

    async def blow(self, folder: Path, server: EmbeddedServer) -> list[str]:
        """Let it blow over workers, check what they did, and return what happened, in words."""
        url = server.start().url
        diary = folder / "diary"
        diary.mkdir()
        write_package(folder, "shop", mail=KEEPS_A_DIARY)
        told = {"DIARY": str(diary), "SLOTS": str(SLOTS), "FRAMEWORK_MAX_CRASHES": "none"}
        with rough_line(url, seed=self.seed) as line:
            told["REDIS_URL"] = line.url
            with command("run", "shop", "--processes", "2", cwd=folder, environment=told) as run:
                run.says("worker ready")
                async with opened(url) as app, opened(line.url) as far:
                    weather = Weather(diary, run.process.pid, server, app.store, self.seed)
                    began = time.monotonic()
                    line.chance = self.cuts
                    try:
                        await self._do_all_jobs(app, far, weather)
                    except BaseException as error:
                        counts = await app.queue(QUEUE).counts()
                        error.add_note(f"{counts} {weather.done}\n{run.output[-10_000:]}")
                        raise
                    took = time.monotonic() - began
                    line.chance = 0.0
                    run.send(signal.SIGTERM)
                    code = await run_sync(lambda: run.ends(timeout=60))
                    await self._check_books(app)
            assert code == 0, run.output[-10_000:]
            assert "Traceback" not in run.output, run.output
        runs = read_diary(diary)
        self._check_runs(runs, weather)
        return self._told(runs, weather, line, took)

    async def _do_all_jobs(self, app: Application, far: Application, weather: Weather) -> None:
        """Add all jobs while the storm blows, and wait until they are done."""

        async def done() -> int:
            return (await app.queue(QUEUE).counts())[JobState.COMPLETED]

        async def all_are_done() -> bool:
            return await done() == self.jobs

        async def kill_redis() -> None:
            for share in SHARES:
                while await done() < self.jobs * share:  # noqa: ASYNC110 - Redis tells
                    await anyio.sleep(0.1)
                await weather.kill_redis(self.longest_outage)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(weather.every, self.every, weather.kill_a_worker)
            tasks.start_soon(weather.every, self.every / 2, weather.kill_a_connection)
            tasks.start_soon(weather.every, self.every, weather.flush_scripts)
            tasks.start_soon(kill_redis)
            await self._add_all(far)
            message = f"seed {self.seed}: all {self.jobs} jobs are done"
            await until(all_are_done, timeout=self.within, message=message)
            tasks.cancel_scope.cancel()

    async def _add_all(self, far: Application) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - repeats what failed
        for _ in range(0, self.jobs, PART):
            lengths = [chance.uniform(0, self.seconds) for _ in range(PART)]
            await far.queue(QUEUE).add_bulk(
                [("x", {"seconds": s}, {"remove_on_complete": KeepJobs.all()}) for s in lengths]
            )

    async def _check_books(self, app: Application) -> None:
        """See that Redis has each job as one that was done once, and nothing else."""
        counts = await app.queue(QUEUE).counts()
        assert counts.pop(JobState.COMPLETED) == self.jobs, counts
        assert not any(counts.values()), counts
        keys = QueueKeys(app.settings.prefix, QUEUE)
        ids: list[bytes] = await app.store.command("ZRANGE", keys["completed"], 0, -1)
        fields = ("atm", "ats", "fw.crashes", "stc", "failedReason")
        for first in range(0, self.jobs, PART):
            jobs = [keys.job(job_id.decode()) for job_id in ids[first : first + PART]]
            found = await app.store.pipeline([("HMGET", job, *fields) for job in jobs])
            for job, told in zip(jobs, found, strict=True):
                made, started, crashes, stalled, failed = told
                assert (made, stalled, failed) == (b"1", None, None), f"seed {self.seed}: {job}"
                # Each start but the last was given back after a crash.
                assert int(started) - 1 == int(crashes or 0), f"seed {self.seed}: {job} {told}"
            assert not await app.store.command("EXISTS", *(f"{job}:lock" for job in jobs))

    def _check_runs(self, runs: list[Run], weather: Weather) -> None:
        """See that each job ran, and again only after whoever ran it was killed."""
        ended = {run.job for run in runs if run.ended is not None}
        assert len(ended) == self.jobs, f"seed {self.seed}"
        unexplained = [one for one in runs_again(runs) if not one.is_explained(weather.deaths)]
        assert not unexplained, f"seed {self.seed}: {len(unexplained)}: {unexplained[:3]}"
        assert weather.deaths

    def _told(self, runs: list[Run], weather: Weather, line: RoughLine, took: float) -> list[str]:
        again = runs_again(runs)
        waits = sorted(one.run.began - death_before(one, weather.deaths) for one in again)
        most = max(len(mine) for mine in by_job(runs).values())
        outages = " and ".join(f"{seconds:.1f} s" for seconds in weather.outages)
        done = [f"{count} x {what}" for what, count in sorted(weather.done.items())]
        cuts = [f"{count} x cut {where}" for where, count in sorted(line.cuts.items())]
        told = [
            f"{self.jobs} jobs by two processes in {took:.0f} s, seed {self.seed}",
            f"done to them: {', '.join(done)}; Redis killed with -9 twice, away for {outages}",
            f"connections: {', '.join(cuts)}",
            f"held: every job completed, none lost; {len(runs)} runs, {len(again)} beyond the "
            f"first of a job, each after the process that ran it was killed; at most {most} of one",
        ]
        if waits:
            told.append(
                f"from the kill to the next run: median {statistics.median(waits):.2f} s, "
                f"longest {waits[-1]:.1f} s (both workers may be starting, Redis may be away)"
            )
        return told


def death_before(one: Again, deaths: dict[int, float]) -> float:
    """Return when the process of the run before was killed."""
    return deaths.get(one.before.pid, deaths.get(one.before.parent, 0.0))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Application]:
    """An application that puts jobs in, and waits for Redis through outages."""
    settings = Settings(redis_url=SecretStr(url), timeout=timedelta(seconds=30))
    async with Application(Declarations("tests"), settings=settings) as app:
        yield app
