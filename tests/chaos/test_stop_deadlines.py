"""Processes that are told to stop while fifty jobs of a minute run, in every shape there is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from framework import Application, Queue, Settings
from framework.app.discovery import Declarations
from tests.support.command import command
from tests.support.fifty import (
    all_wait_unburnt,
    environment_of,
    fifty_run,
    stop_told_twice,
    stopped_within,
    write_shop,
)
from tests.support.servers import free_port

DEADLINE = 5.0


@pytest.fixture
async def queue(redis_url: str, prefix: str) -> AsyncIterator[Queue]:
    settings = Settings(redis_url=SecretStr(redis_url), prefix=prefix)
    async with Application(Declarations("tests"), settings=settings) as app:
        yield app.queue("greetings")


@pytest.mark.parametrize("processes", ["0", "1", "2", "4"])
async def test_a_command_is_gone_two_seconds_after_its_deadline(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue, processes: str
) -> None:
    environment = environment_of(redis_url, prefix, DEADLINE)
    asked = ("run", "shop", "--processes", processes)

    with command(*asked, cwd=write_shop(tmp_path), environment=environment) as run:
        await fifty_run(queue)
        code = stopped_within(run, DEADLINE + 2)

    assert code == 0
    await all_wait_unburnt(queue)


@pytest.mark.parametrize("processes", ["0", "1", "2", "4"])
async def test_a_command_that_is_told_twice_is_gone_within_two_seconds(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue, processes: str
) -> None:
    told = environment_of(redis_url, prefix, 60)
    await stop_told_twice(write_shop(tmp_path), queue, told, processes)


async def test_a_web_app_under_uvicorn_is_gone_two_seconds_after_its_deadline(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    asked = [sys.executable, "-m", "uvicorn", "shop.web:api", "--port", str(free_port())]
    environment = {**os.environ, **environment_of(redis_url, prefix, DEADLINE)}
    with subprocess.Popen(asked, cwd=write_shop(tmp_path), env=environment) as process:  # noqa: ASYNC220, S603
        try:
            await fifty_run(queue)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE + 2)
            took = time.monotonic() - began
        finally:
            process.kill()

    assert took > DEADLINE - 0.5  # it did wait
    await all_wait_unburnt(queue)
