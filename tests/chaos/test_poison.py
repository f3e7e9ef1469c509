"""Jobs that end their process among good ones, in each way, in each kind of processor."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from framework import Application, Queue, Settings
from framework.app.discovery import Declarations
from tests.support.poison import DEADLY, poison_among_good_ones

# How soon good jobs begin again after any crash.
WITHIN = 2.0


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
