"""Workers that are killed while jobs run lose none: the short form of what ``make chaos`` does."""

from pathlib import Path

from framework import Queue
from tests.support.killed_workers import kill_workers_while_jobs_run


async def test_every_job_is_done_though_workers_are_killed(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}

    await kill_workers_while_jobs_run(tmp_path, queue, told, jobs=3000, every=0.5, seed=20_261_122)
