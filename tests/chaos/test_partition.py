"""A worker is parted from Redis for a minute, without a word and in both directions."""

import signal
import time
from pathlib import Path

import anyio
from anyio import to_thread

from framework import JobState
from framework.app.application import Application
from tests.support.apps import declared, settings_of
from tests.support.command import command, write_package
from tests.support.parted import MOST_SECONDS, part_a_worker
from tests.support.proxy import Proxy
from tests.support.until import until

LOCK = 4
SHOP = """
    import time
    from datetime import timedelta
    from typing import Any
    import anyio
    from framework import Job, processor

    LOCK = timedelta(seconds={lock})

    @processor("greetings", concurrency=10, lock_duration=LOCK, stalled_interval=LOCK)
    async def work(job: Job[Any]) -> float:
        if job.data == "quick":
            return time.time()
        with open("cancelled", "a") as file:
            try:
                await anyio.sleep(1000)
            finally:
                file.write(f"{{job.id}} {{time.time()}}\\n")
"""


async def test_a_worker_that_was_parted_for_a_minute_is_back_within_two_seconds(
    redis_url: str, prefix: str
) -> None:
    took = await part_a_worker(redis_url, prefix, lock=10, apart=60)

    measured = (
        f"cancelled after {took.cancelled:.1f} s with locks of 10 s, done elsewhere after "
        f"{took.done_elsewhere:.1f} s, back {took.back:.2f} s after healing"
    )
    print(f"\n{measured}")  # noqa: T201 - for the table of reliability.md
    assert took.cancelled < 10.5
    assert took.back < MOST_SECONDS


async def test_supervised_workers_let_go_in_time_and_are_back_within_two_seconds(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    write_package(tmp_path, "shop", mail=SHOP.format(lock=LOCK))
    settings = settings_of(redis_url, prefix)
    async with Proxy(redis_url, chance=0).serve() as proxy:
        told = {"REDIS_URL": proxy.url, "FRAMEWORK_PREFIX": prefix}
        asked = ("run", "shop", "--processes", "2")
        with command(*asked, cwd=tmp_path, environment=told) as run:
            async with Application(declared(), settings=settings) as app:
                queue = app.queue("greetings")
                jobs = await queue.add_bulk([("x", "endless")] * 10)

                async def all_run() -> bool:
                    return (await queue.counts())[JobState.ACTIVE] == len(jobs)

                await until(all_run, timeout=20, message="all run")
                proxy.part()
                parted = time.time()  # noqa: TID251 - other processes tell theirs
                await until(lambda: len(ended(tmp_path)) == len(jobs), timeout=20, message="ended")
                await anyio.sleep(2 * LOCK)  # parted for longer than any lock lives
                for job in jobs:
                    await queue.update_data(job.id, "quick")
                proxy.heal()
                healed = time.time()  # noqa: TID251
                late = await queue.add("x", "quick")
                back = float(await queue.result(late)) - healed
                await to_thread.run_sync(run.send, signal.SIGTERM)
                code = await to_thread.run_sync(run.ends)

    last = max(ended(tmp_path).values()) - parted
    print(f"\ncancelled after {last:.1f} s with locks of {LOCK} s, back after {back:.2f} s")  # noqa: T201
    assert last < LOCK + 1
    assert back < MOST_SECONDS
    assert code == 0


def ended(folder: Path) -> dict[str, float]:
    """When each run was cancelled."""
    file = folder / "cancelled"
    lines = file.read_text().splitlines() if file.exists() else []
    return {line.split()[0]: float(line.split()[1]) for line in lines}
