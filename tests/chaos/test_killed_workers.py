"""Twenty thousand jobs, two supervised processes, one of them killed every second."""

import os
from pathlib import Path

from pydantic import SecretStr

from framework import Application, Settings
from framework.app.discovery import Declarations
from tests.support.killed_workers import kill_workers_while_jobs_run

SEED = int(os.environ.get("CHAOS_SEED", "7"))


async def test_every_job_is_done_though_workers_are_killed_every_second(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}
    settings = Settings(redis_url=SecretStr(redis_url), prefix=prefix)
    async with Application(Declarations("tests"), settings=settings) as app:
        queue = app.queue("greetings")
        await kill_workers_while_jobs_run(tmp_path, queue, told, jobs=20_000, every=1.0, seed=SEED)
