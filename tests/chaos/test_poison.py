"""Jobs that end their process among good ones, in each way, in each kind of processor."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from framework import Application, Queue, Settings
from framework.app.discovery import Declarations
from framework.model.job import JobState
from tests.support.command import command
from tests.support.poison import DEADLY, poison_among_good_ones, write_shop
from tests.support.until import until

# How soon good jobs begin again after any crash.
WITHIN = 2.0
STALLS_SOON = "lock_duration=timedelta(seconds=0.5), stalled_interval=timedelta(seconds=0.5)"


@pytest.fixture
async def queue(redis_url: str, prefix: str) -> AsyncIterator[Queue]:
    settings = Settings(redis_url=SecretStr(redis_url), prefix=prefix)
    async with Application(Declarations("tests"), settings=settings) as app:
        yield app.queue("greetings")


@pytest.mark.parametrize("act", DEADLY)
async def test_good_jobs_go_on_within_two_seconds_of_each_crash(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue, act: str
) -> None:
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}

    pauses = await poison_among_good_ones(tmp_path, queue, told, acts=(act,))

    assert max(pauses) < WITHIN, pauses


@pytest.mark.parametrize("run_in", ["loop", "thread"])
@pytest.mark.parametrize("processes", [1, 2])
async def test_several_are_all_quarantined_and_no_good_one(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue, run_in: str, processes: int
) -> None:
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}
    acts = tuple(DEADLY)

    await poison_among_good_ones(
        tmp_path, queue, told, acts=acts, run_in=run_in, processes=processes
    )


async def test_without_a_supervisor_the_stalled_check_counts_the_crashes(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}
    write_shop(tmp_path, more=STALLS_SOON)
    data = {"file": str(tmp_path / "runs")}
    await queue.add_bulk([("x", data)] * 5)
    bad = await queue.add("x", {**data, "act": "kill"})
    await queue.add_bulk([("x", data)] * 20)

    for _ in range(2):
        with command("run", "shop", "-p", "0", cwd=tmp_path, environment=told) as run:
            assert run.ends(timeout=30) == -signal.SIGKILL
    with command("run", "shop", "-p", "0", cwd=tmp_path, environment=told) as run:

        async def is_quarantined() -> bool:
            counts = await queue.counts()
            return (counts[JobState.FAILED], counts[JobState.COMPLETED]) == (1, 25)

        await until(is_quarantined, timeout=30, message="the others are done")
        assert run.process.poll() is None, run.output

    found = await queue.job(bad.id)
    assert found is not None
    assert str(found.failed_reason).startswith("quarantined: killed its process 3 times")
